"""``gobench train videoworld``: a dataset becomes a ``model.pt``, stage by stage.

WORK/asked.json                        what was asked for: a training goes on only where that is equal
     tokenizer/ latent/ transformer/   what ``fit`` keeps of each stage; weights.safetensors when it is done
     tokens/SPLIT/                     every frame as tokens (or read as states), made once
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gobench import canonical, models
from gobench.seeds import seed64
from gobench.types import Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.data.splits import TRAIN
from gobench_videoworld.latent import RECIPES as LATENT_RECIPES
from gobench_videoworld.networks import Networks, networks
from gobench_videoworld.options import STAGES, TrainOptions
from gobench_videoworld.tokenizer import RECIPES as TOKENIZER_RECIPES
from gobench_videoworld.train import clock, keep
from gobench_videoworld.train.clock import Clock
from gobench_videoworld.train.fit import Fitted, Report, fit, silent
from gobench_videoworld.train.material import Material
from gobench_videoworld.train.parallel import Parallel, started, whole_state
from gobench_videoworld.train.provenance import provenance
from gobench_videoworld.train.recipes import RECIPES
from gobench_videoworld.train.schedule import Plan, check_slices, own_slices
from gobench_videoworld.train.stage import Stage
from gobench_videoworld.train.stages import LatentStage, TokenizerStage, TransformerStage
from gobench_videoworld.train.terms import terms
from gobench_videoworld.transformer import cpu

SHARES = {"tokenizer": 0.08, "latent": 0.12}  # of the minutes, at most; the transformer has the rest
READABLE = 0.5  # share of frames that a stage keeps; with less, a person should know
UNLIMITED = 10**9  # steps: the minutes alone end it
BETAS = (0.9, 0.95)  # of AdamW, for the tokenizer


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to."""

    out: Path
    weights_sha256: str
    parameters: int
    seconds: float  # of this call
    stages: Mapping[str, Fitted]
    finished: Mapping[
        str, Record
    ]  # what each stage that is there came to, by this call or an earlier one: ``keep.told``
    spent: Mapping[str, float]  # seconds of each stage, over all calls

    def to_json(self) -> Record:
        """Plain data for the command line."""
        stages = {
            name: {
                "step": done.step,
                "loss": round(done.loss, 4),
                "seconds": round(done.seconds, 1),
                "held_out": done.metrics,
            }
            for name, done in self.stages.items()
        }
        return {
            "out": str(self.out),
            "weights_sha256": self.weights_sha256,
            "parameters": self.parameters,
            "seconds": round(self.seconds, 1),
            "stages": stages,
        }


def train(asked: TrainOptions, report: Report | None = None, progress: bool = True) -> Trained:
    """Train what is asked for, or go on with it, and write the model.

    Args:
        report: is told lines that a person should read.
        progress: bars on stderr.

    Raises:
        UsageError, DataError: what is asked for and the data do not go together; says how.
        BuildError: the work folder is another training's, or the machine has no more room.
        StoppedError: the user ended it; the same command goes on.
    """
    with _training(asked, report, progress) as training:
        return training.run()


def prepare(asked: TrainOptions, report: Report | None = None, progress: bool = True) -> None:
    """Make what trainings may share that differ behind it: the tokenizer, and the frames of all splits as tokens or states.

    Both lie in the work folder then, as ``tokenizer`` and ``tokens``. Raises as ``train``.
    """
    with _training(asked, report, progress) as training:
        training.prepare()


@contextlib.contextmanager
def _training(asked: TrainOptions, report: Report | None, progress: bool) -> Iterator[_Training]:
    if asked.threads:
        torch.set_num_threads(asked.threads)
    cpu.prepare()
    config = configured(asked, scene(asked.data))
    with started(asked.device, asked.fsdp) as parallel, keep.held(asked, parallel):
        _check_slices(asked, config, parallel)
        keep.remember(asked, config, parallel, report or silent)
        yield _Training(asked, config, parallel, report, progress)


def _check_slices(asked: TrainOptions, config: VideoWorldConfig, parallel: Parallel) -> None:
    """Refuse, before the first stage, what the last one would: see ``Dynamics``."""
    if "transformer" in asked.stages:
        recipe = RECIPES[asked.size]
        every = recipe.frame_every if config.codes and config.frames else 1
        plan = Plan(batch=asked.batch or recipe.batch, accumulate=asked.accumulate)
        check_slices(plan, parallel.world, every)


@dataclass
class _Training:
    asked: TrainOptions
    config: VideoWorldConfig
    parallel: Parallel
    report: Report | None
    progress: bool
    since: float = field(default_factory=time.monotonic)

    def run(self) -> Trained:
        makers: Mapping[str, Callable[[], tuple[Stage, Plan]]] = {
            "tokenizer": self._tokenizer,
            "latent": self._latent,
            "transformer": self._transformer,
        }
        if self.report and self.parallel.main and self.material.held_out == TRAIN:
            self.report(
                f"{self.asked.data} holds no frames out: what is measured while training goes on is of what is learnt."
            )
        done = {}
        for name, module in self.networks.parts():
            if name in self.asked.stages and not self._finished(name, module):
                done[name] = self._fit(name, makers[name])
            elif name not in self.asked.stages and STAGES.index(name) < STAGES.index(self.asked.stage):
                keep.load(self._folder(name), module, name)
        return self._written(done)

    def prepare(self) -> None:
        """The tokenizer and the tokens alone."""
        module = self.networks.tokenizer
        if module is not None and not self._finished("tokenizer", module):
            self._fit("tokenizer", self._tokenizer)
        for split in self.material.splits:
            self.material.store(split)

    @cached_property
    def clock(self) -> Clock:
        return Clock(self.asked.work, self.parallel.main)

    @cached_property
    def networks(self) -> Networks:
        torch.manual_seed(seed64(self.asked.seed, "weights"))
        return networks(self.config, RECIPES[self.asked.size].frame_every)

    @cached_property
    def material(self) -> Material:
        return Material(self.asked, self.config, self.networks, self.parallel, self.progress)

    def _folder(self, stage: str) -> Path:
        return self.asked.work / stage

    def _finished(self, name: str, module: nn.Module) -> bool:
        """Whether a stage was trained by an earlier call; its weights are taken then."""
        return self.asked.resume != "never" and keep.load_if_there(self._folder(name), module)

    def _fit(self, name: str, make: Callable[[], tuple[Stage, Plan]]) -> Fitted:
        with self.clock.of(name):
            return self._fitted(name, *make())

    def _fitted(self, name: str, stage: Stage, plan: Plan) -> Fitted:
        folder = self._folder(name)
        done = fit(
            stage, plan, folder, resume=self.asked.resume if self.asked.resume != "must" else "auto",
            parallel=self.parallel, progress=self.progress, report=self.report,
        )  # fmt: skip
        self._warn(name, done)
        module: Any = stage.module
        module.eval()
        whole = whole_state(getattr(module, "dynamics", module))
        if self.parallel.main:
            keep.save(folder, whole, done, terms(self.asked, self.config, name))
        return done

    def _warn(self, name: str, done: Fitted) -> None:
        """Tell where a stage came to little on which others build."""
        exact = done.metrics.get("exact1", done.metrics.get("exact", 1.0))
        if self.report and exact < READABLE:
            self.report(
                f"{name}: only {exact:.0%} of held-out frames come out exactly. What is trained on it cannot be better: give "
                "it more --minutes or --steps, or a machine with less to do."
            )

    def _tokenizer(self) -> tuple[Stage, Plan]:
        module, recipe = self.networks.tokenizer, TOKENIZER_RECIPES[self.config.tokenizer.encoder]
        assert module is not None
        material = self.material
        plan = self._plan("tokenizer", recipe.steps, recipe.batch, recipe.lr)
        plan = replace(plan, betas=BETAS, warmup=min(0.5, recipe.warmup / plan.steps), floor=recipe.floor,
                       weight_decay=recipe.weight_decay, least=recipe.least)  # fmt: skip
        return TokenizerStage(
            module, material.pool(), material.frames(), material.exam, plan.batch, plan.steps
        ), plan

    def _latent(self) -> tuple[Stage, Plan]:
        module, recipe = self.networks.latent, LATENT_RECIPES[self.config.latent.form]
        assert module is not None
        plan = replace(self._plan("latent", recipe.steps, recipe.batch, recipe.lr), least=recipe.least)
        train, held_out = map(self.material.lessons, self.material.splits)
        return LatentStage(self.config, module, train, held_out, plan.batch, self.material.exam), plan

    def _transformer(self) -> tuple[Stage, Plan]:
        recipe = RECIPES[self.asked.size]
        steps = self.asked.steps or (UNLIMITED if self.asked.minutes else recipe.steps)
        batch = self.asked.batch or recipe.batch
        train, held_out = map(self.material.lessons, self.material.splits)
        plan = self._plan("transformer", steps, batch, self.asked.lr or recipe.lr)
        plan = replace(plan, batch=batch, accumulate=self.asked.accumulate, compile=self.asked.compile,
                       precision=self.asked.precision, wandb=self.asked.wandb)  # fmt: skip
        return TransformerStage(self.networks, train, held_out, self.material.exam, batch), plan

    def _plan(self, name: str, steps: int, batch: int, lr: float) -> Plan:
        """A stage's plan: so many steps, or as are asked for, or as fit into its share of the minutes.

        The batch is the stage's own, in as many parts as are asked for where these are equal.
        """
        minutes = 0.0
        if self.asked.minutes:
            share = SHARES.get(name)
            spent = self.clock.spent(keep.spent(self.asked.work)) / 60  # by earlier calls, too
            wanted = (
                self.asked.minutes * share
                if share
                else max(self.asked.minutes - spent, 0.1 * self.asked.minutes)
            )
            minutes = keep.minutes(self._folder(name), wanted, self.parallel)
        most = min(steps, self.asked.steps or steps)
        batch, parts = own_slices(batch, self.asked.accumulate, self.parallel.world)
        return Plan(most, minutes, batch, parts, lr=lr, precision="f32", seed=self.asked.seed,
                    evaluate_every=self.asked.evaluate_every)  # fmt: skip

    def _written(self, done: Mapping[str, Fitted]) -> Trained:
        """Write the model, where all its parts are trained; by this call or by earlier ones."""
        folders = {name: self._folder(name) for name, _ in self.networks.parts()}
        made, weights = self.networks, ""
        finished = {name: canonical.read_json(folder / keep.DONE) for name, folder in folders.items()
                    if (folder / keep.DONE).exists()}  # fmt: skip
        if self.parallel.main and len(finished) == len(folders):
            parts = {name: keep.weights(folder) for name, folder in folders.items()}
            told = provenance(self.asked, self.config, self.material, finished, parts)
            tensors = {f"{name}.{key}": t for name, own in parts.items() for key, t in own.items()}
            weights = models.save(self.asked.out, "videoworld", self.config.to_json(), tensors, told)
        seconds, spent = time.monotonic() - self.since, clock.seconds(self.asked.work)
        return Trained(
            self.asked.out, weights, sum(made.parameters().values()), seconds, dict(done), finished, spent
        )
