"""The PNG encoder: read back by Pillow, palette or not, any size."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gobench.codec import pictures
from gobench.errors import DataError

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (257, 3), dtype=np.uint8)
PICTURES = {
    "one pixel": COLOURS[:1, None],
    "flat": np.full((40, 30, 3), (255, 165, 0), np.uint8),
    "noise": RNG.integers(0, 256, (33, 57, 3), dtype=np.uint8),
    "256 colours": COLOURS[RNG.permutation(np.arange(4096) % 256)].reshape(64, 64, 3),
    "257 colours": COLOURS[RNG.permutation(np.arange(64 * 66) % 257)].reshape(64, 66, 3),
    "wide": RNG.integers(0, 2, (1, 3000, 3), dtype=np.uint8),
    "view": np.asfortranarray(RNG.integers(0, 9, (20, 31, 3), dtype=np.uint8))[::-1],
}


@pytest.mark.parametrize("name", PICTURES)
def test_round_trip(name):
    data = pictures.encode(PICTURES[name])
    with Image.open(io.BytesIO(data)) as seen:
        assert seen.format == "PNG"
        np.testing.assert_array_equal(np.asarray(seen.convert("RGB")), PICTURES[name])
    np.testing.assert_array_equal(pictures.decode(data), PICTURES[name])


def test_a_bomb_is_refused():
    bomb = bytearray(pictures.encode(PICTURES["flat"]))
    bomb[16:24] = struct.pack(">2I", 40_000, 40_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bomb[12:29]))
    with pytest.raises(DataError, match="no readable picture"):
        pictures.decode(bytes(bomb))


def test_few_colours_make_a_palette():
    for name, mode in {"256 colours": "P", "257 colours": "RGB"}.items():
        with Image.open(io.BytesIO(pictures.encode(PICTURES[name]))) as seen:
            assert seen.mode == mode


@pytest.mark.parametrize(
    "bad", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", pictures.encode(PICTURES["noise"])[:900]]
)
def test_broken(bad):
    with pytest.raises(DataError, match="png"):
        pictures.decode(bad)
