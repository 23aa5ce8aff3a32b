"""Boards to pictures. A frame is the one before, changed cells replaced, in RGB or 4:2:0 planes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.types import Array, Yuv
from gobench_go.video import kernels
from gobench_go.video.themes import Look

Marks: TypeAlias = npt.NDArray[np.signedinteger]


def board(look: Look, board: npt.ArrayLike, last: int = -1) -> Array:
    """Draw one board uint8 [R, C]; ``last`` is the index of the marked point. Returns uint8 [H, W, 3]."""
    drawn: Array = frames(look, np.asarray(board)[None], np.array([last]))[0]
    return drawn


def frames(
    look: Look, boards: npt.ArrayLike, last_moves: npt.ArrayLike | None = None, out: Array | None = None
) -> Array:
    """Draw boards uint8 [T, R, C] as uint8 [T, H, W, 3].

    Args:
        look: made by ``themes.look`` for R x C.
        boards: 0 empty, 1 black, 2 white; row 0 is the top row.
        last_moves: int [T], the point to mark in each frame (-1 or a pass: none), if the look has marks.
        out: where to draw, instead of a new array.
    """
    states = _states(look, boards, last_moves)
    shape = (len(states), look.size, look.size, 3)
    target = np.empty(shape, np.uint8) if out is None else out
    _check_out(target, shape)
    kernels.paint_rgb(look.atlas, look.boxes, states, target)
    return target


def yuv(
    look: Look, boards: npt.ArrayLike, last_moves: npt.ArrayLike | None = None, out: Yuv | None = None
) -> Yuv:
    """The same frames as 4:2:0 planes, equal to converting the RGB frames (BT.601, limited range)."""
    states = _states(look, boards, last_moves)
    planes = look.planes
    n, half = len(states), look.size // 2
    shapes = ((n, look.size, look.size), (n, half, half), (n, half, half))
    if out is None:
        out = Yuv(*(np.empty(shape, np.uint8) for shape in shapes))
    else:
        for plane, shape in zip(out, shapes, strict=True):
            _check_out(plane, shape)
    kernels.paint_yuv(
        look.atlas, planes, look.boxes, look.grid.row_of, look.grid.col_of, states, (out.y, out.u, out.v)
    )
    return out


def damage(
    look: Look, boards: npt.ArrayLike, last_moves: npt.ArrayLike | None = None
) -> npt.NDArray[np.bool_]:
    """The 16x16 blocks that may differ from the frame before, bool [T, ceil(H/16), ceil(W/16)]."""
    states = _states(look, boards, last_moves)
    blocks = -(-look.size // 16)
    found = np.empty((len(states), blocks, blocks), np.bool_)
    kernels.find_damage(look.boxes, states, found)
    return found


def _check_out(out: Array, shape: tuple[int, ...]) -> None:
    """The compiled loops write without asking: shape, type and layout have to be right."""
    if out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
        raise UsageError(f"out is {out.dtype} {out.shape}, but the frames are contiguous uint8 {shape}.")


def _states(look: Look, boards: npt.ArrayLike, last_moves: npt.ArrayLike | None) -> Array:
    states = np.ascontiguousarray(boards, np.uint8)
    if states.ndim != 3 or states.shape[1:] != (look.rows, look.cols):
        raise UsageError(
            f"boards have shape {states.shape}, but this look draws [T, {look.rows}, {look.cols}]."
        )
    if states.size and states.max() > 2:
        raise UsageError(f"boards hold the value {states.max()}: points are 0 empty, 1 black or 2 white.")
    if not look.last_move or last_moves is None:
        return states
    marked: Array = kernels.mark_last(states, _marks(look, last_moves, len(states)))
    return marked


def _marks(look: Look, last_moves: npt.ArrayLike, length: int) -> Marks:
    last = np.asarray(last_moves, np.int32)
    if last.shape != (length,):
        raise UsageError(f"last_moves has shape {last.shape}, but there are {length} boards: one a frame.")
    return np.where(last < look.rows * look.cols, last, -1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class GoClip:
    """A drawn game whose frames are made when asked for: a ``gobench.types.Clip``."""

    look: Look
    boards: Array  # [T, R, C]
    last_moves: Marks | None = None  # [T]
    fps: int = 4  # how fast to play it, for containers that say so

    @property
    def length(self) -> int:
        return len(self.boards)

    @property
    def height(self) -> int:
        return self.look.size

    @property
    def width(self) -> int:
        return self.look.size

    def rgb(self, start: int = 0, stop: int | None = None, step: int = 1) -> Array:
        """Frames ``range(start, stop, step)`` as uint8 [T', H, W, 3]."""
        boards, last = self._part(start, stop, step)
        return frames(self.look, boards, last)

    def yuv(self, start: int = 0, stop: int | None = None, step: int = 1) -> Yuv:
        """The same frames as 4:2:0 planes; the size must be even."""
        boards, last = self._part(start, stop, step)
        return yuv(self.look, boards, last)

    def damage(self) -> npt.NDArray[np.bool_]:
        """The 16x16 blocks that may differ from the frame before."""
        return damage(self.look, self.boards, self.last_moves)

    def _part(self, start: int, stop: int | None, step: int) -> tuple[Array, Marks | None]:
        part = slice(start, stop, step)
        return self.boards[part], None if self.last_moves is None else self.last_moves[part]
