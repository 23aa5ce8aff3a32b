"""What floors and ceilings get, as measured: ``cards/floors.json``, used by the report and the benchmark's card.

Numbers are kept with the protocol hash of the task that they were measured under and are shown beside results of equal
hash only. After a change of a protocol, measure again:

    python -c "from gobench.report.floors import refresh; refresh()"
    python -c "from gobench.report.floors import refresh; refresh(suites=['go9-match'])"
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from gobench import atomic
from gobench.canonical import loads, pretty
from gobench.card import templates
from gobench.results import Result, TaskResult
from gobench.tasks import Task
from gobench.types import Record

FILE = "floors.json"
PLAYERS = ("copy-frame", "first-empty", "random-legal", "oracle")
TEACHER = "teacher:mcts:200"
EXACT_UNDER = "standard"  # the protocol under which exact players stand beside the measured ones
DIGITS = 6  # of what is not measured, as results have them
MEASURED = (
    ("go9-lite", "standard", (*PLAYERS[:-1], TEACHER, PLAYERS[-1])),
    ("go9-lite", "paper", PLAYERS),
    ("go9-lite", "zero-shot", ("copy-frame", "random-legal", "oracle")),
    ("go7-lite", "standard", PLAYERS),
    ("go5-lite", "standard", PLAYERS),
    ("go9-match", "standard", (*PLAYERS[:-1], TEACHER)),
    ("go5-match", "standard", (*PLAYERS[:-1], TEACHER)),
    ("robot-lite", "standard", ("copy-frame", "robot-still", "robot-random", "robot-future", "robot-expert")),
)
"""What is measured: suite, protocol, players."""


@cache
def measured() -> Record:
    """suite -> protocol -> task -> {"protocol_hash", "n", "players": {player: {metric: value}}}."""
    path = templates() / FILE
    table: Record = loads(path.read_bytes(), FILE) if path.exists() else {}
    return table


def known_floors(suite: str, protocol: str, task: TaskResult) -> dict[str, dict[str, float]]:
    """player -> metric -> value under the protocol hash of this very task, {} where nobody measured."""
    facts = measured().get(suite, {}).get(protocol, {}).get(task.name, {})
    return dict(facts["players"]) if facts.get("protocol_hash") == task.protocol_hash else {}


def refresh(workers: int = 2, suites: Sequence[str] | None = None) -> Path:
    """Measure suites anew, or all, and write ``cards/floors.json``; takes minutes.

    Raises:
        DataError, UsageError: a suite is missing.
    """
    table: Record = {name: facts for name, facts in measured().items() if suites and name not in suites}
    for suite, protocol, players in MEASURED:
        if suites is None or suite in suites:
            table = measure(table, suite, protocol, players, workers)
    path = templates() / FILE
    atomic.write(path, pretty(table))
    measured.cache_clear()
    return path


def measure(table: Record, suite: str, protocol: str, players: Sequence[str], workers: int = 1) -> Record:
    """The table with some players on a suite in it."""
    from gobench.evaluate import evaluate, open_suite
    from gobench.results import read_result

    asked = [task.name for task in open_suite(suite, protocol).tasks if not getattr(task, "optional", False)]
    for player in players:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "run"
            out = evaluate(player, suite=suite, protocol=protocol, out=place, tasks=asked, workers=workers)
            table = put(table, player, read_result(out))
    return with_exact(table, suite, protocol)


def with_exact(table: Record, suite: str, protocol: str) -> Record:
    """The table with the players whose scores need no run, for they follow from the judgements of a task."""
    from gobench.evaluate import open_suite
    from gobench.evaluate.protocol import protocol_hash

    tasks = dict(table[suite][protocol])
    for task in open_suite(suite, protocol).tasks if protocol == EXACT_UNDER else ():
        facts, exact = tasks.get(task.name, {}), exact_players(task)
        if exact and facts.get("protocol_hash") == protocol_hash(task):
            rounded = {name: _rounded(values) for name, values in exact.items()}
            tasks[task.name] = facts | {"players": {**facts["players"], **rounded}}
    return table | {suite: table[suite] | {protocol: tasks}}


def exact_players(task: Task) -> Mapping[str, Mapping[str, float]]:
    """Players whose scores a task knows without a run: name -> metric -> expectation. Most tasks know none."""
    known: Mapping[str, Mapping[str, float]] = getattr(task, "exact_players", dict)()
    return known


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) for name, value in values.items()}


def put(table: Record, player: str, result: Result) -> Record:
    """The table with a complete result of a player in it; what was measured under another hash goes."""
    tasks = dict(table.get(result.suite.name, {}).get(result.suite.protocol, {}))
    for task in result.tasks:
        if task.complete and task.missing is None:
            tasks[task.name] = _with(tasks.get(task.name, {}), player, task)
    protocols = table.get(result.suite.name, {}) | {result.suite.protocol: tasks}
    return table | {result.suite.name: protocols}


def _with(facts: Record, player: str, task: TaskResult) -> Record:
    kept = facts.get("players", {}) if facts.get("protocol_hash") == task.protocol_hash else {}
    values = {name: number.value for name, number in task.metrics.items() if number}
    return {
        "protocol_hash": task.protocol_hash,
        "n": task.n,
        "players": {**kept, player: values},
    }
