"""What can be done at the playtable, as tables: tasks, what each needs and changes, and chains of them.

Left and right are those of the static camera. Nothing here needs a simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gobench.errors import UsageError, unknown
from gobench.seeds import stream
from gobench_robot.catalogue import Task

SCENE = "playtable"
HORIZON = 60  # frames that a task has at most
LONGEST_CHAIN = 5

BLOCKS = ("red", "blue", "pink")
SIDES: Mapping[str, int] = {"left": -1, "right": 1}  # of the static camera; x grows to the right


class Turn(NamedTuple):
    """A task that brings a fixture from one state into the other."""

    fixture: str  # "drawer", "slider", "bulb", "led"
    before: str
    after: str


class Push(NamedTuple):
    """A task that moves a block."""

    block: str
    side: int  # -1 to the left, 1 to the right


Goal: TypeAlias = Turn | Push

STATES: Mapping[str, tuple[str, str]] = {
    "drawer": ("closed", "open"),
    "slider": ("left", "right"),
    "bulb": ("off", "on"),
    "led": ("off", "on"),
}
"""The two states of every fixture."""

_TURNS: Mapping[str, tuple[str, Turn, tuple[str, ...]]] = {
    "open-drawer": (
        "open/close",
        Turn("drawer", "closed", "open"),
        ("open the drawer", "pull the drawer open", "pull the handle of the drawer"),
    ),
    "close-drawer": (
        "open/close",
        Turn("drawer", "open", "closed"),
        ("close the drawer", "push the drawer shut", "push the handle of the drawer in"),
    ),
    "move-slider-left": (
        "open/close",
        Turn("slider", "right", "left"),
        ("move the slider to the left", "slide the cabinet door to the left", "push the sliding door left"),
    ),
    "move-slider-right": (
        "open/close",
        Turn("slider", "left", "right"),
        (
            "move the slider to the right",
            "slide the cabinet door to the right",
            "push the sliding door right",
        ),
    ),
    "turn-on-lightbulb": (
        "on/off",
        Turn("bulb", "off", "on"),
        ("turn on the light bulb", "use the lever to turn on the light bulb", "switch the yellow lamp on"),
    ),
    "turn-off-lightbulb": (
        "on/off",
        Turn("bulb", "on", "off"),
        ("turn off the light bulb", "use the lever to turn off the light bulb", "switch the yellow lamp off"),
    ),
    "turn-on-led": (
        "on/off",
        Turn("led", "off", "on"),
        ("turn on the LED", "press the button to turn on the LED", "switch the green light on"),
    ),
    "turn-off-led": (
        "on/off",
        Turn("led", "on", "off"),
        ("turn off the LED", "press the button to turn off the LED", "switch the green light off"),
    ),
}

_PUSH_WORDINGS = (
    "push the {block} block to the {side}",
    "slide the {block} block {side}",
    "move the {block} block to the {side}",
)


def _pushes() -> dict[str, tuple[str, Goal, tuple[str, ...]]]:
    """The six pushes, block by block."""
    return {
        f"push-{block}-block-{side}": (
            "push",
            Push(block, sign),
            tuple(words.format(block=block, side=side) for words in _PUSH_WORDINGS),
        )
        for block in BLOCKS
        for side, sign in SIDES.items()
    }


_ALL: Mapping[str, tuple[str, Goal, tuple[str, ...]]] = {**_TURNS, **_pushes()}

TASKS: Mapping[str, Task] = {
    name: Task(SCENE, family, wordings, HORIZON) for name, (family, _, wordings) in _ALL.items()
}
"""Task name -> its row of the catalogue."""

GOALS: Mapping[str, Goal] = {name: goal for name, (_, goal, _) in _ALL.items()}
"""Task name -> what it needs and what it changes."""


def needed(tasks: Sequence[str]) -> Mapping[str, str]:
    """Fixture -> the state in which it must be at first, so that ``tasks`` can follow each other.

    Raises UsageError for unknown tasks, a number of them that is not 1 to 5, a task named twice, and tasks of which
    one needs what those before it have undone.
    """
    if not 1 <= len(tasks) <= LONGEST_CHAIN:
        raise UsageError(f"an episode has 1 to {LONGEST_CHAIN} tasks, not {len(tasks)}.")
    first: dict[str, str] = {}
    now: dict[str, str] = {}
    for place, name in enumerate(tasks):
        if name not in GOALS:
            raise unknown("task of the playtable", name, GOALS)
        if name in tasks[:place]:
            raise UsageError(
                f"a chain's tasks are different ones; {name!r} is there twice: {', '.join(tasks)}."
            )
        goal = GOALS[name]
        if isinstance(goal, Turn):
            _follow(name, goal, first, now)
    return first


def _follow(name: str, goal: Turn, first: dict[str, str], now: dict[str, str]) -> None:
    """Take a task's need and change into account; raises UsageError where they contradict what was before."""
    state = now.setdefault(goal.fixture, goal.before)
    if state != goal.before:
        raise UsageError(
            f"{name!r} needs the {goal.fixture} to be {goal.before}, but the task before it leaves it {state}."
        )
    first.setdefault(goal.fixture, goal.before)
    now[goal.fixture] = goal.after


def chain(length: int, seed: int) -> tuple[str, ...]:
    """``length`` (1 to 5) different tasks that can follow each other, the same ones for the same seed.

    Fixtures and blocks are chosen with equal chances, then what is done with them.
    """
    if not 1 <= length <= LONGEST_CHAIN:
        raise UsageError(f"a chain has 1 to {LONGEST_CHAIN} tasks, not {length}.")
    random = stream(seed, "playtable", "chain", length)
    state = {fixture: states[random.integers(2)] for fixture, states in STATES.items()}
    chosen: list[str] = []
    while len(chosen) < length:
        things = _possible(state, chosen)
        names = things[sorted(things)[random.integers(len(things))]]
        chosen.append(names[random.integers(len(names))])
        goal = GOALS[chosen[-1]]
        if isinstance(goal, Turn):
            state[goal.fixture] = goal.after
    return tuple(chosen)


def _possible(state: Mapping[str, str], chosen: Sequence[str]) -> dict[str, list[str]]:
    """Fixture or block -> the tasks that can be done with it now and have not been chosen yet."""
    things: dict[str, list[str]] = {}
    for name, goal in GOALS.items():
        if name not in chosen and (isinstance(goal, Push) or state[goal.fixture] == goal.before):
            things.setdefault(goal[0], []).append(name)
    return things
