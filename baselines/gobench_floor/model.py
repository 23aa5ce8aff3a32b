"""Repeat the last frame: the smallest example of a model. A static video outscores many real ones elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.types import Array, Json


class CopyFrame:
    """Shows its last frame again: what a static video scores."""

    kind = "floor"
    video_only = True
    max_frames = 1

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UsageError(f"copy-frame takes no argument, not {argument!r}: write copy-frame.")

    def generate(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> Array:
        """uint8 [B, T, H, W, 3] -> uint8 [B, n, H, W, 3]."""
        return np.repeat(frames[:, -1:], n, axis=1)
