"""What changes between frames, as a few discrete codes; and back.

===========  ==========================================================================================
``model``    what every form offers                      ``forms``   which is which
``located``  where something changes, and what: for boards
``generic``  learnable queries attend to the frames so far
``pixel``    the paper's: from frames to frames, without tokens
``redraw``   the decoder of tokens that the first two share
``steps``    which steps of a window are learnt from
``recipe``   how each is trained
``measures`` what codes are worth: exact frames, use, purity
===========  ==========================================================================================
"""

from gobench_videoworld.latent.forms import latent_model
from gobench_videoworld.latent.model import LatentModel
from gobench_videoworld.latent.recipe import RECIPES, LatentRecipe

__all__ = ["RECIPES", "LatentModel", "LatentRecipe", "latent_model"]
