"""The identity of a game in 64 bits: what deduplication and splits go by.

Two games are the same when board size, start position and every ply with its colour are the same; komi, names
and rules do not count. The hash is a sum of well mixed 64-bit words, one a ply and one a set-up stone, in
plain unsigned arithmetic: the same in every process and on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gobench.errors import unknown
from gobench.types import Json
from gobench_go.game.coords import symmetries

KINDS = ("exact", "symmetry")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_SETUP = 1 << 20
"""The time of a set-up stone: beyond every ply."""

Words = npt.NDArray[np.uint64]


def fingerprint(record: Mapping[str, Json], kind: str = "symmetry") -> int:
    """An unsigned 64-bit identity of a record's game.

    ``exact`` tells mirror images apart; ``symmetry`` is the least hash over the symmetries of the board (8 of
    a square, 4 of another rectangle). Raises UsageError for another kind.
    """
    if kind not in KINDS:
        raise unknown("kind of fingerprint", kind, KINDS)
    rows, cols = record["rows"], record["cols"]
    table = symmetries(rows, cols)
    where, what = _plies(record)
    hashes = _mixed(table[: 1 if kind == "exact" else len(table), where].astype(np.uint64), what)
    total = hashes.sum(axis=1, dtype=np.uint64) + np.uint64((rows << 40) + (cols << 32) + len(where))
    return int(_scrambled(total).min())


def _plies(record: Mapping[str, Json]) -> tuple[npt.NDArray[np.int64], Words]:
    """Point [N] and (time, colour) word [N] of every set-up stone and ply."""
    where = np.array(record["moves"], np.int64)
    time = np.arange(len(where), dtype=np.uint64)
    color = np.array(record["colors"], np.uint64)
    if setup := record["setup"]:
        stones = np.frombuffer(setup.encode(), np.uint8)
        points = np.flatnonzero(stones != ord("."))
        where = np.concatenate((where, points))
        time = np.concatenate((time, np.full(len(points), _SETUP, np.uint64)))
        color = np.concatenate((color, np.where(stones[points] == ord("X"), 1, 2).astype(np.uint64)))
    return where, (time << np.uint64(24)) + (color << np.uint64(16))


def _mixed(where: Words, what: Words) -> Words:
    """One random-looking word for each (time, colour, point)."""
    return _scrambled((where + what) * _GOLDEN)


def _scrambled(z: Words) -> Words:
    """The finalizer of splitmix64, a bijection of 64-bit words."""
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)
