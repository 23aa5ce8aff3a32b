"""The card of the benchmark: ``cards/benchmark.md``, made from the tasks' own tables, so that it cannot differ from them.

The prose is a template, ``cards/benchmark.md.j2``; every number, formula and hash in it comes from the installed code,
from ``cards/floors.json`` (what floors get) and from the settings of zero-shot answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from gobench.canonical import dumps
from gobench.card import code, templates
from gobench.errors import UsageError
from gobench.report.content import flat
from gobench.report.draw import number
from gobench.tasks import Metric, Task
from gobench.types import Json, Record

NAME, TEMPLATE = "benchmark.md", "benchmark.md.j2"
SHIPPED = (
    "-lite",
    "-match",
    "robot-core",
    "playtable",
)  # suites so named have all they need in the package; others are made by the user
STANDARD, ZERO_SHOT = "standard", "zero-shot"


class SuiteFacts(NamedTuple):
    """A suite under one protocol."""

    name: str
    protocol: str
    tasks: Sequence[Task]


class FloorTable(NamedTuple):
    """What simple players get on one task."""

    suite: str
    protocol: str
    task: str
    n: int
    current: bool  # whether it was measured under today's protocol hash
    players: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]  # metric, a value for each player


def benchmark_card() -> str:
    """The whole card, the same bytes every time.

    Raises:
        DataError: a shipped test set is missing or broken.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates()), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(cell=cell, code=code, thousands=lambda n: f"{n:,}")
    return environment.get_template(TEMPLATE).render(context()).strip() + "\n"


def context() -> Record:
    """What the template may use."""
    from gobench.evaluate.protocol import KEPT, SCORING, protocol_hash
    from gobench.statistics import METHODS
    from gobench.zeroshot.references import REFERENCES

    suites, protocols = offered()
    opened = list(_open(suites, protocols))
    hashes = {(s.name, s.protocol, task.name): protocol_hash(task) for s in opened for task in s.tasks}
    return {
        "suites": suites,
        "protocols": protocols,
        "shipped": SHIPPED,
        "opened": opened,
        "hashes": hashes,
        "kinds_of_task": kinds_of_task(opened),
        "parts": parts_of_kinds(opened),
        "sets": test_sets(opened),
        "scoring": SCORING,
        "methods": METHODS,
        "kept": KEPT,
        "zero_shot": _zero_shot(),
        "references": REFERENCES,
        "floors": list(floor_tables(opened, hashes)),
        "flat": flat,
        "source": source,
    }


def offered() -> tuple[dict[str, str], dict[str, str]]:
    """Suites and protocols of all installed domains: name -> one line; protocols of one name have a line of each."""
    from gobench import registry
    from gobench.evaluate.protocol import benchmark_of

    suites: dict[str, str] = {}
    protocols: dict[str, list[str]] = {}
    for name in registry.suites()[0]:
        domain = benchmark_of(name)
        suites[name] = domain.suites()[name]
        for protocol, about in domain.protocols().items():
            lines = protocols.setdefault(protocol, [])
            lines += [f"{domain.name}: {about}"] * (f"{domain.name}: {about}" not in lines)
    return suites, {name: "; ".join(lines) for name, lines in protocols.items()}


def kinds_of_task(opened: Sequence[SuiteFacts]) -> dict[str, Task]:
    """ "next-move" -> the task of this kind in the first suite that has one, under the standard protocol."""
    found: dict[str, Task] = {}
    for suite in opened:
        for task in suite.tasks if suite.protocol == STANDARD else ():
            found.setdefault(task.name.rpartition("/")[2], task)
    return found


def parts_of_kinds(opened: Sequence[SuiteFacts]) -> dict[str, list[str]]:
    """ "next-move" -> the parts that tasks of this kind report beside the whole, in all suites."""
    found: dict[str, dict[str, None]] = {}
    for suite in opened:
        for task in suite.tasks if suite.protocol == STANDARD else ():
            found.setdefault(task.name.rpartition("/")[2], {}).update(dict.fromkeys(task.table([]).slices))
    return {kind: list(parts) for kind, parts in found.items()}


def test_sets(opened: Sequence[SuiteFacts]) -> dict[str, Record]:
    """Suite -> what its samples were taken from and who judged them, if anybody did, as (name, value) rows."""
    table: dict[str, Record] = {}
    for suite in opened:
        for task in suite.tasks if suite.protocol == STANDARD else ():
            told = {
                key: value for key, value in task.settings.items() if key in ("judged", "rules", "openings")
            }
            games = getattr(task, "judged", None)  # a domain's own name for where its samples come from
            about = {key: getattr(games, key) for key in ("licence", "note") if getattr(games, key, "")}
            judge = {"judge": dict(task.oracle)} if task.oracle else {}
            table.setdefault(suite.name, {**told, **judge, **about})
    return table


def floor_tables(
    opened: Sequence[SuiteFacts], hashes: Mapping[tuple[str, str, str], str]
) -> Iterator[FloorTable]:
    """What is in ``cards/floors.json``, as tables in the order of the suites."""
    from gobench.report.floors import measured

    for suite in opened:
        for task in suite.tasks:
            facts = measured().get(suite.name, {}).get(suite.protocol, {}).get(task.name)
            if facts:
                current = facts["protocol_hash"] == hashes[suite.name, suite.protocol, task.name]
                yield _floor_table(suite, task, facts, current)


def cell(value: object) -> str:
    """Text as one cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def source(metric: Metric) -> str:
    """Where a metric comes from; ours where nobody else has it."""
    return metric.source or "this benchmark"


def _open(suites: Mapping[str, str], protocols: Mapping[str, str]) -> Iterator[SuiteFacts]:
    from gobench.evaluate import open_suite

    for name in suites:
        for protocol in protocols if name.endswith(SHIPPED) else ():
            with suppress(UsageError):  # a suite that this version names but has no test set for
                yield SuiteFacts(name, protocol, open_suite(name, protocol).tasks)


def _floor_table(suite: SuiteFacts, task: Task, facts: Record, current: bool) -> FloorTable:
    players: Mapping[str, Record] = facts["players"]
    rows = [
        (name, [number(values.get(name), metric.unit) for values in players.values()])
        for name, metric in task.metrics.items()
    ]
    return FloorTable(suite.name, suite.protocol, task.name, facts["n"], current, list(players), rows)


def _zero_shot() -> list[tuple[str, str]]:
    from gobench.zeroshot import SETTINGS

    return [(key, _plain(value)) for key, value in SETTINGS.items()]


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else dumps(value).decode()
