"""The suite "calvin-paper": VideoWorld's single-step evaluation in CALVIN, ABCD -> D.

It is not CALVIN's long-horizon protocol (LH-MTLC: chains of five instructions, mean length): its numbers stand in no column with
those. Nor is it VideoWorld's to the last bit; docs/robot-calvin.md has a table of what differs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gobench.canonical import dumps, sha256
from gobench.errors import DataError, GobenchError, UsageError
from gobench.tasks import Ask, Exhibit, Metric, View
from gobench.types import Array, Json, Record
from gobench_robot.calvin.tasks import APPEARANCE, FPS, SCENE, TASKS, start
from gobench_robot.calvin.world import PAGE, CalvinWorld, place
from gobench_robot.idm.artifact import Artifact, find
from gobench_robot.readers.calvin import ANNOTATIONS, Calvin
from gobench_robot.rollout import Plan
from gobench_robot.tasks.loop import METRICS, ClosedLoop, Sample, Terms, layout
from gobench_robot.tasks.trial import LoopTrial

if TYPE_CHECKING:
    from gobench_robot.idm import InverseDynamics

NAME = "calvin-paper"
TRIALS, LAYOUTS = 500, 0  # episodes, and the root of their seeds
PREDICTED, EXECUTED, LINGER = 5, 4, 0  # an episode ends when it is done first, as CALVIN's do
IDM = "GOBENCH_CALVIN_IDM"
STEPS = replace(
    METRICS["steps"], about=f"steps of 1/{FPS} s until the task was done, over episodes in which it was"
)
CALVIN_METRICS: Mapping[str, Metric] = {**METRICS, "steps": STEPS}


def samples(names: Sequence[str] = tuple(TASKS)) -> Mapping[str, Sample]:
    """The episodes of the named tasks, of 500 in all: 42 of each of the first eight tasks, 41 of the others."""
    each, more = divmod(TRIALS, len(TASKS))
    found = {}
    for rank, name in enumerate(TASKS):
        for number in range(each + (rank < more)) if name in names else ():
            plan = Plan(SCENE, (name,), layout(LAYOUTS, NAME, (name,), number), APPEARANCE, 0.0)
            found[f"{name}-{number:02d}"] = Sample(f"{name}-{number:02d}", plan, TASKS[name].horizon)
    return found


def task_of(suite: str, names: Sequence[str]) -> CalvinLoop:
    """The suite's only task, also where CALVIN is not set up: then it says so when it is to be run."""
    table, terms = samples(names), Terms(PREDICTED, EXECUTED, LINGER, "static", os.environ.get(IDM, ""))
    spoken, own = words(), inverse_of()
    settings: Record = {
        "scene": SCENE,
        "samples": len(table),
        "asked": sha256(dumps([[s.id, s.plan.to_json(), s.horizon] for s in table.values()])),
        "starts": sha256(dumps([_start(one) for one in table.values()])),
        "instructions": sha256(dumps(dict(spoken))),
        "layout_seed": LAYOUTS,
        **terms.settings(),
        "idm": own,
    }
    public = {
        "task": "calvin/closed-loop", "suite": suite, "protocol": "standard", "scene": SCENE, "fps": FPS,
        "predicted": terms.predicted, "executed": terms.executed, "camera": terms.camera,
    }  # fmt: skip
    return CalvinLoop("calvin/closed-loop", SCENE, table, terms, settings, public, words=spoken)


def _start(sample: Sample) -> list[float]:
    return np.concatenate(start(sample.plan.tasks[0], sample.plan.seed)).round(9).tolist()  # type: ignore[no-any-return]


def words() -> Mapping[str, str]:
    """Task -> instruction: of the annotations in validation/ the first one by the alphabet, else the words of this room.

    Raises DataError for broken annotations.
    """
    own = {name: row.wordings[0] for name, row in TASKS.items()}
    try:
        folder = place().validation
    except GobenchError:
        return own
    if not any((folder / file).is_file() for file in ANNOTATIONS):
        return own
    annotated = _Annotated(str(folder.parent), {"split": folder.name}).wordings
    return {name: min(annotated.get(name, ()), default=text) for name, text in own.items()}


class _Annotated(Calvin):
    """The reader of the dataset, for its words."""

    @property
    def wordings(self) -> Mapping[str, Sequence[str]]:
        """Task -> the annotations of it."""
        return self._wordings


def inverse_dynamics() -> Artifact:
    """The user's own. Raises UsageError where none is named, DataError for a broken one or one of other scenes."""
    text = os.environ.get(IDM, "")
    how = f"`gobench train idm` makes it of labelled shards of CALVIN. {PAGE}"
    if not text:
        raise UsageError(f"no inverse dynamics for CALVIN: set {IDM} to its file; {how}")
    found = find(Path(text).expanduser())
    config, names = found.config, tuple(CalvinWorld.action_names)
    if (config.scene, config.camera, config.action_names) != (SCENE, "static", names):
        raise DataError(
            f"{IDM}: {text} is of the scene {config.scene!r}, the camera {config.camera!r} and {len(config.action_names)} "
            f"actions, not of CALVIN's static camera and relative actions; {how}"
        )
    return found


def inverse_of() -> Record:
    """Name and sha256 of the inverse dynamics; empty texts where there is none that fits."""
    try:
        found = inverse_dynamics()
    except GobenchError:
        return {"name": "", "sha256": ""}
    return {"name": found.name, "sha256": found.sha256}


@dataclass(eq=False)
class CalvinLoop(ClosedLoop):
    """As ``gobench.tasks.Task``: a closed loop in CALVIN, whose verdicts are those of CALVIN's oracle."""

    most_together: int = 4  # processes of CALVIN at once
    metrics: Mapping[str, Metric] = field(default_factory=lambda: CALVIN_METRICS)
    oracle: Mapping[str, Json] = field(default_factory=lambda: {"name": "CALVIN's task oracle"})
    words: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def idm(self) -> InverseDynamics:
        """What reads actions off frames. Raises UsageError and DataError as ``inverse_dynamics``."""
        from gobench_robot.idm import load

        return load(inverse_dynamics().path)

    def unavailable(self) -> str:
        """What is missing for an episode; "" where nothing is. CALVIN is started once for it."""
        try:
            place()
            inverse_dynamics()
        except GobenchError as error:
            return str(error)
        return " ".join(super().unavailable().split())

    def trial(self, sample: str, view: View) -> CalvinTrial:
        """Begin an episode. Raises UsageError for a view that cannot be drawn, ChildError where CALVIN fails."""
        if view.height != view.width:
            raise UsageError(
                f"{self.name} shows square frames; the model asks for {view.height}x{view.width}."
            )
        return CalvinTrial(self, self.sample(sample), view)

    def truth(self, sample: str, view: View) -> Array:
        """Nobody knows: CALVIN has no expert. Raises UsageError."""
        self.sample(sample)
        raise UsageError(f"{self.name} has no expert whose frames could be shown.")

    def wording(self, sample: str) -> Mapping[str, str]:
        """Words for an instruction."""
        return {"instruction": self.words[self.sample(sample).plan.tasks[0]]}

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        """The episode drawn for a report."""
        shown = super().exhibit(sample, row, frames)
        steps = {} if row is None else {"steps": f"{len(row['actions'])} ({len(row['actions']) / FPS:.1f} s)"}
        return shown._replace(facts={**shown.facts, **steps})

    def played_again(self, row: Record) -> list[bool]:
        """Whether the task was done after each step, when a row's actions are carried out anew."""
        plan, world, found = self.sample(row["id"]).plan, CalvinWorld(), []
        try:
            world.reset(plan.tasks, plan.seed, plan.appearance)
            for action in row["actions"]:
                world.step(np.array(action))
                found.append(world.success())
        finally:
            world.close()
        return found


class CalvinTrial(LoopTrial):
    """One episode; CALVIN's process ends with it."""

    task: CalvinLoop
    world: CalvinWorld

    def ask(self) -> Ask | None:
        """The last frames, until the episode is over."""
        asked = super().ask()
        if asked is None:
            self.world.close()
        return asked

    def _context(self) -> Record:
        return {
            "id": self.sample.id,
            "task": self.task.name,
            "ask": self.asked,
            "instruction": self.task.words[self.world.task],
        }
