"""Positions as 64-bit numbers: which of them a training set holds, whatever way round they stand there.

A position is the size of the board, its stones and who is to move. Turned or mirrored it is the same one (8 ways on a
square, 4 on another rectangle), and so it is with the colours exchanged together with the side to move: stones count
as the mover's own and the other's. Komi, rules and how the position came about do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.types import Array, Json
from gobench_go.game.compiled import compiled
from gobench_go.game.coords import symmetries

Words = npt.NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)


def hashes(boards: Array, to_move: npt.ArrayLike) -> Words:
    """One hash for each position, the same in every process and on every machine.

    Args:
        boards: uint8 [N, R, C], 0 empty, 1 black, 2 white.
        to_move: [N], 1 black or 2 white.

    Returns:
        uint64 [N], equal for positions that are the same; others differ but for an accident of 64 bits.

    Raises:
        DataError: arrays of other shapes, or with other values.
    """
    stones, mover = np.ascontiguousarray(boards), np.asarray(to_move)
    if stones.ndim != 3 or stones.dtype != np.uint8 or mover.shape != stones.shape[:1]:
        given = f"{stones.dtype} {stones.shape} and {mover.shape}"
        raise DataError(f"positions are uint8 [N, R, C] and as many sides to move, not {given}.")
    n, rows, cols = stones.shape
    out = np.empty(n, np.uint64)
    size = np.uint64((rows << 40) + (cols << 32))
    if not _hash_all(stones.reshape(n, rows * cols), mover.astype(np.int64), _table(rows, cols), size, out):
        raise DataError("points are 0 empty, 1 black or 2 white, and 1 or 2 is to move.")
    return out


def hashes_of_record(record: Mapping[str, Json]) -> Words:
    """The hash of every board of a shipped record's game, the last one included: uint64 [plies + 1].

    After the last ply the other side is to move. A clip may show a part of the game only; the record beside it holds
    all of it. Raises DataError for a game that cannot be.
    """
    from gobench_go.drawing import boards_of

    colors = record["colors"]
    to_move = np.array([*colors, 3 - colors[-1] if colors else 1], np.uint8)
    quick = {"moves": np.array(record["moves"], np.int16), "colors": to_move[:-1]}
    return hashes(boards_of({**record, **quick}), to_move)


@lru_cache(maxsize=16)
def _table(rows: int, cols: int) -> Words:
    """Random-looking words for a state of a point, uint64 [R*C, 3, 2 * 8], read-only; those of "empty" are 0.

    The first 8 of 16 are for Black to move, one a symmetry, the last 8 for White. On other rectangles than squares
    there are 4 symmetries, twice.
    """
    where = symmetries(rows, cols)[:, :-1]
    both: Words = np.concatenate([where] * (8 // len(where))).T.astype(np.uint64)
    own, other = (_scrambled((both + np.uint64(stone << 16)) * _GOLDEN) for stone in (1, 2))
    table = np.zeros((rows * cols, 3, 2, 8), np.uint64)
    table[:, 1, 0] = table[:, 2, 1] = own
    table[:, 1, 1] = table[:, 2, 0] = other
    flat = table.reshape(-1, 3, 16)
    flat.flags.writeable = False
    return flat


def _scrambled(z: Words) -> Words:
    """The finalizer of splitmix64, a bijection of 64-bit words."""
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@compiled
def _hash_all(boards: Array, mover: npt.NDArray[np.int64], table: Words, size: np.uint64, out: Words) -> bool:
    """The least sum of words over the symmetries for boards [N, R*C], from what changes between neighbours.

    False for values that are none.
    """
    before, sums = np.zeros(boards.shape[1], np.uint8), np.zeros(16, np.uint64)
    for n in range(len(boards)):
        for p in range(len(before)):
            old, new = before[p], boards[n, p]
            if old != new:
                if new > 2:
                    return False
                before[p] = new
                for k in range(16):
                    sums[k] += table[p, new, k] - table[p, old, k]
        if not 1 <= mover[n] <= 2:
            return False
        least, first = sums[8 * mover[n] - 8], 8 * mover[n] - 8
        for k in range(first + 1, first + 8):
            least = min(least, sums[k])
        z = least + size
        z = (z ^ (z >> _S30)) * _MIX1
        z = (z ^ (z >> _S27)) * _MIX2
        out[n] = z ^ (z >> _S31)
    return True
