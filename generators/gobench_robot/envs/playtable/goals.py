"""When a task is done, and when it can be begun: predicates over what matters of the table's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gobench_robot.envs.playtable import sizes
from gobench_robot.envs.playtable.tasks import GOALS, Push
from gobench_robot.envs.world import Floats

PUSHED = 0.06  # m that a block must have gone to its side since the task began
PUSH_ROOM = 0.20  # |x| in m within which a block can be pushed farther out
ON_TABLE = 0.0  # z in m above which a block's middle is on the table
DRAWER_OPEN, DRAWER_CLOSED = 0.08, 0.02  # m: at least, at most
SLIDER_AT = 0.085  # m from the middle, at least


@dataclass(frozen=True, slots=True)
class Facts:
    """The table's state as goals and experts see it."""

    drawer: float  # m, 0 is closed
    slider: float  # m, negative is left
    lever: float  # rad, negative is left
    bulb: bool
    led: bool
    pressed: bool  # the button is down, or was and has not come up far enough to be ready again
    blocks: Mapping[str, Floats]  # middles, [3] in m
    began: Mapping[str, float]  # x of the blocks' middles when the task at hand began


def state(facts: Facts, fixture: str, margin: float = 0.0) -> str:
    """The state in which a fixture is, by ``margin`` (m) more than it need be, or "between"."""
    if fixture == "drawer":
        opened, closed = facts.drawer >= DRAWER_OPEN + margin, facts.drawer <= DRAWER_CLOSED - margin
        return "open" if opened else "closed" if closed else "between"
    if fixture == "slider":
        at = SLIDER_AT + margin
        return "left" if facts.slider <= -at else "right" if facts.slider >= at else "between"
    return "on" if getattr(facts, fixture) else "off"


def on_table(block: Floats) -> bool:
    """Whether a block at this place [3] lies on the table's top."""
    inside = np.abs(block[:2]) < np.asarray(sizes.TOP)
    return bool(inside.all() and block[2] > ON_TABLE)


def reached(task: str, facts: Facts, margin: float = 0.0) -> bool:
    """Whether the goal of ``task`` is reached now.

    A fixture must be in the state that the task asks for; a block must lie on the table, 6 cm or more to its side of
    where it was when the task began; all that by ``margin`` (m) more than it need be.
    """
    goal = GOALS[task]
    if not isinstance(goal, Push):
        return state(facts, goal.fixture, margin) == goal.after
    block = facts.blocks[goal.block]
    moved = goal.side * (float(block[0]) - facts.began[goal.block])
    return on_table(block) and moved >= PUSHED + margin


def possible(task: str, facts: Facts) -> bool:
    """Whether ``task`` can be begun now: its fixture is in the other state, its block lies with room to its side."""
    goal = GOALS[task]
    if not isinstance(goal, Push):
        return state(facts, goal.fixture) == goal.before
    block = facts.blocks[goal.block]
    return on_table(block) and goal.side * float(block[0]) < PUSH_ROOM
