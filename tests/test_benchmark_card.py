"""``cards/benchmark.md`` is what the code says, and holds every suite, metric, kind and hash."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gobench.canonical import loads
from gobench.evaluate import open_suite
from gobench.evaluate.protocol import protocol_hash
from gobench.report import benchmark_card as card
from gobench.report import floors

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "cards" / card.NAME).read_text(encoding="utf-8")
OPENED = list(card._open(*card.offered()))


def test_the_card_equals_the_code() -> None:
    assert card.benchmark_card() == TEXT, "run: gobench report --benchmark-card > cards/benchmark.md"


@pytest.mark.parametrize("suite", OPENED, ids=lambda s: f"{s.name}-{s.protocol}")
def test_every_task_stands_in_it_with_its_hash(suite: card.SuiteFacts) -> None:
    for task in suite.tasks:
        assert f"| `{suite.name}` | `{suite.protocol}` | `{task.name}` | {task.version} |" in TEXT
        assert protocol_hash(task) in TEXT
        for name in (*task.metrics, *task.kinds, *task.table([]).slices):
            assert f"`{name}`" in TEXT, name


def test_every_offered_suite_and_protocol_stands_in_it() -> None:
    suites, protocols = card.offered()
    assert set(suites) >= {"go9-lite", "go9"} and set(protocols) == {"standard", "paper", "zero-shot"}
    assert all(f"| `{name}` |" in TEXT for name in (*suites, *protocols))


def test_the_measured_floors_are_of_todays_protocols() -> None:
    table = loads((ROOT / "cards" / floors.FILE).read_bytes(), floors.FILE)
    measured = {(suite, protocol) for suite, protocols in table.items() for protocol in protocols}
    assert measured == {row[:2] for row in floors.MEASURED}
    for suite, protocol, players in floors.MEASURED:
        for task in open_suite(suite, protocol).tasks:
            if getattr(task, "optional", False):
                continue
            facts = table[suite][protocol][task.name]
            assert facts["protocol_hash"] == protocol_hash(task)
            exact = floors.exact_players(task) if protocol == floors.EXACT_UNDER else ()
            assert facts["n"] == len(task.ids) and set(facts["players"]) == {*players, *exact}
    assert "do not compare" not in TEXT


def test_what_must_hold_of_floors_and_ceilings() -> None:
    players = floors.measured()["go9-lite"]["standard"]["go9/next-move"]["players"]
    assert players["oracle"]["accuracy"] == players["oracle"]["legal_first_try"] == 1
    assert players["oracle"]["winrate_loss"] == players["oracle"]["score_loss"] == 0
    assert players["random-legal"]["legal_first_try"] == 1
    assert players["copy-frame"]["legal_within_k"] == players["copy-frame"]["accuracy"] == 0
    assert players["teacher:mcts:200"]["legal_first_try"] == 1
    assert players["teacher:mcts:200"]["accuracy"] > 5 * players["uniform legal mover, exact"]["accuracy"]
    assert players["copy-frame"]["score_loss"] > players["first-empty"]["score_loss"]


@pytest.mark.parametrize(("suite", "cap"), [("go9-lite", 60), ("go7-lite", 40), ("go5-lite", 24)])
def test_rollouts_put_a_still_picture_last_and_legal_play_at_the_cap(suite: str, cap: int) -> None:
    table = floors.measured()[suite]["standard"]
    players = table[next(name for name in table if name.endswith("rollout"))]["players"]
    assert players["copy-frame"]["plies_legal"] == players["copy-frame"]["legal_rollout"] == 0
    for name in ("random-legal", "oracle"):
        assert (players[name]["plies_legal"], players[name]["legal_rollout"]) == (cap, 1)


def test_the_exact_row_is_offered_to_reports_and_says_that_it_is_exact() -> None:
    task = open_suite("go9-lite").tasks[0]
    (name,) = floors.exact_players(task)
    assert name == "uniform legal mover, exact" and f"| `{name}` |" in TEXT
    result: Any = SimpleNamespace(name=task.name, protocol_hash=protocol_hash(task))
    assert floors.known_floors("go9-lite", "standard", result)[name]["legal_first_try"] == 1
    assert floors.exact_players(open_suite("go9-lite").tasks[1]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("row", floors.MEASURED, ids=lambda row: "-".join(row[:2]))
def test_the_floors_score_what_the_card_says(row: tuple[str, str, tuple[str, ...]]) -> None:
    suite, protocol, players = row
    again = floors.measure({}, suite, protocol, players, workers=2)
    assert again[suite][protocol] == floors.measured()[suite][protocol]
