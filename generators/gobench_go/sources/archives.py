"""Containers on the user's disk: a file, a folder, or a zip or tar archive, as a numbered list of members.

Archives are read in memory and never unpacked to disk. What a hostile one can do ends here:

=====================  =======================================================================================
Threat                 What happens
=====================  =======================================================================================
``../``, ``/etc/``     a member named outside its archive, and links and devices: "unsafe-member", never
                       opened
bombs                  no member is read beyond the caller's limit ("too-large"); an archive that unpacks to
                       more than ``MAX_RATIO`` times its size and more than ``FREE`` bytes is refused as
                       "archive-bomb"
encryption             "encrypted"
damage                 "unreadable", and "archive-truncated" for what follows the last whole member of a tar
=====================  =======================================================================================

A container holds the name and about 10 bytes more for each member, wanted or not, pickles to workers, and reads member ``i`` in
any order (compressed tars want ascending order: going back means unpacking from the start).
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import threading
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench_go.game.sgf_text import clean

SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
FREE = 1 << 30
MAX_RATIO = 200
MAX_ZIP_MEMBERS = 1_000_000
MAX_TAR_HEADER = 1 << 22
END_OF_TAR = bytes(tarfile.BLOCKSIZE)

_OPENERS: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ", lzma.open),
)
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, MemoryError, OverflowError),
)
REASONS: Mapping[str, str] = {
    "too-large": "a file beyond the size limit",
    "unsafe-member": "a name outside the archive, a link or a device",
    "encrypted": "a member that wants a password",
    "unreadable": "not the file that its name says, or damaged",
    "archive-truncated": "a tar that stops in the middle",
    "archive-bomb": "an archive that unpacks to hundreds of times its size",
    "not-wanted": "another kind of file inside an archive",
}
"""Why a member is not read."""

Problem = tuple[str, str]
Numbers = npt.NDArray[np.unsignedinteger[Any]]


class MemberError(DataError):
    """A member that cannot be read, with the slug of ``REASONS`` under which it is counted."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail

    def __reduce__(self) -> tuple[type[MemberError], tuple[str, str]]:
        return type(self), (self.reason, self.detail)


class Found(NamedTuple):
    """One member while a container is listed: ``where`` is a tar's byte offset or a zip's entry number."""

    name: str
    where: int = 0
    size: int = 0
    problem: Problem | None = None


@dataclass(frozen=True)
class Container:
    """A file, folder, zip or tar, and its members as flat arrays [N].

    ``names`` are joined by NUL, as UTF-8 (file system bytes for folders); ``ends`` are where they end.
    ``codes`` are 0, or 1 plus the place in ``problems``, each of which stands there once. The arrays are as
    narrow as their numbers allow.
    """

    kind: str
    path: str
    label: str
    names: bytes
    ends: Numbers
    where: Numbers
    sizes: Numbers
    codes: Numbers
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.ends)

    def raw_name(self, index: int) -> bytes:
        """The stored name of a member."""
        start = int(self.ends[index - 1]) + 1 if index else 0
        return self.names[start : int(self.ends[index])]

    def origin(self, index: int) -> str:
        """``archive/member`` for people and reports: one line, no absolute path."""
        name = clean(self.raw_name(index).decode("utf-8", "replace"), 200)
        return f"{self.label}/{name}" if name else self.label

    def read(self, index: int, limit: int) -> bytes:
        """The bytes of a member, at most ``limit``. Raises MemberError."""
        if code := int(self.codes[index]):
            raise MemberError(*self.problems[code - 1])
        if self.sizes[index] > limit:
            raise MemberError("too-large", f"{self.sizes[index]} bytes; the limit is {limit}")
        try:
            with _Open.lock:
                data = _READERS[self.kind](self, index, limit + 1)
        except _BROKEN as error:
            raise MemberError("unreadable", why(error)) from None
        if len(data) > limit:
            raise MemberError("too-large", f"more than {limit} bytes, which is the limit")
        return data


def listed(kind: str, path: str, label: str, wanted: tuple[str, ...]) -> Container:
    """List a container of a kind: the members whose names end in ``wanted``, and what is wrong with the
    others.

    A broken archive has one member, which says so when it is read.
    """
    names, codes = bytearray(), bytearray()
    ends, where, sizes = array("Q"), array("Q"), array("Q")
    problems: dict[Problem, int] = {}
    for found in _whatever_comes(_LISTERS[kind](path, wanted)):
        codes.append(problems.setdefault(found.problem, len(problems) + 1) if found.problem else 0)
        raw = found.name.encode("utf-8", "surrogateescape" if kind == "folder" else "replace")
        names += raw.replace(b"\0", b"?") + b"\0"
        ends.append(len(names) - 1)
        where.append(found.where)
        sizes.append(0 if found.problem else found.size)
    numbers = (_narrow(ends), _narrow(where), _narrow(sizes), np.frombuffer(bytes(codes), np.uint8))
    return Container(kind, path, label, bytes(names), *numbers, tuple(problems))


def _narrow(values: array[int]) -> Numbers:
    """The same numbers in as few bytes as the largest one needs."""
    wide = np.frombuffer(values, np.uint64) if values else np.zeros(0, np.uint64)
    return wide.astype(np.min_scalar_type(int(wide.max(initial=0))))


def archive_kind(name: str) -> str:
    """``zip``, ``tar`` or nothing, by the name."""
    lower = name.lower()
    if lower.endswith(".zip"):
        return "zip"
    return "tar" if lower.endswith(SUFFIXES) else ""


def walk(path: str) -> list[str]:
    """Relative paths of all regular files below a folder, sorted; links to folders are not followed."""
    found = []
    for folder, _, names in os.walk(path):
        found += [os.path.relpath(os.path.join(folder, name), path) for name in names]
    return sorted(name for name in found if os.path.isfile(os.path.join(path, name)))


def opened(path: str) -> IO[bytes]:
    """The uncompressed stream of a file, whatever its name says about compression."""
    with open(path, "rb") as file:
        head = file.read(8)
    opener = next((o for magic, o in _OPENERS if head.startswith(magic)), open)
    return cast("IO[bytes]", opener(path, "rb"))


def why(error: BaseException) -> str:
    """One line about an error without absolute paths."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return clean(f"{type(error).__name__}: {text}", 200)


# --- listing ---


def _whatever_comes(members: Iterator[Found]) -> Iterator[Found]:
    try:
        yield from members
    except _BROKEN as error:
        yield Found("", problem=("unreadable", why(error)))


def _list_file(path: str, wanted: tuple[str, ...]) -> Iterator[Found]:
    yield Found("", size=os.path.getsize(path))


def _list_folder(path: str, wanted: tuple[str, ...]) -> Iterator[Found]:
    for name in walk(path):
        if name.lower().endswith(wanted) and not archive_kind(name):
            yield Found(name, size=os.path.getsize(os.path.join(path, name)))


def _list_zip(path: str, wanted: tuple[str, ...]) -> Iterator[Found]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    packed, total = os.path.getsize(path), sum(e.file_size for e in entries)
    if total > max(FREE, MAX_RATIO * packed):
        yield Found("", problem=("archive-bomb", f"{packed} bytes that unpack to {total}"))
    elif len(entries) > MAX_ZIP_MEMBERS:
        detail = f"{len(entries)} members, at most {MAX_ZIP_MEMBERS}: pack them as .tar.gz"
        yield Found("", problem=("too-large", detail))
    else:
        for i in sorted(range(len(entries)), key=lambda i: (entries[i].filename, i)):
            problem = _zip_problem(entries[i]) or _unwanted(entries[i].filename, wanted)
            if not entries[i].is_dir() or (problem and problem[0] == "unsafe-member"):
                yield Found(entries[i].filename, i, entries[i].file_size, problem)


def _zip_problem(entry: zipfile.ZipInfo) -> Problem | None:
    unix = entry.external_attr >> 16 if entry.create_system == 3 else 0
    if stat.S_IFMT(unix) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "unsafe-member", "a link or a device"
    if entry.flag_bits & 1:
        return "encrypted", "the member wants a password"
    return _unsafe(entry.orig_filename)


class Headers:
    """The stream of a tar as far as its headers go: refuses more than MAX_TAR_HEADER bytes between two
    members (they are held in memory), and remembers what it read last.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.last, self.left = b"", MAX_TAR_HEADER
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes. Raises tarfile.ReadError when it is too much at once or in sum."""
        self.left -= n
        if n < 0 or self.left < 0:
            raise tarfile.ReadError(f"a header of {n} bytes")
        self.last = self.stream.read(n)
        return self.last


def tar_entries(headers: Headers) -> Iterator[tarfile.TarInfo]:
    """The members of an uncompressed tar one by one. Raises tarfile.TarError, nothing else, where a header is
    broken, too large, or leads backwards (a negative size would list its members for ever).
    """
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", headers), mode="r:") as archive:
            for entry in archive:
                vars(archive)["members"] = []  # tarfile would keep every entry
                if entry.size < 0 or archive.offset <= entry.offset:
                    raise tarfile.ReadError(f"a member of {entry.size} bytes")
                yield entry
                headers.left = MAX_TAR_HEADER
    except (*_BROKEN, LookupError) as error:
        raise tarfile.ReadError(why(error)) from None


def _list_tar(path: str, wanted: tuple[str, ...]) -> Iterator[Found]:
    packed, count = os.path.getsize(path), 0
    most = max(FREE, MAX_RATIO * packed)
    with opened(path) as stream:
        headers = Headers(stream)
        try:
            for entry in tar_entries(headers):
                count += 1
                if not entry.issparse() and entry.offset_data + entry.size > most:
                    detail = f"{packed} bytes that unpack to more than {most}"
                    yield Found("", problem=("archive-bomb", detail))
                    return
                if not entry.isdir() or _unsafe(entry.name):
                    problem = tar_problem(entry) or _unwanted(entry.name, wanted)
                    yield Found(entry.name, entry.offset_data, entry.size, problem)
            error = "" if headers.last == END_OF_TAR else "no end-of-archive mark"
        except tarfile.TarError as problem_:
            error = clean(str(problem_), 200)
    if error:
        yield Found("", problem=("archive-truncated" if count else "unreadable", error))


def tar_problem(entry: tarfile.TarInfo) -> Problem | None:
    """Why a member of a tar is never opened, or None: what is no plain file, or named outside."""
    plain = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.DIRTYPE)
    if entry.type not in plain or entry.issparse():
        return "unsafe-member", "a link, a device or a sparse file"
    return _unsafe(entry.name)


def _unsafe(name: str) -> Problem | None:
    parts = name.replace("\\", "/").split("/")
    outside = name.startswith(("/", "\\")) or ".." in parts or parts[0].endswith(":") or "\0" in name
    return ("unsafe-member", "its name leads outside the archive") if outside else None


def _unwanted(name: str, wanted: tuple[str, ...]) -> Problem | None:
    shadow = name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith("._")
    if name.lower().endswith(wanted) and not shadow:
        return None
    return "not-wanted", f"not a file of the kind {', '.join(wanted)}"


# --- reading ---


class _Open:
    """The archive that this process has open: one at a time, and never shared with a forked process."""

    lock = threading.RLock()  # threads read one after another
    key: tuple[int, str, int] = (0, "", 0)
    handle: Any = None

    @classmethod
    def get(cls, kind: str, path: str) -> Any:
        key = (os.getpid(), path, os.stat(path).st_mtime_ns)
        if cls.key != key:
            if cls.handle is not None and cls.key[0] == key[0]:
                cls.handle.close()
            cls.key, cls.handle = (0, "", 0), None
            cls.handle = zipfile.ZipFile(path) if kind == "zip" else opened(path)
            cls.key = key
        return cls.handle


def _read_file(container: Container, index: int, most: int) -> bytes:
    path = os.fsencode(container.path)
    if name := container.raw_name(index):
        path = os.path.join(path, name)
    with open(path, "rb") as file:
        return file.read(most)


def _read_zip(container: Container, index: int, most: int) -> bytes:
    archive = _Open.get("zip", container.path)
    with archive.open(archive.infolist()[int(container.where[index])]) as member:
        return cast(bytes, member.read(most))


def _read_tar(container: Container, index: int, most: int) -> bytes:
    stream = _Open.get("tar", container.path)
    stream.seek(int(container.where[index]))
    data = stream.read(int(container.sizes[index]))
    if len(data) < container.sizes[index]:
        raise EOFError("the archive ends inside this member")
    return cast(bytes, data)


_LISTERS = {"file": _list_file, "folder": _list_folder, "zip": _list_zip, "tar": _list_tar}
_READERS = {"file": _read_file, "folder": _read_file, "zip": _read_zip, "tar": _read_tar}
