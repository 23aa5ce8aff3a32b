"""Frames for those who learn from pixels: a pool for the tokenizer, and windows for a latent model of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from gobench.loader.augment import transform
from gobench.loader.order import Permutation
from gobench.loader.resize import resized
from gobench.loader.view import SYMMETRIES
from gobench.seeds import seed64, stream
from gobench.types import Array, Record
from gobench_videoworld.config import at_least, checked_offsets, one_of
from gobench_videoworld.data.episodes import Reel, Size, in_order
from gobench_videoworld.data.order import Ints, dealt, symmetries
from gobench_videoworld.data.store import NONE, check_turns
from gobench_videoworld.data.table import window_table
from gobench_videoworld.data.windows import Batch

EACH = 16  # frames of one episode in a pool: an episode is decoded whole, and its frames are alike
KEPT = 1 << 28  # bytes of decoded episodes that windows remember


class FramePool:
    """Some frames of a split, in memory at the working size: the same ones for the same seed.

    Attributes:
        frames: uint8 [N, h, w, 3].
        episodes: how many episodes they come from.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str,
        size: Size,
        frames: int,
        seed: int = 0,
        symmetry: str = "none",
        each: int = EACH,
        threads: int = 0,
        episodes: int = 0,
    ) -> None:
        """Decode as many episodes as it takes, ``each`` frames of one or more where there are few.

        Args:
            size: (height, width) in pixels, resized by area.
            frames: N, or all of the split's where they are fewer.
            symmetry: under which frames are shown, of ``gobench.loader.view.SYMMETRIES``.
            episodes: take frames of the first so many alone; 0: of all.

        Raises:
            DataError: no finished dataset, or a broken shard. UsageError: no such split or symmetry.
        """
        one_of("symmetry", symmetry, SYMMETRIES)
        at_least("frames", frames, 1)
        check_turns(symmetry, size)
        self.seed, self._many = seed, SYMMETRIES[symmetry]
        reel = Reel(folder, split, None)
        many = reel.first(episodes)
        each = max(each, -(-frames // many))
        rows = Permutation(many, seed64(seed, "pool"))(np.arange(min(many, -(-frames // each))))

        def some(row: int) -> Array:
            length = reel.length(row)
            times = np.sort(stream(seed, "pool", row).permutation(length)[:each])
            return resized(reel.frames(reel.sample(row), 0, length)[times], *size, "area")

        self.frames = np.concatenate(list(in_order(some, rows.tolist(), threads)))[:frames]
        self.episodes = len(rows)
        shown = {"frames": len(self.frames), "size": list(size), "symmetry": symmetry, "seed": seed}
        self.identity: Record = {"dataset": reel.content, "split": split, **shown}

    def __len__(self) -> int:
        return len(self.frames)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """{"frames": uint8 [size / world, h, w, 3]}: this rank's slice of a step's ``size`` frames, drawn as windows are."""
        epochs, numbers = dealt(len(self), self.seed, step, size, rank, world)
        shown = turned(self.frames[numbers], symmetries(self._many, self.seed, epochs, numbers))
        return {"frames": torch.from_numpy(shown)}


class FrameWindows:
    """Windows as ``windows.Windows`` has them, but frames instead of tokens, decoded when they are asked for.

    Attributes:
        table: which windows there are.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str,
        size: Size,
        offsets: Sequence[int] = (1,),
        seed: int = 0,
        symmetry: str = "none",
        turns: str = "all",
        episodes: int = 0,
        symmetric: bool = True,
        threads: int = 0,
    ) -> None:
        """Count the windows; for ``turns`` "first" every record is asked for its first ply.

        Raises:
            DataError: no finished dataset, or a broken shard. UsageError: a value that cannot be, or no window.
        """
        one_of("symmetry", symmetry, SYMMETRIES)
        check_turns(symmetry, size)
        self.offsets, self.seed, self.turns = checked_offsets("offsets", offsets), seed, turns
        self.variants = SYMMETRIES[symmetry] if symmetric else 1
        self.split, self._threads = split, threads
        self._reel = Reel(folder, split, size)
        self.episodes = self._reel.first(episodes)
        first = np.zeros(self.episodes, np.int64)
        if turns == "first":
            first[:] = [self._reel.sample(row).record().get("first_ply", 0) for row in range(self.episodes)]
        self.table = window_table(self._reel.episodes.frames[: self.episodes], first, turns)
        self._kept: dict[int, Array] = {}
        self._room = KEPT

    def __len__(self) -> int:
        """Windows of an epoch."""
        return self.table.windows

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """``at(...)`` of this rank's slice of the step's ``size`` windows. Raises as ``windows.Windows.batch``."""
        epochs, numbers = dealt(len(self), self.seed, step, size, rank, world)
        return self.at(numbers, symmetries(self.variants, self.seed, epochs, numbers))

    def at(self, numbers: Ints, variants: Ints | None = None) -> Batch:
        """Windows by number, in symmetries (None: as they are).

        Returns:
            ``frames`` uint8 [B, 1 + max offset, h, w, 3], frames t to t + max offset, the episode's last one repeated
            where there is none; ``there`` bool [B, K]; ``episode``, ``time`` and ``symmetry`` int64 [B].
        """
        shown = np.zeros(len(numbers), np.int64) if variants is None else variants
        episode, time = self.table.locate(numbers)
        frames = self.clips(episode, time, shown)
        there = time[:, None] + np.array(self.offsets) < self.table.frames[episode][:, None]
        found = {"frames": frames, "there": there, "episode": episode, "time": time, "symmetry": shown}
        return {name: torch.from_numpy(array) for name, array in found.items()}

    def clips(self, episode: Ints, time: Ints, variants: Ints) -> Array:
        """Frames t to t + max offset of episodes, in symmetries: uint8 [B, 1 + max offset, h, w, 3], see ``at``."""
        clips = list(in_order(self._clip, zip(episode.tolist(), time.tolist(), strict=True), self._threads))
        return turned(np.stack(clips), variants)

    @cached_property
    def provenance(self) -> Record:
        """What was watched, as plain data for a model's file."""
        return {
            "dataset": self._reel.content,
            "split": self.split,
            "episodes": self.episodes,
            "episodes_too_short": self.table.short,
            "frames": int(self.table.frames.sum()),
            "windows": len(self),
            "turns": self.turns,
            "symmetries": self.variants,
            "labels": NONE,
        }

    def _clip(self, window: tuple[int, int]) -> Array:
        """Frames t to t + max offset, uint8 [1 + max offset, h, w, 3]."""
        row, time = window
        length = self._reel.length(row)
        stop = min(time + self.offsets[-1] + 1, length)
        found = self._window(row, time, stop, length)
        missing = time + self.offsets[-1] + 1 - stop
        return np.concatenate([found, np.repeat(found[-1:], missing, axis=0)]) if missing else found

    def _window(self, row: int, start: int, stop: int, length: int) -> Array:
        """Frames of an episode, which is remembered whole while there is room."""
        if row not in self._kept and self._room > 0:
            self._kept[row] = self._reel.frames(self._reel.sample(row), 0, length)
            self._room -= self._kept[row].nbytes
        if row in self._kept:
            return self._kept[row][start:stop]
        return self._reel.frames(self._reel.sample(row), start, stop)


def turned(frames: Array, variants: Ints) -> Array:
    """Frames uint8 [B, ..., h, w, 3], each of the B under its symmetry, as a new array."""
    out = np.empty_like(frames)
    for k in np.unique(variants).tolist():
        here = variants == k
        some = frames[here]
        flat = transform(some.reshape(-1, *frames.shape[-3:]), k)
        out[here] = flat.reshape(some.shape)
    return out
