"""Episodes of scripted experts: unit ``i`` is an episode of task ``i mod tasks``, decided by the root seed and ``i`` alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gobench.seeds import seed64, stream
from gobench.types import Episode, Json, Rejection
from gobench_robot import envs
from gobench_robot.catalogue import task
from gobench_robot.rollout import Plan, roll
from gobench_robot.sources.record import EXPERT, of_expert

SHIFT = 11  # seeds of 53 bits: what every reader of JSON keeps exactly
WORDINGS = 1 << 16


@dataclass(frozen=True)
class Experts:
    """As ``gobench.types.Source``."""

    tasks: tuple[str, ...]
    appearances: tuple[str, ...]
    noise: tuple[float, ...]  # one of these levels an episode
    chain: int  # tasks an episode; 0: each episode has one of ``tasks``
    keep_failures: bool
    units: int
    seed: int

    @classmethod
    def of(cls, options: Mapping[str, Json], units: int, seed: int) -> Experts:
        """From the options of a source of the kind ``expert`` (see ``sources.options``)."""
        return cls(
            tasks=tuple(options["tasks"]),
            appearances=tuple(options["appearances"]),
            noise=tuple(options["noise"]),
            chain=options["chain"],
            keep_failures=options["keep_failures"],
            units=units,
            seed=seed,
        )

    @property
    def inputs(self) -> Mapping[str, str]:
        """Nothing from outside."""
        return {}

    def plan(self, index: int) -> Plan:
        """What episode ``index`` follows from."""
        seed = seed64(self.seed, EXPERT, index) >> SHIFT
        draw = stream(seed, "plan")
        appearance = self.appearances[int(draw.integers(len(self.appearances)))]
        noise = self.noise[int(draw.integers(len(self.noise)))]
        tasks: tuple[str, ...] = (self.tasks[index % len(self.tasks)],)
        if self.chain:
            from gobench_robot.envs.playtable.tasks import chain

            tasks = chain(self.chain, seed)
        return Plan(task(tasks[0]).scene, tasks, seed, appearance, noise)

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """Episode ``index``; a failure is a rejection unless failures are kept."""
        plan = self.plan(index)
        world = envs.own_world(plan.scene)
        found = roll(world, plan)
        number = index if self.chain else index // len(self.tasks)
        if found.success_frame < 0 and not self.keep_failures:
            origin = f"{EXPERT}/{'+'.join(plan.tasks)}/{number}"
            yield Rejection(
                origin, "expert-failed", f"{world.task} was not done in {len(found.actions)} steps"
            )
            return
        names = (world.action_names, world.proprio_names)
        wording = int(stream(plan.seed, "wording").integers(WORDINGS))
        yield of_expert(plan, found, names, number, wording)
