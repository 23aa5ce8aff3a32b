"""Minutes as a number of steps: settled once, before the first step, by timing a few that are then undone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from gobench_videoworld.train.checkpoints import MODEL
from gobench_videoworld.train.feed import Feed
from gobench_videoworld.train.schedule import EVALUATIONS
from gobench_videoworld.train.trainer import Trainer

WARM = 2  # steps that are not timed: the first ones compile and allocate
TIMED = 5  # steps at least
SHARE = 0.02  # of the time given, for timing
LOOKS = 0.25  # of the time given, for looks that nobody asked for, at most


class Settled(NamedTuple):
    """What minutes come to."""

    steps: int
    looks: int  # evaluations, where the plan does not say how often
    fits: bool  # whether so many steps fit, or are the least that teach anything


def settle(trainer: Trainer, since: float) -> Settled:
    """How many steps, evaluations included, end ``plan.minutes`` after ``since`` (of ``time.monotonic``).

    Weights and optimizer are afterwards what they were before. Every rank must call it, and gets the first one's number.
    """
    plan = trainer.plan
    before = {name: tensor.clone() for name, tensor in trainer.tensors().items()}
    step = _seconds_a_step(trainer, SHARE * plan.minutes * 60)
    look = min(
        _seconds_a_look(trainer, plan.steps + n) for n in (1, 2)
    )  # the first one reads what it looks at
    trainer.restore({name.removeprefix(MODEL): tensor for name, tensor in before.items()}, {})
    left = plan.minutes * 60 - (time.monotonic() - since)
    looks = _looks(left, look)
    fitting = _steps(left, step, look, plan.evaluate_every, looks)
    steps = min(plan.steps, max(plan.least, fitting))
    return trainer.parallel.agreed(Settled(steps, looks, steps <= fitting))


def _looks(left: float, look: float) -> int:
    """As many as usual, unless they are dear."""
    return EVALUATIONS if look * EVALUATIONS <= LOOKS * left else max(1, int(LOOKS * left / look))


def _steps(left: float, step: float, look: float, every: int | None, looks: int) -> int:
    """Steps of ``step`` seconds that fit into ``left``, with looks of ``look`` seconds."""
    if every:
        fit = left / (step + look / every)
    else:
        fit = (left - look * (looks if every is None else 1)) / step
    return max(0, int(fit))


def _seconds_a_step(trainer: Trainer, seconds: float) -> float:
    """The median of some steps, about ``seconds`` of them."""
    times: list[float] = []
    with Feed(trainer.stage, trainer.parallel, trainer.plan.accumulate, trainer.plan.steps) as feed:
        for step in range(trainer.plan.steps):
            times.append(_took(lambda at=step: trainer.update(at, feed.slices(at))))  # type: ignore[misc]
            timed = times[WARM:]
            if trainer.parallel.agreed(len(timed) >= TIMED and sum(timed) >= seconds):
                break
    timed = times[WARM:] or times
    return sorted(timed)[len(timed) // 2]


def _seconds_a_look(trainer: Trainer, step: int) -> float:
    """An evaluation and its picture; at a step that no look belongs to, so that nothing remembered is taken for it."""

    def look() -> None:
        trainer.evaluate(step)
        trainer.picture(step)

    return _took(look)


def _took(work: Callable[[], object]) -> float:
    since = time.perf_counter()
    work()
    return time.perf_counter() - since
