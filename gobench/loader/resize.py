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
    """Separable: the covered rows are summed first, then the columns of that sum.

    Lengths are whole numbers on a ruler of H * height (W * width) marks a side, so that sums are exact. Rows
    that lie over the same pixels as in the frame before are copied: most of a near-static clip is.
    """
    H, height, width = frames.shape[1], out.shape[1], out.shape[2]
    sums = np.empty(frames.shape[2] * frames.shape[3], np.int32)
    for t in range(frames.shape[0]):
        for r in range(height):
            first, last = r * H // height, ((r + 1) * H + height - 1) // height
            if t > 0 and _same(frames[t, first:last], frames[t - 1, first:last]):
                out[t, r] = out[t - 1, r]
            else:
                _row_sums(frames[t], r, height, sums)
                _columns(sums, H, width, out[t, r])


@numba.njit(cache=True, nogil=True)
def _same(a: Array, b: Array) -> bool:
    x, y = a.reshape(-1), b.reshape(-1)
    difference = np.uint8(0)
    for i in range(x.size):  # without an early exit, so that it is vectorised
        difference |= x[i] ^ y[i]
    return bool(difference == 0)


@numba.njit(cache=True, nogil=True)
def _row_sums(frame: Array, r: int, height: int, sums: npt.NDArray[np.int32]) -> None:
    H = frame.shape[0]
    sums[:] = 0
    low, high = r * H, (r + 1) * H
    for i in range(low // height, (high + height - 1) // height):
        covered = np.int32(min(high, (i + 1) * height) - max(low, i * height))
        row = frame[i].reshape(-1)
        for x in range(row.size):
            sums[x] += covered * np.int32(row[x])


@numba.njit(cache=True, nogil=True)
def _columns(sums: npt.NDArray[np.int32], H: int, width: int, out: Array) -> None:
    C = out.shape[1]
    W = sums.size // C
    total = H * W
    for c in range(width):
        low, high = c * W, (c + 1) * W
        for k in range(C):
            value = 0
            for j in range(low // width, (high + width - 1) // width):
                covered = min(high, (j + 1) * width) - max(low, j * width)
                value += covered * sums[j * C + k]
            out[c, k] = (2 * value + total) // (2 * total)
