"""mp4 files of others: when their frames are shown, without decoding any, and chosen frames decoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench_robot.readers.arrays import BREAKS, MOST_SIDE
from gobench_robot.readers.contract import BrokenError, Size
from gobench_robot.readers.folder import why

CONTAINER = "mp4"  # always read as such: others can name further files to read


@dataclass(frozen=True, eq=False)
class Track:
    """The first video stream of a file."""

    shown: npt.NDArray[np.int64]  # [n] when each frame is shown, in ticks, rising
    keys: npt.NDArray[np.int64]  # [k, 2] of the frames that need no other: shown, and where to seek to
    tick: float  # seconds
    rate: float  # frames a second, 0 where unknown
    size: Size

    def nearest(self, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The frame shown nearest to each time."""
        times = self.shown * self.tick
        after = (
            np.searchsorted(times, seconds).clip(1, len(times) - 1)
            if len(times) > 1
            else np.zeros(len(seconds), int)
        )
        before = np.maximum(after - 1, 0)
        return np.where(np.abs(times[before] - seconds) <= np.abs(times[after] - seconds), before, after)


def track(path: str, what: str) -> Track:
    """What a file says about its frames, kept for as long as it stays as it is. Raises BrokenError."""
    try:
        status = os.stat(path)
        return _track(path, status.st_mtime_ns, status.st_size)
    except _breaks() as error:
        raise BrokenError("unreadable", f"{what} is no whole mp4 file: {why(error)}") from None


def decoded(path: str, wanted: list[int], what: str) -> Array:
    """Frames by their rising numbers in display order, uint8 [len(wanted), h, w, 3]. Raises BrokenError."""
    found = track(path, what)
    if not wanted or wanted[-1] >= len(found.shown):
        raise BrokenError("length", f"{what} has {len(found.shown)} frames, fewer than asked for.")
    frames = np.zeros((len(wanted), *found.size, 3), np.uint8)
    places = {int(found.shown[number]): place for place, number in enumerate(wanted)}
    left = set(places)
    try:
        for frame in _shown(path, found, wanted):
            if frame.pts not in left:
                continue
            if (frame.height, frame.width) != found.size:
                raise BrokenError(
                    "shape", f"{what}: a frame is {frame.height} × {frame.width}, not {found.size}."
                )
            if frame.is_corrupt:
                raise ValueError("a frame is damaged")
            left.remove(frame.pts)
            frames[places[frame.pts]] = frame.to_ndarray(format="rgb24")
    except _breaks() as error:
        raise BrokenError("unreadable", f"{what} does not decode: {why(error)}") from None
    if left:
        raise BrokenError("unreadable", f"{what}: {len(left)} of {len(wanted)} frames do not decode.")
    return frames


def _shown(path: str, found: Track, wanted: list[int]) -> Iterator[Any]:
    """Decoded frames from the last key frame before the first wanted one to the last wanted one."""
    import av

    first, last = (int(found.shown[wanted[place]]) for place in (0, -1))
    with av.open(path, format=CONTAINER, mode="r") as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}
        keys = found.keys[found.keys[:, 0] <= first]
        if len(keys):
            container.seek(int(keys[-1, 1]), stream=stream, backward=True)
        for frame in container.decode(stream):
            yield frame
            if frame.pts is not None and frame.pts >= last:
                return


@lru_cache(maxsize=64)
def _track(path: str, mtime: int, size: int) -> Track:
    import av

    shown, keys, hidden = [], [], 0
    with av.open(path, format=CONTAINER, mode="r") as container:
        if not container.streams.video:
            raise ValueError("it has no video")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise ValueError("its video is of a kind that is not known here")
        for packet in container.demux(stream):
            if packet.pts is None or packet.size == 0 or packet.is_discard:
                hidden += bool(packet.size)
                continue
            shown.append(packet.pts)
            if packet.is_keyframe:
                keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
        if not all(0 < n <= MOST_SIDE for n in (stream.height, stream.width)) or not shown:
            raise ValueError(f"it has {len(shown)} frames of {stream.height} × {stream.width} pixels")
        if stream.frames > len(shown) + hidden:
            raise ValueError(f"it ends too early: {len(shown)} of {stream.frames} frames are there")
        rate = float(stream.average_rate or 0)
        tick, pixels = float(stream.time_base or 0), (stream.height, stream.width)
    times = np.unique(np.array(shown, np.int64))
    if len(times) != len(shown):
        raise ValueError("two frames are shown at one time")
    return Track(times, np.array(sorted(keys), np.int64).reshape(-1, 2), tick, rate, pixels)


def _breaks() -> tuple[type[BaseException], ...]:
    import av

    return (*BREAKS, av.FFmpegError)
