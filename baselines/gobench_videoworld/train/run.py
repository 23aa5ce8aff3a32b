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

import numpy as np
import torch
from torch import nn

from gobench import canonical, models, registry
from gobench.dataset import Dataset, open_dataset
from gobench.loader import ClipDataset, View
from gobench.seeds import seed64
from gobench.types import Array, Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.data.frames import FramePool, FrameWindows
from gobench_videoworld.data.labels import label
from gobench_videoworld.data.paired import PairedWindows
from gobench_videoworld.data.store import TokenStore
from gobench_videoworld.data.tokens import read_states, tokenise
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.latent import RECIPES as LATENT_RECIPES
from gobench_videoworld.networks import Networks, networks
from gobench_videoworld.options import STAGES, TrainOptions
from gobench_videoworld.tokenizer import RECIPES as TOKENIZER_RECIPES
from gobench_videoworld.train import keep
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.fit import Fitted, Report, fit
from gobench_videoworld.train.parallel import Parallel, started, whole_state
from gobench_videoworld.train.provenance import provenance
from gobench_videoworld.train.recipes import RECIPES
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.stage import Stage
from gobench_videoworld.train.stages import LatentStage, TokenizerStage, TransformerStage
from gobench_videoworld.transformer import cpu

SHARES = {"tokenizer": 0.08, "latent": 0.12}  # of the minutes, at most; the transformer has the rest
QUESTIONS = 64  # prompts of the exam
POOL = 4096  # frames of the tokenizer's pool
BETAS = (0.9, 0.95)  # of AdamW, for the tokenizer
HELD_OUT = 256  # frames on which the tokenizer is measured


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to."""

    out: Path
    weights_sha256: str
    parameters: int
    seconds: float  # of this call
    stages: Mapping[str, Fitted]

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
    with started(asked.device, asked.fsdp) as parallel:
        keep.remember(asked, parallel, report or _silent)
        yield _Training(asked, config, parallel, report, progress)


def _silent(line: str) -> None:
    """Nobody listens."""


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
        done = {}
        for name, module in self.networks.parts():
            if name in self.asked.stages and not self._finished(name, module):
                done[name] = self._fit(name, *makers[name]())
            elif name not in self.asked.stages and STAGES.index(name) < STAGES.index(self.asked.stage):
                keep.load(self._folder(name), module, name)
        return self._written(done)

    def prepare(self) -> None:
        """The tokenizer and the tokens alone."""
        module = self.networks.tokenizer
        if module is not None and not self._finished("tokenizer", module):
            self._fit("tokenizer", *self._tokenizer())
        for split in ("train", self._held_out):
            self._store(split)

    @cached_property
    def networks(self) -> Networks:
        torch.manual_seed(seed64(self.asked.seed, "weights"))
        return networks(self.config, RECIPES[self.asked.size].frame_every)

    @cached_property
    def data(self) -> Dataset:
        return open_dataset(self.asked.data)

    @cached_property
    def _held_out(self) -> str:
        """The split that looks are taken at."""
        return next(name for name in ("validation", "test", "train") if name in self.data.splits)

    @cached_property
    def exam(self) -> Exam:
        history = self.config.transformer.history
        return Exam(self.asked.data, self._held_out, history, QUESTIONS, self.asked.seed)

    def _folder(self, stage: str) -> Path:
        return self.asked.work / stage

    def _finished(self, name: str, module: nn.Module) -> bool:
        """Whether a stage was trained by an earlier call; its weights are taken then."""
        return self.asked.resume != "never" and keep.load_if_there(self._folder(name), module)

    def _fit(self, name: str, stage: Stage, plan: Plan) -> Fitted:
        folder = self._folder(name)
        done = fit(
            stage, plan, folder, resume=self.asked.resume if self.asked.resume != "must" else "auto",
            parallel=self.parallel, progress=self.progress, report=self.report,
        )  # fmt: skip
        module: Any = stage.module
        module.eval()
        whole = whole_state(getattr(module, "dynamics", module))
        if self.parallel.main:
            keep.save(folder, whole, done)
        return done

    def _tokenizer(self) -> tuple[Stage, Plan]:
        module, recipe = self.networks.tokenizer, TOKENIZER_RECIPES[self.config.tokenizer.encoder]
        assert module is not None
        pool = FramePool(self.asked.data, "train", module.config.size, POOL, self.asked.seed, self._symmetry,
                         episodes=self.asked.episodes)  # fmt: skip
        frames = _some_frames(self.asked.data, self._held_out, HELD_OUT, self.asked.seed)
        plan = self._plan("tokenizer", recipe.steps, recipe.batch, recipe.lr)
        plan = replace(plan, betas=BETAS, warmup=min(0.5, recipe.warmup / plan.steps), floor=recipe.floor,
                       weight_decay=recipe.weight_decay)  # fmt: skip
        return TokenizerStage(module, pool, frames, self.exam, plan.batch, plan.steps), plan

    def _latent(self) -> tuple[Stage, Plan]:
        module, recipe = self.networks.latent, LATENT_RECIPES[self.config.latent.form]
        assert module is not None
        plan = self._plan("latent", recipe.steps, recipe.batch, recipe.lr)
        parts = [self._latent_windows(split) for split in ("train", self._held_out)]
        return LatentStage(self.config, module, parts[0], parts[1], plan.batch), plan

    def _latent_windows(self, split: str) -> Any:
        return self._frames(split) if self._pixels else self._windows(split)

    def _transformer(self) -> tuple[Stage, Plan]:
        recipe = RECIPES[self.asked.size]
        steps, batch = self.asked.steps or recipe.steps, self.asked.batch or recipe.batch
        train, held_out = self._taught("train"), self._taught(self._held_out)
        plan = replace(self._plan("transformer", steps, batch, self.asked.lr or recipe.lr), accumulate=self.asked.accumulate,
                       compile=self.asked.compile, precision=self.asked.precision, wandb=self.asked.wandb)  # fmt: skip
        return TransformerStage(self.networks, train, held_out, self.exam, batch), plan

    def _plan(self, name: str, steps: int, batch: int, lr: float) -> Plan:
        """A stage's plan: as many steps as its recipe says, or as are asked for, or fit into its share of the minutes."""
        minutes = 0.0
        if self.asked.minutes:
            share = SHARES.get(name)
            spent = (time.monotonic() - self.since) / 60
            wanted = (
                self.asked.minutes * share
                if share
                else max(self.asked.minutes - spent, 0.1 * self.asked.minutes)
            )
            minutes = keep.minutes(self._folder(name), wanted, self.parallel)
        most = min(steps, self.asked.steps or steps)
        return Plan(most, minutes, batch, lr=lr, precision="f32", seed=self.asked.seed,
                    evaluate_every=self.asked.evaluate_every)  # fmt: skip

    @property
    def _symmetry(self) -> str:
        """The symmetries in which episodes are shown."""
        if self.asked.symmetry != "auto":
            return self.asked.symmetry
        height, width = self.config.frame_size
        rows, cols = self.config.tokenizer.grid
        square = height == width and rows == cols
        return "dihedral" if square and hasattr(registry.domain(self.config.domain), "transform") else "none"

    def _symmetry_of(self, split: str) -> str:
        """Episodes that are held out are shown as they are."""
        return self._symmetry if split == "train" else "none"

    def _store(self, split: str) -> TokenStore:
        out, episodes = self.asked.work / keep.TOKENS, self.asked.episodes if split == "train" else 0
        tell, symmetry = self._bar(f"tokens: {split}"), self._symmetry_of(split)
        if self.config.input == "state":
            read_states(self.asked.data, split, out, symmetry, tell, episodes)
            return label(self.asked.data, split, out)
        assert self.networks.tokenizer is not None
        self.networks.tokenizer.to(self.parallel.device).eval()
        return tokenise(self.asked.data, split, self.networks.tokenizer, out, symmetry, tell, episodes)

    def _windows(self, split: str) -> Windows:
        made = self._made.get(split)
        if made is None:
            own = self.config
            training = split == "train"
            made = self._made[split] = Windows(
                self._store(split), own.latent.offsets, own.transformer.history, self.asked.seed, self.asked.turns,
                labels=own.input == "state", episodes=self.asked.episodes if training else 0, symmetric=training,
            )  # fmt: skip
        return made

    @property
    def _pixels(self) -> bool:
        """Whether codes come from a latent model of frames."""
        return self.networks.latent is not None and self.config.latent.form == "pixel"

    def _frames(self, split: str) -> FrameWindows:
        """The windows of ``_windows`` as frames."""
        training = split == "train"
        return FrameWindows(
            self.asked.data, split, self.config.tokenizer.size, self.config.latent.offsets, self.asked.seed,
            self._symmetry_of(split), self.asked.turns, self.asked.episodes if training else 0, training,
        )  # fmt: skip

    def _taught(self, split: str) -> Windows | PairedWindows:
        """What the transformer learns from."""
        windows = self._windows(split)
        return PairedWindows(windows, self._frames(split)) if self._pixels else windows

    _made: dict[str, Windows] = field(default_factory=dict)

    def _bar(self, name: str) -> Callable[[int, int], None]:
        return keep.bar(name, self.progress and self.parallel.main)

    def _written(self, done: Mapping[str, Fitted]) -> Trained:
        """Write the model, where all its parts are trained; by this call or by earlier ones."""
        folders = {name: self._folder(name) for name, _ in self.networks.parts()}
        made, weights = self.networks, ""
        if self.parallel.main and all((folder / keep.DONE).exists() for folder in folders.values()):
            stages = {name: canonical.read_json(folder / keep.DONE) for name, folder in folders.items()}
            told = provenance(self.asked, self.config, self.data, stages, self._watched(stages))
            tensors = {
                f"{name}.{key}": t for name, path in folders.items() for key, t in keep.weights(path).items()
            }
            weights = models.save(self.asked.out, "videoworld", self.config.to_json(), tensors, told)
        seconds = time.monotonic() - self.since
        return Trained(self.asked.out, weights, sum(made.parameters().values()), seconds, dict(done))

    def _watched(self, stages: Mapping[str, Record]) -> Record:
        windows = self._windows("train")
        batch = self.asked.batch or RECIPES[self.asked.size].batch
        frames = stages["transformer"]["step"] * batch * (self.config.transformer.history + 1)
        return {**windows.provenance, "frames_watched": frames}


def _some_frames(folder: Path, split: str, many: int, seed: int) -> Array:
    """Some frames of a split as they are stored, uint8 [N, H, W, 3]."""
    clips = ClipDataset(folder, split, View(length=1))
    chosen = np.random.default_rng(seed64(seed, "held-out")).choice(
        len(clips), min(many, len(clips)), replace=False
    )
    return np.concatenate([np.asarray(clips[int(n)]["frames"]) for n in np.sort(chosen)])
