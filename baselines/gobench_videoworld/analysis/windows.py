"""Some windows of a dataset, episode by episode, as a model with codes sees them, and as its domain does.

Unlike training, nothing is kept on disk: whole episodes are read, and a few frames of each become windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gobench.dataset import Dataset
from gobench.errors import UsageError
from gobench.loader.resize import resized
from gobench.seeds import stream
from gobench.types import Array, Record
from gobench_videoworld.answers import VideoAnswers
from gobench_videoworld.config import VideoWorldConfig, at_least
from gobench_videoworld.data.episodes import Reel
from gobench_videoworld.data.splits import held_out
from gobench_videoworld.model import VideoWorld

AN_EPISODE = 8  # windows of one episode, where there are enough episodes

Ints = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Watched:
    """Windows of one episode: frames x_t at ``times``, of which the next one is there."""

    number: int  # of the episode in its split
    record: Record
    frames: Array  # uint8 [T, H, W, 3], as stored
    times: Ints  # [B], rising
    config: VideoWorldConfig
    domain: Any

    def past(self) -> Ints:
        """The frames of each prompt, int64 [B, h]; the first one repeated where there is none."""
        found: Ints = np.maximum(self.times[:, None] + np.arange(1 - self.config.transformer.history, 1), 0)
        return found

    def ahead(self) -> Ints:
        """The frame that each code is about, int64 [B, K]; the last one repeated where there is none."""
        found: Ints = np.minimum(
            self.times[:, None] + np.array(self.config.latent.offsets), len(self.frames) - 1
        )
        return found

    def there(self) -> npt.NDArray[np.bool_]:
        """Whether it is there, bool [B, K]."""
        found: npt.NDArray[np.bool_] = self.times[:, None] + np.array(self.config.latent.offsets) < len(
            self.frames
        )
        return found

    @cached_property
    def states(self) -> Array:
        """What the domain reads in the frames, uint8 [T, cells]. Raises UsageError where it reads none."""
        if not hasattr(self.domain, "states"):
            raise UsageError(f"the domain {self.domain.name!r} reads no states.")
        found: Array = self.domain.states(self.config.options, self.frames)
        return found

    @cached_property
    def actions(self) -> Ints:
        """What was done between frame t and t + 1, int64 [T - 1, 2]: (cell, symbol)."""
        found: Ints = np.asarray(self.domain.labels(self.record), np.int64)
        return found

    def batch(self, answers: VideoAnswers) -> dict[str, Tensor]:
        """What the networks take: see ``data.windows.Windows.at``; with ``frames`` for a latent model of pixels."""
        tokens = answers.tokens(self.frames[None])[0]
        ahead, there = self.ahead(), self.there()
        before = np.where(there, ahead - 1, ahead)
        found = {"history": tokens[self.past()], "before": tokens[before], "after": tokens[ahead]}
        found |= {"there": torch.from_numpy(there), "time": torch.from_numpy(self.times)}
        found["episode"] = torch.full((len(self.times),), self.number)
        found["symmetry"] = torch.zeros(len(self.times), dtype=torch.int64)
        if self.config.latent.form == "pixel":
            found["frames"] = torch.from_numpy(self._working())
        return {key: value.to(answers.device) for key, value in found.items()}

    def _working(self) -> Array:
        """uint8 [B, 1 + the last offset, h, w, 3] at the working size."""
        small = resized(self.frames, *self.config.tokenizer.size, "area")
        steps = np.arange(1 + self.config.latent.offsets[-1])
        found: Array = small[np.minimum(self.times[:, None] + steps, len(small) - 1)]
        return found


@dataclass(frozen=True)
class Sight:
    """Which windows are looked at; an iterable of ``Watched``, the same for the same seed."""

    model: VideoWorld
    data: Dataset
    split: str
    windows: int
    seed: int
    progress: Progress | None = None

    def __post_init__(self) -> None:
        at_least("windows", self.windows, 1)

    def __iter__(self) -> Iterator[Watched]:
        """Raises UsageError for a split that is not there, or without windows; DataError for a broken shard."""
        reel = Reel(self.data.folder, self.split, None)
        lengths = [reel.length(row) for row in range(len(reel))]
        chosen = choose(np.array(lengths, np.int64), self.windows, self.seed)
        total = sum(len(times) for _, times in chosen)
        samples = iter(
            reel.each([row for row, _ in chosen], lambda sample, frames: (sample.record(), frames))
        )
        done = 0
        for row, times in chosen:
            record, frames = next(samples)
            yield Watched(row, record, frames, times, self.model.config, reel.episodes.domain)
            done += len(times)
            if self.progress:
                self.progress(f"windows of {self.split}", done, total)


def choose(lengths: Ints, windows: int, seed: int) -> list[tuple[int, Ints]]:
    """So many windows, or all: (episode, rising times) of episodes drawn by the seed, ``AN_EPISODE`` of each or more.

    Args:
        lengths: frames of each episode; one with T frames has the windows 0 to T - 2.

    Raises:
        UsageError: no episode has two frames.
    """
    counts = np.maximum(lengths - 1, 0)
    if not counts.sum():
        raise UsageError("no episode of this split has two frames: there is nothing to look at.")
    draws = stream(seed, "windows")
    order = draws.permutation(np.flatnonzero(counts))
    many = min(windows, int(counts.sum()))
    share = AN_EPISODE
    while np.minimum(counts, share).sum() < many:
        share += 1
    found: list[tuple[int, Ints]] = []
    for row in order.tolist():
        own = min(share, many, int(counts[row]))
        if own:
            found.append((row, np.sort(draws.choice(int(counts[row]), own, replace=False)).astype(np.int64)))
        many -= own
    return sorted(found, key=lambda item: item[0])


def split_of(data: Dataset, wanted: str) -> str:
    """A split by name; "held-out" is the first there is of validation, test, train."""
    if wanted != "held-out":
        return wanted
    return held_out(data)


def code_vectors(config: VideoWorldConfig, codes: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
    """Codes [N, D] as points [N, E] in which near codes are alike: places as row and column, levels of the rest, in [-1, 1]."""
    from gobench_videoworld.fsq import FSQ

    rows, cols = config.tokenizer.grid
    parts = []
    for digit in range(config.pointers):
        row, col = np.divmod(codes[:, digit], cols)
        parts += [2 * row / max(rows - 1, 1) - 1, 2 * col / max(cols - 1, 1) - 1]
    levels = FSQ(config.latent.levels).to_codes(torch.from_numpy(np.asarray(codes[:, -1], np.int64)))
    return np.concatenate([*(part[:, None] for part in parts), levels.numpy()], axis=1).astype(np.float32)
