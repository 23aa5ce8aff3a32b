"""Codec ``png``: one PNG a frame in a stored zip, the form in which most frame datasets come."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gobench.codec.contract import Form, Members, chunks, member, still, window
from gobench.errors import DataError, UsageError
from gobench.types import Array, Clip, Yuv

_SUFFIX = "frames.zip"
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold


@dataclass(frozen=True)
class Png:
    """Exact, any size, readable with anything; the largest of the codecs."""

    name: str = "png"
    exact: bool = True
    renders: bool = False
    suffixes: tuple[str, ...] = (_SUFFIX, "png")

    def check_size(self, height: int, width: int) -> None:
        """Any size will do."""
        if height < 1 or width < 1:
            raise UsageError(f"codec png needs a picture, not {height}x{width}.")

    def members(self, clip: Clip) -> dict[str, bytes]:
        """ "frames.zip" (00000.png, 00001.png, ...) and "png" (the last frame)."""
        from gobench.codec import pictures

        self.check_size(clip.height, clip.width)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for start, stop in chunks(clip):
                for t, frame in enumerate(clip.rgb(start, stop), start):
                    archive.writestr(_entry(t), pictures.encode(frame))
        return {_SUFFIX: file.getvalue(), "png": still(clip)}

    def decode(
        self, members: Members, start: int = 0, stop: int | None = None, step: int = 1, form: Form = "rgb"
    ) -> Array | Yuv:
        """See ``gobench.codec.contract.Codec.decode``."""
        from gobench.clips import rgb_to_yuv

        with self._open(members) as archive:
            length = len(archive.namelist())
            wanted = window(length, start, stop, step, form)
            frames = [
                self._frame(archive, t) for t in wanted or range(1)
            ]  # one for its size, if none is wanted
        if len({frame.shape for frame in frames}) != 1:
            raise DataError("codec png: the frames differ in size.")
        rgb = np.stack(frames)[: len(wanted)]
        return rgb if form == "rgb" else rgb_to_yuv(rgb)

    def length(self, members: Members) -> int:
        """The number of frames, from the zip's directory."""
        with self._open(members) as archive:
            return len(archive.namelist())

    def versions(self) -> Mapping[str, str]:
        return {"zlib": zlib.ZLIB_RUNTIME_VERSION}

    def _open(self, members: Members) -> zipfile.ZipFile:
        data = member(self.name, members, _SUFFIX)
        try:
            return zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise DataError(
                f"codec png: {_SUFFIX} ({len(data)} bytes) is no readable zip: {error}"
            ) from error

    def _frame(self, archive: zipfile.ZipFile, t: int) -> Array:
        from gobench.codec import pictures

        try:
            return pictures.decode(archive.read(f"{t:05d}.png"))
        except (
            zipfile.BadZipFile,
            KeyError,
            OSError,
            NotImplementedError,
            RuntimeError,
            zlib.error,
        ) as error:
            raise DataError(f"codec png: frame {t} does not decode: {error}") from error


def _entry(t: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{t:05d}.png", _DATE)
    info.create_system = 3  # Unix, whatever writes it
    info.external_attr = 0o644 << 16
    return info
