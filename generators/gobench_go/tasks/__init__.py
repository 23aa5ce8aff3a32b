"""What the Go domain asks of models.

    judged games -> samples -> prompt -> the model's frame -> reading -> evidence -> change, judgement -> table

``base`` has what both tasks share, ``samples`` chooses the positions, ``reading`` turns a frame into plain data and boards
into moves, ``scores`` and ``slices`` are the columns of a table, ``next_move`` and ``rollout`` are the tasks.
"""
