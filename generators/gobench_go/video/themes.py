"""A look: a theme at a size on a board, drawn once and then only copied from."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError, unknown
from gobench_go.video import geometry, sprites
from gobench_go.video.geometry import Grid
from gobench_go.video.styles import THEMES, Theme
from gobench_go.video.variation import Variation, vary

__all__ = ["THEMES", "Look", "look"]

DRAWN = "1"
"""Of the pictures; raised when any pixel of a theme changes, for results then stand on other prompts."""
KEPT_BYTES = 96 << 20  # of the last looks' atlases, kept for the next call

Planes: TypeAlias = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]

_kept: OrderedDict[tuple[Any, ...], Look] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, eq=False)
class Look:
    """Everything needed to draw and to read pictures of one kind. Made by :func:`look`."""

    theme: str
    size: int  # pixels, height and width
    rows: int
    cols: int
    coordinates: bool
    last_move: bool
    variation: int | None
    grid: Grid = field(repr=False)
    atlas: npt.NDArray[np.uint8] = field(repr=False)  # [3 or 5, size, size, 3], see sprites
    boxes: npt.NDArray[np.int32] = field(repr=False)  # [R, C, 4] y0 y1 x0 x1 of each point's pixels
    readers: dict[bool, Any] = field(default_factory=dict, repr=False)  # filled by read.reader, luma or not

    @cached_property
    def planes(self) -> Planes:
        """The atlas as 4:2:0 planes: y [S, H, W], u and v [S, H/2, W/2]."""
        from gobench_go.video import kernels

        if self.size % 2:
            raise UsageError(f"4:2:0 planes need an even size, not {self.size}: choose {self.size + 1}.")
        planes: Planes = kernels.atlas_planes(self.atlas)
        return planes


def look(
    theme: str,
    size: int,
    rows: int,
    cols: int,
    coordinates: bool = False,
    last_move: bool = False,
    variation: int | None = None,
) -> Look:
    """Draw a theme for a board; the last few looks are kept.

    Args:
        theme: a name in ``THEMES``.
        size: pixels of the picture's side, 36 to 1024.
        rows, cols: lines of the board, 1 to 19.
        coordinates: letters and numbers around the board (the board shrinks to make room).
        last_move: whether ``last`` marks a stone.
        variation: seed of a random appearance; None or -1 is the plain theme.

    Raises:
        UsageError: an unknown theme, or a size too small for the board (the message names the least).
    """
    if theme not in THEMES:
        raise unknown("theme", theme, THEMES)
    seed = None if variation is None or variation < 0 else int(variation)
    key = (theme, int(size), int(rows), int(cols), bool(coordinates), bool(last_move), seed)
    with _lock:
        drawn = _kept.pop(key, None)
    drawn = drawn or _draw(*key)
    with _lock:
        _kept[key] = drawn
        while len(_kept) > 1 and sum(kept.atlas.nbytes for kept in _kept.values()) > KEPT_BYTES:
            _kept.popitem(last=False)
    return drawn


def _draw(
    theme: str, size: int, rows: int, cols: int, coordinates: bool, last_move: bool, variation: int | None
) -> Look:
    from gobench_go.video import kernels

    varied = vary(variation)
    style = varied.theme(THEMES[theme])
    margin = geometry.LABEL_MARGIN if coordinates else style.margin
    grid = geometry.grid(size, rows, cols, margin, scale=varied.scale, shift=varied.shift)
    atlas = _atlas(style, grid, size, coordinates, last_move, varied)
    atlas.flags.writeable = False
    boxes = kernels.find_boxes(atlas, grid.row_of, grid.col_of, rows, cols)
    return Look(theme, size, rows, cols, coordinates, last_move, variation, grid, atlas, boxes)


def _atlas(
    style: Theme, grid: Grid, size: int, labels: bool, marks: bool, varied: Variation
) -> npt.NDArray[np.uint8]:
    plain = style == THEMES["videoworld"] and not labels and varied.seed < 0
    if plain and size == 256 and len(grid.ys) == len(grid.xs) == 9:
        states = sprites.original()
        return sprites.mark(states, style, grid) if marks else states.copy()
    return sprites.atlas(style, grid, size, labels=labels, marks=marks, vary=varied)
