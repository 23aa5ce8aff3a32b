"""Frames <-> bytes: one codec a file, all behind ``gobench.codec.contract.Codec``.

============  ======================  =====  ================================================================
name          members beside .json    exact  what
============  ======================  =====  ================================================================
h264          .mp4 .png               no     x264 veryfast, crf 18, 4:2:0: the default, for any picture
h264-direct   .mp4 .png               no     H.264 written directly for near-static pictures: the planes exact
lossless      .mp4 .png               yes    x264rgb, qp 0
png           .frames.zip .png        yes    one stored PNG a frame
moves         none                    yes    nothing: frames are drawn from the record when read
============  ======================  =====  ================================================================
"""

from __future__ import annotations

from collections.abc import Mapping

from gobench.codec.contract import Codec
from gobench.codec.direct import Direct
from gobench.codec.h264 import H264, Lossless
from gobench.codec.moves import Moves
from gobench.codec.png import Png
from gobench.errors import unknown

__all__ = ["CODECS", "Codec", "codec"]

CODECS: Mapping[str, Codec] = {c.name: c for c in (H264(), Direct(), Lossless(), Png(), Moves())}


def codec(name: str) -> Codec:
    """The codec of that name; raises UsageError that lists what exists."""
    if name not in CODECS:
        raise unknown("codec", name, CODECS)
    return CODECS[name]
