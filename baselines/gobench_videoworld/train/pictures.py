"""Rows of frames as one picture: what was shown, what the model made of it, what was there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gobench.types import Array
from gobench_videoworld.answers import enlarged

GAP, EDGE = 6, 255  # pixels and grey level between frames
SHOWN = 128  # pixels of a frame's side


def sheet(columns: Sequence[Array], side: int = SHOWN) -> Array:
    """Columns of frames uint8 [N, h, w, 3], each at ``side`` pixels: uint8 [H, W, 3], N rows."""
    cells = np.stack([_at(column, side) for column in columns], axis=1)
    padded = np.pad(cells, ((0, 0), (0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=EDGE)
    rows, cols, height, width, _ = padded.shape
    whole = padded.swapaxes(1, 2).reshape(rows * height, cols * width, 3)
    return np.pad(whole, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=EDGE)


def _at(frames: Array, side: int) -> Array:
    height, width = frames.shape[1:3]
    return enlarged(
        frames, (round(side * height / max(height, width)), round(side * width / max(height, width)))
    )
