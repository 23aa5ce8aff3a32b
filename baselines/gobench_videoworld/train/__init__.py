"""Fitting the stages of a model.

    fit(stage, plan, folder) -> Fitted

``stage`` is what can be trained, ``schedule`` how; ``fit`` is the loop, ``trainer`` one step of it, ``state`` what lies between
steps. ``feed`` makes batches ahead, ``optimizer`` is AdamW, ``parallel`` one process or many, ``budget`` minutes as steps.
``checkpoints``, ``logs``, ``progress`` and ``meters`` are what is kept and told; ``faults`` and ``signals`` what stops it.
"""
