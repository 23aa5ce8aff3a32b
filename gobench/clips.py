"""Clips held as arrays, and the one conversion between RGB and 4:2:0 planes that everything here uses.

The conversion is BT.601, limited range, in integers, so that any renderer can draw planes directly and get
the very bytes that converting its RGB frames would give:

    Y = ((66 R + 129 G + 25 B + 128) >> 8) + 16          of each pixel
    U = ((-38 R - 74 G + 112 B + 128) >> 8) + 128        of (sum + 2) >> 2 of R, G, B over each 2x2 block
    V = ((112 R - 94 G - 18 B + 128) >> 8) + 128
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.types import Array, Yuv

BLOCK = 16  # pixels a side of a damage block: H.264's macroblock


@dataclass(frozen=True, slots=True)
class ArrayClip:
    """A ``gobench.types.Clip`` over frames in memory: uint8 [T, H, W, 3], T, H and W at least 1.

    ``fps`` is what video files of it are stamped with. Raises UsageError for any other array.
    """

    frames: Array
    fps: int = 4

    def __post_init__(self) -> None:
        shape, dtype = self.frames.shape, self.frames.dtype
        if dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
            raise UsageError(f"a clip is uint8 [T, H, W, 3] with T, H, W >= 1, not {dtype} {list(shape)}.")

    @property
    def length(self) -> int:
        return int(self.frames.shape[0])

    @property
    def height(self) -> int:
        return int(self.frames.shape[1])

    @property
    def width(self) -> int:
        return int(self.frames.shape[2])

    def rgb(self, start: int = 0, stop: int | None = None, step: int = 1) -> Array:
        """Frames ``range(start, stop, step)`` as uint8 [T', H, W, 3]: a view, not a copy."""
        return self.frames[start:stop:step]

    def yuv(self, start: int = 0, stop: int | None = None, step: int = 1) -> Yuv:
        """The same frames as planes; raises UsageError for an odd height or width."""
        return rgb_to_yuv(self.frames[start:stop:step])

    def damage(self) -> npt.NDArray[np.bool_]:
        """Bool [T, ceil(H/16), ceil(W/16)]: the blocks that differ from the frame before."""
        rows, cols = -(-self.height // BLOCK), -(-self.width // BLOCK)
        damage = np.zeros((self.length, rows, cols), np.bool_)
        damage[0] = True
        _compare(_rows(self.frames), damage)
        return damage


def rgb_to_yuv(rgb: Array) -> Yuv:
    """uint8 [T, H, W, 3] -> planes; H and W must be even, or UsageError says so."""
    count, height, width = rgb.shape[:3]
    if height % 2 or width % 2:
        raise UsageError(
            f"4:2:0 planes need an even height and width, not {height}x{width}: choose an even size."
        )
    half = (count, height // 2, width // 2)
    planes = Yuv(
        np.empty((count, height, width), np.uint8), np.empty(half, np.uint8), np.empty(half, np.uint8)
    )
    _to_yuv(_rows(rgb), *planes)
    return planes


def yuv_to_rgb(yuv: Yuv) -> Array:
    """Planes -> uint8 [T, H, W, 3], each chroma sample used for its 2x2 pixels.

    Rows equal to those of the frame before are copied, so near-static clips convert at copying speed.
    """
    y, u, v = (np.ascontiguousarray(plane) for plane in yuv)
    rgb = np.empty((*y.shape, 3), np.uint8)
    _to_rgb(y, u, v, _rows(rgb))
    return rgb


def _rows(rgb: Array) -> Array:
    """[T, H, W, 3] -> [T, H, 3W], a view if it can be."""
    return np.ascontiguousarray(rgb).reshape(*rgb.shape[:2], 3 * rgb.shape[2])


@numba.njit(cache=True, nogil=True)
def _same(a, b):  # type: ignore[no-untyped-def]
    diff = np.uint8(0)
    for x in range(a.size):  # without an early exit, so that it is vectorised
        diff |= a[x] ^ b[x]
    return diff == 0


@numba.njit(cache=True, nogil=True)
def _copy(source, target):  # type: ignore[no-untyped-def]
    for x in range(source.size):
        target[x] = source[x]


@numba.njit(cache=True, nogil=True)
def _compare(rows, damage):  # type: ignore[no-untyped-def]
    for t in range(1, rows.shape[0]):
        for i in range(rows.shape[1]):
            old, new = rows[t - 1, i], rows[t, i]
            if _same(old, new):
                continue
            for j in range(damage.shape[2]):
                part = slice(48 * j, 48 * j + 48)
                if not damage[t, i // 16, j] and not _same(old[part], new[part]):
                    damage[t, i // 16, j] = True


@numba.njit(cache=True, nogil=True)
def _to_yuv(rows, y, u, v):  # type: ignore[no-untyped-def]
    for t in range(rows.shape[0]):
        for i in range(u.shape[1]):
            top, low = rows[t, 2 * i], rows[t, 2 * i + 1]
            if t and _same(top, rows[t - 1, 2 * i]) and _same(low, rows[t - 1, 2 * i + 1]):
                _copy(y[t - 1, 2 * i], y[t, 2 * i])
                _copy(y[t - 1, 2 * i + 1], y[t, 2 * i + 1])
                _copy(u[t - 1, i], u[t, i])
                _copy(v[t - 1, i], v[t, i])
            else:
                _to_luma(top, y[t, 2 * i])
                _to_luma(low, y[t, 2 * i + 1])
                _to_chroma(top, low, u[t, i], v[t, i])


@numba.njit(cache=True, nogil=True)
def _to_luma(row, y):  # type: ignore[no-untyped-def]
    for j in range(y.size):
        r, g, b = np.int32(row[3 * j]), np.int32(row[3 * j + 1]), np.int32(row[3 * j + 2])
        y[j] = ((66 * r + 129 * g + 25 * b + 128) >> 8) + 16


@numba.njit(cache=True, nogil=True)
def _to_chroma(top, low, u, v):  # type: ignore[no-untyped-def]
    for j in range(u.size):
        k = 6 * j
        r = (np.int32(top[k]) + top[k + 3] + low[k] + low[k + 3] + 2) >> 2
        g = (np.int32(top[k + 1]) + top[k + 4] + low[k + 1] + low[k + 4] + 2) >> 2
        b = (np.int32(top[k + 2]) + top[k + 5] + low[k + 2] + low[k + 5] + 2) >> 2
        u[j] = ((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128
        v[j] = ((112 * r - 94 * g - 18 * b + 128) >> 8) + 128


@numba.njit(cache=True, nogil=True)
def _to_rgb(y, u, v, rows):  # type: ignore[no-untyped-def]
    for t in range(y.shape[0]):
        for i in range(u.shape[1]):
            same_chroma = t > 0 and _same(u[t, i], u[t - 1, i]) and _same(v[t, i], v[t - 1, i])
            for k in (2 * i, 2 * i + 1):
                if same_chroma and _same(y[t, k], y[t - 1, k]):
                    _copy(rows[t - 1, k], rows[t, k])
                else:
                    _to_rgb_row(y[t, k], u[t, i], v[t, i], rows[t, k])


@numba.njit(cache=True, nogil=True)
def _to_rgb_row(y, u, v, out):  # type: ignore[no-untyped-def]
    # 8192 times 255/219 and the BT.601 chroma weights; rounded down, as ffmpeg's fast conversion does
    for j in range(u.size):
        d, e = np.int32(u[j]) - 128, np.int32(v[j]) - 128
        red, green, blue = 13075 * e, -3209 * d - 6660 * e, 16525 * d
        c = 9539 * (np.int32(y[2 * j]) - 16)
        out[6 * j] = _clip8(c + red)
        out[6 * j + 1] = _clip8(c + green)
        out[6 * j + 2] = _clip8(c + blue)
        c = 9539 * (np.int32(y[2 * j + 1]) - 16)
        out[6 * j + 3] = _clip8(c + red)
        out[6 * j + 4] = _clip8(c + green)
        out[6 * j + 5] = _clip8(c + blue)


@numba.njit(cache=True, nogil=True)
def _clip8(x):  # type: ignore[no-untyped-def]
    return np.uint8(min(max(x >> 13, 0), 255))
