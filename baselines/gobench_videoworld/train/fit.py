"""The loop: steps, looks at the validation split, logs and checkpoints, until the plan is done or something stops it.

    fit(stage, plan, folder) -> Fitted         the same call goes on where it was stopped

A folder holds ``checkpoints/`` (the last few), ``log.csv``, ``log.jsonl`` and ``samples/STEP.png``. On a CPU a
training that was stopped anywhere, and goes on, ends with the same weights bit for bit as one that was not; on a GPU some
kernels add in any order.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gobench import atomic
from gobench.errors import BuildError, GobenchError, StoppedError
from gobench_videoworld.config import one_of
from gobench_videoworld.train import faults
from gobench_videoworld.train.budget import settle
from gobench_videoworld.train.feed import Feed
from gobench_videoworld.train.logs import Logs, Sink, WeightsAndBiases, tensorboard
from gobench_videoworld.train.meters import Meter
from gobench_videoworld.train.parallel import Parallel, choose_device
from gobench_videoworld.train.progress import Bar
from gobench_videoworld.train.schedule import Plan, check_slices, rate
from gobench_videoworld.train.signals import Wish, listening
from gobench_videoworld.train.stage import Stage, frames, rows
from gobench_videoworld.train.state import Keeper, State
from gobench_videoworld.train.trainer import Trainer, Update, finite
from gobench_videoworld.transformer.flops import peak_flops

RESUMES = ("auto", "never", "must")

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A finished training; numbers are over all its runs."""

    step: int  # updates done
    loss: float  # of the last one
    seconds: float  # spent on updates
    tokens: int  # seen
    flops: float  # spent on updates
    metrics: dict[str, float]  # of the last evaluation
    weights: Path  # the checkpoint of the last step
    frames: int = 0  # seen, repetitions counted


def fit(
    stage: Stage,
    plan: Plan,
    folder: Path,
    *,
    resume: str = "auto",
    parallel: Parallel | None = None,
    progress: bool = True,
    report: Report | None = None,
) -> Fitted:
    """Train a stage; its module holds the last weights afterwards, on the device and in training mode.

    Args:
        resume: "auto": go on from the newest checkpoint in ``folder``, if there is one; "must": there must be one;
            "never": start anew, and move what is there into a subfolder.
        parallel: of ``parallel.started``; None: alone, on a GPU where there is one.
        progress: show the state on stderr.
        report: is told lines that a person should read.

    Raises:
        StoppedError: SIGTERM or SIGINT came; a checkpoint has been saved.
        UsageError: the plan cannot be, or "must" found nothing.
        BuildError: loss or gradient are not finite; memory or disk are full; the folder is in use or of another training.
        DataError: no checkpoint can be read; or the stage's data is broken, with the step that needed it.
    """
    one_of("resume", resume, RESUMES)
    own = parallel or Parallel(choose_device())
    check_slices(plan, own.world, rows(stage))
    say = report if report is not None and own.main else silent
    with contextlib.ExitStack() as stack:
        if own.main:
            refusal = (
                f"another training is at work in {folder}: wait for it, end it, or choose another folder."
            )
            stack.enter_context(atomic.lock(folder / ".lock", refusal))
        trainer = Trainer(stage, plan, own)
        stack.callback(trainer.release)
        run = _Run(Keeper(trainer, folder, say), stack.enter_context(listening()))
        run.prepare(resume)
        run.loop(stack, progress)
        trainer.network.gather()
        return run.fitted()


def silent(line: str) -> None:
    """Nobody listens."""


class _Run:
    """One call of ``fit``."""

    def __init__(self, keeper: Keeper, wish: Wish) -> None:
        self.since = time.monotonic()
        self.keeper = keeper
        self.trainer = keeper.trainer
        self.stage = self.trainer.stage
        self.parallel = self.trainer.parallel
        self.wish = wish

    @property
    def state(self) -> State:
        return self.keeper.state

    @property
    def plan(self) -> Plan:
        return self.trainer.plan

    def prepare(self, resume: str) -> None:
        """Find where to go on, or settle how many steps there will be."""
        if not self.keeper.find(resume) and self.plan.minutes:
            self._settle()
        if hasattr(self.stage, "steps"):
            self.stage.steps = self.plan.steps

    def _settle(self) -> None:
        with self._explained("before the first step"):
            steps, looks, fits = settle(self.trainer, self.since)
        every = self.plan.evaluate_every
        every = math.ceil(steps / looks) if every is None else every
        self.trainer.plan = replace(self.plan, steps=steps, evaluate_every=every)
        what = "fit into" if fits else "are the least that teach it, more than fit into"
        self.keeper.say(f"{self.stage.name}: {steps} steps {what} {self.plan.minutes:g} minutes.")
        self.keeper.save()

    def loop(self, stack: contextlib.ExitStack, progress: bool) -> None:
        """All steps that are left."""
        plan, state, main = self.plan, self.state, self.parallel.main
        self.logs = self._logs() if main else None
        self.bar = Bar(self.stage.name, state.step, plan.steps, progress and main)
        self.meter = Meter(self.stage.tokens, self.stage.flops, self._peak(), state.seconds)
        stack.callback(self.bar.close)
        if self.logs is not None:
            stack.callback(self.logs.close)
        with Feed(self.stage, self.parallel, plan.accumulate, plan.steps) as feed:
            while state.step < plan.steps:
                self._step(feed)
        self._stop(
            bool(self.parallel.mean(torch.tensor(float(bool(self.wish)), device=self.parallel.device)))
        )

    def _step(self, feed: Feed) -> None:
        state, step = self.state, self.state.step
        with self._explained(f"step {step + 1}"), self.meter:
            update = self.trainer.update(step, feed.slices(step), (bool(self.wish), self.keeper.due()))
        if not finite(update):
            raise self._not_finite(update, feed)
        state.step, state.loss, state.seconds = step + 1, update.loss, self.meter.seconds
        self._tell(update)
        stop, save = (bool(flag) for flag in update.flags)
        if stop or save or self.keeper.due_at(state.step):
            with self._kept():
                self.keeper.save()
        self.bar.advance()
        self._stop(stop)

    def _stop(self, now: bool) -> None:
        if now:
            raise StoppedError(
                f"{self.stage.name}: stopped after step {self.state.step} of {self.plan.steps} "
                f"({self.wish.signal or 'another process was told to'}); everything is saved. "
                "The same command goes on from there."
            )

    def _tell(self, update: Update) -> None:
        """Evaluate and log, if this step is one for it."""
        step, steps = self.state.step, self.plan.steps
        look = step % self.plan.evaluation_steps == 0 or step == steps
        if not (look or step % self.plan.log_every == 0):
            return
        row = {**self.trainer.metrics(update), **self._facts(update)}
        if look:
            row |= {f"eval/{name}": value for name, value in self._evaluate().items()}
        if self.logs is not None:
            with self._kept():
                self.logs.row(step, row)
        self.bar.facts(row)

    def _facts(self, update: Update) -> dict[str, float]:
        return {
            "loss": update.loss, "lr": rate(self.plan, self.state.step - 1), "grad_norm": update.norm,
            "tokens": self.stage.tokens * self.state.step, "seconds": round(self.meter.seconds, 3),
            **self.meter.rates(),
        }  # fmt: skip

    def _evaluate(self) -> dict[str, float]:
        step = self.state.step
        with self._explained(f"evaluation after step {step}"):
            self.state.metrics = self.trainer.evaluate(step)
            picture = self.trainer.picture(step)
        with self._kept():
            if picture is not None and self.logs is not None:
                self.logs.picture(step, np.asarray(picture))
        return self.state.metrics

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        """Errors of writing say what is safe."""
        try:
            yield
        except BuildError as error:
            raise BuildError(f"{error} {self.keeper.files.kept()}") from error

    @contextlib.contextmanager
    def _explained(self, where: str) -> Iterator[None]:
        """Errors of the data and of memory say where they came up; what has been learnt is saved where it can be."""
        try:
            yield
        except GobenchError as error:
            if self.parallel.world == 1 and self.state.step:
                self.keeper.save()
            raise faults.at(error, where, self.keeper.files.kept()) from error
        except Exception as error:
            if faults.out_of_memory(error):
                kept = self.keeper.files.kept()
                raise faults.no_memory(where, self.stage, self.plan, self.parallel.world, kept) from error
            raise

    def _not_finite(self, update: Update, feed: Feed) -> BuildError:
        step = self.state.step
        batches = [feed.make(step, part) for part in range(self.plan.accumulate)]
        return faults.not_finite(step + 1, self.stage, update, self.plan, batches, self.keeper.files.kept())

    def _logs(self) -> Logs:
        folder, step, plan = self.keeper.folder, self.state.step, self.plan
        sinks: list[Sink] = tensorboard(folder, step)
        if plan.wandb:
            sinks.append(
                WeightsAndBiases(plan.wandb, f"{folder.name}/{self.stage.name}", asdict(plan), folder)
            )
        return Logs(folder, step, sinks)

    def _peak(self) -> float:
        """FLOP/s of all devices, measured by the process that logs; 0 where nothing would be compared with it."""
        if not self.stage.flops or not self.parallel.main or self.state.step == self.plan.steps:
            return 0.0
        return peak_flops(self.parallel.device, self.trainer.dtype) * self.parallel.world

    def fitted(self) -> Fitted:
        """What came of it."""
        state = self.state
        return Fitted(
            step=state.step,
            loss=float("nan") if state.loss is None else state.loss,
            seconds=state.seconds,
            tokens=self.stage.tokens * state.step,
            flops=self.stage.flops * state.step,
            metrics=state.metrics,
            weights=self.keeper.files.path(state.step),
            frames=frames(self.stage) * state.step,
        )
