"""What all readers share: options, rejections, pieces, and the way from an origin back to its frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gobench.errors import DataError, UsageError, unknown
from gobench.types import Array, Json, Rejection
from gobench_robot.readers.contract import BrokenError, Floats, Real
from gobench_robot.readers.cutting import cut, parse, spans
from gobench_robot.readers.folder import Folder
from gobench_robot.readers.options import COMMON, Option, filled

CHUNK = 64  # frames decoded at once where all are looked at


class FolderReader(ABC):
    """A reader with ``origins``, one a unit; a child says how an episode and its pixels are read."""

    name: ClassVar[str]
    OPTIONS: ClassVar[Mapping[str, Option]] = COMMON

    def __init__(self, folder: str, options: Mapping[str, Json]) -> None:
        self.options = filled(self.name, options, self.OPTIONS)
        self.folder = Folder.of(folder, self.name)
        self.origins: Sequence[str] = _writable(self._open())
        self.cameras = self._cameras()

    @property
    def units(self) -> int:
        """Episodes."""
        return len(self.origins)

    @cached_property
    def inputs(self) -> Mapping[str, str]:
        """See ``contract.Reader``."""
        return self._inputs()

    def unit(self, index: int) -> Iterator[Real | Rejection]:
        """See ``contract.Reader``."""
        try:
            whole = _checked(self._episode(index))
            if self.options["check"] == "pixels":
                self._decode_all(index, whole)
            pieces = spans(whole.frames, self.options["stride"], self.options["max_frames"])
            found = [cut(whole, span, self._merges(whole)) for span in pieces]
        except BrokenError as error:
            yield Rejection(self.origins[index], error.reason, error.detail)
            return
        yield from found

    def frames(self, origin: str, camera: str) -> Array:
        """See ``contract.Reader``."""
        stride = self.options["stride"]
        base, piece = parse(origin, stride)
        if origin in self._places:  # an episode may be called "a#1-2"
            base, piece = origin, None
        if base not in self._places:
            raise UsageError(f"{origin} is no episode of this folder ({self.name}, {self.units:,} episodes).")
        if camera not in self.cameras:
            raise unknown("camera", camera, self.cameras)
        index = self._places[base]
        try:
            wanted = range(0, self._length(index), stride) if piece is None else piece
            return self._pixels(index, camera, wanted)
        except BrokenError as error:
            raise BrokenError(error.reason, f"{origin}, {camera}: {error.detail}") from error

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {origin: index for index, origin in enumerate(self.origins)}

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_places"}

    def _decode_all(self, index: int, whole: Real) -> None:
        for camera, size in whole.sizes.items():
            for begin in range(0, whole.frames, CHUNK):
                chunk = range(begin, min(begin + CHUNK, whole.frames))
                if (found := self._pixels(index, camera, chunk).shape[1:3]) != size:
                    raise BrokenError("shape", f"{camera}: frames are {found}, not {size} as said.")

    def _merges(self, whole: Real) -> Sequence[str]:
        how = self.options["merge"]
        return self._auto_merges(whole) if how == "auto" else [how] * len(whole.action_names)

    def _auto_merges(self, whole: Real) -> Sequence[str]:
        """What several actions become by default, for each number: the last, as fits targets."""
        return ["last"] * len(whole.action_names)

    @abstractmethod
    def _open(self) -> Sequence[str]:
        """Look at the metadata and list the origins. Raises DataError for a folder of another kind."""

    @abstractmethod
    def _cameras(self) -> tuple[str, ...]:
        """Cameras that the episodes have or must have: those of ``options``, or the reader's first."""

    @abstractmethod
    def _inputs(self) -> Mapping[str, str]: ...

    @abstractmethod
    def _episode(self, index: int) -> Real:
        """A whole episode. Raises BrokenError."""

    @abstractmethod
    def _length(self, index: int) -> int:
        """How many frames a whole episode has, without looking at more than that needs. Raises BrokenError."""

    @abstractmethod
    def _pixels(self, index: int, camera: str, wanted: range) -> Array:
        """Frames of a whole episode, uint8 [len(wanted), h, w, 3]. Raises BrokenError."""


def _writable(origins: Sequence[str]) -> Sequence[str]:
    """Names that records can hold. Raises DataError."""
    for origin in origins:
        try:
            origin.encode()
        except UnicodeEncodeError:
            raise DataError(f"the name {origin!r} is not UTF-8. Rename the file.") from None
    return origins


def _checked(whole: Real) -> Real:
    """The episode with arrays of the right sizes. Raises BrokenError."""
    if whole.frames < 2:
        raise BrokenError("too-short", f"{whole.frames} frames; an episode has two or more.")
    _fits("actions", whole.actions, whole.frames - 1, len(whole.action_names))
    _fits("states", whole.proprio, whole.frames, len(whole.proprio_names))
    wordings = tuple(dict.fromkeys((*filter(None, [whole.instruction]), *filter(None, whole.wordings))))
    return replace(whole, wordings=wordings)


def _fits(what: str, values: Floats, rows: int, columns: int) -> None:
    if values.shape[0] != rows:
        raise BrokenError("length", f"{values.shape[0]} {what}, where the frames need {rows}.")
    if values.shape[1] != columns:
        raise BrokenError("shape", f"{what} have {values.shape[1]} numbers, not {columns}.")
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(1)))
        raise BrokenError("not-finite", f"{what} are not finite, first at frame {row}.")
