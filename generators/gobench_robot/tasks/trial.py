"""One episode on its way, as ``gobench.tasks.Trial``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gobench.errors import ChildError
from gobench.tasks import Ask, View
from gobench.types import Array, Record
from gobench_robot import envs
from gobench_robot.drawing import picture
from gobench_robot.envs.fingerprint import fingerprint
from gobench_robot.envs.painter import check_size
from gobench_robot.envs.world import Floats
from gobench_robot.rollout import DIGITS

if TYPE_CHECKING:
    from gobench_robot.tasks.loop import ClosedLoop, Sample

MOMENTS = 6  # asks of which an imagined and an executed frame are kept
GAP_DIGITS = 4


class LoopTrial:
    """Observe, ask, act, and again. The world is its own; pictures are drawn by the process's painter."""

    def __init__(self, task: ClosedLoop, sample: Sample, view: View) -> None:
        self.task, self.sample, self.view = task, sample, view
        self.size = check_size(view.height)
        self.world = envs.open_world(task.scene)
        plan = sample.plan
        self.world.reset(plan.tasks, plan.seed, plan.appearance)
        self.seen = [self._observe()]
        self.actions: list[list[float]] = []
        self.reached: list[bool] = []
        self.begun = [0]
        self.gaps: list[float] = []
        self.answer = "frames"
        self.asked, self.left = 0, -1  # steps left once everything is done, -1 before
        self.pictures: dict[str, Array] = {}

    @property
    def ended(self) -> bool:
        """Whether nothing more is asked."""
        return self.left == 0 or len(self.actions) >= self.sample.horizon

    def ask(self) -> Ask | None:
        """The last frames, until the episode is over."""
        if self.ended:
            return None
        frames = np.stack(self.seen[-self.view.frames :])
        frames.flags.writeable = False
        return Ask(frames, self.task.terms.predicted, self._context())

    def _context(self) -> Record:
        from gobench_robot.tasks.loop import instruction

        plan = self.sample.plan
        return {
            "id": self.sample.id,
            "task": self.task.name,
            "ask": self.asked,
            "instruction": instruction([self.world.task]),
            "simulator": {**plan.to_json(), "done": len(self.begun) - 1, "saved": self.world.save().tolist()},
        }

    def tell(self, frames: Array) -> None:
        """Read actions off imagined frames and carry out the first ones; no frames at all: stand still."""
        terms, before = self.task.terms, len(self.seen)
        if not len(frames):
            return self.act(np.zeros((terms.predicted, len(self.world.action_names))))
        shown = np.concatenate([self.seen[-1][None], frames])
        self._carry_out(self.task.idm.actions(shown)[: terms.executed])
        real = self.seen[before:]
        imagined = frames[: len(real)]
        gap = np.abs(np.stack(real).astype(np.int16) - imagined).mean() / 255
        self.gaps.append(round(float(gap), GAP_DIGITS))
        self.pictures[f"a{self.asked:02d}-imagined"] = imagined[-1]
        self.pictures[f"a{self.asked:02d}-executed"] = real[-1]
        self.asked += 1
        return None

    def act(self, actions: npt.ArrayLike) -> None:
        """Carry out the first of a model's own actions, float [n, A]. Raises ChildError for anything else."""
        self.answer = "actions"
        values = np.asarray(actions, np.float64)
        names = self.world.action_names
        if values.ndim != 2 or values.shape[1] != len(names) or not (np.abs(values) <= 1).all():
            raise ChildError(
                f"{self.sample.id}: a model answered with actions {list(values.shape)} from {values.min():.3g} to "
                f"{values.max():.3g}; give [n, {len(names)}] ({', '.join(names)}) from -1 to 1."
            )
        self._carry_out(values[: self.task.terms.executed])
        self.pictures[f"a{self.asked:02d}-executed"] = self.seen[-1]
        self.asked += 1

    def _carry_out(self, actions: Floats) -> None:
        for action in np.round(np.clip(actions, -1, 1), DIGITS):
            if self.ended:
                return
            self.world.step(action)
            self.actions.append(action.tolist())
            self.reached.append(bool(self.world.success()))
            self.seen.append(self._observe())
            self._count()

    def _count(self) -> None:
        """Go to the next task of a chain, or count the last steps down."""
        if self.left > 0:
            self.left -= 1
        elif self.reached[-1]:
            if self.world.advance():
                self.begun.append(len(self.actions))
            else:
                self.left = self.task.terms.linger

    def _observe(self) -> Array:
        return picture(self.world, self.size, self.task.terms.camera)

    def evidence(self) -> Record:
        """What was done and reached."""
        plan = self.sample.plan
        return {
            "tasks": list(plan.tasks),
            "seed": plan.seed,
            "appearance": plan.appearance,
            "answer": self.answer,
            "actions": self.actions,
            "reached": self.reached,
            "begun": self.begun,
            "gaps": self.gaps,
            "renderer": fingerprint(self.task.scene)["hash"],
        }

    def kept(self, everything: bool) -> Mapping[str, Array]:
        """At most ``MOMENTS`` asks' frames, imagined and executed, spread over the episode."""
        if not everything:
            return {}
        chosen = {round(n) for n in np.linspace(0, self.asked - 1, min(MOMENTS, self.asked))}
        return {name: frame for name, frame in self.pictures.items() if int(name[1:3]) in chosen}
