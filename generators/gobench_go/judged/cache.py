"""Judgements that were made once, kept for every later run: by position, rules and judge.

    FOLDER/KataGo-1.17.2-64-<hash of the judge>.jsonl    {"judge": {...}}, then {"key": ..., "record": {...}} a line

One file a judge, only ever added to, so several processes may share it and a killed one leaves at most half a line,
which is passed over. FOLDER is ``$GOBENCH_JUDGEMENTS``, else ``~/.cache/video-gobench/judgements``; it may be removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gobench.atomic import explain
from gobench.canonical import dumps, sha256
from gobench.errors import DataError
from gobench.types import Record
from gobench_go.game.position import Position

FOLDER = "GOBENCH_JUDGEMENTS"
"""The environment variable that names another folder."""
DIGITS = 16
RULES = ("rows", "cols", "ko", "suicide", "komi")


def cache_folder() -> Path:
    """Where judgements are kept."""
    given = os.environ.get(FOLDER)
    return Path(given) if given else Path.home() / ".cache" / "video-gobench" / "judgements"


def position_key(position: Position) -> str:
    """Equal for positions that a teacher must judge alike: board, side to move, last move, passes, what superko sees."""
    *earlier, now = position.history
    facts = (sorted(set(earlier)), now, position.to_move, position.last, position.passes)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def cache_key(position: Position) -> str:
    """The same, and by which rules."""
    rules = [getattr(position.rules, key) for key in RULES]
    return hashlib.sha256(f"{rules}{position_key(position)}".encode()).hexdigest()


@dataclass
class Cache:
    """The judgements of one judge. Travels to other processes, and is shared by threads."""

    path: Path
    judge: Record
    hits: int = field(default=0, compare=False)
    _index: dict[str, tuple[int, int]] = field(
        default_factory=dict, compare=False, repr=False
    )  # begin, length
    _end: int = field(default=0, compare=False)  # of what is in the index
    _lock: Any = field(default_factory=threading.Lock, compare=False, repr=False)

    @classmethod
    def of(cls, judge: Record, folder: Path | None = None) -> Cache:
        """The cache of a judge, named by all that decides its answers."""
        words = [str(judge.get(key, "")) for key in ("name", "teacher", "version", "visits")]
        name = re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(word for word in words if word))
        return cls((folder or cache_folder()) / f"{name}-{sha256(dumps(judge))[:DIGITS]}.jsonl", judge)

    def get(self, position: Position) -> Record | None:
        """What was judged, also by another process by now. Raises DataError where the file cannot be read."""
        key = cache_key(position)
        with self._lock:
            found = None
            try:
                found = self._known(key)
            except FileNotFoundError:  # nothing was kept yet, or it was removed
                self._forget()
            except OSError as error:
                raise DataError(
                    f"cannot read {self.path}: {error.strerror or error}. Let {FOLDER} name another folder for what was "
                    "judged before, or give --no-cache."
                ) from error
            self.hits += found is not None
        return found

    def put(self, position: Position, record: Record) -> None:
        """Keep a judgement. Raises BuildError where the system refuses to write."""
        line = dumps({"key": cache_key(position), "record": record}) + b"\n"
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
                    file.write(self._before(file) + line)
            except OSError as error:
                raise explain(error, self.path) from error

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "judge": self.judge}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(vars(Cache(**state)))

    def _before(self, file: Any) -> bytes:
        """What has to stand before the next line: the header, or the end of a line that was cut."""
        if not (size := os.fstat(file.fileno()).st_size):
            return dumps({"judge": self.judge}) + b"\n"
        file.seek(size - 1)
        return b"" if file.read(1) == b"\n" else b"\n"

    def _known(self, key: str) -> Record | None:
        if (found := self._found(key)) is None:
            self._scan()
            found = self._found(key)
        return found

    def _found(self, key: str) -> Record | None:
        """What the index says, if the file still does: it may have been removed, and begun anew."""
        if (place := self._index.get(key)) is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place[0])
            there, record = _entry(file.read(place[1]))
        if there != key:
            self._forget()
            return None
        return record

    def _forget(self) -> None:
        self._index, self._end = {}, 0

    def _scan(self) -> None:
        """Take what was added since the last time into the index."""
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._end:
                self._forget()
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):  # is being written, or was cut
                    break
                if key := _entry(line)[0]:
                    self._index[key] = self._end, len(line)
                self._end += len(line)


def _entry(line: bytes) -> tuple[str, Record | None]:
    """Key and record of a line; no key where it holds none."""
    try:
        found = json.loads(line)
    except ValueError:
        return "", None
    if not isinstance(found, dict) or not isinstance(found.get("record"), dict):
        return "", None
    return str(found.get("key")), found["record"]
