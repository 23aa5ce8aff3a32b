"""The table of windows: from the lengths of episodes to (episode, time), without a list of windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_videoworld.config import one_of
from gobench_videoworld.data.order import Ints
from gobench_videoworld.options import TURNS


@dataclass(frozen=True, slots=True)
class WindowTable:
    """Windows 0 .. n-1, episode by episode. A window is a frame that has a next one: the prompt ends with it.

    Attributes:
        frames: int64 [E], frames of each episode.
        starts: int64 [E], the first time that counts in each.
        step: from one time to the next: 2 where only one side's turns count.
        ends: int64 [E + 1], number of the first window of each episode; the last is how many there are.
    """

    frames: Ints
    starts: Ints
    step: int
    ends: Ints

    @property
    def windows(self) -> int:
        """n."""
        return int(self.ends[-1])

    @property
    def short(self) -> int:
        """Episodes without a window."""
        return int(np.count_nonzero(np.diff(self.ends) == 0))

    def locate(self, numbers: Ints) -> tuple[Ints, Ints]:
        """(episode, time) of windows, int64 [N] each."""
        rows = np.searchsorted(self.ends, numbers, side="right") - 1
        return rows, self.starts[rows] + (numbers - self.ends[rows]) * self.step


def window_table(frames: npt.ArrayLike, first: npt.ArrayLike, turns: str = "all") -> WindowTable:
    """Count the windows of episodes.

    Args:
        frames: ints [E].
        first: ints [E], plies of each episode before its first frame: with ``turns`` "first", the turns of the side
            that moved first in the game are those after an even number of plies. No move is looked at.

    Raises:
        UsageError: no window at all.
    """
    one_of("turns", turns, TURNS)
    lengths, plies = np.asarray(frames, np.int64), np.asarray(first, np.int64)
    step = 1 if turns == "all" else 2
    starts = plies % step
    counts = np.maximum(0, -(-(lengths - 1 - starts) // step))
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    if not ends[-1]:
        longest = int(lengths.max(initial=0))
        raise UsageError(
            f"none of {len(lengths)} episodes has a frame with a next one (the longest has {longest}): "
            "there is nothing to learn from. Take another dataset or more episodes."
        )
    return WindowTable(lengths, starts, step, ends)
