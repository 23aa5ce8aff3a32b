"""Reading kept frames again: whether the evidence says what the frames show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gobench import evidence
from gobench.canonical import sha256
from gobench.errors import DataError
from gobench.evaluate.folder import read_run
from gobench.evaluate.protocol import fully_kept, order
from gobench.evaluate.rows import begun, read_rows, suite_of
from gobench.tasks import Table, Task
from gobench.types import Array, Json, Record

SHOWN = 10  # faults that are told one by one
NOTHING = sha256(b"")  # of an answer without frames


class Changed(NamedTuple):
    """A row that reads differently now."""

    task: str
    sample: str
    before: Record
    now: Record


class Lost(NamedTuple):
    """A row whose frames are not those that it was made from."""

    task: str
    sample: str
    why: str


@dataclass
class Again:
    """What reading the kept frames again has shown."""

    samples: int = 0  # rows whose frames were read again, all of them there
    bare: int = 0  # rows of which no frame was to be kept: read cleanly, and not among those kept in full
    changed: list[Changed] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    unable: dict[str, int] = field(default_factory=dict)  # tasks that cannot read again -> rows

    @property
    def agrees(self) -> bool:
        """Whether every frame that was promised is there, and every row reads as it did."""
        return not (self.changed or self.lost or self.unable)

    def faults(self) -> Iterator[str]:
        """What does not agree, for a person."""
        for change in self.changed[:SHOWN]:
            yield f"reads differently now: {change.sample} of {change.task}"
        for lost in self.lost[:SHOWN]:
            yield f"cannot be read again: {lost.sample} of {lost.task}: {lost.why}"
        for task, rows in self.unable.items():
            yield f"cannot be read again: {rows} samples of {task}, which has no way to read kept frames again"

    def summary(self) -> str:
        """All in one line."""
        unread = len(self.lost) + sum(self.unable.values())
        return (
            f"{self.samples} samples read again, {len(self.changed)} differ, {unread} could not be read again; "
            f"of {self.bare} others no frames were to be kept."
        )


def read_again(folder: Path | str, partial: bool = False) -> Again:
    """Read all kept frames again: which rows come out differently, and which cannot be read.

    Raises:
        DataError: evidence is missing, damaged or of another run, or a file of kept frames is damaged.
    """
    folder = Path(folder)
    run = read_run(folder)
    again = Again()
    for task in suite_of(run).tasks:
        if begun(run, task):
            _task(again, folder, run, task, partial)
    return again


def _task(again: Again, folder: Path, run: Mapping[str, Json], task: Task, partial: bool) -> None:
    rows = {row["id"]: row for row in read_rows(folder, run, task, partial)}
    if not hasattr(task, "reread"):
        again.unable[task.name] = len(rows)
        return
    if not rows:
        return
    promised = _promised(run, task, task.table(list(rows.values())), rows)
    kept = evidence.Kept(folder, task.name)
    for sample in sorted(kept.samples - rows.keys()):
        again.lost.append(Lost(task.name, sample, "there are frames of it, but no row"))
    for sample, row in sorted(rows.items()):
        _sample(again, task, row, kept, sample in promised)


def _promised(
    run: Mapping[str, Json], task: Task, table: Table, rows: Mapping[str, Record]
) -> frozenset[str]:
    """The samples of which frames must be there: those kept in full, and those that were not read cleanly."""
    asked = order(run["suite"]["name"], task, run["fingerprint"]["limit"])
    full = fully_kept(task, asked, run["fingerprint"]["seed"])
    odd = {sample for sample, clean in zip(table.ids, table.clean, strict=True) if not clean}
    whole = {sample for sample, row in rows.items() if NOTHING not in row["frames"]}
    some = {sample for sample, row in rows.items() if set(row["frames"]) - {NOTHING}}
    return frozenset((full & some) | (odd & whole))


def _sample(again: Again, task: Task, row: Record, kept: evidence.Kept, promised: bool) -> None:
    sample = row["id"]
    frames = kept.frames(sample)
    if why := _fault(row, frames, promised):
        again.lost.append(Lost(task.name, sample, why))
    elif not frames:
        again.bare += 1
    else:
        again.samples += 1
        now = _read(task, row, frames)
        if now != row:
            again.changed.append(Changed(task.name, sample, row, now))


def _fault(row: Record, frames: Mapping[str, Array], promised: bool) -> str:
    """In what the kept frames are not those that a row names; empty if they are."""
    named: Mapping[str, str] = row["kept"]
    if promised and not named:
        return "its frames should have been kept, and the row names none"
    if missing := sorted(named.keys() - frames.keys()):
        return f"the frame {missing[0]!r} is missing"
    if foreign := sorted(frames.keys() - named.keys()):
        return f"the row names no frame {foreign[0]!r}"
    odd = [name for name, frame in frames.items() if evidence.digest(frame) != named[name]]
    return f"the frame {odd[0]!r} is another one than was read" if odd else ""


def _read(task: Task, row: Record, frames: Mapping[str, Array]) -> Record:
    """The row that the task makes of kept frames."""
    try:
        again: Record = task.reread(row["id"], row, frames)  # type: ignore[attr-defined]
    except (ValueError, IndexError, KeyError, TypeError, DataError) as error:
        sizes = ", ".join(sorted({"{}x{}".format(*frame.shape) for frame in frames.values()}))
        raise DataError(
            f"{task.name}, {row['id']}: its kept frames ({sizes}) cannot be read again: {error}"
        ) from error
    return again
