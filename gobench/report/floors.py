"""What floors and ceilings get, as measured: ``cards/floors.json``, used by the report and the benchmark's card.

Numbers are kept with the protocol hash of the task that they were measured under and are shown beside results of equal
hash only.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gobench.canonical import loads
from gobench.card import templates
from gobench.results import TaskResult
from gobench.types import Record

FILE = "floors.json"


@cache
def measured() -> Record:
    """suite -> task -> {"version", "protocol", "protocol_hash", "players": {player: {metric: value}}}."""
    path: Path = templates() / FILE
    table: Record = loads(path.read_bytes(), FILE) if path.exists() else {}
    return table


def known_floors(suite: str, task: TaskResult) -> dict[str, dict[str, float]]:
    """player -> metric -> value under the protocol hash of this very task, {} where nobody measured."""
    facts = measured().get(suite, {}).get(task.name, {})
    return dict(facts["players"]) if facts.get("protocol_hash") == task.protocol_hash else {}
