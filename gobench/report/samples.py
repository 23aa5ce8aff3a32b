"""The samples of a report: chosen by rules, drawn by their task from evidence alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gobench.evidence import Kept
from gobench.pages import embedded_picture
from gobench.report.choose import choose
from gobench.tasks import Exhibit, Table, Task
from gobench.types import Array, Record


class Picture(NamedTuple):
    """A picture inside the page."""

    caption: str
    data: str  # data URI
    height: int
    width: int


class Shown(NamedTuple):
    """A sample on the page."""

    title: str
    pictures: Sequence[Picture]
    facts: Sequence[tuple[str, str]]


class Shelf(NamedTuple):
    """One list of samples: best, worst or strangest."""

    name: str
    rule: str
    exhibits: Sequence[Shown]


def shelves(folder: Path, task: Task, table: Table, rows: Sequence[Record], count: int) -> list[Shelf]:
    """At most ``count`` samples of each kind out of a task's evidence and the table made of its rows.

    Raises:
        DataError: a file of kept frames is damaged.
    """
    groups = choose(task, table, rows, count)
    known = {str(row["id"]): row for row in rows}
    kept = Kept(folder, task.name)
    return [
        Shelf(g.name, g.rule, [_shown(task, known[sample], kept.frames(sample)) for sample in g.ids])
        for g in groups
    ]


def _shown(task: Task, row: Record, frames: Mapping[str, Array]) -> Shown:
    exhibit: Exhibit = task.exhibit(str(row["id"]), row, frames)
    facts = [(name, text) for name, text in exhibit.facts.items()]
    if not frames:
        facts.append(
            ("generated frames", "not kept for this sample: what is shown was drawn from the readings")
        )
    pictures = [_picture(caption, array) for caption, array in exhibit.pictures]
    return Shown(exhibit.title, pictures, facts)


def _picture(caption: str, array: Array) -> Picture:
    data = embedded_picture(array)
    return Picture(caption, f"data:image/png;base64,{data}", *array.shape[:2])
