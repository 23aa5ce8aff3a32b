"""Floors and ceilings as models. Ceilings are told the simulator's state; no video model may ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench.types import Array, Json, Record
from gobench_robot import envs
from gobench_robot.rollout import Plan

if TYPE_CHECKING:
    from gobench_robot.envs.world import Floats, World

Seeds = npt.NDArray[np.uint64]
Context = Sequence[Mapping[str, Json]] | None
SIZE = 128
STATE = "simulator"
ACTIONS: Mapping[str, int] = {"metaworld": 4, "playtable": 7, "calvin": 7}
"""How many numbers an action has, by scene."""


class _Robot:
    """What all of them share: square frames, one of them, and no answer to whom has no scene."""

    domain = "robot"
    frame_size = (SIZE, SIZE)
    max_frames = 1
    video_only = False
    scene = "metaworld"

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UsageError(f"this model takes no argument, not {argument!r}.")

    def begin(self, public: Mapping[str, Json]) -> None:
        """Take in which scene is asked about."""
        self.scene = str(public.get("scene", self.scene))

    def generate(self, frames: Array, n: int, seeds: Seeds, context: Context = None) -> Array:
        """A still video: whoever acts does not draw."""
        return np.repeat(frames[:, -1:], n, axis=1)


class RandomActions(_Robot):
    """Uniform actions, one drawn for every step."""

    name = "robot-random"
    kind = "floor"

    def generate_actions(self, frames: Array, n: int, seeds: Seeds, context: Context = None) -> Floats:
        """float64 [B, n, A] in [-1, 1]."""
        size = (n, ACTIONS[self.scene])
        return np.stack([stream(int(seed), self.name).uniform(-1, 1, size) for seed in seeds])


class Still(_Robot):
    """Actions of nothing but zeros: the arm stays where it is."""

    name = "robot-still"
    kind = "floor"

    def generate_actions(self, frames: Array, n: int, seeds: Seeds, context: Context = None) -> Floats:
        """float64 [B, n, A]."""
        return np.zeros((len(frames), n, ACTIONS[self.scene]))


class Expert(_Robot):
    """The scripted expert itself."""

    name = "robot-expert"
    kind = "ceiling"
    context_keys = (STATE,)

    def generate_actions(self, frames: Array, n: int, seeds: Seeds, context: Context = None) -> Floats:
        """float64 [B, n, A]."""
        from gobench_robot.tasks.future import expert_actions

        return np.stack([expert_actions(restored(row), n) for row in states(context)])


class TrueFuture(_Robot):
    """The frames that the expert would make happen: what inverse dynamics can do at best."""

    name = "robot-future"
    kind = "ceiling"
    context_keys = (STATE,)

    def generate(self, frames: Array, n: int, seeds: Seeds, context: Context = None) -> Array:
        """uint8 [B, n, H, W, 3]."""
        from gobench_robot.tasks.future import true_future

        size = frames.shape[2]
        return np.stack([true_future(restored(row), n, size, "static") for row in states(context)])


def states(context: Context) -> list[Record]:
    """The simulator's state of each sample. Raises UsageError where none is told."""
    rows = [row.get(STATE) for row in context or ()]
    if not rows or None in rows:
        raise UsageError("this ceiling needs the simulator's state: only the robot suites tell it.")
    return [dict(row) for row in rows if row is not None]


def restored(state: Mapping[str, Json]) -> World:
    """A world of this process, brought to where an episode is."""
    plan = Plan.of(state)
    world = envs.own_world(plan.scene)
    world.reset(plan.tasks, plan.seed, plan.appearance)
    world.load(np.array(state["saved"], np.float64))
    return world
