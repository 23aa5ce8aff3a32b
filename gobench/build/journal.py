"""The journal: answers that do not repeat, so that a build can. Once written, nobody is asked again.

    journal.jsonl   {"asked": {...}, "format": 1}, then a line {"answer": ..., "unit": 17} for each unit in ``asking``

Its sha256 is an input of the plan. It lies in the folder of the dataset, which can be built anew from it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from gobench.atomic import AtomicFile
from gobench.build.candidates import scan_lines
from gobench.build.recipes import differences
from gobench.build.selection import Ints
from gobench.canonical import dumps, loads
from gobench.errors import BuildError, DataError
from gobench.shards import pread
from gobench.types import AskingSource, Episode, Json, Record, Rejection, Source

JOURNAL = "journal.jsonl"
FORMAT = 1
REMEDY = (
    "What it holds does not repeat, so it cannot be made anew: fetch it again from where it comes from and give "
    "it by --journal FILE, or ask again with --overwrite, which begins another dataset."
)


def asking(source: Source) -> Sequence[int]:
    """The units about which a source asks somebody whose answers do not repeat, rising; most ask nobody."""
    return cast(Sequence[int], getattr(source, "asking", ()))


def let_go(source: Source) -> None:
    """End what asking has started; it starts again when somebody is asked again."""
    getattr(source, "close", lambda: None)()


def header(source: Source) -> Record:
    """What the first line of a source's journal holds."""
    return {"format": FORMAT, "asked": dict(cast(AskingSource, source).asked) if asking(source) else {}}


def refuse_other(what: Path, there: Json, source: Source) -> None:
    """Raise BuildError, which names ``what``, if a journal's header holds other questions than a source asks."""
    lines = list(differences(there, header(source)))
    if lines:
        told = "; ".join(line.removeprefix("asked.") for line in lines[:4])
        raise BuildError(
            f"{what} is a journal of other questions: {told}. Ask for the same again to go on with it, choose another "
            "--out, or start anew with --overwrite, which throws its answers away."
        )


@dataclass(frozen=True)
class Journal:
    """A sealed journal, its lines found and its hash taken."""

    path: Path

    @cached_property
    def _scanned(self) -> tuple[Ints, str]:
        return scan_lines(self.path)

    @property
    def sha256(self) -> str:
        """Of the whole file, in hex."""
        return self._scanned[1]

    @property
    def answers(self) -> int:
        """How many it holds."""
        return len(self._scanned[0]) - 2

    @property
    def header(self) -> Json:
        """Its first line. Raises DataError for a file that has none."""
        return self._line(0)

    def answer(self, place: int, unit: int) -> Json:
        """The answer at a place, which must be about ``unit``. Raises DataError."""
        found = self._line(place + 1)
        if not isinstance(found, dict) or found.get("unit") != unit or "answer" not in found:
            raise DataError(f"{self.path}, line {place + 2}: there is no answer about unit {unit}. {REMEDY}")
        return found["answer"]

    def check(self, units: Sequence[int]) -> None:
        """Read all of it. Raises DataError where an answer about one of ``units`` is not in its place."""
        for place, unit in enumerate(units):
            self.answer(place, unit)

    def _line(self, number: int) -> Json:
        if number > self.answers:
            raise DataError(f"{self.path} ends before line {number + 1}. {REMEDY}")
        begin, end = self._scanned[0][number : number + 2].tolist()
        with self.path.open("rb", buffering=0) as file:
            return loads(
                pread(file.fileno(), begin, end - begin, str(self.path)), f"{self.path}, line {number + 1}"
            )


@dataclass(frozen=True)
class Answered:
    """A source that asks, with its journal: a source like all others, which asks nobody."""

    source: Source
    journal: Journal

    @classmethod
    def of(cls, source: Source, path: Path) -> Answered:
        """Raises BuildError for a journal of other questions, DataError for one that is missing or broken."""
        journal = Journal(path)
        refuse_other(path, journal.header, source)
        if journal.answers != len(asking(source)):
            raise DataError(
                f"{path} holds {journal.answers} answers to {len(asking(source))} questions. {REMEDY}"
            )
        return cls(source, journal)

    @property
    def units(self) -> int:
        """Those of the source."""
        return self.source.units

    @property
    def inputs(self) -> Mapping[str, str]:
        """Those of the source, and the journal."""
        return {**self.source.inputs, JOURNAL: self.journal.sha256}

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The candidates of unit ``index``, as the journal tells."""
        return retold(self.source, index, lambda place: self.journal.answer(place, index))


def retold(source: Source, index: int, answer: Callable[[int], Json]) -> Iterator[Episode | Rejection]:
    """The candidates of a unit; ``answer`` gives the one at a place among ``asking``, where the unit has one."""
    units = asking(source)
    place = bisect_left(units, index)
    if place < len(units) and units[place] == index:
        return cast(AskingSource, source).told(index, answer(place))
    return source.unit(index)


def seal(path: Path, source: Source, answer: Callable[[int], Json]) -> str:
    """Write the journal of a source, ``answer`` giving the one about a unit; returns its sha256."""
    with AtomicFile(path) as file:
        file.write(dumps(header(source)) + b"\n")
        for unit in asking(source):
            file.write(dumps({"unit": unit, "answer": answer(unit)}) + b"\n")
    return file.sha256
