"""Resizing frames: the exact mean of the covered area, or the nearest pixel."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from gobench.types import Array


def resized(frames: Array, height: int, width: int, how: str = "area") -> Array:
    """Frames or planes uint8 [T, H, W] or [T, H, W, C] at ``height`` x ``width``, as a new array or itself.

    "area" weighs each pixel by the exact share of it that an output pixel covers, and rounds half up.
    "nearest" takes the pixel in which the output pixel's centre lies.
    """
    if frames.shape[1:3] == (height, width):
        return frames
    if how == "nearest":
        rows, columns = _centres(frames.shape[1], height), _centres(frames.shape[2], width)
        return np.ascontiguousarray(frames[:, rows[:, None], columns[None, :]])
    planes = np.ascontiguousarray(frames).reshape(*frames.shape[:3], -1)
    out = np.empty((len(frames), height, width, planes.shape[3]), np.uint8)
    _area(planes, out)
    return out.reshape(len(frames), height, width, *frames.shape[3:])


def _centres(old: int, new: int) -> npt.NDArray[np.int64]:
    return (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)


@numba.njit(cache=True, nogil=True)
def _area(frames: Array, out: Array) -> None:
    """Separable: first the columns of the covered rows are summed, then the columns are.

    Lengths are whole numbers on a ruler of H * height (W * width) marks a side, so that sums are exact.
    """
    count, H, W, C = frames.shape
    height, width = out.shape[1], out.shape[2]
    total = H * W
    sums = np.empty(W * C, np.int64)
    for t in range(count):
        for r in range(height):
            _row_sums(frames[t], r, height, sums)
            for c in range(width):
                low, high = c * W, (c + 1) * W
                for k in range(C):
                    value = 0
                    for j in range(low // width, (high + width - 1) // width):
                        covered = min(high, (j + 1) * width) - max(low, j * width)
                        value += covered * sums[j * C + k]
                    out[t, r, c, k] = (2 * value + total) // (2 * total)


@numba.njit(cache=True, nogil=True)
def _row_sums(frame: Array, r: int, height: int, sums: npt.NDArray[np.int64]) -> None:
    H, W, C = frame.shape
    sums[:] = 0
    low, high = r * H, (r + 1) * H
    for i in range(low // height, (high + height - 1) // height):
        covered = min(high, (i + 1) * height) - max(low, i * height)
        row = frame[i]
        for j in range(W):
            for k in range(C):
                sums[j * C + k] += covered * row[j, k]
