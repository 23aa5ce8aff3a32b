"""Clips to picture files, by suffix."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gobench import atomic
from gobench.errors import DataError, UsageError
from gobench.types import Array
from gobench_go.video.render import GoClip


def write(path: Path, clip: GoClip) -> None:
    """Write a clip as PNG or JPEG (its last frame), GIF or MP4 (all of it).

    Raises:
        UsageError: an unknown suffix.
        BuildError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise UsageError(f"{path.name} has no known suffix: choose one of {', '.join(WRITERS)}.")
    atomic.write(path, WRITERS[suffix](clip))


def read(path: Path) -> Array:
    """A picture file, or the last frame of an animation, as uint8 [H, W, 3]; raises DataError when it is none."""
    return read_last(path)[0]


def read_last(path: Path) -> tuple[Array, int]:
    """The last frame of a picture file, and how many frames it holds; raises DataError when it is no picture."""
    from PIL import Image

    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    try:
        with Image.open(io.BytesIO(data)) as picture:
            frames = int(getattr(picture, "n_frames", 1))
            picture.seek(frames - 1)
            return np.asarray(picture.convert("RGB")), frames
    except (OSError, EOFError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is no picture, or a broken one.") from error


def _png(clip: GoClip) -> bytes:
    return _still(clip, "PNG", optimize=True)


def _jpeg(clip: GoClip) -> bytes:
    return _still(clip, "JPEG", quality=92, subsampling=0)


def _still(clip: GoClip, form: str, **options: object) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(clip.rgb(clip.length - 1)[0]).save(data, form, **options)
    return data.getvalue()


def _gif(clip: GoClip) -> bytes:
    """One palette for the whole game, taken from all that the look can show."""
    from PIL import Image

    palette = Image.fromarray(clip.look.atlas.reshape(-1, clip.width, 3)).quantize(256)
    drawn = (
        Image.fromarray(clip.rgb(t, t + 1)[0]).quantize(palette=palette, dither=Image.Dither.NONE)
        for t in range(clip.length)
    )
    data = io.BytesIO()
    next(drawn).save(data, "GIF", save_all=True, append_images=drawn, duration=round(1000 / clip.fps), loop=0)
    return data.getvalue()


def _mp4(clip: GoClip) -> bytes:
    from gobench.codec import codec

    h264 = codec("h264")
    h264.check_size(clip.height, clip.width)
    return h264.members(clip)["mp4"]


WRITERS: dict[str, Callable[[GoClip], bytes]] = {
    ".png": _png,
    ".jpg": _jpeg,
    ".jpeg": _jpeg,
    ".gif": _gif,
    ".mp4": _mp4,
}
