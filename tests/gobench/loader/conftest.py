"""Episodes in memory whose frames say who they are (real codecs, no files), and small built folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import card, registry
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.clips import ArrayClip
from gobench.codec import Codec, codec
from gobench.loader.film import Sample


def picture(row: int, frame: int, height: int = 8, width: int = 8) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A frame without symmetry that holds its row and number in its corner."""
    ramp = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    ramp[0, 0] = row, frame, 255
    return ramp


class MemoryEpisodes:
    """Implements ``gobench.loader.film.Episodes``."""

    identity = "memory"
    domain = None

    def __init__(self, frames: list[int], height: int = 8, width: int = 8, name: str = "lossless") -> None:
        self.frames = np.array(frames, np.int64)
        self.codec: Codec = codec(name)
        self.samples = [self._encoded(r, n, height, width) for r, n in enumerate(frames)]
        self.reads = 0

    def _encoded(self, row: int, count: int, height: int, width: int) -> Sample:
        clip = ArrayClip(np.stack([picture(row, t, height, width) for t in range(count)]))
        key = f"go-{row:09d}"
        record = json.dumps({"key": key, "frames": count}).encode()
        return Sample(key, "memory.tar", {"json": record, **self.codec.members(clip)})

    def sample(self, row: int) -> Sample:
        self.reads += 1
        return self.samples[row]


@pytest.fixture
def episodes() -> Callable[..., MemoryEpisodes]:
    """``episodes([5, 9])``: two episodes of 5 and 9 frames of 8x8 pixels."""
    return MemoryEpisodes


@pytest.fixture(scope="session")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``built("moves")``: 24 real 9x9 games in that codec, 64 pixels, three shards, two splits."""
    domain = registry.domain("go")
    options = {"size": 64, "sources": [{"kind": "sgf", "paths": [str(data / "go9_katago_sgf.zip")]}]}

    @cache
    def folder(codec: str) -> Path:
        core = {"codec": codec, "episodes": 24, "shard_size": 10, "splits": {"train": 0.8, "test": 0.2}}
        out = tmp_path_factory.mktemp("built") / codec
        build(domain, configure(domain, "go9-sgf", core, options), out, extras=(card.extra,))
        return out

    return folder
