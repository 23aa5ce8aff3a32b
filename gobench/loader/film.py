"""From a stored sample to the frames a view asks for: decode or draw, resize, mirror."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from gobench.codec import Codec
from gobench.errors import DataError
from gobench.loader import augment
from gobench.loader.resize import resized
from gobench.loader.table import Ints
from gobench.loader.view import View
from gobench.types import Array, Clip, Domain, Record

Planes = tuple[Array, ...]  # (frames [T, H, W, 3],) or (y [T, H, W], u [T, H/2, W/2], v)
NAMES = {"rgb": ("frames",), "yuv": ("y", "u", "v")}
BROKEN = (
    DataError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)  # what a foreign record or stream raises


@dataclass(frozen=True, slots=True)
class Sample:
    """One stored episode: where it stands, and its members by suffix ("json", "mp4", ...)."""

    key: str
    shard: str
    members: Mapping[str, bytes]

    def record(self) -> Record:
        """``KEY.json``, parsed; raises DataError."""
        with named(self):
            record = json.loads(self.members["json"])
            if not isinstance(record, dict):
                raise DataError(f"KEY.json holds a {type(record).__name__}, not an object.")
            return record


class Episodes(Protocol):
    """The episodes of a split, by row number."""

    @property
    def frames(self) -> Ints:
        """Int64 [N]: frames of each episode."""
        ...

    @property
    def codec(self) -> Codec: ...

    @property
    def domain(self) -> Domain:
        """Who draws records; only asked when the codec stores no pictures."""
        ...

    @property
    def identity(self) -> str:
        """Names the data: states saved with other data are refused."""
        ...

    def sample(self, row: int) -> Sample:
        """Read one episode, 0 <= row < N; raises DataError that names shard and key."""
        ...


@contextmanager
def named(sample: Sample) -> Iterator[None]:
    """Put shard and key before whatever goes wrong, as DataError."""
    try:
        yield
    except BROKEN as error:
        what = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        raise DataError(
            f"{sample.shard}: {sample.key}: {what} Run `gobench verify` to find all that is broken."
        ) from error


def projector(episodes: Episodes, view: View) -> Projector:
    """The projector for a split; loads the domain only where it is needed."""
    needs_domain = episodes.codec.renders or (view.record and view.symmetry != "none")
    return Projector(view, episodes.codec, episodes.domain if needs_domain else None)


@dataclass(frozen=True)
class Projector:
    """Shows samples as a view wants them.

    A domain may offer two short cuts, used for records that are drawn on read: ``transform(record, k)`` (the
    mirrored record, numbers as in ``augment``) and ``resize(record, size)`` (the record drawn ``size`` pixels
    wide and high, or None where it cannot). Without them, drawn frames are mirrored and resized.
    """

    view: View
    codec: Codec
    domain: Domain | None

    @property
    def draws(self) -> bool:
        """Whether frames are drawn from the record, so that any window costs only itself."""
        return self.codec.renders

    def window(
        self, sample: Sample, start: int, stop: int, step: int, k: int
    ) -> tuple[Planes, Record | None]:
        """Frames ``range(start, stop, step)`` under symmetry ``k``, and the record where it was needed."""
        if not self.draws:
            return self.mirrored(self.stored(sample, start, stop, step), k), self.record(sample, k)
        record, left = self._prepared(sample, k)
        with named(sample):
            assert self.domain is not None
            planes = self._cut(self.domain.clip(record), start, stop, step)
        return self.mirrored(self._sized(planes), left), record

    def record(self, sample: Sample, k: int) -> Record | None:
        """The record if the view wants it, mirrored as the frames are where the domain can do that."""
        if not self.view.record:
            return None
        record = sample.record()
        offered: Any = self.domain
        if k and hasattr(offered, "transform"):
            with named(sample):
                record = offered.transform(record, k)
        return record

    def shapes(self, sample: Sample) -> dict[str, tuple[int, ...]]:
        """The shape of a clip's tensors, by name, found on the first frame of a sample."""
        planes, _ = self.window(sample, 0, 1, 1, 0)
        names = NAMES[self.view.form]
        return {n: (self.view.length, *p.shape[1:]) for n, p in zip(names, planes, strict=True)}

    def stored(self, sample: Sample, start: int, stop: int, step: int) -> Planes:
        """Decode and resize frames ``range(start, stop, step)``: a whole run of an episode, or one window."""
        with named(sample):
            decoded = self.codec.decode(sample.members, start, stop, step, self.view.form)
            planes: Planes = tuple(decoded) if isinstance(decoded, tuple) else (decoded,)
            self._check(planes, start, stop, step)
        return self._sized(planes)

    def mirrored(self, planes: Planes, k: int) -> Planes:
        """Frames under symmetry ``k``, as views."""
        if k >= 4 and planes[0].shape[1] != planes[0].shape[2]:
            height, width = planes[0].shape[1:3]
            raise DataError(
                f"symmetry 'dihedral' turns frames, but these are {height}x{width}: "
                "use 'flips' or a square size."
            )
        return tuple(augment.transform(p, k) for p in planes) if k else planes

    def _prepared(self, sample: Sample, k: int) -> tuple[Record, int]:
        """The record to draw, and the symmetry that is left for its frames."""
        record = sample.record()
        size = self.view.size
        with named(sample):
            offered: Any = self.domain
            if k and hasattr(offered, "transform"):
                record, k = offered.transform(record, k), 0
            if isinstance(size, int) and hasattr(offered, "resize"):
                record = offered.resize(record, size) or record
        return record, k

    def _cut(self, clip: Clip, start: int, stop: int, step: int) -> Planes:
        if self.view.form == "yuv":
            planes: Planes = tuple(clip.yuv(start, stop, step))
        else:
            planes = (clip.rgb(start, stop, step),)
        self._check(planes, start, stop, step)
        return planes

    def _check(self, planes: Planes, start: int, stop: int, step: int) -> None:
        wanted = len(range(start, stop, step))
        if len(planes[0]) != wanted:
            raise DataError(f"frames {start}..{stop - 1} are {wanted}, but {len(planes[0])} are there.")

    def _sized(self, planes: Planes) -> Planes:
        if self.view.target is None:
            return planes
        height, width = self.view.target
        sides = [(height, width), (height // 2, width // 2), (height // 2, width // 2)]
        return tuple(resized(p, *side, self.view.resize) for p, side in zip(planes, sides, strict=False))
