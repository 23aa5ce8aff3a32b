"""One episode acted out: from a handful of numbers to actions, feelings and poses.

Everything follows from an ``Episode plan``; two rolls of one are equal to the last bit, in any process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gobench.seeds import stream
from gobench.types import Json, Record
from gobench_robot.catalogue import task as known_task
from gobench_robot.envs.world import Floats, World

DIGITS = 4  # of actions, so that a record holds what was done and not nearly that
AFTER = 3  # steps that the expert goes on once all is done: the end is seen


@dataclass(frozen=True, slots=True)
class Plan:
    """What an expert's episode follows from."""

    scene: str
    tasks: tuple[str, ...]
    seed: int
    appearance: str
    noise: float  # standard deviation of what is added to every action, in [0, 1]

    @classmethod
    def of(cls, record: Mapping[str, Json]) -> Plan:
        """The plan that a record holds."""
        return cls(
            record["scene"], tuple(record["tasks"]), record["seed"], record["appearance"], record["noise"]
        )

    def to_json(self) -> Record:
        """As part of a record."""
        return {
            "scene": self.scene,
            "tasks": list(self.tasks),
            "seed": self.seed,
            "appearance": self.appearance,
            "noise": self.noise,
        }


class Rollout(NamedTuple):
    """An episode of T frames; frame 0 is before the first action."""

    actions: Floats  # [T - 1, A] in [-1, 1]
    proprio: Floats  # [T, P]
    poses: Floats  # [T, S]
    starts: list[int]  # frame at which each task began; as many as were begun
    success_frame: int  # the first at which the last task's goal was reached, -1 where it was not


def roll(world: World, plan: Plan) -> Rollout:
    """The expert at work, its actions disturbed by seeded noise.

    Raises UsageError for a plan that cannot be (``World.reset``).
    """
    noise = stream(plan.seed, "noise")
    world.reset(plan.tasks, plan.seed, plan.appearance)
    film = _Film(world)
    done = -1
    for place in range(len(plan.tasks)):
        if place and not world.advance():  # the scene does not allow what comes next
            done = -1
            break
        film.starts += [len(film.actions)] * bool(place)
        done = _until_done(film, known_task(world.task).horizon, plan.noise, noise)
        if done < 0:
            break
    for _ in range(AFTER if done >= 0 else 0):
        film.step(world.expert())
    return film.rollout(done)


def _until_done(film: _Film, horizon: int, level: float, noise: np.random.Generator) -> int:
    """Act until the task at hand is done; the frame at which it was, or -1 after ``horizon`` steps."""
    for _ in range(horizon):
        action = film.world.expert()
        film.step(action + level * noise.standard_normal(len(action)))
        if film.world.success():
            return len(film.actions)
    return -1


def replay(world: World, plan: Plan, actions: Floats) -> list[bool]:
    """Given actions from the start of a plan's episode of one task: whether each led to success."""
    world.reset(plan.tasks, plan.seed, plan.appearance)
    found = []
    for action in actions:
        world.step(action)
        found.append(world.success())
    return found


class _Film:
    """What is written down while a world goes on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.actions: list[Floats] = []
        self.proprio, self.poses = [world.proprio()], [world.pose()]
        self.starts = [0]

    def step(self, action: Floats) -> None:
        held = np.round(np.clip(action, -1, 1), DIGITS).astype(np.float64)
        self.world.step(held)
        self.actions.append(held)
        self.proprio.append(self.world.proprio())
        self.poses.append(self.world.pose())

    def rollout(self, done: int) -> Rollout:
        actions: Sequence[Floats] = self.actions
        return Rollout(np.array(actions), np.array(self.proprio), np.array(self.poses), self.starts, done)
