"""Makers of small videos whose frames say which they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gobench.types import Array

BITS = 12


def numbered(number: int, height: int = 48, width: int = 64) -> Array:
    """A picture of a number: 2 x 6 fields, white where its bit is set."""
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        row, col = bit // 6 * height // 2, bit % 6 * width // 6
        picture[row : row + height // 2, col : col + width // 6] = 255 * (number >> bit & 1)
    return picture


def number_in(picture: Array) -> int:
    height, width = picture.shape[:2]
    fields = [
        picture[b // 6 * height // 2 + height // 4, b % 6 * width // 6 + width // 12].mean()
        for b in range(BITS)
    ]
    return sum(int(field > 128) << bit for bit, field in enumerate(fields))


@pytest.fixture
def numbers() -> Callable[[Array], list[int]]:
    """The numbers that frames show."""
    return lambda frames: [number_in(frame) for frame in frames]


@pytest.fixture
def picture() -> Callable[[int], Array]:
    return numbered


@pytest.fixture
def make_video() -> Iterator[Callable[..., Path]]:
    """Write an mp4 of frames ``first``, ``first + 1``, …, with frames that need later ones."""

    def make(path: Path, frames: int, fps: int = 10, first: int = 0) -> Path:
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=fps, options={"bf": "2", "g": "8", "threads": "1"})
            stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
            for number in range(first, first + frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
            container.mux(stream.encode(None))
        return path

    yield make
