"""Frames out of the files that video tools write. Sizes and lengths are limited before anything is decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gobench.errors import DataError
from gobench.types import Array

INDEX = "prompts.jsonl"  # of an export: one line a sample
MARK = "export.json"  # what an export was made with

MOST_FRAMES = 4096
MOST_SIDE = 8192  # pixels
MOST_PIXELS = 1 << 29  # of all frames together: 1.6 GB
MOST_SECONDS = 600.0  # as the file claims
MOST_BYTES = 1 << 31  # of a file


def read_frames(path: Path) -> Array:
    """A picture, an animation, a video, an array, or a folder of PNG pictures as uint8 [m, h, w, 3], m >= 1.

    Raises:
        DataError: what is there is broken, empty or too large; names the file and says why.
    """
    try:
        return _folder(path) if path.is_dir() else _read(path)
    except MemoryError:
        raise DataError(f"{path}: its frames do not fit into memory.") from None


def _read(path: Path) -> Array:
    """The frames of one file."""
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise DataError(f"{path}: frames are read from {', '.join(sorted(READERS))}, not from {suffix!r}.")
    try:
        data = _bytes(path)
        frames = READERS[suffix](data)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if not frames.size:
        raise DataError(f"{path}: it holds no frames.")
    return frames


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"the file is larger than {MOST_BYTES >> 20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error}).") from error


def _folder(path: Path) -> Array:
    names = sorted(p for p in path.iterdir() if p.suffix.lower() == ".png" and not p.name.startswith("."))
    if not names:
        raise DataError(f"{path}: the folder holds no .png frames.")
    if len(names) > MOST_FRAMES:
        raise DataError(f"{path}: {len(names)} frames are more than the {MOST_FRAMES} that are read.")
    sizes = {_size(name) for name in names if _within(path, name)}
    if len(sizes) != 1:
        raise DataError(f"{path}: the frames differ in size.")
    height, width = sizes.pop()
    _check(height, width, len(names), str(path))  # before the first is decoded
    frames = np.empty((len(names), height, width, 3), np.uint8)
    for t, name in enumerate(names):
        picture = _read(name)[0]
        if picture.shape != frames[t].shape:
            raise DataError(f"{name}: it has two sizes.")
        frames[t] = picture
    return frames


def _size(path: Path) -> tuple[int, int]:
    """(height, width) that the header of a PNG file claims."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as error:
        raise DataError(f"{path}: it cannot be read ({error.strerror or error}).") from error
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        raise DataError(f"{path}: it is no readable PNG.")
    return int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")


def _within(folder: Path, name: Path) -> bool:
    """True; DataError for a link that leads out of the folder."""
    if not name.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{name} is a link out of {folder}: answers lie in their own folder.")
    return True


def _check(height: int, width: int, count: int, where: str = "") -> None:
    start = f"{where}: " if where else ""
    if not 0 < height <= MOST_SIDE or not 0 < width <= MOST_SIDE:
        raise DataError(f"{start}frames of {height}x{width} are beyond {MOST_SIDE}x{MOST_SIDE} pixels.")
    if count > MOST_FRAMES or count * height * width > MOST_PIXELS:
        raise DataError(
            f"{start}{count} frames of {height}x{width} are more than is read "
            f"({MOST_FRAMES} frames, {MOST_PIXELS >> 20} megapixels in all)."
        )


def _png(data: bytes) -> Array:
    return _pictures(data, "PNG", 1)


def _gif(data: bytes) -> Array:
    return _pictures(data, "GIF", MOST_FRAMES)


def _pictures(data: bytes, form: str, most: int) -> Array:
    import struct
    import zlib

    from PIL import Image

    broken = (
        OSError,
        EOFError,
        ValueError,
        SyntaxError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    )
    try:
        with Image.open(io.BytesIO(data), formats=[form]) as picture:
            count = min(int(getattr(picture, "n_frames", 1)), most + 1) if most > 1 else 1
            _check(picture.height, picture.width, count)
            frames = np.empty((count, picture.height, picture.width, 3), np.uint8)
            for t in range(count):
                picture.seek(t)
                frames[t] = np.asarray(picture.convert("RGB"))
            return frames
    except broken as error:
        raise DataError(f"{len(data)} bytes are no readable {form} ({error}).") from error


def _npy(data: bytes) -> Array:
    """The array in a file of format .npy, 1.0 or 2.0; the header is checked before anything is made of the rest."""
    from numpy.lib import format as npy

    file = io.BytesIO(data)
    try:
        headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, columns_first, kind = headers[npy.read_magic(file)](file)
    except (ValueError, KeyError, SyntaxError, EOFError) as error:
        raise DataError(f"it is no readable .npy array ({error}).") from error
    if kind != np.uint8 or len(shape) not in (3, 4) or shape[-1] != 3 or columns_first:
        raise DataError(f"it holds {kind} {list(shape)}, not uint8 [m, h, w, 3] or [h, w, 3], rows first.")
    whole = (1, *shape) if len(shape) == 3 else shape
    _check(whole[1], whole[2], whole[0])
    room = len(data) - file.tell()
    if room != np.prod(whole):
        raise DataError(f"it claims {list(shape)}, {np.prod(whole)} bytes, but {room} are there.")
    return np.frombuffer(data, np.uint8, offset=file.tell()).reshape(whole)


def _video(data: bytes) -> Array:
    import av

    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            return np.stack(list(_decoded(container)))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{len(data)} bytes are no readable video ({error}).") from error


def _decoded(container: Any) -> Iterator[Array]:
    """The frames of the first video track; DataError where there is none, or it is too large."""
    if not container.streams.video:
        raise DataError("the file has no video track.")
    stream = container.streams.video[0]
    stream.thread_count = 1
    _check(stream.height, stream.width, max(1, stream.frames))
    if container.duration and container.duration / 1e6 > MOST_SECONDS:
        raise DataError(f"it claims {container.duration / 1e6:.0f} s, more than the {MOST_SECONDS:.0f} read.")
    shape = None
    for count, frame in enumerate(container.decode(stream), 1):
        shape = shape or (frame.height, frame.width)
        if (frame.height, frame.width) != shape:
            raise DataError("the frames differ in size.")
        _check(frame.height, frame.width, count)
        yield frame.to_ndarray(format="rgb24")
    if shape is None:
        raise DataError("the video holds no frames.")


READERS: Mapping[str, Callable[[bytes], Array]] = {
    ".png": _png,
    ".gif": _gif,
    ".mp4": _video,
    ".webm": _video,
    ".npy": _npy,
}
