"""Clips as few frames: in a near-static clip hardly a patch changes, so those that did move up to the frames before.

Only for tokenizers whose tokens depend on their own patch and its place alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gobench.types import Array
from gobench_videoworld.data.order import Ints

NOISE = 2  # grey levels: what a lossy codec changes where nothing happened


class Packed(NamedTuple):
    """The distinct patches of a clip, each at its place: frame n holds the n-th one of every place, or its last."""

    frames: Array  # uint8 [M, h, w, 3], M <= T
    numbers: Ints  # int64 [T, rows, cols], which one stands there in each frame


def pack(frames: Array, grid: tuple[int, int], noise: int = NOISE) -> Packed:
    """Pack a clip uint8 [T, h, w, 3], whose patches are ``h / rows`` x ``w / cols`` pixels.

    A patch counts as new where some pixel differs by more than ``noise`` from the last one that was new.
    """
    cut = cut_up(frames, grid)
    numbers = np.zeros(cut.shape[:3], np.int64)
    held = cut[0].copy()
    parts = [held.copy()]
    for t in range(1, len(cut)):
        new = (np.maximum(held, cut[t]) - np.minimum(held, cut[t])).max(axis=(2, 3, 4)) > noise
        numbers[t] = numbers[t - 1] + new
        held[new] = cut[t][new]
        while len(parts) <= numbers[t].max():
            parts.append(parts[-1].copy())
        rows, cols = np.nonzero(new)
        for n, row, col in zip(numbers[t][new].tolist(), rows.tolist(), cols.tolist(), strict=True):
            for part in parts[n:]:
                part[row, col] = held[row, col]
    packed = np.stack(parts).swapaxes(2, 3).reshape(len(parts), *frames.shape[1:])
    return Packed(packed, numbers)


def cut_up(frames: Array, grid: tuple[int, int]) -> Array:
    """uint8 [T, h, w, 3] -> [T, rows, cols, p, q, 3], as a view."""
    t, h, w, c = frames.shape
    rows, cols = grid
    return frames.reshape(t, rows, h // rows, cols, w // cols, c).swapaxes(2, 3)
