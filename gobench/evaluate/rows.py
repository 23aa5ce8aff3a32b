"""The rows of a run, taken for nothing but what the run says they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gobench import evidence
from gobench.errors import DataError
from gobench.evaluate.protocol import open_suite, order, protocol_hash
from gobench.tasks import Suite, Task
from gobench.types import Json, Record


def suite_of(run: Mapping[str, Json]) -> Suite:
    """The suite that a run was made with."""
    return open_suite(run["suite"]["name"], run["suite"]["protocol"])


def begun(run: Mapping[str, Json], task: Task) -> bool:
    """Whether a run has asked for a task, and could."""
    return task.name in run["tasks"] and run["tasks"][task.name]["missing"] is None


def read_rows(folder: Path, run: Mapping[str, Json], task: Task, partial: bool = False) -> list[Record]:
    """A task's rows: those of the samples that the run was to ask, all of them unless ``partial``.

    Raises:
        DataError: the evidence is torn, not finished, of another run or version, or has rows of other samples.
    """
    path = evidence.path_of(folder, task.name)
    header, rows = evidence.read(folder, task.name)
    _check_header(header, run, task, path)
    wanted = order(run["suite"]["name"], task, run["fingerprint"]["limit"])
    if strange := sorted({row["id"] for row in rows}.difference(wanted)):
        raise DataError(
            f"{path} has {len(strange)} rows of samples that the run did not ask, such as {strange[0]!r}."
        )
    if len(rows) < len(wanted) and not partial:
        raise DataError(
            f"{path} holds {len(rows)} of {len(wanted)} samples. Run the same `gobench evaluate` again to finish it, "
            "or score what is there with --partial."
        )
    return rows


def _check_header(header: Record, run: Mapping[str, Json], task: Task, path: Path) -> None:
    """Evidence is of this version of the task, and of this run."""
    own: Record = {"task": task.name, "version": task.version, "protocol_hash": protocol_hash(task)}
    for key, now in own.items():
        if header.get(key) != now:
            raise DataError(
                f"{path} was made under {key} {header.get(key)}, and {task.name} has {now} now. "
                "Score it with the version that made it, or evaluate again."
            )
    wanted = {**run["fingerprint"], **own, "format": evidence.FORMAT}
    odd = [key for key in sorted({*header, *wanted}) if header.get(key) != wanted.get(key)]
    if odd:
        said = "; ".join(f"{key} is {header.get(key)!r} and not {wanted.get(key)!r}" for key in odd)
        raise DataError(f"{path} is not the evidence of the run in run.json: {said}. Evaluate again.")
