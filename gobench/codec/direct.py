"""Codec ``h264-direct``: H.264 written without an encoder, for boards and other near-static pictures.

Ten times as fast as x264 or more, and the planes come back exactly; a picture that moves everywhere costs its
raw size. See ``gobench.codec.bitstream`` for what is written.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gobench.codec import mp4
from gobench.codec.contract import Form, Members, chunks, even, fps, member, still, window
from gobench.codec.decoder import decode_yuv
from gobench.types import Array, Clip, Yuv


@dataclass(frozen=True)
class Direct:
    """Planes exactly as given (so RGB loses only the sharpness of its colour), even sizes."""

    name: str = "h264-direct"
    exact: bool = False
    renders: bool = False
    suffixes: tuple[str, ...] = ("mp4", "png")

    def check_size(self, height: int, width: int) -> None:
        """Even sizes only: UsageError otherwise."""
        even(self.name, height, width)

    def members(self, clip: Clip) -> dict[str, bytes]:
        """ "mp4" and "png" (the last frame). Planes are drawn and written a chunk at a time."""
        from gobench.codec import bitstream

        self.check_size(clip.height, clip.width)
        stream = list(_samples(clip))
        keys = range(0, len(stream), bitstream.KEY_INTERVAL)
        config = bitstream.config(clip.height, clip.width, fps(clip))
        track = mp4.Track(clip.height, clip.width, fps(clip), config, stream, range(len(stream)), keys)
        return {"mp4": mp4.write(track), "png": still(clip)}

    def decode(
        self, members: Members, start: int = 0, stop: int | None = None, step: int = 1, form: Form = "rgb"
    ) -> Array | Yuv:
        """See ``gobench.codec.contract.Codec.decode``; "yuv" gives the planes that went in."""
        from gobench.clips import yuv_to_rgb

        track = mp4.read(member(self.name, members, "mp4"))
        planes = decode_yuv(self.name, track, window(len(track.samples), start, stop, step, form))
        return planes if form == "yuv" else yuv_to_rgb(planes)

    def length(self, members: Members) -> int:
        """The number of frames, from the file's index."""
        return len(mp4.read(member(self.name, members, "mp4")).samples)

    def versions(self) -> Mapping[str, str]:
        return {"h264-direct": "1", "zlib": zlib.ZLIB_RUNTIME_VERSION}


def _samples(clip: Clip) -> Iterator[bytes]:
    from gobench.codec import bitstream

    damage = clip.damage()
    before: Yuv | None = None
    for start, stop in chunks(clip):
        planes = clip.yuv(start, stop)
        yield from bitstream.samples(planes, damage[start:stop], before, start)
        before = Yuv(*(plane[-1:] for plane in planes))
