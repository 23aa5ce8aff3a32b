"""Where the prompt's picture lies in the frames of an answer, and how to take it out of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gobench.types import Array
from gobench.zeroshot.settings import SAME_SHAPE

EPSILON = 1e-6
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Placement:
    """The point (y, x) of the reference, in pixels from its corner, lies at (top + sy * y, left + sx * x)."""

    sy: float
    sx: float
    top: float
    left: float

    def visible(self, size: Size, answer: Size) -> tuple[slice, slice]:
        """Rows and columns of a reference of ``size`` that lie wholly inside frames of the size ``answer``."""
        rows = _inside(size[0], self.sy, self.top, answer[0])
        return rows, _inside(size[1], self.sx, self.left, answer[1])


def _inside(length: int, scale: float, start: float, room: int) -> slice:
    first = max(0, int(np.ceil(-start / scale - EPSILON)))
    stop = min(length, int(np.floor((room - start) / scale + EPSILON)))
    return slice(first, max(first, stop))


def guesses(answer: Size, size: Size) -> dict[str, Placement]:
    """The usual ways to make a picture of ``size`` into frames of the size ``answer``.

    "stretch": every side on its own; "contain": bars around it; "corner": bars right or below only;
    "cover": enlarged until it fills the frame, and cut in the middle.
    """
    sy, sx = answer[0] / size[0], answer[1] / size[1]
    found = {"stretch": Placement(sy, sx, 0.0, 0.0)}
    if abs(sy / sx - 1) > SAME_SHAPE:
        found["contain"] = _centred(min(sy, sx), answer, size)
        found["cover"] = _centred(max(sy, sx), answer, size)
        found["corner"] = Placement(min(sy, sx), min(sy, sx), 0.0, 0.0)
    return found


def _centred(scale: float, answer: Size, size: Size) -> Placement:
    return Placement(scale, scale, (answer[0] - scale * size[0]) / 2, (answer[1] - scale * size[1]) / 2)


def take(frame: Array, place: Placement, reference: Array) -> Array:
    """The reference's part of a frame uint8 [h, w, 3], as uint8 of the reference's shape.

    What the frame does not show is taken from the reference: an answer cannot have changed it.
    """
    from PIL import Image

    size, answer = reference.shape[:2], frame.shape[:2]
    if answer == size and place == Placement(1.0, 1.0, 0.0, 0.0):
        return frame
    rows, cols = place.visible((size[0], size[1]), (answer[0], answer[1]))
    whole = reference.copy()
    if rows.stop > rows.start and cols.stop > cols.start:
        box = _box(place, rows, cols, (answer[0], answer[1]))
        target = (cols.stop - cols.start, rows.stop - rows.start)
        cut = Image.fromarray(frame).resize(target, Image.Resampling.BICUBIC, box=box)
        whole[rows, cols] = np.asarray(cut)
    return whole


def cells(frame: Array, place: Placement, size: Size, count: int) -> Array:
    """Mean colours of the visible part in ``count`` cells each way, uint8 [count, count, 3]."""
    from PIL import Image

    answer = (frame.shape[0], frame.shape[1])
    rows, cols = place.visible(size, answer)
    if rows.stop <= rows.start or cols.stop <= cols.start:
        return np.zeros((count, count, 3), np.uint8)
    box = _box(place, rows, cols, answer)
    return np.asarray(Image.fromarray(frame).resize((count, count), Image.Resampling.BOX, box=box))


def _box(place: Placement, rows: slice, cols: slice, answer: Size) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in the answer, never outside of it."""
    left, right = (float(np.clip(place.left + place.sx * x, 0, answer[1])) for x in (cols.start, cols.stop))
    top, bottom = (float(np.clip(place.top + place.sy * y, 0, answer[0])) for y in (rows.start, rows.stop))
    return left, top, right, bottom
