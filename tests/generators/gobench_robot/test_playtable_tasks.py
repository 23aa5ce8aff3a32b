"""The playtable's tables: tasks, chains, appearances. No simulator."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gobench.errors import UsageError
from gobench_robot import catalogue
from gobench_robot.envs.playtable.appearances import APPEARANCES, appearance
from gobench_robot.envs.playtable.tasks import GOALS, LONGEST_CHAIN, STATES, TASKS, Turn, chain, needed


def test_tasks_are_in_the_catalogue() -> None:
    assert len(TASKS) == 14 and set(TASKS) == set(GOALS)
    assert {task.family for task in TASKS.values()} == {"push", "open/close", "on/off"}
    for name, task in TASKS.items():
        assert catalogue.task(name) is task
        assert task.scene == "playtable" and task.horizon <= 60
        assert len(set(task.wordings)) >= 3


def test_no_wording_means_two_tasks() -> None:
    wordings = [words for task in TASKS.values() for words in task.wordings]
    assert len(set(wordings)) == len(wordings)


def test_every_turn_has_one_back() -> None:
    turns = {goal for goal in GOALS.values() if isinstance(goal, Turn)}
    assert {Turn(goal.fixture, goal.after, goal.before) for goal in turns} == turns
    assert {goal.fixture: {goal.before, goal.after} for goal in turns} == {
        name: set(states) for name, states in STATES.items()
    }


@pytest.mark.parametrize("length", range(1, LONGEST_CHAIN + 1))
def test_chains_are_valid_different_and_repeatable(length: int) -> None:
    chains = [chain(length, seed) for seed in range(100)]
    assert chains == [chain(length, seed) for seed in range(100)]
    for tasks in chains:
        assert len(set(tasks)) == length
        needed(tasks)
    assert len(set(chains)) > (60 if length > 1 else 10)
    assert {name for tasks in chains for name in tasks} == set(TASKS)


def test_what_a_chain_needs_at_first() -> None:
    assert needed(["close-drawer", "turn-on-led", "open-drawer"]) == {"drawer": "open", "led": "off"}
    assert needed(["push-red-block-left"]) == {}


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([], "1 to 5 tasks"),
        (["push-red-block-left"] * 2, "different"),
        (["open-drawr"], "open-drawer"),
        (["drawer-open"], "task of the playtable"),
        (["turn-on-led", "open-drawer", "turn-on-led"], "different"),
    ],
)
def test_wrong_chains_are_refused(tasks: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        needed(tasks)


def test_wrong_lengths_and_appearances_are_refused() -> None:
    for length in (0, 6):
        with pytest.raises(UsageError, match="1 to 5"):
            chain(length, 0)
    with pytest.raises(UsageError, match="appearance"):
        appearance("E")


def test_appearances_differ_in_every_colour() -> None:
    assert list(APPEARANCES) == ["A", "B", "C", "D"]
    for field in [
        "layout",
        "view",
        "top",
        "desk",
        "drawer",
        "handle",
        "cabinet",
        "door",
        "floor",
        "wall",
        "arm",
    ]:
        assert len({getattr(look, field) for look in APPEARANCES.values()}) == 4, field


def test_the_tables_need_no_simulator() -> None:
    code = "import sys; from gobench_robot import catalogue; catalogue.tasks(); sys.exit('mujoco' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
