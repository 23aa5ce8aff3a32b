"""What the user's paths stand for: the members of files, folders, archives and globs, in a fixed order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from glob import glob, has_magic

import numpy as np

from gobench.errors import DataError, UsageError
from gobench_go.game.sgf_text import clean
from gobench_go.sources.archives import SUFFIXES, Container, archive_kind, listed, walk, why

Input = tuple[str, str, str]  # kind, absolute path, label


@dataclass(frozen=True)
class Listing:
    """Members of several containers, numbered from 0. Picklable; a worker opens the files itself."""

    containers: tuple[Container, ...]
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return self.starts[-1]

    def find(self, index: int) -> tuple[Container, int]:
        """The container of a member, and its number there."""
        at = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self.containers[at], index - self.starts[at]

    def hashes(self) -> dict[str, str]:
        """Label -> sha256: of a file, or of a folder's sorted relative names and the sha256 of each file."""
        return {c.label: _digest(c) for c in self.containers}


def list_members(paths: Sequence[str], wanted: tuple[str, ...], option: str) -> Listing:
    """All members below ``paths`` whose names end in ``wanted`` (lower case), in the order of the paths.

    A folder is searched to the bottom, archives in it included. Files that are not wanted are passed over in
    folders and are problem members in archives. Raises UsageError, which names ``option``, for a path that
    does not exist or stands for nothing.
    """
    inputs: dict[tuple[str, str], str] = {}
    for path in paths:
        for kind, full, label in _expand(path, wanted, option):
            inputs.setdefault((kind, full), label)
    taken: set[str] = set()
    found = [_container(kind, path, _free(label, taken), wanted) for (kind, path), label in inputs.items()]
    starts = np.cumsum([0, *(len(c) for c in found)])
    return Listing(tuple(found), tuple(int(s) for s in starts))


def _free(label: str, taken: set[str]) -> str:
    """The label, with a number when another input has it."""
    fresh, n = label, 1
    while fresh in taken:
        n += 1
        fresh = f"{label}~{n}"
    taken.add(fresh)
    return fresh


def _expand(path: str, wanted: tuple[str, ...], option: str) -> Iterator[Input]:
    full = os.path.expanduser(path)
    matches = (
        [full] if os.path.exists(full) else sorted(glob(full, recursive=True)) if has_magic(full) else []
    )
    found = [each for match in matches for each in _inputs(match, wanted)]
    if not found:
        problem = f"holds no file of the kind {', '.join(wanted)}" if matches else "does not exist"
        problem = "matches nothing" if not matches and has_magic(full) else problem
        allowed = f"Give files, folders, archives ({', '.join(SUFFIXES)}) or globs."
        raise UsageError(f"{option}: {path!r} {problem}. {allowed}")
    yield from found


def _inputs(path: str, wanted: tuple[str, ...]) -> Iterator[Input]:
    path = os.path.abspath(path)
    label = _label(os.path.basename(path))
    if os.path.isfile(path):
        yield archive_kind(path) or "file", path, label
    if not os.path.isdir(path):
        return
    names = walk(path)
    if any(name.lower().endswith(wanted) and not archive_kind(name) for name in names):
        yield "folder", path, label
    for name in names:
        if kind := archive_kind(name):
            yield kind, os.path.join(path, name), f"{label}/{_label(name)}"


def _label(name: str) -> str:
    return clean(name.encode("utf-8", "replace").decode(), 200) or "input"


def _container(kind: str, path: str, label: str, wanted: tuple[str, ...]) -> Container:
    try:
        status = os.stat(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {why(error)}. Mend the file or leave it out.") from None
    if kind == "folder":
        return listed(kind, path, label, wanted)
    return _listed(kind, path, label, wanted, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _listed(kind: str, path: str, label: str, wanted: tuple[str, ...], mtime: int, size: int) -> Container:
    """A listed archive, kept for as long as the file stays as it is."""
    return listed(kind, path, label, wanted)


def _digest(container: Container) -> str:
    if container.kind != "folder":
        return _sha256(container.path)
    total = hashlib.sha256()
    for index in range(len(container)):
        name = container.raw_name(index)
        path = os.path.join(os.fsencode(container.path), name)
        total.update(name + b"\0" + _sha256(path).encode() + b"\n")
    return total.hexdigest()


def _sha256(path: str | bytes) -> str:
    try:
        status = os.stat(path)
        return _file_sha256(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        return f"unreadable: {why(error)}"


@lru_cache(maxsize=4096)
def _file_sha256(path: str | bytes, mtime: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
