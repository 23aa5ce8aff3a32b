"""Which candidates a dataset keeps: fingerprints -> no repeats, a limit, splits. All at once in numpy.

At its peak this needs about 26 bytes a candidate, whatever lies in the candidates themselves.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gobench.build.recipes import SPLITS, BuildConfig
from gobench.types import Array

Uints: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]

CHUNK = 1 << 16


@dataclass(frozen=True)
class Selection:
    """What the planning pass decides."""

    kept: Ints  # candidate ids in shard order: by split, then by id
    counts: dict[str, int]  # split -> samples
    first: Ints | None  # for each candidate the first one equal to it; None without deduplication
    duplicates: int
    over: int  # how many unique candidates lie beyond the limit
    end: int  # id of the first of those; without any, one past the last candidate


class Gatherer:
    """Collects the parts' fingerprints as they stream by: 9 bytes a candidate."""

    def __init__(self, config: BuildConfig, limit: int = 0) -> None:
        self.config = config
        self.limit = limit
        self.total = 0
        self._fingerprints = array("Q")
        self._codes = bytearray()

    def add(self, fingerprints: Uints, canonical: Uints) -> None:
        """The next part's, both uint64 [n]: what deduplication compares, and what the split follows from."""
        self.total += len(canonical)
        self._codes += split_codes(canonical, self.config.splits).tobytes()
        if self.config.dedup != "none":
            self._fingerprints.frombytes(fingerprints.tobytes())

    def select(self) -> Selection:
        """Drop repeats, cut at the limit, sort into splits. Empties the gatherer."""
        first = first_of_each(self._fingerprints) if self.config.dedup != "none" else None
        ids = np.arange(self.total) if first is None else _fixed_points(first)
        limit = self.limit or self.total
        unique = len(ids)
        end = int(ids[limit]) if limit < unique else self.total
        ids = ids[:limit]
        chosen = np.frombuffer(self._codes, np.uint8)[ids]
        counts = {name: int(np.count_nonzero(chosen == i)) for i, name in enumerate(SPLITS)}
        kept = _by_split(ids, chosen)
        return Selection(kept, counts, first, self.total - unique, unique - len(ids), end)


def _by_split(ids: Ints, codes: Array) -> Ints:
    """The ids, those with code 0 first, each code's in their order; by chunks, without a second copy."""
    kept = np.empty(len(ids), np.int64)
    start = 0
    for code in range(len(SPLITS)):
        for begin in range(0, len(ids), CHUNK):
            here = ids[begin : begin + CHUNK][codes[begin : begin + CHUNK] == code]
            kept[start : start + len(here)] = here
            start += len(here)
    return kept


def _fixed_points(first: Ints) -> Ints:
    """All i with first[i] == i, rising."""
    fresh = np.empty(len(first), np.bool_)
    for begin in range(0, len(first), CHUNK):
        here = first[begin : begin + CHUNK]
        fresh[begin : begin + CHUNK] = here == np.arange(begin, begin + len(here))
    return np.flatnonzero(fresh)


def first_of_each(fingerprints: array[int]) -> Ints:
    """Int64 [n]: for each fingerprint the place where its value is met for the first time.

    Empties the array that is given as soon as it is not needed: that keeps the peak low.
    """
    if not fingerprints:
        return np.empty(0, np.int64)
    values = np.frombuffer(fingerprints, np.uint64)
    order = np.argsort(values, kind="stable")
    starts = np.ones(len(order), np.bool_)  # in sorted order: whether a new value begins here
    for begin in range(1, len(order), CHUNK):
        here = order[begin : begin + CHUNK]
        starts[begin : begin + CHUNK] = values[here] != values[order[begin - 1 : begin - 1 + len(here)]]
    del values
    del fingerprints[:]
    first = np.empty(len(order), np.int64)
    head = 0
    for begin in range(0, len(order), CHUNK):
        new = starts[begin : begin + CHUNK]
        heads = np.where(new, np.arange(begin, begin + len(new)), head)
        heads = np.maximum.accumulate(heads)
        first[order[begin : begin + CHUNK]] = order[heads]
        head = int(heads[-1])
    return first


def split_codes(canonical: Uints, splits: Mapping[str, float]) -> Array:
    """uint8 [n]: number in ``SPLITS`` of each fingerprint's split: a function of it and the fractions."""
    mixed = _mix(canonical) >> np.uint64(11)
    codes = np.zeros(len(mixed), np.uint8)
    total = 0.0
    for name in SPLITS[:-1]:
        total += splits.get(name, 0.0)
        codes += mixed >= np.uint64(min(round(total * 2.0**53), 2**53))
    return codes


def _mix(x: Uints) -> Uints:
    """splitmix64: fingerprints need not be evenly spread, their split must be."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
