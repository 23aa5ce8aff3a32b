"""An episode drawn for people: what happened, what was imagined, and what the expert would have done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gobench.errors import GobenchError
from gobench.tasks import Chosen, Exhibit, Table
from gobench.types import Array, Record
from gobench_robot.catalogue import FPS
from gobench_robot.tasks.loop import KINDS, instruction, outcome

if TYPE_CHECKING:
    from gobench_robot.tasks.loop import ClosedLoop


def exhibit(task: ClosedLoop, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
    """An episode with the frames that were kept of it.

    Raises DataError for an unknown sample, or a row that the task cannot have written.
    """
    found = task.sample(sample)
    facts = {"sample": sample, "tasks": ", then ".join(found.plan.tasks), "layout seed": str(found.plan.seed)}
    pictures = [*_kept(task, frames)]
    title = instruction(found.plan.tasks)
    if row is not None:
        task.table([row])
        came = outcome(row)
        facts |= _facts(row)
        title += f": {came.kind.replace('-', ' ')}"
    if not pictures:
        pictures = [*_truth(task, sample)]
    return Exhibit(title, pictures, facts)


def _facts(row: Record) -> dict[str, str]:
    came = outcome(row)
    facts = {
        "outcome": KINDS[came.kind],
        "steps": f"{len(row['actions'])} ({len(row['actions']) / FPS:.1f} s)",
    }
    if came.done:
        facts["done after"] = f"{came.steps:.0f} steps"
    if row["gaps"]:
        facts["imagined against executed"] = (
            f"{100 * float(np.mean(row['gaps'])):.1f}% of the range, on average"
        )
    facts["answers"] = row["answer"]
    return facts


def _kept(task: ClosedLoop, frames: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Imagined and executed frames of an ask side by side, in the order of time."""
    steps = task.terms.executed
    for name in sorted(n for n in frames if n.endswith("-executed")):
        ask = int(name[1:3])
        imagined = frames.get(f"a{ask:02d}-imagined")
        what = f"step {(ask + 1) * steps}"
        if imagined is None:
            yield what, frames[name]
        else:
            yield f"{what}: imagined, executed", np.concatenate([imagined, frames[name]], axis=1)


def _truth(task: ClosedLoop, sample: str) -> Iterator[tuple[str, Array]]:
    """The expert's first steps, where they can be drawn here."""
    from gobench.tasks import View

    try:
        shown = task.truth(sample, View(128, 128, 1))
    except GobenchError:
        return
    yield f"the expert after {len(shown)} steps", shown[-1]


def chosen(table: Table) -> Mapping[str, Chosen]:
    """Which episodes a report shows: quick successes, failures, and those whose imagination was furthest off."""
    steps, gap = table.columns["steps"], table.columns["frame_gap"]
    return {
        "best": Chosen("episodes that were done soonest", _order(steps)),
        "worst": Chosen("episodes that were not done", _failed(table)),
        "strangest": Chosen("episodes whose imagined frames differ most from what happened", _order(-gap)),
    }


def _order(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Sequence[int]:
    defined = np.flatnonzero(~np.isnan(values))
    return [int(n) for n in defined[np.argsort(values[defined], kind="stable")]]


def _failed(table: Table) -> Sequence[int]:
    return [int(n) for n in np.flatnonzero(table.columns["success"] == 0)]
