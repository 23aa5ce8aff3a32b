"""Stored pictures against drawn ones: the same to the last bit, or as near as their codec promises.

What a lossy codec may change is bounded on blocks of 8x8 pixels of each plane: compression blurs edges
everywhere a little, while a stone or a gripper that is missing changes whole blocks. Measured over all themes
of the Go domain at 64 to 256 pixels, x264 at crf 18 stays below 6; a stone more or less is 10 to 200.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gobench.codec import Codec
from gobench.codec.contract import Members
from gobench.errors import DataError
from gobench.types import Array, Clip

BLOCK = 8
TOLERANCE = 12.0  # mean absolute difference over a block of a plane, for codecs that are not in the table
TOLERANCES = {"h264-direct": 0.0}
CHUNK_BYTES = 96 << 20


def frame_that_differs(codec: Codec, members: Members, clip: Clip) -> tuple[int, str]:
    """The first stored frame that is not the drawn one, and how it differs; (-1, "") where all are."""
    try:
        length = codec.length(members)
    except DataError as error:
        return 0, f"cannot be decoded: {error}"
    if length != clip.length:
        return min(length, clip.length), f"{length} frames are stored, {clip.length} are drawn"
    runs = (_compared(codec, members, clip, start, stop) for start, stop in _runs(clip))
    return next((found for found in runs if found[1]), (-1, ""))


def picture_differs(data: bytes, clip: Clip) -> str:
    """How a stored still differs from the clip's last frame; "" if it does not."""
    from gobench.codec import pictures

    try:
        found = pictures.decode(data)
    except DataError as error:
        return str(error)
    wanted = clip.rgb(clip.length - 1, clip.length)[0]
    if found.shape != wanted.shape:
        return f"it has the shape {found.shape}, the last frame {wanted.shape}"
    return "" if np.array_equal(found, wanted) else "it is not the last frame"


def block_difference(found: Array, wanted: Array) -> float:
    """The largest mean absolute difference over 8x8 blocks of two planes [H, W], far edges included."""
    if found.shape != wanted.shape:
        return 255.0
    gap = np.abs(found.astype(np.int16) - wanted)
    rows, cols = max(gap.shape[0] // BLOCK, 1), max(gap.shape[1] // BLOCK, 1)
    high, wide = min(BLOCK, gap.shape[0]), min(BLOCK, gap.shape[1])
    corners = (gap[: rows * high, : cols * wide], gap[-rows * high :, -cols * wide :])
    return max(float(c.reshape(rows, high, cols, wide).mean(axis=(1, 3)).max()) for c in corners)


def _runs(clip: Clip) -> Iterator[tuple[int, int]]:
    size = max(1, CHUNK_BYTES // (clip.height * clip.width * 3))
    for start in range(0, clip.length, size):
        yield start, min(start + size, clip.length)


def _compared(codec: Codec, members: Members, clip: Clip, start: int, stop: int) -> tuple[int, str]:
    """``frame_that_differs`` among the frames from start to stop."""
    compare = _exact if codec.exact else _near
    try:
        return compare(codec, members, clip, start, stop)
    except DataError as error:
        broken, words = _undecodable(codec, members, start, stop, str(error))
    if broken > start:  # what comes before may be wrong without being noticed by the decoder
        found = compare(codec, members, clip, start, broken)
        if found[1]:
            return found
    return broken, f"cannot be decoded: {words}"


def _undecodable(codec: Codec, members: Members, start: int, stop: int, words: str) -> tuple[int, str]:
    """The first frame that does not decode, where not all from start to stop do, and the decoder's words."""
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            codec.decode(members, start, middle, form="rgb" if codec.exact else "yuv")
            start = middle
        except DataError as error:
            stop, words = middle, str(error)
    return start, words


def _exact(codec: Codec, members: Members, clip: Clip, start: int, stop: int) -> tuple[int, str]:
    found, wanted = np.asarray(codec.decode(members, start, stop)), clip.rgb(start, stop)
    if found.shape != wanted.shape:
        return start, f"stored as {found.shape}, drawn as {wanted.shape}"
    if np.array_equal(found, wanted):
        return -1, ""
    first = int(np.argmax((found != wanted).any(axis=(1, 2, 3))))
    return start + first, "the stored frame is not the one that the record draws"


def _near(codec: Codec, members: Members, clip: Clip, start: int, stop: int) -> tuple[int, str]:
    found, wanted = codec.decode(members, start, stop, form="yuv"), clip.yuv(start, stop)
    allowed = TOLERANCES.get(codec.name, TOLERANCE)
    if len(found[0]) != stop - start:
        return start, f"{len(found[0])} frames come back where {stop - start} are stored"
    for t in range(stop - start):
        gap = max(block_difference(stored[t], drawn[t]) for stored, drawn in zip(found, wanted, strict=True))
        if gap > allowed:
            return start + t, f"a block differs by {gap:.1f} on average from what the record draws"
    return -1, ""
