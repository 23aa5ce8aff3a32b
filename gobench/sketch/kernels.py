"""Compiled loops over the blocks of a sketch, uint64 [blocks, 8]. One core, any order: bits are only ever set."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


@numba.njit(cache=True, nogil=True)
def _mixed(z: Any) -> Any:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def add(words: Words, items: Words, hashes: int) -> None:
    """Set the bits of uint64 [n]."""
    last = np.uint64(len(words) - 1)
    for item in items:
        z = _mixed(item + np.uint64(0x9E3779B97F4A7C15))
        block = z & last
        z = _mixed(z)
        for _ in range(hashes):
            words[block, (z >> np.uint64(6)) & np.uint64(7)] |= np.uint64(1) << (z & np.uint64(63))
            z >>= np.uint64(9)


@numba.njit(cache=True, nogil=True)
def contains(words: Words, items: Words, hashes: int, found: npt.NDArray[np.bool_]) -> None:
    """Whether all bits of each of uint64 [n] are set: fills bool [n]."""
    last = np.uint64(len(words) - 1)
    for i in range(len(items)):
        z = _mixed(items[i] + np.uint64(0x9E3779B97F4A7C15))
        block = z & last
        z = _mixed(z)
        found[i] = True
        for _ in range(hashes):
            word = words[block, (z >> np.uint64(6)) & np.uint64(7)]
            if not word & (np.uint64(1) << (z & np.uint64(63))):
                found[i] = False
                break
            z >>= np.uint64(9)
