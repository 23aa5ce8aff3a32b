"""Codecs beside bare x264, PyAV's own decoding and Pillow, on the same 65 frames of a Go game (256x256)."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
from harness import Row, Work, row
from PIL import Image

from gobench.codec import codec, pictures
from gobench.types import Clip
from gobench_go.game.kernels import random_game, replay
from gobench_go.game.rules import named
from gobench_go.video.render import GoClip
from gobench_go.video.themes import look

PLIES = 64
FRAMES = PLIES + 1


def game(theme: str = "videoworld") -> GoClip:
    """64 random plies on 9x9."""
    rules = named("benchmark")
    moves = np.asarray(random_game(rules, 7, PLIES)[:PLIES], np.int16)
    colors = np.asarray([1 + t % 2 for t in range(len(moves))], np.uint8)
    boards = replay(rules, np.zeros((9, 9), np.uint8), moves, colors)[0]
    return GoClip(look(theme, 256, 9, 9), boards, np.asarray([-1, *moves], np.int16))


def bare(clip: Clip, name: str, pixels: str, options: dict[str, str]) -> Work:
    """The encoder alone: frames made beforehand, packets thrown away."""
    if pixels == "rgb24":
        frames = [av.VideoFrame.from_ndarray(f, format=pixels) for f in clip.rgb()]
    else:
        packed = [
            np.concatenate([p.ravel() for p in f]).reshape(-1, clip.width)
            for f in zip(*clip.yuv(), strict=True)
        ]
        frames = [av.VideoFrame.from_ndarray(f, format=pixels) for f in packed]
    for t, frame in enumerate(frames):
        frame.pts = t

    def encode() -> int:
        encoder: Any = av.CodecContext.create(name, "w")
        encoder.width, encoder.height, encoder.pix_fmt = clip.width, clip.height, pixels
        encoder.framerate, encoder.time_base = Fraction(4), Fraction(1, 4)
        encoder.thread_count = 1
        encoder.options = options
        packets = [p for frame in [*frames, None] for p in encoder.encode(frame)]
        return len(packets)

    return encode


def encoded(name: str, clip: Clip) -> Work:
    """All members of a clip, drawing included."""

    def encode() -> int:
        codec(name).members(clip)
        return clip.length

    return encode


def decoded(
    name: str, members: dict[str, bytes], form: str = "rgb", start: int = 0, stop: int = FRAMES
) -> Work:
    """Frames ``[start:stop]`` through our decoder."""

    def decode() -> int:
        codec(name).decode(members, start, stop, form=form)  # type: ignore[arg-type]
        return stop - start

    return decode


def pyav(members: dict[str, bytes], form: str, start: int = 0, stop: int = FRAMES) -> Work:
    """The same frames the usual way: PyAV's container, ``to_ndarray``."""

    def decode() -> int:
        with av.open(io.BytesIO(members["mp4"])) as container:
            container.streams.video[0].thread_type = "NONE"
            frames = []
            for t, frame in enumerate(container.decode(video=0)):
                if t >= stop:
                    break
                if t >= start:
                    frames.append(frame.to_ndarray(format=form))
        return len(np.stack(frames))

    return decode


def pillow_png(frames: np.ndarray) -> Work:
    """One PNG a frame by Pillow at its default level."""

    def encode() -> int:
        for frame in frames:
            Image.fromarray(frame).save(io.BytesIO(), "png")
        return len(frames)

    return encode


def our_png(frames: np.ndarray) -> Work:
    """One PNG a frame by ours."""

    def encode() -> int:
        return len([pictures.encode(frame) for frame in frames])

    return encode


def rows() -> list[Row]:
    """Frames a second of one core."""
    clip = game()
    stored = {name: codec(name).members(clip) for name in ("h264", "h264-direct", "lossless", "png")}
    one = {"threads": "1"}
    veryfast = bare(clip, "libx264", "yuv420p", {"preset": "veryfast", "crf": "18", **one})
    ultrafast = bare(clip, "libx264", "yuv420p", {"preset": "ultrafast", "crf": "18", **one})
    exact = bare(clip, "libx264rgb", "rgb24", {"preset": "ultrafast", "qp": "0", **one})
    frames, f = clip.rgb(), "f/s"
    return [
        row("h264, drawn and stored", f, encoded("h264", clip), "bare x264 veryfast", veryfast, "0.7x"),
        row("h264-direct, drawn and stored", f, encoded("h264-direct", clip), "bare x264 ultrafast",
            ultrafast, "16,250 f/s (250 clips/s)"),
        row("lossless, drawn and stored", f, encoded("lossless", clip), "bare x264rgb qp 0", exact, "0.7x"),
        row("png, drawn and stored", f, encoded("png", clip), "Pillow PNG", pillow_png(frames)),
        row("one picture as PNG", f, our_png(frames), "Pillow PNG", pillow_png(frames), "1,000 f/s"),
        row("h264 to RGB", f, decoded("h264", stored["h264"]), "PyAV rgb24", pyav(stored["h264"], "rgb24")),
        row("h264 to planes", f, decoded("h264", stored["h264"], "yuv"), "PyAV yuv420p",
            pyav(stored["h264"], "yuv420p")),
        row("h264, frames 24 to 40, RGB", f, decoded("h264", stored["h264"], "rgb", 24, 40), "PyAV rgb24",
            pyav(stored["h264"], "rgb24", 24, 40), "1,500 f/s"),
        row("h264-direct to RGB", f, decoded("h264-direct", stored["h264-direct"]), "PyAV rgb24",
            pyav(stored["h264-direct"], "rgb24")),
        row("h264-direct to planes", f, decoded("h264-direct", stored["h264-direct"], "yuv"), "PyAV yuv420p",
            pyav(stored["h264-direct"], "yuv420p")),
        row("lossless to RGB", f, decoded("lossless", stored["lossless"]), "PyAV rgb24",
            pyav(stored["lossless"], "rgb24")),
    ]  # fmt: skip


if __name__ == "__main__":
    from harness import table

    print(table(rows()))
