"""Windows of tokens with their frames: for a transformer whose codes a latent model of pixels gives."""

from __future__ import annotations

import torch

from gobench.types import Record
from gobench_videoworld.data.frames import FrameWindows
from gobench_videoworld.data.order import Ints
from gobench_videoworld.data.windows import Batch, Windows


class PairedWindows:
    """The windows of tokens, and the frames of each."""

    def __init__(self, windows: Windows, frames: FrameWindows) -> None:
        """Raises ValueError for frames of other episodes, or that look ahead by other offsets."""
        own = [(part.table.frames.tolist(), part.offsets) for part in (windows, frames)]
        if own[0] != own[1]:
            raise ValueError("these are not windows of the same episodes and offsets")
        self._windows, self._frames = windows, frames

    def __len__(self) -> int:
        """Windows of an epoch."""
        return len(self._windows)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """What ``Windows.batch`` gives, and ``frames`` of ``FrameWindows.at``."""
        return self._with_frames(self._windows.batch(step, size, rank, world))

    def at(self, numbers: Ints, variants: Ints | None = None) -> Batch:
        """What ``Windows.at`` gives, and ``frames`` of ``FrameWindows.at``."""
        return self._with_frames(self._windows.at(numbers, variants))

    @property
    def provenance(self) -> Record:
        """What was watched."""
        return self._windows.provenance

    def _with_frames(self, found: Batch) -> Batch:
        places = (found[name].numpy() for name in ("episode", "time", "symmetry"))
        return {**found, "frames": torch.from_numpy(self._frames.clips(*places))}
