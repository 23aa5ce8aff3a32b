"""Codecs ``h264`` (x264, 4:2:0 planes) and ``lossless`` (x264rgb, qp 0), through PyAV.

PyAV only encodes and decodes here; the file around the stream is ours (``gobench.codec.mp4``), so nothing but
the encoder's build decides the bytes: one thread, no dates, and x264's own signature (an SEI) is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from gobench.codec import mp4
from gobench.codec.contract import Form, Members, chunks, even, fps, member, still, window
from gobench.codec.decoder import decode_rgb, decode_yuv
from gobench.errors import UsageError
from gobench.types import Array, Clip, Yuv

# x264's names for what the pictures are: sRGB seen through the BT.601 matrix in limited range
_YUV_TAGS = "colorprim=bt709:transfer=iec61966-2-1:colormatrix=smpte170m:fullrange=off"
_RGB_TAGS = "colorprim=bt709:transfer=iec61966-2-1:colormatrix=GBR:fullrange=on"
_ONE_THREAD = "annexb=0:threads=1:lookahead-threads=1:sliced-threads=0"
# with its macroblock tree, x264 (core 165) uses stack values that it never wrote: now and then other bytes
_REPEATABLE = "mbtree=0"
_SEI = 6  # NAL unit type of supplemental information


@dataclass(frozen=True)
class H264:
    """x264 veryfast, crf 18, 4:2:0 (BT.601, limited range): small, plays everywhere, nearly the picture."""

    name: str = "h264"
    exact: bool = False
    renders: bool = False
    suffixes: tuple[str, ...] = ("mp4", "png")

    def check_size(self, height: int, width: int) -> None:
        """Even sizes only: UsageError otherwise."""
        even(self.name, height, width)

    def members(self, clip: Clip) -> dict[str, bytes]:
        """ "mp4" and "png" (the last frame). Planes are drawn and encoded a chunk at a time."""
        self.check_size(clip.height, clip.width)
        options = {
            "preset": "veryfast",
            "crf": "18",
            "x264-params": f"{_ONE_THREAD}:{_REPEATABLE}:{_YUV_TAGS}",
        }
        planes = (frame for a, b in chunks(clip) for frame in zip(*clip.yuv(a, b), strict=True))
        return {"mp4": _encode(clip, "libx264", "yuv420p", options, planes), "png": still(clip)}

    def decode(
        self, members: Members, start: int = 0, stop: int | None = None, step: int = 1, form: Form = "rgb"
    ) -> Array | Yuv:
        """See ``gobench.codec.contract.Codec.decode``; planes cost a third of RGB."""
        from gobench.clips import yuv_to_rgb

        track = mp4.read(member(self.name, members, "mp4"))
        planes = decode_yuv(self.name, track, window(len(track.samples), start, stop, step, form))
        return planes if form == "yuv" else yuv_to_rgb(planes)

    def length(self, members: Members) -> int:
        """The number of frames, from the file's index."""
        return len(mp4.read(member(self.name, members, "mp4")).samples)

    def versions(self) -> Mapping[str, str]:
        return encoder_versions()


@dataclass(frozen=True)
class Lossless:
    """x264rgb, ultrafast, qp 0: the very RGB frames, at any size. Browsers do not play it (4:4:4)."""

    name: str = "lossless"
    exact: bool = True
    renders: bool = False
    suffixes: tuple[str, ...] = ("mp4", "png")

    def check_size(self, height: int, width: int) -> None:
        """Any size will do."""
        if height < 1 or width < 1:
            raise UsageError(f"codec lossless needs a picture, not {height}x{width}.")

    def members(self, clip: Clip) -> dict[str, bytes]:
        """ "mp4" and "png" (the last frame)."""
        self.check_size(clip.height, clip.width)
        options = {"preset": "ultrafast", "qp": "0", "x264-params": f"{_ONE_THREAD}:{_RGB_TAGS}"}
        rows = clip.width * 3
        planes = ((f.reshape(clip.height, rows),) for a, b in chunks(clip) for f in clip.rgb(a, b))
        return {"mp4": _encode(clip, "libx264rgb", "rgb24", options, planes), "png": still(clip)}

    def decode(
        self, members: Members, start: int = 0, stop: int | None = None, step: int = 1, form: Form = "rgb"
    ) -> Array | Yuv:
        """See ``gobench.codec.contract.Codec.decode``; here planes are made from RGB."""
        from gobench.clips import rgb_to_yuv

        track = mp4.read(member(self.name, members, "mp4"))
        frames = decode_rgb(self.name, track, window(len(track.samples), start, stop, step, form))
        return frames if form == "rgb" else rgb_to_yuv(frames)

    def length(self, members: Members) -> int:
        """The number of frames, from the file's index."""
        return len(mp4.read(member(self.name, members, "mp4")).samples)

    def versions(self) -> Mapping[str, str]:
        return encoder_versions()


def _encoder(name: str, pixels: str, options: dict[str, str], clip: Clip) -> Any:
    import av

    try:
        encoder: Any = av.CodecContext.create(name, "w")
        encoder.width, encoder.height, encoder.pix_fmt = clip.width, clip.height, pixels
        encoder.framerate = Fraction(fps(clip))
        encoder.time_base = 1 / encoder.framerate
        encoder.thread_count = 1
        encoder.flags |= av.codec.context.Flags.global_header
        encoder.options = options
        encoder.open()
    except (av.FFmpegError, av.codec.codec.UnknownCodecError) as error:
        raise UsageError(
            f"{name} cannot encode {clip.height}x{clip.width} here ({error}): "
            "install PyAV's own wheel (pip install av), or choose codec h264-direct, png or moves."
        ) from error
    return encoder


def _encode(
    clip: Clip, name: str, pixels: str, options: dict[str, str], frames: Iterator[Sequence[Array]]
) -> bytes:
    """One MP4 of ``frames``, each a sequence of planes [H', bytes a row]."""
    import av

    encoder = _encoder(name, pixels, options, clip)
    frame = av.VideoFrame(clip.width, clip.height, pixels)
    # the encoder copies a frame at once, so one frame is filled again and again
    room = [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size) for p in frame.planes]  # type: ignore[call-overload]
    packets = []
    for t, planes in enumerate(frames):
        for target, plane in zip(room, planes, strict=True):
            target[:, : plane.shape[1]] = plane
        frame.pts = t
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return mp4.write(
        mp4.Track(
            clip.height,
            clip.width,
            fps(clip),
            encoder.extradata,
            [_without_sei(bytes(p)) for p in packets],
            [p.pts for p in packets],
            [i for i, p in enumerate(packets) if p.is_keyframe],
        )
    )


def _without_sei(sample: bytes) -> bytes:
    while sample[4] & 31 == _SEI:
        sample = sample[4 + int.from_bytes(sample[:4], "big") :]
    return sample


@functools.cache
def encoder_versions() -> dict[str, str]:
    """PyAV, libavcodec, the x264 build as it signs itself, and zlib (for the PNG)."""
    import zlib

    import av

    from gobench.clips import ArrayClip

    blank = ArrayClip(np.zeros((1, 16, 16, 3), np.uint8))
    encoder = _encoder("libx264", "yuv420p", {}, blank)
    packets = encoder.encode(av.VideoFrame(16, 16, "yuv420p")) + encoder.encode(None)
    stream = b"".join(bytes(p) for p in packets)
    at = stream.find(b"x264 - core")
    core = stream[at : stream.find(b" - H.264", at)].decode("ascii", "replace") if at >= 0 else "unknown"
    avcodec = ".".join(map(str, av.library_versions["libavcodec"]))
    return {"av": av.__version__, "libavcodec": avcodec, "x264": core, "zlib": zlib.ZLIB_RUNTIME_VERSION}
