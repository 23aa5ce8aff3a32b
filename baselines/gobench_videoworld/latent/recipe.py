"""How a latent dynamics model is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LatentRecipe:
    """AdamW, warm-up and a cosine, as ``train.fit`` has them."""

    steps: int
    batch: int  # windows of a step
    lr: float  # the highest learning rate
    least: int = 500  # steps even where the minutes are fewer: what comes after builds on it


RECIPES: Mapping[str, LatentRecipe] = {
    "located": LatentRecipe(steps=2500, batch=32, lr=1e-2),
    "generic": LatentRecipe(steps=5000, batch=32, lr=3e-3),
    "pixel": LatentRecipe(steps=20000, batch=8, lr=1e-3, least=100),
}
"""Form -> its recipe."""
