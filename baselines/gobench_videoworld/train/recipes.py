"""How the transformer is trained, by size. The recipes of the other stages stand beside their networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class TransformerRecipe(NamedTuple):
    """Defaults of a size; whatever is asked for goes before."""

    steps: int
    batch: int  # windows of a step
    lr: float  # the highest learning rate
    frame_every: int  # the next frame is predicted for every so many windows; see ``Dynamics``


RECIPES: Mapping[str, TransformerRecipe] = {
    "tiny": TransformerRecipe(6_000, 64, 3e-3, 4),
    "small": TransformerRecipe(20_000, 64, 1e-3, 4),
    "base": TransformerRecipe(50_000, 128, 6e-4, 4),
    "300m": TransformerRecipe(200_000, 256, 3e-4, 4),
    "50m-paper": TransformerRecipe(1_000_000, 256, 3e-4, 1),
    "150m-paper": TransformerRecipe(1_000_000, 256, 3e-4, 1),
    "300m-paper": TransformerRecipe(1_000_000, 256, 3e-4, 1),
}
"""Those named "-paper" have the paper's numbers (section A; its text says 3e-4, its table A.1 3e-5)."""
