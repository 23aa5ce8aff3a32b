"""Fixed tables of the compiled board: Zobrist keys, and what the 8 points around say about an empty point.

A neighbourhood code has 2 bits a neighbour (0 empty, 1 black, 2 white, 3 border), up-left in the lowest bits,
then up, up-right, left, right, down-left, down, down-right.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CAP = 448  # at least (19 + 2) * 20 + 1 points of the padded 19x19 board
LIBERTY = 1  # a direct neighbour is empty
EYE = 1  # EYE << colour: the point is an eye of that colour
ROOM = 32  # two or more direct neighbours are empty
AREA = 8  # AREA * colour: direct neighbours hold that colour's stones and no other

_DIRECT = (1, 3, 4, 6)
_CORNER = (0, 2, 5, 7)


def neighbours() -> npt.NDArray[np.uint8]:
    """uint8 [65536, 8]: the colours in every neighbourhood code."""
    codes = np.arange(1 << 16, dtype=np.uint32)
    colors = [(codes >> np.uint32(2 * k)) & np.uint32(3) for k in range(8)]
    return np.asarray(np.stack(colors, axis=1), np.uint8)


def _flags() -> npt.NDArray[np.uint8]:
    around = neighbours()
    direct, corner = around[:, _DIRECT], around[:, _CORNER]
    flags: npt.NDArray[np.uint8] = LIBERTY * (direct == 0).any(axis=1).astype(np.uint8)
    flags |= ROOM * ((direct == 0).sum(axis=1) > 1).astype(np.uint8)
    edge = (corner == 3).any(axis=1)
    for color in (1, 2):
        walled = ((direct == color) | (direct == 3)).all(axis=1)
        bad = (corner == 3 - color).sum(axis=1) + edge
        flags |= (EYE << color) * (walled & (bad < 2)).astype(np.uint8)
        alone = (direct == color).any(axis=1) & ~(direct == 3 - color).any(axis=1)
        flags |= AREA * color * alone.astype(np.uint8)
    return flags


def _keys(count: int) -> npt.NDArray[np.int64]:
    """Random 64-bit keys; the raw stream of PCG64 is the same in every numpy."""
    keys: npt.NDArray[np.uint64] = np.asarray(np.random.PCG64(0x60B01D).random_raw(count), np.uint64)
    return keys.view(np.int64)


_KEYS = _keys(3 * CAP + 3)
ZOBRIST = _KEYS[: 3 * CAP]  # [colour * CAP + point]
SIDE = _KEYS[3 * CAP :]  # [colour to move], for situational superko
FLAGS = _flags()
