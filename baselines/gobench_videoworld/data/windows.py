"""Windows of token stores as batches: what a model is shown, and what came next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gobench.errors import UsageError
from gobench.types import Record
from gobench_videoworld.config import at_least, checked_offsets, one_of
from gobench_videoworld.data.order import Ints, dealt, symmetries
from gobench_videoworld.data.store import NONE, TokenStore
from gobench_videoworld.data.table import window_table
from gobench_videoworld.options import UNCHANGED

Batch = dict[str, Tensor]


class Windows:
    """Training samples of a store.

    A window is a frame x_t that has a next one. ``len`` is how many an epoch has, each once, in an order and under
    symmetries that are new in every epoch.

    Attributes:
        table: which windows there are; ``table.short`` counts episodes without one.
    """

    def __init__(
        self,
        store: TokenStore,
        offsets: Sequence[int] = (1,),
        history: int = 1,
        seed: int = 0,
        turns: str = "all",
        labels: bool = False,
        episodes: int = 0,
        unchanged: str = "keep",
        symmetric: bool = True,
    ) -> None:
        """Count the windows.

        Args:
            store: opened.
            offsets: K rising numbers of frames ahead, from 1.
            history: h, frames of the prompt.
            seed: of order and symmetries.
            turns: "all", or "first": only frames after an even number of plies, after which the side moves that moved
                first in the game. No move is looked at.
            labels: batches have ``actions``; the store must hold them.
            episodes: take the first so many; 0: all that the store holds.
            unchanged: "drop" leaves out windows whose next frame has the same tokens (passes); takes 8 bytes a window.
            symmetric: whether windows are drawn under a symmetry of the store's, or as they are.

        Raises:
            UsageError: a value that cannot be, no window, no labels, or more episodes than the store holds.
        """
        one_of("unchanged", unchanged, UNCHANGED)
        at_least("history", history, 1)
        at_least("episodes", episodes, 0)
        if labels and not store.labels:
            raise UsageError(f"{store.folder} holds no labels: read them first with labels.label().")
        self.store, self.history, self.seed = store, history, seed
        self.offsets = checked_offsets("offsets", offsets)
        self.turns, self.labels, self.unchanged = turns, labels, unchanged
        self.variants = store.variants if symmetric else 1
        self.episodes = _first(store, episodes)
        self.table = window_table(store.frames[: self.episodes], store.first[: self.episodes], turns)
        self._kept = self._changed() if unchanged == "drop" else None

    def __len__(self) -> int:
        """Windows of an epoch."""
        return self.table.windows if self._kept is None else len(self._kept)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """What rank ``rank`` of ``world`` learns from in a step: its slice of the step's ``size`` windows.

        Returns ``at(...)`` of size / world windows; the same for the same (seed, step, size, rank, world).

        Raises:
            UsageError: a size that ranks cannot share. DataError: a file of the store is broken.
        """
        epochs, numbers = dealt(len(self), self.seed, step, size, rank, world)
        return self.at(numbers, symmetries(self.variants, self.seed, epochs, numbers))

    def at(self, numbers: Ints, variants: Ints | None = None) -> Batch:
        """Windows by number (0 <= n < ``len``), in symmetries (None: as they are).

        Returns:
            B windows with K offsets and S sites, int64: ``history`` [B, h, S], frames t-h+1..t, the episode's first one
            repeated where there is none; ``before`` and ``after`` [B, K, S], frames t+o-1 and t+o, the episode's last
            one where there is none; ``there`` bool [B, K], whether frame t+o exists; ``episode``, ``time`` and
            ``symmetry`` [B]; and where labels are asked for ``actions`` [B, K, 2], the action between ``before`` and
            ``after``: a cell and its symbol, or (cells, 0).
        """
        turned = np.zeros(len(numbers), np.int64) if variants is None else variants
        episode, time = self.table.locate(numbers if self._kept is None else self._kept[numbers])
        last = self.table.frames[episode][:, None] - 1
        ahead = time[:, None] + np.array(self.offsets)
        past = np.maximum(time[:, None] + np.arange(1 - self.history, 1), 0)
        before = np.minimum(ahead - 1, last)
        times = np.concatenate([past, before, np.minimum(ahead, last)], axis=1)
        frames = self.store.starts[episode][:, None] + times
        every = np.repeat(turned, times.shape[1])
        tokens = self.store.tokens(frames.reshape(-1), every).reshape(*times.shape, -1)
        h, k = self.history, len(self.offsets)
        found = {"history": tokens[:, :h], "before": tokens[:, h : h + k], "after": tokens[:, h + k :]}
        found |= {"there": ahead <= last, "episode": episode, "time": time, "symmetry": turned}
        if self.labels:
            rows = frames[:, h : h + k].reshape(-1)
            found["actions"] = self.store.actions(rows, np.repeat(turned, k)).reshape(-1, k, 2)
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.items()}

    @cached_property
    def provenance(self) -> Record:
        """What was watched, as plain data for a model's file."""
        return {
            "dataset": self.store.meta.content,
            "split": self.store.meta.split,
            "episodes": self.episodes,
            "episodes_too_short": self.table.short,
            "frames": int(self.store.starts[self.episodes]),
            "windows": len(self),
            "turns": self.turns,
            "unchanged": self.unchanged,
            "symmetries": self.variants,
            "labels": "actions" if self.labels else NONE,
        }

    def _changed(self) -> Ints:
        """The windows whose next frame has other tokens."""
        episode, time = self.table.locate(np.arange(self.table.windows))
        kept = np.flatnonzero(~self.store.same[self.store.starts[episode] + time])
        if not len(kept):
            raise UsageError(
                "no frame differs from the one before: with unchanged=drop there is nothing to learn."
            )
        return kept


def _first(store: TokenStore, episodes: int) -> int:
    """How many episodes are used; UsageError where more are asked for than there are."""
    if episodes > len(store):
        raise UsageError(f"{store.folder} holds {len(store)} episodes, fewer than the {episodes} asked for.")
    return episodes or len(store)
