"""Where the points of a board lie in a picture. Pixel (y, x) covers [y, y+1) x [x, x+1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_go.game.coords import MAX_SIDE

LEAST_SIZE, MOST_SIZE = 36, 1024
LEAST_PITCH, LEAST_PITCH_LABELLED = 3.75, 8.0
LABEL_MARGIN = 1.4  # from the outer line to the picture's edge when coordinates are drawn

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Grid:
    """Centres of rows and columns in pixels, and which cell owns a pixel row or column."""

    pitch: float
    ys: Floats  # [R]
    xs: Floats  # [C]
    row_of: Ints  # [H], the board row whose cell holds this pixel row; margins belong to the outer rows
    col_of: Ints  # [W]


def grid(
    size: int,
    rows: int,
    cols: int,
    margin: float,
    *,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Grid:
    """Lay a board out in a square picture, the longer side filling it.

    Centres are snapped to pixel centres unless the board is scaled or shifted (in pitches, down and right).
    """
    check(size, rows, cols, margin)
    pitch = size / (max(rows, cols) - 1 + 2 * margin) * scale
    snap = scale == 1.0 and shift == (0.0, 0.0)
    ys, xs = (_centres(size, n, pitch, d * pitch, snap) for n, d in zip((rows, cols), shift, strict=True))
    return Grid(pitch, ys, xs, _owners(size, ys), _owners(size, xs))


def check(size: int, rows: int, cols: int, margin: float) -> None:
    """Raise UsageError when a board does not fit a picture, naming the least size that does."""
    if not (1 <= rows <= MAX_SIDE and 1 <= cols <= MAX_SIDE):
        raise UsageError(f"a board of {rows}x{cols} cannot be drawn: 1 to {MAX_SIDE} lines each way.")
    least = least_size(rows, cols, margin)
    if not least <= size <= MOST_SIZE:
        what = f"a {rows}x{cols} board" + (" with coordinates" if margin == LABEL_MARGIN else "")
        raise UsageError(f"size {size} does not fit {what}: choose {least} to {MOST_SIZE} pixels.")


def least_size(rows: int, cols: int, margin: float) -> int:
    """The smallest picture in which such a board can be told apart, in pixels."""
    pitch = LEAST_PITCH_LABELLED if margin == LABEL_MARGIN else LEAST_PITCH
    return max(LEAST_SIZE, math.ceil(pitch * (max(rows, cols) - 1 + 2 * margin)))


def _centres(size: int, n: int, pitch: float, shift: float, snap: bool) -> Floats:
    start = (size - (n - 1) * pitch) / 2
    if snap:
        return np.asarray(np.floor(start + pitch * np.arange(n) + 1e-6) + 0.5, np.float64)
    return np.asarray(start + pitch * np.arange(n) + shift, np.float64)


def _owners(size: int, centres: Floats) -> Ints:
    middles = (centres[1:] + centres[:-1]) / 2
    return np.searchsorted(middles, np.arange(size) + 0.5, side="right").astype(np.int32)
