"""The two sides of a comparison: a result, the evidence beside it, and the table that a task makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gobench import evidence
from gobench.errors import DataError, UsageError
from gobench.evaluate import open_suite
from gobench.evaluate.folder import RUN, read_run
from gobench.evaluate.protocol import protocol_hash
from gobench.results import FILE, Result, TaskResult, read_result
from gobench.tasks import Table, Task
from gobench.types import Array, Record


@dataclass(frozen=True, slots=True)
class Side:
    """One result and where its evidence lies."""

    letter: str  # "A" or "B"
    path: Path  # the result file
    result: Result
    kept: dict[str, evidence.Kept] = field(
        default_factory=dict, compare=False, repr=False
    )  # task -> opened once

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def name(self) -> str:
        return self.result.model.name

    def known(self, task: str) -> frozenset[str] | None:
        """Samples whose positions are in the training data, None where that was not looked up."""
        if not (self.folder / RUN).exists():
            return None
        found = read_run(self.folder)["known"].get(task)
        return None if found is None else frozenset(found)

    def frames(self, task: str, sample: str) -> dict[str, Array]:
        """The frames that were kept of a sample."""
        if task not in self.kept:
            self.kept[task] = evidence.Kept(self.folder, task)
        return self.kept[task].frames(sample)


@dataclass(frozen=True, slots=True)
class Read:
    """One task of one side."""

    task: Task
    rows: Mapping[str, Record]  # sample -> row of evidence
    table: Table


def open_side(letter: str, path: Path) -> Side:
    """A result file, or the folder that holds one. Raises DataError as ``read_result``."""
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    return Side(letter, file, read_result(file))


def unlike(a: Result, b: Result) -> list[str]:
    """In what two results differ that makes their numbers incomparable, in words; empty if nothing."""
    found = [
        f"{what} is {x!r} in A and {y!r} in B"
        for what, x, y in (
            ("the suite", a.suite.name, b.suite.name),
            ("the protocol", a.suite.protocol, b.suite.protocol),
        )
        if x != y
    ]
    theirs = {task.name: task for task in b.tasks}
    for task in a.tasks:
        other = theirs.get(task.name)
        if other is not None and task.version != other.version:
            found.append(f"{task.name} has version {task.version} in A and {other.version} in B")
        elif other is not None and task.protocol_hash != other.protocol_hash:
            hashes = f"{task.protocol_hash[:12]} in A and {other.protocol_hash[:12]} in B"
            found.append(f"{task.name} has protocol hash {hashes}")
    return found


def refuse_unlike(a: Result, b: Result, force: bool) -> list[str]:
    """What differs, as notes, where ``force`` allows it; raises UsageError otherwise."""
    return refused(unlike(a, b), force)


def refused(found: list[str], force: bool) -> list[str]:
    """Differences in words as notes where ``force`` allows them; raises UsageError otherwise."""
    if found and not force:
        raise UsageError(
            f"the results are not comparable: {'; '.join(found)}. "
            "Evaluate both under one protocol, or add --force to compare the samples that both have."
        )
    return [f"Not the same test: {line}. Differences may come from that." for line in found]


def unlike_models(a: Result, b: Result) -> list[str]:
    """In what else than their answers two models differ, as notes: what they were told, and of what kind they are."""
    table = {"context": "context_keys", "kind": "kind", "video_only": "video_only"}
    pairs = [(word, getattr(a.model, key), getattr(b.model, key)) for word, key in table.items()]
    return [
        f"Not the same conditions: {word} is {_said(x)} in A and {_said(y)} in B."
        for word, x, y in pairs
        if (set(x) != set(y) if isinstance(x, tuple) else x != y)
    ]


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, sorted(value))) or "nothing"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def common_tasks(a: Result, b: Result) -> tuple[list[str], list[str]]:
    """The tasks that both have answered, and notes about the others. Raises UsageError if there are none."""
    answered = {task.name for task in b.tasks if task.n}
    names = [task.name for task in a.tasks if task.n and task.name in answered]
    notes = [*_absent("A", a, names), *_absent("B", b, names)]
    if not names:
        raise UsageError(
            "the results have no answered task in common: "
            f"A has {_list(a.tasks)}, B has {_list(b.tasks)}. Evaluate both on one suite."
        )
    return names, notes


def _absent(letter: str, result: Result, names: list[str]) -> list[str]:
    return [
        f"{task.name} is left out: only {letter} has answered it."
        for task in result.tasks
        if task.n and task.name not in names
    ]


def _list(tasks: tuple[TaskResult, ...]) -> str:
    return ", ".join(task.name for task in tasks if task.n) or "none"


def read(side: Side, name: str, known: frozenset[str] | None, force: bool) -> Read:
    """A task's table, made again from a side's evidence; ``known`` samples are not novel.

    Raises:
        DataError: the evidence is missing, is not that of the result, or was made under another version of the task
            (``force`` allows the last).
    """
    suite = open_suite(side.result.suite.name, side.result.suite.protocol)
    tasks = {task.name: task for task in suite.tasks}
    if name not in tasks:
        raise DataError(
            f"{side.path} has a task {name!r} that the suite {suite.name} has no more. Evaluate again."
        )
    task = tasks[name]
    _check_protocol(side, task, force)
    evidence.refuse_other(side.folder, name, [e.sha256 for e in side.result.evidence if e.task == name])
    _, rows = evidence.read(side.folder, name)
    novel = None if known is None else {sample: sample not in known for sample in task.ids}
    return Read(task, {row["id"]: row for row in rows}, task.table(rows, novel))


def unlike_rows(a: Read, b: Read) -> list[str]:
    """In what two sides' samples were not played alike, by ``Task.alike``, in words; empty if in nothing."""
    found = []
    for key in getattr(a.task, "alike", ()):
        seen = [sorted({str(row[key]) for row in side.rows.values()}) for side in (a, b)]
        if seen[0] != seen[1]:
            found.append(
                f"{a.task.name} has the {key} {', '.join(seen[0])} in A and {', '.join(seen[1])} in B"
            )
    return found


def _check_protocol(side: Side, task: Task, force: bool) -> None:
    made = side.result.task(task.name).protocol_hash
    if made != protocol_hash(task) and not force:
        raise DataError(
            f"{side.path} was made under another version of {task.name} (protocol hash {made[:12]}, now "
            f"{protocol_hash(task)[:12]}). Compare with the version that made it, evaluate again, or add --force."
        )
