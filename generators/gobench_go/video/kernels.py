"""Compiled loops of drawing: copy changed cells out of an atlas. They release the GIL.

atlas   uint8 [S, H, W, 3], see :mod:`.sprites`
boxes   int32 [R, C, 4], y0 y1 x0 x1 of the pixels in which the states of a point differ
states  uint8 [T, R, C], the state of each point in each frame
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game.compiled import compiled
from gobench_go.video.memory import copy_bytes

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
Int = int | np.int64
Planes = tuple[U8, U8, U8]


@compiled
def find_boxes(atlas: U8, row_of: I32, col_of: I32, rows: int, cols: int) -> I32:
    """The box of each point: the smallest rectangle outside which all states are equal."""
    boxes = np.empty((rows, cols, 4), np.int32)
    boxes[:, :, 0] = boxes[:, :, 2] = 1 << 30
    boxes[:, :, 1] = boxes[:, :, 3] = 0
    for y in range(atlas.shape[1]):
        for x in range(atlas.shape[2]):
            differs = False
            for s in range(1, atlas.shape[0]):
                for k in range(3):
                    differs |= atlas[s, y, x, k] != atlas[0, y, x, k]
            if differs:
                box = boxes[row_of[y], col_of[x]]
                box[0], box[1] = min(box[0], y), max(box[1], y + 1)
                box[2], box[3] = min(box[2], x), max(box[3], x + 1)
    return boxes


@compiled
def mark_last(boards: U8, last: I32) -> U8:
    """States from boards [T, R, C] and the index of the marked point of each frame (-1: none)."""
    states = boards.copy()
    cols = boards.shape[2]
    for t in range(len(last)):
        if last[t] >= 0:
            r, c = last[t] // cols, last[t] % cols
            if states[t, r, c]:
                states[t, r, c] += 2
    return states


@compiled
def _copy_box(source: U8, target: U8, y0: Int, y1: Int, x0: Int, x1: Int) -> None:
    """Copy a rectangle of a plane [H, W]; a plain loop, which compiles to wide moves."""
    for y in range(y0, y1):
        row, into = source[y], target[y]
        for x in range(x0, x1):
            into[x] = row[x]


@compiled
def paint_rgb(atlas: U8, boxes: I32, states: U8, out: U8) -> None:
    """Draw frames into ``out`` uint8 [T, H, W, 3], contiguous: the one before, changed cells replaced."""
    length, rows, cols = states.shape
    planes = atlas.reshape(atlas.shape[0], atlas.shape[1], -1)
    frames = out.reshape(length, out.shape[1], -1)
    now = planes[0].copy()
    before = np.zeros((rows, cols), np.uint8)
    for t in range(length):
        for r in range(rows):
            for c in range(cols):
                state = states[t, r, c]
                if state != before[r, c]:
                    y0, y1, x0, x1 = boxes[r, c]
                    _copy_box(planes[state], now, y0, y1, 3 * x0, 3 * x1)
        copy_bytes(frames[t].ctypes.data, now.ctypes.data, now.size)
        before = states[t]


@compiled
def find_damage(boxes: I32, states: U8, out: npt.NDArray[np.bool_]) -> None:
    """Mark the 16x16 blocks touched by changed cells in ``out`` bool [T, H/16, W/16]; frame 0 is all True."""
    out[:] = False
    out[0] = True
    for t in range(1, states.shape[0]):
        for r in range(states.shape[1]):
            for c in range(states.shape[2]):
                if states[t, r, c] != states[t - 1, r, c]:
                    y0, y1, x0, x1 = boxes[r, c]
                    out[t, y0 // 16 : (y1 + 15) // 16, x0 // 16 : (x1 + 15) // 16] = True


@compiled
def luma(r: Int, g: Int, b: Int) -> Int:
    """BT.601 limited range."""
    return ((66 * r + 129 * g + 25 * b + 128) >> 8) + 16


@compiled
def chroma(r: Int, g: Int, b: Int) -> tuple[Int, Int]:
    """U and V of the sums of a 2x2 block, BT.601 limited range."""
    r, g, b = (r + 2) >> 2, (g + 2) >> 2, (b + 2) >> 2
    u = ((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128
    return u, ((112 * r - 94 * g - 18 * b + 128) >> 8) + 128


@compiled
def atlas_planes(atlas: U8) -> Planes:
    """The atlas as planes: y [S, H, W], u and v [S, H/2, W/2]."""
    n, height, width, _ = atlas.shape
    ys = np.empty((n, height, width), np.uint8)
    us = np.empty((n, height // 2, width // 2), np.uint8)
    vs = np.empty_like(us)
    for s in range(n):
        for y in range(height):
            for x in range(width):
                p = atlas[s, y, x]
                ys[s, y, x] = luma(np.int64(p[0]), np.int64(p[1]), np.int64(p[2]))
        for y in range(height // 2):
            for x in range(width // 2):
                total = np.zeros(3, np.int64)
                for j in range(4):
                    for k in range(3):
                        total[k] += atlas[s, 2 * y + j // 2, 2 * x + j % 2, k]
                us[s, y, x], vs[s, y, x] = chroma(total[0], total[1], total[2])
    return ys, us, vs


@compiled
def mixed_chroma(atlas: U8, states: U8, row_of: I32, col_of: I32, y: int, x: int) -> tuple[Int, Int]:
    """Chroma of the 2x2 block at (y, x) of the half-size planes, pixel by pixel."""
    r = g = b = np.int64(0)
    for j in range(2 * y, 2 * y + 2):
        for i in range(2 * x, 2 * x + 2):
            p = atlas[states[row_of[j], col_of[i]], j, i]
            r, g, b = r + np.int64(p[0]), g + np.int64(p[1]), b + np.int64(p[2])
    return chroma(r, g, b)


@compiled
def paint_yuv(
    atlas: U8, planes: Planes, boxes: I32, row_of: I32, col_of: I32, states: U8, out: Planes
) -> None:
    """Draw frames as 4:2:0 planes, contiguous, equal to converting the RGB frames.

    Blocks of chroma inside one cell come from the converted atlas; those on a border are mixed anew.
    """
    length, rows, cols = states.shape
    y, u, v = planes[0][0].copy(), planes[1][0].copy(), planes[2][0].copy()
    before = np.zeros((rows, cols), np.uint8)
    for t in range(length):
        for r in range(rows):
            for c in range(cols):
                state = states[t, r, c]
                if state != before[r, c]:
                    y0, y1, x0, x1 = boxes[r, c]
                    _copy_box(planes[0][state], y, y0, y1, x0, x1)
                    _paint_chroma(atlas, planes, boxes[r, c], row_of, col_of, states[t], r, c, u, v)
        copy_bytes(out[0][t].ctypes.data, y.ctypes.data, y.size)
        copy_bytes(out[1][t].ctypes.data, u.ctypes.data, u.size)
        copy_bytes(out[2][t].ctypes.data, v.ctypes.data, v.size)
        before = states[t]


@compiled
def _paint_chroma(
    atlas: U8, planes: Planes, box: I32, row_of: I32, col_of: I32, now: U8, r: int, c: int, us: U8, vs: U8
) -> None:
    """The chroma blocks that a box touches: copied inside, mixed where cells share them."""
    y0, y1, x0, x1 = box[0] // 2, (box[1] + 1) // 2, box[2] // 2, (box[3] + 1) // 2
    top = y0 + (row_of[2 * y0] != r)
    bottom = y1 - (row_of[2 * y1 - 1] != r)
    left = x0 + (col_of[2 * x0] != c)
    right = x1 - (col_of[2 * x1 - 1] != c)
    _copy_box(planes[1][now[r, c]], us, top, bottom, left, right)
    _copy_box(planes[2][now[r, c]], vs, top, bottom, left, right)
    for y in range(y0, y1):
        for x in range(x0, x1):
            if y < top or y >= bottom or x < left or x >= right:
                us[y, x], vs[y, x] = mixed_chroma(atlas, now, row_of, col_of, y, x)
