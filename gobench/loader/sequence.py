"""The order in which a stream visits clips: a few episodes at a time, each decoded once for all its clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gobench.loader.order import BLOCK, Ints, Permutation
from gobench.loader.table import ClipTable
from gobench.loader.view import Order
from gobench.seeds import seed64


@dataclass(frozen=True, slots=True)
class Pick:
    """One clip of a sequence: its number, the row of its episode, and the frame that comes first."""

    clip: int
    row: int
    start: int


@dataclass(frozen=True)
class Sequence:
    """All clips of an epoch in order: episodes shuffled, cut into groups of ``mix``, clips shuffled in each.

    A pure function of (table, order, mix, epoch). Takes 24 bytes an episode.

    Attributes:
        rows: int64 [E], episodes with clips, in order.
        ends: int64 [E + 1], position of the first clip of each of them.
    """

    table: ClipTable
    order: Order
    mix: int
    epoch: int
    rows: Ints
    ends: Ints

    def __len__(self) -> int:
        return int(self.ends[-1])

    def group(self, position: int) -> tuple[int, int]:
        """First position of the group that ``position`` lies in, and of the next one."""
        slot = int(np.searchsorted(self.ends, position, side="right")) - 1
        first = slot - slot % self.mix
        return int(self.ends[first]), int(self.ends[min(first + self.mix, len(self.rows))])

    def picks(self, start: int, stop: int) -> list[Pick]:
        """The clips at positions start .. stop-1, which lie in one group."""
        first, after = self.group(start)
        places = np.arange(start, stop, dtype=np.int64)
        if self.order.shuffle:
            seed = seed64(self.order.seed, "group", self.epoch, first)
            places = first + Permutation(after - first, seed)(places - first)
        slots = np.searchsorted(self.ends, places, side="right") - 1
        rows, nth = self.rows[slots], places - self.ends[slots]
        clips, starts = self.table.offsets[rows] + nth, nth * self.table.hop
        return [Pick(*p) for p in zip(clips.tolist(), rows.tolist(), starts.tolist(), strict=True)]


def sequence(table: ClipTable, order: Order, mix: int, epoch: int) -> Sequence:
    """The sequence of an epoch."""
    rows = np.flatnonzero(table.counts)
    if order.shuffle:
        shuffled = Permutation(len(rows), seed64(order.seed, "episodes", epoch))
        rows = rows[_in_blocks(shuffled, len(rows))]
    ends = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(table.counts[rows], out=ends[1:])
    return Sequence(table, order, mix, epoch, rows, ends)


def _in_blocks(shuffled: Permutation, n: int) -> Ints:
    blocks = [shuffled(np.arange(i, min(i + BLOCK, n))) for i in range(0, n, BLOCK)]
    return np.concatenate(blocks)
