"""Frames <-> tokens, one frame at a time.

===========  ==========================================================================================
``model``    the tokenizer: an encoder, finite scalar quantization, a decoder, the loss
``local``    encoder and decoder that see one patch each: for boards
``pyramid``  strided convolutions with residual blocks: ``conv`` for robots, ``paper`` for the original's
``recipe``   how each is trained
``measures`` what tokens are worth: exact frames, use of the codebook, churn, excess
===========  ==========================================================================================
"""

from gobench_videoworld.tokenizer.model import Tokenizer
from gobench_videoworld.tokenizer.recipe import RECIPES, TokenizerRecipe

__all__ = ["RECIPES", "Tokenizer", "TokenizerRecipe"]
