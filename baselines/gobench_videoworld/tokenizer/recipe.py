"""How a tokenizer is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenizerRecipe:
    """AdamW with betas (0.9, 0.95), warm-up and a cosine down to ``floor`` times the highest rate, gradients cut at norm 1."""

    steps: int
    batch: int  # frames of a step
    lr: float  # the highest learning rate
    warmup: int  # steps
    floor: float = 0.05  # the last learning rate, as a share of the highest
    weight_decay: float = 0.0  # a background must not decay
    least: int = 100  # steps even where the minutes are fewer: what comes after builds on it


RECIPES: Mapping[str, TokenizerRecipe] = {
    "local": TokenizerRecipe(steps=300, batch=16, lr=3e-3, warmup=20),
    "scene": TokenizerRecipe(steps=4000, batch=16, lr=3e-3, warmup=20, least=500),
    "conv": TokenizerRecipe(steps=2000, batch=16, lr=1e-3, warmup=50),
    "paper": TokenizerRecipe(steps=20000, batch=16, lr=3e-4, warmup=200),
}
"""Encoder -> its recipe."""
