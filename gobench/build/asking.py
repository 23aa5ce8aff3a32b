"""The pass that writes a journal, before there is a plan: every answer is a piece of its own until all are there.

    .build/journal/asked.json           the questions, before the first answer
    .build/journal/000000017.json       the answer about unit 17
    .build/journal.jsonl                a journal that was given, on its way into the folder

Stopped anywhere, it goes on where it was; answers that are there are never asked for again.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from gobench import atomic
from gobench.build.folder import LOCKS
from gobench.build.journal import (
    JOURNAL,
    REMEDY,
    Answered,
    Journal,
    asking,
    header,
    let_go,
    refuse_other,
    retold,
    seal,
)
from gobench.build.plan import PLAN, read
from gobench.canonical import dumps, pretty, read_json
from gobench.errors import BuildError, GobenchError, family
from gobench.types import AskingSource, Episode, Json, Rejection, Source

ANSWERS = "journal"
ASKED = "asked.json"
GO_ON = "Answers that are there are kept: run the same command again to go on."


def answer_file(folder: Path, unit: int) -> Path:
    """Where the answer about a unit lies until the journal is sealed."""
    return folder / LOCKS / ANSWERS / f"{unit:09d}.json"


@dataclass(frozen=True)
class AskJob:
    """The pass as pieces (``gobench.build.stages.Job``): piece ``i`` is the answer about unit ``asking[i]``."""

    folder: Path
    source: Source

    @property
    def asked(self) -> AskingSource:
        return cast(AskingSource, self.source)

    def name(self, index: int) -> str:
        return f"the answer about unit {self.asked.asking[index]} of the source"

    def __call__(self, index: int) -> None:
        unit = self.asked.asking[index]
        try:
            data = dumps(self.asked.ask(unit))
        except GobenchError as error:
            gap = "\n" if "\n" in str(error) else " "
            raise family(error)(f"asking about unit {unit} of the source: {error}{gap}{GO_ON}") from error
        atomic.write(answer_file(self.folder, unit), data)

    def close(self) -> None:
        """Let go of whoever was asked."""
        let_go(self.source)


@dataclass(frozen=True)
class Draft:
    """What a folder holds of the journal of a source; of one that asks nobody there is nothing to do."""

    folder: Path
    source: Source

    @property
    def journal(self) -> Path:
        """Where the sealed journal lies."""
        return self.folder / JOURNAL

    @property
    def _given(self) -> Path:
        return self.folder / LOCKS / JOURNAL

    @property
    def _answers(self) -> Path:
        return self.folder / LOCKS / ANSWERS

    def forget(self) -> None:
        """Throw away the answers that are not sealed, what was asked last: answers do not say to what they belong."""
        try:
            self._given.unlink(missing_ok=True)
            for path in self._answers.glob("*"):
                if path.name != ASKED:
                    path.unlink()
            if self._answers.exists():
                shutil.rmtree(self._answers)
        except OSError as error:
            raise atomic.explain(error, self._answers) from error

    def give(self, path: Path | None) -> None:
        """Take a copy of a journal that exists.

        Raises BuildError for one of other questions, or where nobody is asked, and DataError for a broken one.
        """
        self._given.unlink(missing_ok=True)  # of a call that was killed
        if path is None:
            return
        if not asking(self.source):
            raise BuildError(
                f"{path} answers nothing: all that this build asks for repeats. Leave --journal out."
            )
        Answered.of(self.source, path).journal.check(asking(self.source))
        with path.open("rb") as file, atomic.AtomicFile(self._given) as copy:
            while block := file.read(atomic.BUFFER):
                copy.write(block)

    def check(self) -> None:
        """Raise BuildError if the folder holds a journal of other questions, other answers, or not its plan's."""
        if asking(self.source) and (self.folder / PLAN).exists():
            self._check_hash(PLAN, read(self.folder).inputs[JOURNAL])
            return
        if (begun := self._answers / ASKED).exists():
            refuse_other(self.journal, read_json(begun), self.source)
        if self.journal.exists():
            refuse_other(self.journal, Journal(self.journal).header, self.source)
            if self._given.exists():
                self._check_hash(JOURNAL, Journal(self.journal).sha256)

    def _check_hash(self, name: str, wanted: str) -> None:
        """``name`` in the folder speaks of a journal with the hash ``wanted``: that must be the one to go on with."""
        path = self._given if self._given.exists() else self.journal
        told = "the journal that was given" if path == self._given else str(path)
        if not path.exists():
            raise BuildError(f"{path} is missing, and {PLAN} was made with it. {REMEDY}")
        if (found := Journal(path).sha256) != wanted:
            raise BuildError(
                f"{told} is not that of {self.folder / name}: its sha256 is {found[:12]}..., not {wanted[:12]}.... "
                f"{REMEDY}"
            )

    @contextlib.contextmanager
    def begun(self, anew: bool) -> Iterator[None]:
        """Write down what is asked, before the first answer; ``anew`` if the journal in the folder is to go.

        Taken back if nobody has answered when this ends with an error: another question may follow then.
        """
        path = self._answers / ASKED
        there = self._given.exists() or (self.journal.exists() and not anew) or path.exists()
        begins = bool(asking(self.source)) and not there
        if begins:
            atomic.write(path, pretty(header(self.source)))
        try:
            yield
        except BaseException:
            if begins and not self._answered():
                self.forget()
            raise

    def settle(self) -> None:
        """Put the journal that was given in its place."""
        if self._given.exists():
            self._given.replace(self.journal)
            atomic.sync_folder(self.folder)

    def trial(self, job: AskJob, anew: bool) -> Source:
        """The source for a first sample: whom it needs is asked, and the answers are the first of the journal.

        ``anew`` leaves a journal that lies in the folder out: it is about to be thrown away.
        """
        if not asking(self.source):
            return self.source
        for path in (self._given, *([] if anew else [self.journal])):
            if path.exists():
                return Answered.of(self.source, path)
        return Trial(cast(AskingSource, self.source), job)

    def lost(self) -> list[int]:
        """Places among ``asking`` for which there is no answer yet, rising."""
        there = self._answered()
        if self.journal.exists():  # looked for last: a fellow task may be sealing it
            return []
        return [place for place, unit in enumerate(asking(self.source)) if f"{unit:09d}" not in there]

    def _answered(self) -> set[str]:
        return {path.stem for path in self._answers.glob("[0-9]*.json")}

    def seal(self) -> Source:
        """The source with its journal, which is written if it is not there. All answers must be."""
        if not asking(self.source):
            return self.source
        if not self.journal.exists():
            seal(self.journal, self.source, lambda unit: read_json(answer_file(self.folder, unit)))
        self.forget()
        return Answered.of(self.source, self.journal)


@dataclass(frozen=True)
class Trial:
    """A source that asks about a unit when its candidates are wanted, and keeps the answers."""

    source: AskingSource
    job: AskJob

    @property
    def units(self) -> int:
        return self.source.units

    @property
    def inputs(self) -> Mapping[str, str]:
        return self.source.inputs

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The candidates of unit ``index``."""
        return retold(self.source, index, lambda place: self._answer(place, index))

    def _answer(self, place: int, unit: int) -> Json:
        path = answer_file(self.job.folder, unit)
        if not path.exists():
            self.job(place)
        return read_json(path)
