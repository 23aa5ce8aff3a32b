"""Closed loop: a model sees what happens and shows what comes next; actions are read off that and carried out.

    observe -> the model predicts ``predicted`` frames -> inverse dynamics -> ``executed`` actions -> observe again ...

A sample is an episode: one task or a chain of them, a layout, an appearance. A model that answers with actions
(``generate_actions``) is asked for these instead, and inverse dynamics has no part in it. An episode ends ``linger`` steps after
its last goal was reached first, or at its horizon.

Evidence: {"tasks", "seed", "appearance", "answer": "frames" or "actions", "actions": A numbers for each step, "reached": for each
step whether the task at hand was done, "begun": the step at which each task was begun, "gaps": imagined against executed frames,
one number an ask, "renderer": hash of what drew the pictures}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.canonical import check
from gobench.errors import DataError, UsageError
from gobench.seeds import seed64
from gobench.tasks import MOST_FRAMES, Chosen, Exhibit, Metric, Table, View
from gobench.types import Array, Json, Record
from gobench_robot.catalogue import FPS, task
from gobench_robot.rollout import DIGITS, Plan

if TYPE_CHECKING:
    from gobench_robot.idm import InverseDynamics
    from gobench_robot.tasks.trial import LoopTrial

SHIFT = 11
TOGETHER = 8  # worlds at once
FRAMES, ACTIONS = "frames", "actions"
ROW: Record = {
    "tasks": [str], "seed": int, "appearance": str, "answer": str, "actions": [list], "reached": [bool],
    "begun": [int], "gaps": [float], "renderer": str,
}  # fmt: skip
KINDS: Mapping[str, str] = {
    "done": "every task was done, and the last one still is at the end",
    "undone-again": "every task was done, but the last one no longer is at the end",
    "partly": "some tasks of the chain were done",
    "not-done": "no task was done within the horizon",
}
METRICS: Mapping[str, Metric] = {
    "success": Metric("share of episodes in which every task was done at any time"),
    "success_at_end": Metric(
        "share of episodes in which every task was done, and the last one still is at the end"
    ),
    "tasks_done": Metric("share of an episode's tasks that were done, in their order"),
    "steps": Metric(
        f"steps of 1/{FPS} s until the last task was done, over episodes in which it was",
        better="lower",
        unit="steps",
        conditional=True,
    ),
    "frame_gap": Metric(
        "mean absolute difference of imagined and executed frames, as a share of the whole range; over episodes "
        "answered with frames",
        better="lower",
        unit="proportion of range",
        conditional=True,
    ),
}


class Sample(NamedTuple):
    """An episode that is to be played."""

    id: str
    plan: Plan
    horizon: int  # steps at most


@dataclass(frozen=True, slots=True)
class Terms:
    """How an episode goes on, the same for all of a task."""

    predicted: int  # frames an answer has
    executed: int  # actions carried out of each answer, at most ``predicted``
    linger: int  # steps that an episode goes on once everything is done
    camera: str
    idm: str  # name of the inverse dynamics

    def settings(self) -> Record:
        """The part of a task's settings that says how its episodes go on."""
        return {
            "predicted": self.predicted,
            "executed": self.executed,
            "linger": self.linger,
            "camera": self.camera,
            "fps": FPS,
            "action_digits": DIGITS,
            "most_frames": MOST_FRAMES,
        }


@dataclass(eq=False)
class ClosedLoop:
    """As ``gobench.tasks.Task``."""

    name: str
    scene: str
    samples: Mapping[str, Sample]
    terms: Terms
    settings: Mapping[str, Json]
    public: Mapping[str, Json]
    version: str = "1"
    headline: str = "success"
    chained: bool = True
    acts: bool = True  # a model may answer with actions
    alike: Sequence[str] = ("renderer",)
    most_together: int = TOGETHER
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS)
    oracle: Mapping[str, Json] = field(default_factory=dict)

    @cached_property
    def ids(self) -> Sequence[str]:
        """The samples' names, such as "drawer-open-03"."""
        return tuple(self.samples)

    @cached_property
    def idm(self) -> InverseDynamics:
        """What reads actions off frames. Raises DataError where it cannot be loaded."""
        from gobench_robot.idm import load

        return load(self.terms.idm)

    def sample(self, sample: str) -> Sample:
        """Raises DataError for an unknown one."""
        if sample not in self.samples:
            raise DataError(
                f"{self.name} has no sample {str(sample)[:100]!r}; the first one is {self.ids[0]!r}."
            )
        return self.samples[sample]

    def unavailable(self) -> str:
        """Why episodes cannot be played here; "" where they can."""
        from gobench.errors import GobenchError
        from gobench_robot.envs.fingerprint import fingerprint

        try:
            fingerprint(self.scene)
        except GobenchError as error:
            return str(error)
        return ""

    def trial(self, sample: str, view: View) -> LoopTrial:
        """Begin an episode. Raises UsageError for a view that cannot be drawn, or where nothing can be simulated."""
        from gobench_robot.tasks.trial import LoopTrial

        if view.height != view.width:
            raise UsageError(
                f"{self.name} shows square frames; the model asks for {view.height}x{view.width}."
            )
        return LoopTrial(self, self.sample(sample), view)

    def truth(self, sample: str, view: View) -> Array:
        """What the expert would do first, uint8 [predicted, H, W, 3]."""
        from gobench_robot import envs
        from gobench_robot.tasks.future import true_future

        plan, world = self.sample(sample).plan, envs.own_world(self.scene)
        world.reset(plan.tasks, plan.seed, plan.appearance)
        return true_future(world, self.terms.predicted, view.height, self.terms.camera)

    def wording(self, sample: str) -> Mapping[str, str]:
        """Words for an instruction."""
        return {"instruction": instruction(self.sample(sample).plan.tasks)}

    def positions(self) -> npt.NDArray[np.uint64]:
        """None: layouts of suites are in no dataset of this package."""
        return np.zeros(0, np.uint64)

    def difficulty(self) -> npt.NDArray[np.float64]:
        """How many tasks an episode has, float64 [n]."""
        return np.array([len(sample.plan.tasks) for sample in self.samples.values()], np.float64)

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        """The episode drawn for a report."""
        from gobench_robot.exhibits import exhibit

        return exhibit(self, sample, row, frames)

    def chosen(self, table: Table, rows: Sequence[Record]) -> Mapping[str, Chosen]:
        """Which episodes a report shows as the worst and the strangest."""
        from gobench_robot.exhibits import chosen

        return chosen(table)

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        """Evidence as columns. Raises DataError for a row that this task cannot have written."""
        order = {name: place for place, name in enumerate(self.ids)}
        for row in rows:
            self._check(row)
        rows = sorted(rows, key=lambda row: order[row["id"]])
        if len({row["id"] for row in rows}) != len(rows):
            raise DataError(f"{self.name}: the evidence has two rows of a sample.")
        outcomes = [outcome(row) for row in rows]
        kinds = [one.kind for one in outcomes]
        return Table(
            ids=[row["id"] for row in rows],
            clusters=np.array([order[row["id"]] for row in rows], np.int64),
            columns={
                "success": np.array([one.done for one in outcomes], np.float64),
                "success_at_end": np.array([kind == "done" for kind in kinds], np.float64),
                "tasks_done": np.array([one.share for one in outcomes], np.float64),
                "steps": np.array([one.steps for one in outcomes], np.float64),
                "frame_gap": np.array(
                    [np.mean(r["gaps"]) if r["gaps"] else np.nan for r in rows], np.float64
                ),
            },
            kinds=kinds,
            clean=np.ones(len(rows), np.bool_),
            slices=self._slices(rows),
            strata=[
                "+".join(row["tasks"]) if len(row["tasks"]) == 1 else str(len(row["tasks"])) for row in rows
            ],
        )

    def _slices(self, rows: Sequence[Record]) -> dict[str, npt.NDArray[np.bool_]]:
        """By task and family, or by the length of the chain; by appearance where there are several."""
        several = len({sample.plan.appearance for sample in self.samples.values()}) > 1
        parts = {name: parts_of(sample.plan, several) for name, sample in self.samples.items()}
        every = dict.fromkeys(part for own in parts.values() for part in own)
        return {part: np.array([part in parts[row["id"]] for row in rows], np.bool_) for part in every}

    def _check(self, row: Record) -> None:
        name = str(row.get("id"))
        found = self.sample(name)
        check(row, ROW, name)
        own = {"tasks": list(found.plan.tasks), "seed": found.plan.seed, "appearance": found.plan.appearance}
        if odd := sorted(key for key, value in own.items() if row[key] != value):
            raise DataError(
                f"{self.name}, {name}: {odd[0]} is {row[odd[0]]!r} in the evidence, and {own[odd[0]]!r} in the suite."
            )
        steps, begun, reached = len(row["actions"]), row["begun"], row["reached"]
        rising = begun[:1] == [0] and begun == sorted(set(begun)) and begun[-1] <= steps
        fits = len(reached) == steps <= found.horizon and rising
        if not fits or not all(reached[step - 1] for step in begun[1:]):
            raise DataError(f"{self.name}, {name}: its steps do not fit together.")
        if row["answer"] not in (FRAMES, ACTIONS) or len(begun) > len(found.plan.tasks):
            raise DataError(f"{self.name}, {name}: no such episode can have been played.")

    def reread(self, sample: str, row: Record, frames: Mapping[str, Array]) -> Record:
        """The row with what its actions lead to now: they are carried out again. Raises DataError for a broken row."""
        from gobench_robot import envs
        from gobench_robot.tasks.course import Course

        self._check(row)
        found, world = self.sample(sample), envs.own_world(self.scene)
        world.reset(found.plan.tasks, found.plan.seed, found.plan.appearance)
        course = Course(world, found.horizon, self.terms.linger)
        for action in row["actions"]:
            if course.ended:
                break
            try:
                course.step(action)
            except UsageError as error:
                raise DataError(f"{self.name}, {sample}: {error}") from error
        return {**row, "reached": course.reached, "begun": course.begun}


class Outcome(NamedTuple):
    """What came of an episode."""

    done: bool  # every task, at any time
    share: float  # of tasks done
    steps: float  # until the last one was, NaN where it was not
    kind: str  # a key of KINDS


def outcome(row: Record) -> Outcome:
    """Derived from what was reached and when each task began."""
    reached, begun = row["reached"], row["begun"]
    first = next((step for step in range(begun[-1], len(reached)) if reached[step]), -1)
    done = first >= 0 and len(begun) == len(row["tasks"])
    share = (len(begun) - 1 + (first >= 0)) / len(row["tasks"])
    if done:
        kind = "done" if reached[-1] else "undone-again"
    else:
        kind = "partly" if share else "not-done"
    return Outcome(done, share, float(first + 1) if done else float("nan"), kind)


def parts_of(plan: Plan, appearance: bool) -> Sequence[str]:
    """The slices that an episode belongs to."""
    chain = len(plan.tasks)
    own = (
        [f"chain: {chain}"]
        if chain > 1
        else [f"task: {plan.tasks[0]}", f"family: {task(plan.tasks[0]).family}"]
    )
    return [*own, f"appearance: {plan.appearance}"] if appearance else own


def instruction(tasks: Sequence[str]) -> str:
    """The usual words for what is to be done."""
    return ", then ".join(task(name).wordings[0] for name in tasks)


def layout(root: int, suite: str, tasks: Sequence[str], number: int) -> int:
    """The seed of a suite's episode: 53 bits that no dataset of this package uses."""
    return seed64(root, "suite", suite, *tasks, number) >> SHIFT
