"""How an episode goes on: which task is at hand, what was reached, when it is over. One rule for playing and for rereading."""

from __future__ import annotations

from gobench_robot.envs.world import Floats, World


class Course:
    """An episode that was reset, step by step."""

    def __init__(self, world: World, horizon: int, linger: int) -> None:
        self.world, self.horizon, self.linger = world, horizon, linger
        self.reached: list[bool] = []  # for each step, whether the task at hand was done
        self.begun = [0]  # the step at which each task was begun
        self._left = -1  # steps until the end once nothing more is to be done, -1 before

    @property
    def ended(self) -> bool:
        """Whether nothing more is done."""
        return self._left == 0 or len(self.reached) >= self.horizon

    def step(self, action: Floats) -> None:
        """Carry out an action. Raises UsageError for one that is none."""
        self.world.step(action)
        self.reached.append(bool(self.world.success()))
        if self._left > 0:
            self._left -= 1
        elif self.reached[-1]:
            if self.world.advance():
                self.begun.append(len(self.reached))
            else:  # all is done, or the scene does not allow what comes next
                self._left = self.linger
