"""One folder of real data, out of which nothing is read: neither through links nor through paths in its metadata."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gobench.errors import DataError
from gobench_robot.readers.contract import BrokenError

_FOLDERS = re.compile(r"(?<![\w.])/[^\s'\"]*/")
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by its real path."""

    root: str

    @classmethod
    def of(cls, path: str | Path, kind: str) -> Folder:
        """Raises DataError where ``path`` is no folder."""
        full = os.path.realpath(os.path.expanduser(path))
        if not os.path.isdir(full):
            raise DataError(
                f"{path} is not a folder. The reader {kind} takes the folder in which the data lie."
            )
        return cls(full)

    @property
    def name(self) -> str:
        """Its own name."""
        return os.path.basename(self.root)

    def path(self, relative: str) -> str:
        """Where something lies. Raises BrokenError ("outside") where that is not in this folder."""
        try:
            full = os.path.realpath(os.path.join(self.root, relative))
        except ValueError:  # a NUL byte
            raise BrokenError("outside", f"{relative!r} is no path.") from None
        if full != self.root and not full.startswith(self.root.rstrip(os.sep) + os.sep):
            raise BrokenError(
                "outside",
                f"{relative} leads out of the folder. Copy what it points to, or give the folder that holds both.",
            )
        return full

    def file(self, relative: str) -> str:
        """Where a file lies. Raises BrokenError ("missing", "outside")."""
        full = self.path(relative)
        if not os.path.isfile(full):
            raise BrokenError("missing", f"{relative} is not there.")
        return full

    def read(self, relative: str, most: int) -> bytes:
        """The content of a file of at most ``most`` bytes. Raises BrokenError."""
        full = self.file(relative)
        try:
            with open(full, "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise BrokenError("unreadable", f"{relative}: {why(error)}") from None
        if len(data) > most:
            raise BrokenError("unreadable", f"{relative} is larger than {most:,} bytes.")
        return data

    def has(self, relative: str) -> bool:
        """Whether there is something of that name, be it a link that leads out of the folder, which reading refuses."""
        return os.path.lexists(os.path.join(self.root, relative))

    def names(self, relative: str = "", folders: bool = False) -> list[str]:
        """Names of the files, or of the folders, right in a folder of it, numbers by their value.

        Raises DataError where it cannot be listed.
        """
        try:
            with os.scandir(self.path(relative)) as entries:
                found = [e.name for e in entries if (e.is_dir() if folders else e.is_file())]
        except OSError as error:
            raise DataError(f"{relative or self.root} cannot be listed: {why(error)}.") from None
        return sorted(found, key=natural)

    def digest(self, folders: Iterable[str]) -> str:
        """The sha256 of names and sizes of all files below folders of it, sorted."""
        lines = sorted(line for folder in folders for line in self._lines(folder))
        return hashlib.sha256(b"".join(lines)).hexdigest()

    def _lines(self, folder: str) -> Iterator[bytes]:
        for place, below, names in os.walk(self.path(folder), onerror=_unlisted):
            below.sort()
            for name in names:
                full = os.path.join(place, name)
                size = os.stat(full).st_size if os.path.exists(full) else -1
                yield os.fsencode(os.path.relpath(full, self.root)) + b"\0%d\n" % size


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts episode2 before episode10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in _NUMBERS.split(name)]


def why(error: BaseException) -> str:
    """One line about an error, without places on this machine."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(_FOLDERS.sub("", text).split())[:200] or type(error).__name__


def _unlisted(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be listed: {why(error)}.")
