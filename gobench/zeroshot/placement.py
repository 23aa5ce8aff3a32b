"""Where the prompt's picture lies in the frames of an answer, and how to take it out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gobench.types import Array
from gobench.zeroshot.settings import SAME_SHAPE

EPSILON = 1e-6
Size = Sequence[int]  # height, width in pixels


@dataclass(frozen=True, slots=True)
class Placement:
    """The point (y, x) of the reference, in pixels from its corner, lies at (top + sy * y, left + sx * x)."""

    sy: float
    sx: float
    top: float
    left: float
    room: tuple[
        float, float, float, float
    ]  # top, bottom, left, right of what is picture in a frame: the rest is bars

    def visible(self, size: Size) -> tuple[slice, slice]:
        """Rows and columns of a reference of ``size`` that lie wholly inside the room."""
        rows = _inside(size[0], self.sy, self.top, self.room[:2])
        return rows, _inside(size[1], self.sx, self.left, self.room[2:])


def _inside(length: int, scale: float, start: float, room: tuple[float, float]) -> slice:
    first = max(0, int(np.ceil((room[0] - start) / scale - EPSILON)))
    stop = min(length, int(np.floor((room[1] - start) / scale + EPSILON)))
    return slice(first, max(first, stop))


def guesses(answer: Size, size: Size) -> dict[str, Placement]:
    """The usual ways to make a picture of ``size`` into frames of the size ``answer``.

    "stretch": every side on its own; "contain": bars around it; "corner": bars right or below only;
    "cover": enlarged until it fills the frame, and cut in the middle.
    """
    sy, sx = answer[0] / size[0], answer[1] / size[1]
    found = {"stretch": _placed(sy, sx, 0.0, answer, size)}
    if abs(sy / sx - 1) > SAME_SHAPE:
        found["contain"] = _placed(min(sy, sx), min(sy, sx), 0.5, answer, size)
        found["cover"] = _placed(max(sy, sx), max(sy, sx), 0.5, answer, size)
        found["corner"] = _placed(min(sy, sx), min(sy, sx), 0.0, answer, size)
    return found


def _placed(sy: float, sx: float, part: float, answer: Size, size: Size) -> Placement:
    """At these scales, ``part`` of the space that is left over lying above and left of the picture."""
    high, wide = sy * size[0], sx * size[1]
    top, left = part * (answer[0] - high), part * (answer[1] - wide)
    room = (
        max(0.0, top),
        min(float(answer[0]), top + high),
        max(0.0, left),
        min(float(answer[1]), left + wide),
    )
    return Placement(sy, sx, top, left, room)


def take(frame: Array, place: Placement, reference: Array) -> Array:
    """The reference's part of a frame uint8 [h, w, 3], as uint8 of the reference's shape.

    What the frame does not show is taken from the reference: an answer cannot have changed it.
    """
    from PIL import Image

    size, answer = reference.shape[:2], frame.shape[:2]
    if answer == size and (place.sy, place.sx, place.top, place.left) == (1.0, 1.0, 0.0, 0.0):
        return frame
    rows, cols = place.visible((size[0], size[1]))
    whole = reference.copy()
    if rows.stop > rows.start and cols.stop > cols.start:
        box = _box(place, rows, cols)
        target = (cols.stop - cols.start, rows.stop - rows.start)
        cut = Image.fromarray(frame).resize(target, Image.Resampling.BICUBIC, box=box)
        whole[rows, cols] = np.asarray(cut)
    return whole


def cells(frame: Array, place: Placement, size: Size, count: int) -> Array:
    """Mean colours of the visible part in ``count`` cells each way, uint8 [count, count, 3]."""
    from PIL import Image

    rows, cols = place.visible(size)
    if rows.stop <= rows.start or cols.stop <= cols.start:
        return np.zeros((count, count, 3), np.uint8)
    box = _box(place, rows, cols)
    return np.asarray(Image.fromarray(frame).resize((count, count), Image.Resampling.BOX, box=box))


def _box(place: Placement, rows: slice, cols: slice) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in the answer, never outside of the room."""
    left, right = (
        float(np.clip(place.left + place.sx * x, *place.room[2:])) for x in (cols.start, cols.stop)
    )
    top, bottom = (float(np.clip(place.top + place.sy * y, *place.room[:2])) for y in (rows.start, rows.stop))
    return left, top, right, bottom
