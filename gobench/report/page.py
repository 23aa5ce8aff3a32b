"""Result, evidence and tasks put together as one HTML document with nothing outside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gobench import pages
from gobench.errors import GobenchError
from gobench.report import content
from gobench.report.content import Forest, KindRow, MetricRow, Pairs
from gobench.report.floors import known_floors
from gobench.report.ladder import Ladder, ladder
from gobench.report.samples import Shelf, shelves
from gobench.results import Result, TaskResult, content_hash
from gobench.tasks import Task

GROUPS = 3  # best, worst, strangest


class TaskPart(NamedTuple):
    """What the page says of one task."""

    name: str
    headline: str
    facts: Sequence[str]
    notices: Sequence[str]
    metrics: Sequence[MetricRow]
    floors: Sequence[str]
    methods: Sequence[str]
    kinds: Sequence[KindRow]
    forests: Sequence[Forest]
    groups: Sequence[Shelf]


class Page(NamedTuple):
    """All of the page."""

    title: str
    facts: Sequence[str]
    notices: Sequence[str]
    tasks: Sequence[TaskPart]
    ladder: Ladder | None
    tables: Sequence[Pairs]
    commands: Sequence[str]


def render(page: Page) -> str:
    """The HTML of a page."""
    return pages.render("gobench.report", page=page)


def assemble(result: Result, folder: Path, most: int) -> Page:
    """The page of a result whose evidence lies in ``folder``, with at most ``most`` samples drawn."""
    tasks, notices = installed_tasks(result)
    ran = [task for task in result.tasks if task.missing is None]
    count = max(1, most // (GROUPS * max(1, len(ran)))) if most else 0
    parts = [_part(task, tasks.get(task.name), result, folder, count) for task in result.tasks]
    return Page(
        title=f"{result.model.name} on {result.suite.name}",
        facts=_facts(result),
        notices=[*notices, *_partial(result)],
        tasks=parts,
        ladder=ladder(result),
        tables=content.tables(result),
        commands=["gobench score DIR", "gobench score DIR --reread", "gobench report DIR"],
    )


def installed_tasks(result: Result) -> tuple[dict[str, Task], list[str]]:
    """The tasks of a result by name, and what to tell the reader where they are not at hand."""
    from gobench.evaluate import open_suite

    try:
        suite = open_suite(result.suite.name, result.suite.protocol)
    except GobenchError as error:
        return {}, [f"No samples are drawn and metrics have no words here: {error}"]
    return {task.name: task for task in suite.tasks}, []


def _part(result: TaskResult, task: Task | None, whole: Result, folder: Path, count: int) -> TaskPart:
    from gobench.evaluate.protocol import protocol_hash

    notices = [] if result.missing is None else [f"This task was not run: {result.missing}"]
    if task and protocol_hash(task) != result.protocol_hash:
        notices.append(
            f"The result is of version {result.version} under another protocol hash than today's "
            f"({protocol_hash(task)[:16]}…): the words beside numbers are today's, and no samples are drawn."
        )
    drawn: Sequence[Shelf] = ()
    parts: Sequence[str] = ()
    if task and not notices:
        stated = [file.sha256 for file in whole.evidence if file.task == task.name]
        drawn, parts, told = _evidence(folder, task, stated, count)
        notices += told
    floors = known_floors(whole.suite.name, whole.suite.protocol, result) if result.complete else {}
    return TaskPart(
        name=result.name,
        headline=result.headline,
        facts=_task_facts(result),
        notices=notices,
        metrics=content.metric_rows(result, task, floors) if result.missing is None else (),
        floors=list(floors),
        methods=content.methods(result),
        kinds=content.kind_rows(result, task) if result.n else (),
        forests=content.forests(result, task, parts),
        groups=drawn,
    )


def _evidence(
    folder: Path, task: Task, stated: Sequence[str], count: int
) -> tuple[list[Shelf], Sequence[str], list[str]]:
    """Samples, the names of slices in the task's order, and what to tell where there is no evidence."""
    from gobench import evidence

    try:
        evidence.refuse_other(folder, task.name, stated)
        _, rows = evidence.read(folder, task.name)
        table = task.table(rows)
        drawn = shelves(folder, task, table, rows, count) if rows and count else []
        return drawn, list(table.slices), []
    except GobenchError as error:
        return [], (), [f"No samples are drawn: {error}"]


def _facts(result: Result) -> list[str]:
    model = result.model
    facts = [
        f"protocol {result.suite.protocol}",
        f"model kind: {model.kind}" + (", sees video only" if model.video_only else ", sees the state"),
        f"result sha256 {content_hash(result)[:16]}…",
        result.status,
        result.provenance.level,
    ]
    return [f"by {model.org}", *facts] if model.org else facts


def _task_facts(result: TaskResult) -> list[str]:
    facts = [
        f"version {result.version}",
        f"{result.n:,} of {result.of:,} samples",
        f"protocol hash {result.protocol_hash[:16]}…",
    ]
    if check := result.batch_check:
        facts.append(f"{check.different} of {check.asked} answers differ at batch 1")
    if result.batch_check_failed:
        facts.append(f"could not be asked at batch 1: {result.batch_check_failed}")
    return facts


def _partial(result: Result) -> list[str]:
    short = [task.name for task in result.tasks if not task.complete]
    if not short or result.status == "complete":
        return []
    return [
        f"Not all samples were played ({', '.join(short)}): compare these numbers with nothing but the same part."
    ]
