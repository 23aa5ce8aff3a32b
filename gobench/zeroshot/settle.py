"""Which frames of an answer stand still, and which of them is the answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench.zeroshot import settings as s


def motion(cells: Array) -> npt.NDArray[np.float64]:
    """How much each frame differs from the one before, in grey levels, float [m - 1].

    The cell that changed most, less the median cell's change: flicker of the whole picture is no motion.

    Args:
        cells: uint8 [m, n, n, 3], the mean colours of cells of each frame.
    """
    change = np.abs(np.diff(cells.astype(np.int16), axis=0)).max(axis=3).reshape(len(cells) - 1, -1)
    return np.asarray(change.max(axis=1) - np.median(change, axis=1), np.float64)


def settled(moved: Sequence[float] | npt.NDArray[np.float64]) -> list[int]:
    """The last frames of all settled runs, ascending; the last of them is the answer.

    A run is at least RUN frames, each within STILL of the one before. A clip of at most SLIDES frames is a
    series of stills, each of them settled.

    Args:
        moved: what ``motion`` gave, one less than there are frames.
    """
    frames = len(moved) + 1
    if frames <= s.SLIDES:
        return list(range(frames))
    ends, start = [], 0
    for t in range(1, frames + 1):
        if t < frames and moved[t - 1] <= s.STILL:
            continue
        if t - start >= s.RUN:
            ends.append(t - 1)
        start = t
    return ends
