"""Windows of tokens with their frames: for a transformer whose codes a latent model of pixels gives."""

from __future__ import annotations

from gobench.types import Record
from gobench_videoworld.data.frames import FrameWindows
from gobench_videoworld.data.order import Ints
from gobench_videoworld.data.windows import Batch, Windows


class PairedWindows:
    """Both of the same windows: equal numbers, seeds and symmetries are equal windows in both."""

    def __init__(self, windows: Windows, frames: FrameWindows) -> None:
        """Raises ValueError for windows that are not the same ones."""
        own = [(len(part), part.offsets, part.seed, part.turns, part.variants) for part in (windows, frames)]
        if own[0] != own[1]:
            raise ValueError(f"these are not the same windows: {own[0]} and {own[1]}")
        self._windows, self._frames = windows, frames

    def __len__(self) -> int:
        """Windows of an epoch."""
        return len(self._windows)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """What ``Windows.batch`` gives, and ``frames`` of ``FrameWindows.batch``."""
        frames = self._frames.batch(step, size, rank, world)["frames"]
        return {**self._windows.batch(step, size, rank, world), "frames": frames}

    def at(self, numbers: Ints, variants: Ints | None = None) -> Batch:
        """What ``Windows.at`` gives, and ``frames`` of ``FrameWindows.at``."""
        return {**self._windows.at(numbers, variants), "frames": self._frames.at(numbers, variants)["frames"]}

    @property
    def provenance(self) -> Record:
        """What was watched."""
        return self._windows.provenance
