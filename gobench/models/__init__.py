"""One string -> a model, whatever it was made with.

    text -> load -> Loaded.ask(frames, n, seeds, context) -> frames, checked

``load`` takes a self-describing file or folder, ``package.module:Class``, an installed name, ``cmd:PROGRAM`` or
``predictions:DIR``; ``save`` writes the self-describing forms. Torch is imported for weights alone.
"""

from gobench.models.describe import ModelInfo
from gobench.models.loaded import Loaded
from gobench.models.opening import FORMS, load, wrap
from gobench.models.saving import save

__all__ = ["FORMS", "Loaded", "ModelInfo", "load", "save", "wrap"]
