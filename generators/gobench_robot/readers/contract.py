"""What a reader of real data gives: episodes as plain numbers first, pixels when asked for.

    folder -> Reader -> unit -> Real | Rejection
                     -> frames(origin, camera) -> uint8 [T, h, w, 3]

Nothing is passed over in silence: what cannot be taken is a ``Rejection`` whose reason is a key of ``REASONS``. A folder
that is not of the reader's kind at all is a DataError when it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.types import Array, Rejection

Floats = npt.NDArray[np.float64]
Size = tuple[int, int]

REASONS: Mapping[str, str] = {
    "missing": "a file of the episode is not there: the copy is partial",
    "unreadable": "a file of the episode is broken",
    "outside": "a link, or a path in the metadata, leads out of the folder",
    "refused": "a pickle asks for something that is never done",
    "metadata": "what is said about the episode is missing or wrong",
    "shape": "an array or a picture has another shape or type than its kind has",
    "length": "pictures, actions and states differ in number",
    "not-finite": "an action or a state is NaN or infinite",
    "too-short": "fewer than two frames",
}
"""Every reason for which a reader rejects."""


class BrokenError(DataError):
    """An episode that cannot be taken: a reason of ``REASONS`` and one line for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail

    def __reduce__(self) -> tuple[type[BrokenError], tuple[str, str]]:
        return type(self), (self.reason, self.detail)


@dataclass(frozen=True, slots=True, eq=False)
class Real:
    """One recorded episode, or a piece of one: everything but the pixels. T is ``frames``, at least 2.

    Action t was done between frame t and frame t + 1.
    """

    origin: str  # relative to the folder, unique in it, the key of ``Reader.frames``
    tasks: tuple[str, ...]  # in order, as the data name them; none where the data name none
    starts: tuple[int, ...]  # the frame at which each task begins; the first is 0
    instruction: str  # "" where there is none
    wordings: tuple[str, ...]  # other instructions that the data give for it, ``instruction`` among them
    fps: float  # frames a second
    frames: int
    sizes: Mapping[str, Size]  # camera -> height and width in pixels
    actions: Floats  # float64 [T - 1, A]; A is 0 where the data have no actions
    proprio: Floats  # float64 [T, P]; P is 0 where the data have no states
    action_names: tuple[str, ...]  # A names, with units where they are known
    proprio_names: tuple[str, ...]  # P names, with units where they are known


class Reader(Protocol):
    """A folder of real data. Picklable; opening it reads its metadata and lists its files, no more."""

    @property
    def name(self) -> str:
        """Under which it is known: a key of ``READERS``."""
        ...

    @property
    def cameras(self) -> Sequence[str]:
        """The cameras that every episode taken has, by their names on disk."""
        ...

    @property
    def inputs(self) -> Mapping[str, str]:
        """Relative name -> sha256 of the metadata read, and "files": of the sorted names and sizes of all the rest."""
        ...

    @property
    def units(self) -> int:
        """How many episodes there should be."""
        ...

    def unit(self, index: int) -> Iterator[Real | Rejection]:
        """Episode ``index``: itself, its pieces where it is longer than the option ``max_frames``, or a rejection.

        Reads no pixels unless the option ``check`` is "pixels".
        """
        ...

    def frames(self, origin: str, camera: str) -> Array:
        """The frames of what ``unit`` gave under this origin, uint8 [T, h, w, 3], decoded now.

        Raises UsageError for an unknown origin or camera, DataError (``BrokenError``) where they do not decode.
        """
        ...
