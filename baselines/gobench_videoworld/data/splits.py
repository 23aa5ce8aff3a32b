"""Which split is learnt from, and which one is held out."""

from __future__ import annotations

from gobench.dataset import Dataset

TRAIN = "train"


def held_out(data: Dataset) -> str:
    """The first there is of validation, test, train; in the last case nothing is held out, and whoever measures says so."""
    return next(name for name in ("validation", "test", TRAIN) if name in data.splits)
