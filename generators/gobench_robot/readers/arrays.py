"""Arrays in ``.npz`` files: their headers without their numbers, and numbers only where they are as expected."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gobench_robot.readers.contract import BrokenError, Floats
from gobench_robot.readers.folder import why
from gobench_robot.readers.pickles import npy_array, npy_header

BREAKS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, NotImplementedError),
    *(RuntimeError, struct.error, MemoryError, SyntaxError, TypeError, OverflowError),
)
"""What reading a broken file can raise."""
MOST_SIDE = 4096  # pixels of a frame
MOST_BYTES = 1 << 30


class Npz:
    """An open ``.npz`` file."""

    def __init__(self, archive: zipfile.ZipFile, what: str) -> None:
        self._archive, self._what = archive, what

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array. Raises BrokenError."""
        with self._broken(name), self._archive.open(self._info(name)) as stream:
            shape, _fortran, dtype, _begin = npy_header(stream)
            return shape, dtype

    def array(self, name: str) -> np.ndarray[Any, Any]:
        """An array, never an object's. Raises BrokenError."""
        with self._broken(name):
            info = self._info(name)
            if info.file_size > MOST_BYTES:
                raise ValueError(f"{info.file_size:,} bytes are too many")
            data = self._archive.read(info)
            shape, fortran, dtype, begin = npy_header(io.BytesIO(data))
            if dtype.hasobject:
                raise ValueError("an array of objects is not read")
            return npy_array(data[begin:], shape, fortran, dtype)

    def vector(self, name: str, length: int) -> Floats:
        """Numbers, float64 [length]. Raises BrokenError."""
        found = self.array(name)
        if found.shape != (length,) or found.dtype.kind not in "fiu":
            raise BrokenError(
                "shape", f"{self._what}: {name} is {_said(found.shape, found.dtype)}, not [{length}] numbers."
            )
        return found.astype(np.float64)

    def picture_size(self, name: str) -> tuple[int, int]:
        """Height and width of a frame, by its header. Raises BrokenError."""
        shape, dtype = self.header(name)
        if (
            len(shape) != 3
            or shape[2] != 3
            or dtype != np.uint8
            or not all(0 < n <= MOST_SIDE for n in shape[:2])
        ):
            raise BrokenError(
                "shape", f"{self._what}: {name} is {_said(shape, dtype)}, not uint8 [height, width, 3]."
            )
        return shape[0], shape[1]

    def has(self, name: str) -> bool:
        """Whether there is such an array."""
        return f"{name}.npy" in self._archive.namelist()

    def _info(self, name: str) -> zipfile.ZipInfo:
        if not self.has(name):
            raise BrokenError("shape", f"{self._what} has no array {name}.")
        return self._archive.getinfo(f"{name}.npy")

    @contextmanager
    def _broken(self, name: str) -> Iterator[None]:
        try:
            yield
        except BREAKS as error:
            raise BrokenError("unreadable", f"{self._what}, {name}: {why(error)}") from None


@contextmanager
def opened(path: str, what: str) -> Iterator[Npz]:
    """The arrays of a file that is called ``what`` in errors. Raises BrokenError."""
    try:
        archive = zipfile.ZipFile(path)
    except BREAKS as error:
        raise BrokenError("unreadable", f"{what} is no whole .npz file: {why(error)}") from None
    with archive:
        yield Npz(archive, what)


def numbers(values: Any, what: str) -> Floats:
    """Any array of numbers as float64 [rows, columns]; one number a row may come without columns. Raises BrokenError."""
    found = np.asarray(values)
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or found.dtype.kind not in "fiub":
        raise BrokenError("shape", f"{what} is {_said(found.shape, found.dtype)}, not [frames, numbers].")
    return found.astype(np.float64)


def named(prefix: str, count: int) -> tuple[str, ...]:
    """Names for numbers without any: prefix_0, prefix_1, ..."""
    return tuple(f"{prefix}_{i}" for i in range(count))


def _said(shape: Sequence[int], dtype: np.dtype[Any]) -> str:
    return f"{dtype.name} {list(shape)}"
