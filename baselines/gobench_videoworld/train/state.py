"""A training's state between its steps: what to go on from, and when and what to save."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gobench import atomic
from gobench.canonical import dumps
from gobench.errors import UsageError
from gobench.types import Json, Record
from gobench_videoworld.train.checkpoints import (
    Checkpoints,
    check_same,
    read,
    tell_changes,
)
from gobench_videoworld.train.logs import EVENTS, LINES, RUN, SAMPLES, TABLE
from gobench_videoworld.train.stage import identity
from gobench_videoworld.train.trainer import Trainer

CHECKPOINTS = "checkpoints"
EARLIER = "earlier-{}"  # subfolder of what was there before a training was started anew

Say = Callable[[str], None]


@dataclass
class State:
    """Where a training is, beside its weights; numbers are over all its runs."""

    step: int = 0  # updates done
    loss: float | None = None  # of the last update
    seconds: float = 0.0  # spent on updates
    metrics: dict[str, float] = field(default_factory=dict)  # of the last evaluation

    def to_json(self) -> Record:
        """Plain data."""
        return {"loss": self.loss, "seconds": self.seconds, "metrics": self.metrics}


class Keeper:
    """Saves a trainer's state in its folder, and finds it again."""

    def __init__(self, trainer: Trainer, folder: Path, say: Say) -> None:
        self.trainer = trainer
        self.asked = trainer.plan
        self.folder = folder
        self.say = say
        self.state = State()
        self.files = Checkpoints(folder / CHECKPOINTS, trainer.plan.keep)
        self._saved = -1  # step of the newest checkpoint
        self._when = time.monotonic()

    def find(self, resume: str) -> bool:
        """Go on from the newest checkpoint, if there is one; every rank must call it.

        Raises:
            UsageError: "must", and there is none.
            BuildError: it is of another training; names the keys that differ.
            DataError: none can be read.
        """
        path = self.trainer.parallel.first(lambda: self._look(resume))  # all get its answer, or its error
        if path is None:
            return False
        found = read(path)
        plan = replace(self.asked, steps=int(found.head["steps"]))
        self.trainer.plan = plan
        self.trainer.resume(found)
        self.state = State(found.step, **found.head["state"])
        self._saved = found.step
        self.say(f"{self.trainer.stage.name}: going on from step {found.step} of {plan.steps}.")
        return True

    def _look(self, resume: str) -> Path | None:
        if resume == "never":
            set_aside(self.folder, self.say)
            return None
        found = self.files.latest(self.say)
        if found is None:
            if resume == "must":
                raise UsageError(
                    f"there is no checkpoint to go on from in {self.files.folder}: is it the right folder? "
                    "Leave resume at auto to start from the beginning."
                )
            return None
        check_same(found, self._wanted(), self.trainer.shapes())
        tell_changes(found, self.trainer.circumstances(), self.say)
        return found.path

    def _wanted(self) -> Record:
        """What must be equal to go on."""
        stage = self.trainer.stage
        table = {"stage": stage.name, "identity": identity(stage), "plan": self.asked.binding()}
        plain: Record = json.loads(dumps(table))  # as it comes back from a file
        return plain

    def due(self) -> bool:
        """Whether it is time to save, by the clock; the first rank decides."""
        minutes = self.asked.save_minutes
        return bool(minutes) and self.trainer.parallel.main and time.monotonic() - self._when >= 60 * minutes

    def due_at(self, step: int) -> bool:
        """Whether the plan says to save after ``step`` updates."""
        every = self.asked.save_every
        return step == self.trainer.plan.steps or (bool(every) and step % every == 0)

    def save(self) -> None:
        """Save the state as it is, unless it is saved already; every rank must call it. Raises BuildError."""
        if self._saved == self.state.step:
            return
        parallel = self.trainer.parallel
        if parallel.main or parallel.shared:
            tensors = self.trainer.tensors()
            if parallel.main:
                self.files.save(self._head(), tensors)
        self._saved, self._when = self.state.step, time.monotonic()

    def _head(self) -> dict[str, Json]:
        return {
            **self._wanted(), "plan_sha256": self.asked.hash(), "steps": self.trainer.plan.steps,
            "step": self.state.step, "state": self.state.to_json(), "circumstances": self.trainer.circumstances(),
        }  # fmt: skip


def set_aside(folder: Path, say: Say, more: Sequence[str] = ()) -> None:
    """Move what an earlier training left in a folder into a subfolder of it; ``more``: names that go first."""
    names = (*more, CHECKPOINTS, LINES, TABLE, SAMPLES, EVENTS, RUN)
    left = [path for name in names if (path := folder / name).exists()]
    if not left:
        return
    number = 1
    while (place := folder / EARLIER.format(number)).exists():
        number += 1
    try:
        place.mkdir()
        for path in left:
            path.rename(place / path.name)
    except OSError as error:
        raise atomic.explain(error, place) from error
    say(f"starting anew: what was in {folder} is now in {place}.")
