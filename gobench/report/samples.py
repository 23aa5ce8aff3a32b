"""The samples of a report: chosen by rules, drawn by their task from evidence alone."""

from __future__ import annotations

import base64
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gobench.errors import DataError
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


def shelves(
    folder: Path, task: Task, table: Table, header: Record, rows: Sequence[Record], count: int
) -> list[Shelf]:
    """At most ``count`` samples of each kind out of a task's evidence and the table made of its rows.

    Raises:
        DataError: the kept frames are broken.
    """
    groups = choose(task, table, rows, count)
    known = {str(row["id"]): row for row in rows}
    frames = kept_frames(folder, task, header, {sample for group in groups for sample in group.ids})
    return [
        Shelf(g.name, g.rule, [_shown(task, known[sample], frames.get(sample, {})) for sample in g.ids])
        for g in groups
    ]


def kept_frames(
    folder: Path, task: Task, header: Record, wanted: Container[str]
) -> dict[str, dict[str, Array]]:
    """Sample -> name -> uint8 [H, W, 3] of the wanted samples. Opens only the files of their groups."""
    from gobench.codec.pictures import decode
    from gobench.evaluate.protocol import grouped, order
    from gobench.evidence import tar_of

    found: dict[str, dict[str, Array]] = {}
    groups = grouped(order(header["suite"], task, header["limit"]), header["batch"])
    for number, group in enumerate(groups):
        path = tar_of(folder, task.name, number)
        if not any(sample in wanted for sample in group) or not path.exists():
            continue
        for member, data in _members(path):
            sample, name, _ = member.split(".")
            if sample in wanted:
                found.setdefault(sample, {})[name] = decode(data)
    return found


def _members(path: Path) -> Iterable[tuple[str, bytes]]:
    from gobench import shards

    data = path.read_bytes()
    if not data.endswith(shards.END):
        raise DataError(f"{path} is cut short.")
    return shards.members(data[: -len(shards.END)], str(path))


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
    from gobench.codec.pictures import encode

    data = base64.b64encode(encode(array)).decode("ascii")
    return Picture(caption, f"data:image/png;base64,{data}", *array.shape[:2])
