"""Candidates are read back from the parts one line at a time: a part may hold any number of games."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import FileIO
from itertools import groupby
from pathlib import Path

import numpy as np

from gobench.build.plan import Part, Plan, Shard, read_kept
from gobench.build.selection import Ints
from gobench.canonical import loads
from gobench.errors import DataError
from gobench.shards import pread
from gobench.types import Record

BLOCK = 1 << 20  # bytes of a part that are read at once
REMEMBERED = 1 << 20  # lines whose places are kept: 8 MB


@dataclass(frozen=True)
class Candidates:
    """The records that lie in the parts of a plan whose first stage is over.

    Each part is read through once to check its hash and to find its lines; from then on a record costs its
    own bytes. Memory is bounded whatever lies in a part.
    """

    folder: Path
    plan: Plan
    _places: dict[int, Ints] = field(default_factory=dict, repr=False, compare=False)  # oldest first

    @cached_property
    def ends(self) -> Ints:
        """int64 [parts]: one past the last candidate id of each part."""
        return np.cumsum(self.plan.part_candidates, dtype=np.int64)

    @cached_property
    def kept(self) -> Ints:
        """int64 [samples]: the candidate of each sample of the dataset."""
        return read_kept(self.folder, self.plan)

    def of(self, shard: Shard) -> Iterator[tuple[int, Record]]:
        """(candidate id, record) of each sample of a shard. Raises DataError for a part that has changed."""
        return self.read(self.kept[shard.start : shard.start + shard.count].tolist())

    def read(self, ids: Iterable[int]) -> Iterator[tuple[int, Record]]:
        """(id, record) for ids in any order; quickest where those of one part stand together."""
        for part, group in groupby(ids, self._part):
            start = int(self.ends[part]) - self.plan.part_candidates[part]
            path = self.folder / Part(part, 0, 0).file
            places = self._lines(part, path)
            with _opened(path) as handle:
                for candidate in group:
                    begin, end = places[candidate - start : candidate - start + 2].tolist()
                    line = pread(handle.fileno(), begin, end - begin, str(path))
                    yield candidate, loads(line, f"candidate {candidate}")

    def _part(self, candidate: int) -> int:
        return int(np.searchsorted(self.ends, candidate, side="right"))

    def _lines(self, part: int, path: Path) -> Ints:
        """int64 [candidates + 1]: where each line of a part begins, and its end."""
        if part not in self._places:
            places, digest = scan_lines(path)
            if digest != self.plan.part_sha256[part]:
                raise DataError(
                    f"{path} is not the file that was planned with: it was changed. Remove it and run the "
                    "same build again, which makes it anew."
                )
            while self._places and sum(map(len, self._places.values())) + len(places) > REMEMBERED:
                self._places.pop(next(iter(self._places)))
            self._places[part] = places
        return self._places[part]


def scan_lines(path: Path) -> tuple[Ints, str]:
    """Where each line begins and, last, where the file ends, int64 [lines + 1]; and its sha256 in hex."""
    digest, size = hashlib.sha256(), 0
    found = [np.zeros(1, np.int64)]
    with _opened(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            found.append(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + (size + 1))
            size += len(block)
    return np.concatenate(found), digest.hexdigest()


def _opened(path: Path) -> FileIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}. Run the same build again.") from error
