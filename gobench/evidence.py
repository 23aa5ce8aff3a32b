"""Evidence: what was read of each answer, one JSON line a sample, and the frames worth keeping.

    evidence/go9-next-move.jsonl    {"header": {...}}, then a sample a line: {"id": ..., "frames": [...], "kept": {...}}
    frames/go9-next-move/00012.tar  SAMPLE.NAME.png, one USTAR file a group

"frames" is the sha256 of each answer's raw pixels, in the order of the asks, and "kept" the same of each frame that lies
in the tar, by its name: so kept frames can neither go missing nor be exchanged unnoticed.

While a run goes on, a group's rows are appended at once; whatever a kill tears off is dropped and asked again. When
all samples are there, the file is rewritten in the order of their names, so that its sha256 tells what was answered
and nothing of how the run went.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gobench import atomic, shards
from gobench.canonical import EVERY, check, dumps, loads, sha256_file
from gobench.errors import BuildError, DataError
from gobench.types import Array, Json, Record

FORMAT = 1
HEADER = "header"
FOLDER, FRAMES = "evidence", "frames"
SYNC = 1.0  # seconds between two flushes to the disk while rows are appended
ROW: Record = {"id": str, "frames": [str], "kept": {EVERY: str}}
_NAME = r"[A-Za-z0-9_-]{1,80}"
_SLUG = re.compile(_NAME)
_MEMBER = re.compile(rf"({_NAME})\.({_NAME})\.png")


def slug(task: str) -> str:
    """A task's name as a file name: "go9/next-move" -> "go9-next-move"."""
    return task.replace("/", "-")


def path_of(folder: Path, task: str) -> Path:
    """Where a task's rows lie below the folder of a run."""
    return folder / FOLDER / f"{slug(task)}.jsonl"


def tar_of(folder: Path, task: str, group: int) -> Path:
    """Where the kept frames of a group lie."""
    return folder / FRAMES / slug(task) / f"{group:05d}.tar"


def read(folder: Path | str, task: str, torn: bool = False) -> tuple[Record, list[Record]]:
    """The header and the rows of a task, in the order of the file.

    Args:
        torn: leave out a last line that a kill cut short, instead of refusing the file.

    Raises:
        DataError: the file is missing, torn or not evidence; says which line.
    """
    path = path_of(Path(folder), task)
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}. Is {folder} a folder of `gobench evaluate`?"
        ) from error
    if lines.pop() != b"" and not torn:
        raise DataError(f"{path} ends within a line; run the same `gobench evaluate` again to mend it.")
    header = _header(lines, path)
    rows = [_row(line, f"{path}, line {number}") for number, line in enumerate(lines[1:], 2)]
    if len({row["id"] for row in rows}) != len(rows):
        raise DataError(f"{path} has a sample twice; run the same `gobench evaluate` with --overwrite.")
    return header, rows


def _header(lines: Sequence[bytes], path: Path) -> Record:
    table = loads(lines[0], f"{path}, line 1") if lines else None
    header = table.get(HEADER) if isinstance(table, dict) else None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(f"{path}: line 1 is not the header of evidence in format {FORMAT}.")
    return header


def _row(line: bytes, where: str) -> Record:
    row = loads(line, where)
    if not isinstance(row, dict):
        raise DataError(f"{where} is no row of evidence: an object with an id.")
    check(row, ROW, where)
    return row


def refuse_other(folder: Path | str, task: str, stated: Iterable[str]) -> None:
    """Raise DataError where a task's evidence is missing, or is none of the files whose sha256 a result has stated."""
    path = path_of(Path(folder), task)
    if not path.exists():
        raise DataError(
            f"{path} is missing: the result has no evidence beside it. Give the whole folder of the run."
        )
    if sha256_file(path) not in set(stated):
        raise DataError(
            f"{path} is not the evidence that the result was derived from. Run `gobench score {folder}`."
        )


def refuse_mixing(found: Mapping[str, Json], wanted: Mapping[str, Json], folder: Path) -> None:
    """Raise BuildError that names the fields in which two fingerprints differ."""
    odd = [key for key in sorted({*found, *wanted}) if found.get(key) != wanted.get(key)]
    if odd:
        said = "; ".join(f"{key} was {_say(found, key)} and is now {_say(wanted, key)}" for key in odd)
        raise BuildError(
            f"{folder} holds evidence of another run: {said}. Choose another --out, or --overwrite to start anew."
        )


def _say(table: Mapping[str, Json], key: str) -> str:
    return dumps(table[key]).decode() if key in table else "not set"


class Writer:
    """Appends rows of one task; several processes may write to one file. Frames come before their rows."""

    def __init__(self, folder: Path, task: str) -> None:
        self.folder, self.task = folder, task
        self.path = path_of(folder, task)
        self._synced = time.monotonic()

    def start(self, fingerprint: Mapping[str, Json], groups: Sequence[Sequence[str]]) -> list[int]:
        """Open or go on; returns the groups that are still to be played.

        Torn lines, rows of groups that are not whole and groups whose frames are damaged or lost are dropped.

        Raises:
            BuildError: the file belongs to another run (says in which fields), or cannot be written.
        """
        header = {**fingerprint, "format": FORMAT}
        kept = _survivors(self.path)
        if kept is not None:
            refuse_mixing(kept[0], header, self.folder)
        rows = {row["id"]: row for row in kept[1]} if kept else {}
        whole = [i for i, group in enumerate(groups) if self._is_whole(i, group, rows)]
        if kept is None or len(rows) != sum(len(groups[i]) for i in whole) or kept[2]:
            self._rewrite(header, [rows[sample] for i in whole for sample in groups[i]])
        return sorted(set(range(len(groups))) - set(whole))

    def _is_whole(self, index: int, group: Sequence[str], rows: Mapping[str, Record]) -> bool:
        """Whether all rows of a group are there, and in its tar just the frames that they name."""
        if not all(sample in rows for sample in group):
            return False
        named = {f"{sample}.{name}.png" for sample in group for name in rows[sample]["kept"]}
        tar = tar_of(self.folder, self.task, index)
        try:
            return named == ({member for member, *_ in _scan(tar)} if tar.exists() else set())
        except DataError:
            return False

    def append(self, group: int, rows: Sequence[Record], kept: Mapping[str, Mapping[str, Array]]) -> None:
        """Add a group: its frames (sample -> name -> uint8 [H, W, 3]), then its rows ("kept" set) in one write.

        The frames are on the disk before the rows are written, so that no row names a frame that is not there.

        Raises:
            BuildError: the disk is full or may not be written; what was there before is unharmed.
        """
        tar = tar_of(self.folder, self.task, group)
        if any(kept.values()):
            _write_tar(tar, kept)
        else:
            tar.unlink(missing_ok=True)  # of an earlier try of this group
        data = b"".join(dumps(row) + b"\n" for row in rows)
        try:
            self._append(data)
        except OSError as error:
            raise atomic.explain(error, self.path) from error

    def _append(self, data: bytes) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = _mend(handle)
            try:
                _write_all(handle, data)
            except OSError:
                os.ftruncate(handle, size)
                raise
            if time.monotonic() - self._synced > SYNC:
                os.fsync(handle)
                self._synced = time.monotonic()
        finally:
            os.close(handle)

    def finish(self, fingerprint: Mapping[str, Json], samples: Iterable[str]) -> None:
        """Rewrite the file in the order of names. Raises DataError if a sample is missing."""
        _, rows = read(self.folder, self.task)
        table = {row["id"]: row for row in rows}
        wanted = sorted(samples)
        if missing := [sample for sample in wanted if sample not in table]:
            raise DataError(f"{self.path}: {len(missing)} of {len(wanted)} samples are missing.")
        if [row["id"] for row in rows] != wanted:
            self._rewrite({**fingerprint, "format": FORMAT}, [table[sample] for sample in wanted])

    def _rewrite(self, header: Mapping[str, Json], rows: Sequence[Record]) -> None:
        lines = [dumps({HEADER: header}), *map(dumps, rows)]
        atomic.write(self.path, b"".join(line + b"\n" for line in lines))


def _survivors(path: Path) -> tuple[Record, list[Record], bool] | None:
    """Header, rows up to the first that cannot be read, and whether any could not; None without a header."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise atomic.explain(error, path) from error
    torn = lines.pop() != b""
    if not lines:
        return None
    header, rows = _header(lines, path), []
    for line in lines[1:]:
        try:
            rows.append(_row(line, str(path)))
        except DataError:
            return header, rows, True
    return header, rows, torn


def _mend(handle: int) -> int:
    """Cut off a line that another writer was killed in; returns the size of the file then."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        whole = os.pread(handle, size, 0).rfind(b"\n") + 1
        os.ftruncate(handle, whole)
        return whole
    return size


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _write_tar(path: Path, kept: Mapping[str, Mapping[str, Array]]) -> None:
    """One group's frames, flushed to the disk."""
    from gobench.codec.pictures import encode

    data = b"".join(
        shards.pack(sample, {f"{name}.png": encode(picture) for name, picture in pictures.items()})
        for sample, pictures in sorted(kept.items())
        if check_slug(sample, pictures)
    )
    atomic.write(path, data + shards.END)


def digest(frames: Array) -> str:
    """sha256 in hex of raw pixels, row after row, frame after frame."""
    return hashlib.sha256(np.ascontiguousarray(frames).data).hexdigest()


def check_slug(sample: str, names: Iterable[str] = ()) -> bool:
    """True; raises DataError for names that a tar member cannot be made of."""
    for text in (sample, *names):
        if not _SLUG.fullmatch(text):
            raise DataError(f"{text!r} cannot name a sample or a frame: use letters, digits, - and _.")
    return True


Place = tuple[Path, int, int]  # a tar, the first byte of a member in it, and how many


def _scan(tar: Path) -> Iterator[tuple[str, int, int]]:
    """Name, first byte and size of each member of a tar, from its headers alone; raises DataError if it is damaged."""
    try:
        handle = os.open(tar, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise DataError(f"cannot read {tar}: {error.strerror or error}.") from error
    try:
        end, at = os.fstat(handle).st_size - len(shards.END), 0
        if end < 0 or os.pread(handle, len(shards.END), end) != shards.END:
            raise DataError(f"{tar} is cut short.")
        while at < end:
            name, size = shards.parse_header(os.pread(handle, shards.BLOCK, at), f"{tar}, byte {at}")
            yield name, at + shards.BLOCK, size
            at += shards.BLOCK + size + -size % shards.BLOCK
        if at != end:
            raise DataError(f"{tar}: {name} is cut short.")
    finally:
        os.close(handle)


class Kept:
    """The kept frames of one task. The headers of all tars are read once, pictures when they are asked for."""

    def __init__(self, folder: Path | str, task: str) -> None:
        """Raises DataError for a damaged tar, a member that is no frame, or a frame that is there twice."""
        self._places: dict[str, dict[str, Place]] = {}
        for tar in sorted((Path(folder) / FRAMES / slug(task)).glob("*.tar")):
            for member, start, size in _scan(tar):
                found = _MEMBER.fullmatch(member)
                if found is None:
                    raise DataError(f"{tar}: {member!r} is no kept frame, SAMPLE.NAME.png.")
                sample, name = found.groups()
                if name in self._places.setdefault(sample, {}):
                    raise DataError(f"{tar}: the frame {name!r} of {sample} is there twice.")
                self._places[sample][name] = (tar, start, size)

    @property
    def samples(self) -> set[str]:
        """The samples of which frames were kept."""
        return set(self._places)

    def names(self, sample: str) -> list[str]:
        """The names of a sample's frames."""
        return list(self._places.get(sample, ()))

    def frames(self, sample: str) -> dict[str, Array]:
        """Name -> uint8 [H, W, 3] of a sample; empty where none were kept. Raises DataError for a broken picture."""
        return {name: _picture(place, sample, name) for name, place in self._places.get(sample, {}).items()}


def _picture(place: Place, sample: str, name: str) -> Array:
    from gobench.codec.pictures import decode

    tar, start, size = place
    try:
        with tar.open("rb") as file:
            file.seek(start)
            return decode(file.read(size))
    except (OSError, DataError) as error:
        raise DataError(f"{tar}: the frame {name!r} of {sample} cannot be read: {error}") from error


def frames(folder: Path | str, task: str, sample: str) -> dict[str, Array]:
    """Kept frames of one sample, name -> uint8 [H, W, 3]; for many samples make one ``Kept``. Raises as ``Kept``."""
    return Kept(folder, task).frames(sample)
