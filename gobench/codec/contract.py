"""What a codec is, and the little that all of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol, TypeAlias

from gobench.errors import DataError, UsageError
from gobench.types import Array, Clip, Yuv

Members: TypeAlias = Mapping[str, bytes]  # what stands after "KEY." in the tar -> the bytes
Form: TypeAlias = Literal["rgb", "yuv"]

CHUNK_BYTES = 24 << 20  # how much of a clip is drawn at a time: 128 frames of 256x256
DEFAULT_FPS = 4


class Codec(Protocol):
    """Frames <-> members of a sample. Equal frames give equal bytes, in any process."""

    @property
    def name(self) -> str: ...

    @property
    def exact(self) -> bool:
        """Whether ``decode`` gives back the very RGB frames that went in."""
        ...

    @property
    def renders(self) -> bool:
        """Whether nothing is stored, and frames are drawn from the record instead."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The members of every sample, sorted: ("mp4", "png")."""
        ...

    def check_size(self, height: int, width: int) -> None:
        """Raises UsageError for a size this codec cannot store."""
        ...

    def members(self, clip: Clip) -> dict[str, bytes]:
        """Encode a clip, a chunk of frames at a time; "png" is its last frame."""
        ...

    def decode(
        self, members: Members, start: int = 0, stop: int | None = None, step: int = 1, form: Form = "rgb"
    ) -> Array | Yuv:
        """Frames ``[start:stop:step]`` as uint8 [T', H, W, 3], or as planes; decodes only what these need.

        Raises DataError for broken or missing members, UsageError for a step below 1 or an unknown form.
        """
        ...

    def length(self, members: Members) -> int:
        """T, without decoding; raises DataError."""
        ...

    def versions(self) -> Mapping[str, str]:
        """The packages whose versions decide the bytes."""
        ...


def member(codec: str, members: Members, suffix: str) -> bytes:
    """One member's bytes, or DataError."""
    if suffix not in members:
        there = ", ".join(sorted(members)) or "nothing"
        raise DataError(f"codec {codec}: the sample has no member {suffix!r} (it has {there}).")
    return members[suffix]


def window(length: int, start: int, stop: int | None, step: int, form: str = "rgb") -> range:
    """The frames that ``[start:stop:step]`` names in a clip of ``length`` frames, as slicing does."""
    if step < 1:
        raise UsageError(f"step {step} is out of range: it is at least 1.")
    if form not in ("rgb", "yuv"):
        raise UsageError(f"unknown form {form!r}. Known: rgb, yuv.")
    return range(*slice(start, stop, step).indices(length))


def chunks(clip: Clip) -> Iterator[tuple[int, int]]:
    """(start, stop) of consecutive runs of frames that each hold about CHUNK_BYTES of RGB."""
    size = max(1, CHUNK_BYTES // (clip.height * clip.width * 3))
    for start in range(0, clip.length, size):
        yield start, min(start + size, clip.length)


def fps(clip: Clip) -> int:
    """The clip's frame rate if it has one (``clip.fps``, 1 to 240), else 4; every frame is kept."""
    rate = getattr(clip, "fps", DEFAULT_FPS)
    if rate != int(rate) or not 1 <= rate <= 240:
        raise UsageError(f"{rate} frames a second is out of range: a whole number from 1 to 240.")
    return int(rate)


def even(codec: str, height: int, width: int) -> None:
    """Raises UsageError unless height and width are even and at least 2."""
    if height < 2 or width < 2 or height % 2 or width % 2:
        raise UsageError(
            f"codec {codec} halves the chroma planes, so it needs an even height and width, "
            f"not {height}x{width}: choose an even size, or codec lossless or png."
        )


def still(clip: Clip) -> bytes:
    """The clip's last frame as PNG."""
    from gobench.codec import pictures

    return pictures.encode(clip.rgb(clip.length - 1, clip.length)[0])
