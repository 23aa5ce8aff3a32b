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
from gobench_robot.tasks.course import Course

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
        self.course = Course(self.world, sample.horizon, task.terms.linger)
        self.seen = [self._observe()]  # as many as are shown
        self.actions: list[list[float]] = []
        self.gaps: list[float] = []
        self.answer = "frames"
        self.asked = 0
        self.pictures: dict[str, Array] = {}

    def ask(self) -> Ask | None:
        """The last frames, until the episode is over."""
        if self.course.ended:
            return None
        frames = np.stack(self.seen)
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
            "simulator": {
                **plan.to_json(),
                "done": len(self.course.begun) - 1,
                "saved": self.world.save().tolist(),
            },
        }

    def tell(self, frames: Array) -> None:
        """Read actions off imagined frames and carry out the first ones; no frames at all: stand still."""
        executed = self.task.terms.executed
        if not len(frames):
            self._carry_out(np.zeros((executed, len(self.world.action_names))))
            self.asked += 1
            return
        shown = np.concatenate([self.seen[-1][None], frames])
        real = self._carry_out(self.task.idm.actions(shown)[:executed])
        imagined = frames[: len(real)]
        gap = np.abs(np.stack(real).astype(np.int16) - imagined).mean() / 255
        self.gaps.append(round(float(gap), GAP_DIGITS))
        self.pictures[f"a{self.asked:02d}-imagined"] = imagined[-1]
        self.pictures[f"a{self.asked:02d}-executed"] = real[-1]
        self.asked += 1

    def act(self, actions: npt.ArrayLike) -> None:
        """Carry out the first of a model's own actions, float [n, A]. Raises ChildError for anything else."""
        self.answer = "actions"
        values = np.asarray(actions, np.float64)
        names = self.world.action_names
        wanted = f"give [n, {len(names)}] ({', '.join(names)}) from -1 to 1."
        if values.ndim != 2 or values.shape[1] != len(names) or not len(values):
            raise ChildError(
                f"{self.sample.id}: a model answered with actions {list(values.shape)}; {wanted}"
            )
        if not (np.abs(values) <= 1).all():
            least, most = values.min(), values.max()
            raise ChildError(
                f"{self.sample.id}: a model answered with actions from {least:.3g} to {most:.3g}; {wanted}"
            )
        self._carry_out(values[: self.task.terms.executed])
        self.pictures[f"a{self.asked:02d}-executed"] = self.seen[-1]
        self.asked += 1

    def _carry_out(self, actions: Floats) -> list[Array]:
        """Do them one by one until the episode is over; the frames that came, at least one."""
        came: list[Array] = []
        for action in np.round(np.clip(actions, -1, 1), DIGITS):
            if self.course.ended:
                break
            self.course.step(action)
            self.actions.append(action.tolist())
            came.append(self._observe())
        self.seen = [*self.seen, *came][-self.view.frames :]
        return came

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
            "reached": self.course.reached,
            "begun": self.course.begun,
            "gaps": self.gaps,
            "renderer": fingerprint(self.task.scene)["hash"],
        }

    def kept(self, everything: bool) -> Mapping[str, Array]:
        """At most ``MOMENTS`` asks' frames, imagined and executed, spread over the episode."""
        if not everything:
            return {}
        chosen = {round(n) for n in np.linspace(0, self.asked - 1, min(MOMENTS, self.asked))}
        return {name: frame for name, frame in self.pictures.items() if int(name[1:3]) in chosen}
