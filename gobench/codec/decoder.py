"""Frames of a ``mp4.Track``, decoding no more than they need and never showing a raw PyAV error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gobench.codec.mp4 import Track
from gobench.errors import DataError
from gobench.types import Array, Yuv


def decode_yuv(codec: str, track: Track, wanted: range) -> Yuv:
    """4:2:0 planes of the frames ``wanted`` (in display order); raises DataError that names ``codec``."""
    planes = _planes(0, track.height, track.width)
    for place, frame in _frames(codec, track, wanted, "yuv420p"):
        if not planes.y.size:  # not before a frame has proved the size that the file claims
            planes = _planes(len(wanted), track.height, track.width)
        for target, source in zip(planes, frame.planes, strict=True):
            target[place] = _pixels(source)
    return planes


def decode_rgb(codec: str, track: Track, wanted: range) -> Array:
    """RGB frames uint8 [T', H, W, 3] of a stream stored as planes of G, B and R; raises DataError."""
    rgb = np.empty((0, track.height, track.width, 3), np.uint8)
    for place, frame in _frames(codec, track, wanted, "gbrp"):
        if not rgb.size:
            rgb = np.empty((len(wanted), track.height, track.width, 3), np.uint8)
        green, blue, red = (_pixels(plane) for plane in frame.planes)
        for channel, plane in enumerate((red, green, blue)):
            rgb[place, :, :, channel] = plane
    return rgb


def _planes(count: int, height: int, width: int) -> Yuv:
    y = np.empty((count, height, width), np.uint8)
    u, v = (np.empty((count, height // 2, width // 2), np.uint8) for _ in range(2))
    return Yuv(y, u, v)


def _pixels(plane: Any) -> Array:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def _frames(codec: str, track: Track, wanted: range, pixels: str) -> Iterator[tuple[int, Any]]:
    """(place in ``wanted``, decoded frame) for each frame wanted."""
    import av

    found = set()
    try:
        for shown, frame in _decode(track, wanted) if wanted else ():
            if frame.format.name != pixels or (frame.height, frame.width) != (track.height, track.width):
                got = f"{frame.format.name} {frame.height}x{frame.width}"
                claimed = f"{pixels} {track.height}x{track.width}"
                raise DataError(f"codec {codec}: the stream holds {got}, not {claimed}.")
            if frame.is_corrupt:
                raise DataError(f"codec {codec}: frame {shown} is damaged.")
            found.add(shown)
            yield wanted.index(shown), frame
    except (av.FFmpegError, OSError, MemoryError) as error:
        raise DataError(f"codec {codec}: the stream does not decode ({error}).") from error
    if len(found) != len(wanted):
        raise DataError(
            f"codec {codec}: {len(found)} of the {len(wanted)} frames asked for could be decoded."
        )


def _decode(track: Track, wanted: range) -> Iterator[tuple[int, Any]]:
    """(display index, frame) for the frames wanted, in display order."""
    import av

    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = track.config
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode"}
    last = wanted[-1]
    for packet in (*_needed(track, wanted), None):
        for frame in decoder.decode(packet):
            shown = -1 if frame.pts is None else frame.pts
            if shown in wanted:
                yield shown, frame
            if shown >= last:
                return


def _needed(track: Track, wanted: range) -> Iterator[Any]:
    """The packets from the key frame before ``wanted`` on, unwanted frames that no other needs left out."""
    import av

    begin = max(k for k in track.keys if track.shown[k] <= wanted[0])
    for i in range(begin, len(track.samples)):
        sample, shown = track.samples[i], track.shown[i]
        if shown not in wanted and len(sample) > 4 and sample[4] & 0x60 == 0:  # nal_ref_idc
            continue
        packet = av.Packet(bytes(sample))
        packet.pts = shown
        yield packet
