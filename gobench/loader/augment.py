"""The eight symmetries of a square, on frames.

==  =======================================  ====================
k   what it does                             inverse
==  =======================================  ====================
0   nothing                                  0
1   left-right mirror                        1
2   top-bottom mirror                        2
3   half turn                                3
4   mirror at the main diagonal (transpose)  4
5   transpose, then left-right mirror        6
6   transpose, then top-bottom mirror        5
7   mirror at the other diagonal             7
==  =======================================  ====================

In bits: 4 transposes, then 1 mirrors left-right and 2 mirrors top-bottom. A domain that offers
``transform(record, k)`` uses the same numbers.
"""

from __future__ import annotations

import numpy as np

from gobench.loader.view import SYMMETRIES, View
from gobench.seeds import seed64
from gobench.types import Array

INVERSE = (0, 1, 2, 3, 4, 6, 5, 7)


def transform(frames: Array, k: int) -> Array:
    """Symmetry ``k`` (0..7) of frames or planes uint8 [T, H, W, ...], as a view; k >= 4 swaps H and W."""
    if k & 4:
        frames = np.swapaxes(frames, 1, 2)
    if k & 1:
        frames = frames[:, :, ::-1]
    if k & 2:
        frames = frames[:, ::-1]
    return frames


def drawn(view: View, epoch: int, clip: int) -> int:
    """The symmetry of a clip in an epoch: a pure function of (view.seed, epoch, clip)."""
    many = SYMMETRIES[view.symmetry]
    return seed64(view.seed, "symmetry", epoch, clip) % many if many > 1 else 0
