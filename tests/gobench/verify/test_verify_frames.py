"""Damaged films: the frame that is reported is the first that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.clips import ArrayClip
from gobench.codec import codec as named
from gobench.codec import mp4
from gobench.errors import DataError
from gobench.verify.pictures import TOLERANCE, block_difference, frame_that_differs

FRAMES, SIZE = 80, 64


@pytest.fixture(scope="module")
def clip() -> ArrayClip:
    """Squares that come and stay, as stones do."""
    frames = np.full((FRAMES, SIZE, SIZE, 3), 180, np.uint8)
    for t, place in enumerate(np.random.default_rng(1).permutation(64)[: FRAMES // 2]):
        y, x = 8 * (place // 8), 8 * (place % 8)
        frames[2 * t :, y + 1 : y + 7, x + 1 : x + 7] = 255 * (t % 2)
    return ArrayClip(frames)


def damaged(data: bytes, number: int, how: str) -> bytes:
    """The film with the payload of one stored sample overwritten or one of its bytes changed."""
    sample = bytes(mp4.read(data).samples[number])
    at = data.index(sample)
    found = bytearray(data)
    if how == "garbage":
        noise = np.random.default_rng(number).integers(1, 255, len(sample) - 5, np.uint8)
        found[at + 5 : at + len(sample)] = noise.tobytes()
    else:
        found[at + len(sample) // 2] ^= 0x55
    return bytes(found)


def first_wrong(name: str, members: dict[str, bytes], clip: ArrayClip) -> int:
    """The slow way: each frame by itself."""
    for t in range(clip.length):
        try:
            found = named(name).decode(members, t, t + 1, form="yuv")
        except DataError:
            return t
        pairs = zip(found, clip.yuv(t, t + 1), strict=True)
        allowed = 0.0 if name != "h264" else TOLERANCE
        if max(block_difference(a[0], b[0]) for a, b in pairs) > allowed:
            return t
    return -1


@pytest.mark.parametrize("how", ["garbage", "byte"])
@pytest.mark.parametrize("name", ["h264", "lossless", "h264-direct"])
def test_the_first_wrong_frame_is_named(clip: ArrayClip, name: str, how: str) -> None:
    codec = named(name)
    members = codec.members(clip)
    assert frame_that_differs(codec, members, clip) == (-1, "")
    seen = set()
    for number in (5, 20, 41, 60, 75):
        broken = members | {"mp4": damaged(members["mp4"], number, how)}
        frame, text = frame_that_differs(codec, broken, clip)
        assert frame == first_wrong(name, broken, clip)
        assert bool(text) == (frame >= 0)
        seen.add(frame)
    assert len(seen - {-1, 0}) >= 3


def test_a_film_without_an_index_has_no_frame(clip: ArrayClip) -> None:
    frame, text = frame_that_differs(named("h264"), {"mp4": b"nothing"}, clip)
    assert frame == 0 and "cannot be decoded" in text
