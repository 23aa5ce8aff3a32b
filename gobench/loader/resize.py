"""Resizing frames: the exact mean of the covered area, or the nearest pixel."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from gobench.types import Array

Ints = npt.NDArray[np.signedinteger[Any]]
MOST = 1 << 22  # pixels of a frame whose sums fit 32 bits, doubled


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
    down, right = _cover(frames.shape[1], height), _cover(frames.shape[2], width)
    _area(planes, out, *down, *_spread(*right, planes.shape[3]))
    return out.reshape(len(frames), height, width, *frames.shape[3:])


def _centres(old: int, new: int) -> npt.NDArray[np.int64]:
    return (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)


def _cover(old: int, new: int) -> tuple[Ints, Ints]:
    """Which pixels each output pixel lies over, and how much of each, on a ruler of ``old * new`` marks a side.

    Returns:
        int64 [new, n]: pixels, n for each, neighbours; int64 [new, n]: marks covered, 0 for a pixel beside it.
    """
    low = np.arange(new, dtype=np.int64) * old
    first = low // new
    n = int(((low + old - 1) // new - first).max()) + 1
    at = np.minimum(first, old - n)[:, None] + np.arange(n)
    covered = np.minimum(low[:, None] + old, (at + 1) * new) - np.maximum(low[:, None], at * new)
    return at, np.maximum(covered, 0)


def _spread(at: Ints, covered: Ints, channels: int) -> tuple[Ints, Ints]:
    """``_cover`` of the columns for a row of pixels with channels: int64 [n, new * channels], both."""
    places = at[:, :, None] * channels + np.arange(channels)
    marks = np.repeat(covered[:, :, None], channels, axis=2)
    flat = (np.ascontiguousarray(a.transpose(1, 0, 2)).reshape(at.shape[1], -1) for a in (places, marks))
    return next(flat), next(flat)


@numba.njit(cache=True, nogil=True)
def _area(frames: Array, out: Array, rows: Ints, down: Ints, places: Ints, right: Ints) -> None:
    """Separable: the covered rows are summed first, then the columns of that sum.

    Lengths are whole numbers on a ruler of H * height (W * width) marks a side, so that sums are exact. Rows
    that lie over the same pixels as in the frame before are copied: most of a near-static clip is.
    """
    if frames.shape[1] * frames.shape[2] < MOST:
        sums, line = np.empty(frames.shape[2] * frames.shape[3], np.int32), np.empty(right.shape[1], np.int32)
        _area_with(frames, out, rows, down, places, right.astype(np.int32), sums, line)
    else:
        wide, long = np.empty(frames.shape[2] * frames.shape[3], np.int64), np.empty(right.shape[1], np.int64)
        _area_with(frames, out, rows, down, places, right, wide, long)


@numba.njit(cache=True, nogil=True)
def _area_with(
    frames: Array, out: Array, rows: Ints, down: Ints, places: Ints, right: Ints, sums: Ints, line: Ints
) -> None:
    total = frames.shape[1] * frames.shape[2]
    for t in range(frames.shape[0]):
        for r in range(out.shape[1]):
            first, last = rows[r, 0], rows[r, -1] + 1
            if t > 0 and _same(frames[t, first:last], frames[t - 1, first:last]):
                out[t, r] = out[t - 1, r]
                continue
            _row_sums(frames[t], rows[r], down[r], sums)
            _columns(sums, places, right, line)
            row = out[t, r].reshape(-1)
            for x in range(line.size):  # exact: all numbers are far below 2**53
                row[x] = np.uint8((2.0 * line[x] + total) / (2.0 * total))


@numba.njit(cache=True, nogil=True)
def _same(a: Array, b: Array) -> bool:
    x, y = a.reshape(-1), b.reshape(-1)
    difference = np.uint8(0)
    for i in range(x.size):  # without an early exit, so that it is vectorised
        difference |= x[i] ^ y[i]
    return bool(difference == 0)


@numba.njit(cache=True, nogil=True)
def _row_sums(frame: Array, rows: Ints, down: Ints, sums: Ints) -> None:
    sums[:] = 0
    for n in range(rows.size):
        covered, row = sums.dtype.type(down[n]), frame[rows[n]].reshape(-1)
        if covered:
            for x in range(row.size):
                sums[x] += covered * sums.dtype.type(row[x])


@numba.njit(cache=True, nogil=True)
def _columns(sums: Ints, places: Ints, right: Ints, line: Ints) -> None:
    line[:] = 0
    for n in range(places.shape[0]):
        at, covered = places[n], right[n]
        for x in range(line.size):
            line[x] += covered[x] * sums[at[x]]
