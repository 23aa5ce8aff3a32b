"""The three stages as ``fit`` trains them: a network, its batches, its measures and its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gobench.loader.resize import resized
from gobench.types import Array, Record
from gobench_videoworld.answers import answers_of, enlarged
from gobench_videoworld.config import LatentConfig, VideoWorldConfig
from gobench_videoworld.data.frames import FramePool
from gobench_videoworld.data.paired import PairedWindows
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.flops import step_flops
from gobench_videoworld.latent import LatentModel
from gobench_videoworld.latent.measures import Steps, drawing, used
from gobench_videoworld.networks import Networks
from gobench_videoworld.tokenizer import Tokenizer, measures
from gobench_videoworld.tokenizer.measures import Ints
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.pictures import sheet
from gobench_videoworld.train.stage import Batch
from gobench_videoworld.transformer.dynamics import Dynamics

SHOWN = 4  # rows of a sample picture
CHECKED, CHECKED_PIXELS = 512, 32  # validation windows looked at, of tokens and of frames


class TokenizerStage:
    """Frames -> tokens -> frames."""

    name = "tokenizer"

    def __init__(
        self, module: Tokenizer, pool: FramePool, held_out: Array, exam: Exam, batch: int, steps: int
    ) -> None:
        """``held_out``: frames as stored and those that follow them, uint8 [N, 2, H, W, 3]."""
        self.module, self._pool, self._exam, self._batch = module, pool, exam, batch
        self._stored = held_out
        self.steps = steps  # of the whole training; ``fit`` puts in what the minutes settled
        self.tokens, self.frames = batch * module.config.sites, batch
        self.flops = step_flops(module, batch)
        self.identity: Record = {"data": pool.identity}

    def batch(self, step: int, rank: int, world: int) -> Batch:
        found: Batch = dict(self._pool.batch(step, self._batch, rank, world))
        return {**found, "progress": torch.full((len(found["frames"]),), step / self.steps)}

    def evaluate(self, step: int) -> Mapping[str, float]:
        """See ``tokenizer.measures``; where the domain reads no frames, churn is of patches, and less is measured."""
        (seen, after), config = self._shown, self.module.config
        (drawn, tokens), later = self._round_trip(seen), self._tokens(after)
        found = {
            "psnr": measures.psnr(seen, drawn),
            "used": measures.used(tokens, config.vocabulary),
            "perplexity": measures.perplexity(tokens.ravel().tolist()),
        }
        if self._states is None:
            changed = measures.changed_patches(seen, after, config.grid)
            return {**found, "churn": measures.churn(tokens, later, changed)}
        states, next_states = self._states
        size = (self._stored.shape[2], self._stored.shape[3])
        found["exact"] = measures.exact(self._exam.states, enlarged(drawn, size), states)
        found["churn"] = measures.churn(tokens, later, int(np.count_nonzero(states != next_states)))
        if states.shape == tokens.shape:  # a token for each cell
            found["excess"] = measures.excess(tokens, states)
        return found

    def picture(self, step: int) -> Array:
        """Frames, and the same from their tokens."""
        frames = self._shown[0]
        some = frames[:: max(1, len(frames) // SHOWN)][:SHOWN]
        return sheet([some, self._round_trip(some)[0]], ("frame", "from its tokens"))

    @cached_property
    def _shown(self) -> tuple[Array, Array]:
        """Held-out frames, and those that follow, at the working size."""
        first, second = (resized(frames, *self.module.config.size, "area") for frames in self._halves)
        return first, second

    @cached_property
    def _states(self) -> tuple[Ints, Ints] | None:
        """What stands in them, where the domain reads frames."""
        if not self._exam.reads:
            return None
        first, second = map(self._exam.states, self._halves)
        return first, second

    @property
    def _halves(self) -> tuple[Array, Array]:
        return self._stored[:, 0], self._stored[:, 1]

    def _round_trip(self, frames: Array) -> tuple[Array, Ints]:
        """Frames at the working size, drawn again; and their tokens."""
        tokens = self._tokens(frames)
        device = next(self.module.parameters()).device
        return self.module.decode(torch.from_numpy(tokens).to(device)).cpu().numpy(), tokens

    def _tokens(self, frames: Array) -> Ints:
        device = next(self.module.parameters()).device
        found: Ints = self.module.encode(torch.from_numpy(frames).to(device)).cpu().numpy()
        return found


class LatentStage:
    """Frames -> codes of what changes -> frames."""

    name = "latent"

    def __init__(
        self,
        config: VideoWorldConfig,
        module: LatentModel,
        windows: Any,
        held_out: Any,
        batch: int,
        exam: Exam,
    ) -> None:
        self.module, self._windows, self._held_out, self._batch = module, windows, held_out, batch
        self._config, self._exam = config, exam
        self._pixel = config.latent.form == "pixel"
        self.tokens = batch * config.sites * (1 + len(config.latent.offsets))
        self.frames = batch * _seen(config.latent)
        self.flops = step_flops(module, batch)
        self.identity: Record = {"data": windows.provenance}

    def batch(self, step: int, rank: int, world: int) -> Batch:
        found: Batch = self._windows.batch(step, self._batch, rank, world)
        return found

    @cached_property
    def _checked(self) -> list[Batch]:
        return held_out(self._held_out, CHECKED_PIXELS if self._pixel else CHECKED, self._batch)

    def evaluate(self, step: int) -> Mapping[str, float]:
        """The loss on held-out windows with the module's own measures, how codes are used, and how often frames come back
        from them exactly: token by token, or for "pixel" as the domain reads them, if it does.
        """
        found = averaged(self.module, self._checked)
        device = next(self.module.parameters()).device
        batches = [{name: value.to(device) for name, value in batch.items()} for batch in self._checked]
        codes = np.concatenate([self.module.encode(batch).cpu().numpy() for batch in batches])
        there = np.concatenate([batch["there"].cpu().numpy() for batch in batches])
        found |= used(codes, there, self._config.latent.digits(self._config.tokenizer.sites))
        if not self._pixel or self._exam.reads:
            parts = zip(*(self._steps(batch) for batch in batches), strict=True)
            found |= drawing(Steps(*map(np.concatenate, parts)))
        return found

    def _steps(self, batch: Batch) -> Steps:
        """The steps of windows, drawn again from their codes."""
        drawn, there = self.module.redraw(batch).cpu().numpy(), batch["there"].cpu().numpy()
        if not self._pixel:
            return Steps(batch["before"].cpu().numpy(), batch["after"].cpu().numpy(), drawn, there)
        frames, ahead = batch["frames"].cpu().numpy(), np.array(self._config.latent.offsets)
        before, after, again = map(self._read, (frames[:, ahead - 1], frames[:, ahead], drawn))
        return Steps(before, after, again, there)

    def _read(self, frames: Array) -> Ints:
        """What the domain sees in frames uint8 [B, K, h, w, 3] of the working size: [B, K, cells]."""
        flat = enlarged(frames.reshape(-1, *frames.shape[2:]), self._config.frame_size)
        return self._exam.states(flat).reshape(*frames.shape[:2], -1)

    def picture(self, step: int) -> Array | None:
        return None


class Lesson(nn.Module):
    """The transformer and, frozen and not part of its weights, the latent model that gives it codes."""

    def __init__(self, dynamics: Dynamics, latent: LatentModel | None) -> None:
        super().__init__()
        self.dynamics = dynamics
        self._teacher = [latent]  # in a list: not a child, so neither trained nor saved here
        if latent is not None:
            latent.eval()

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """As ``Dynamics``, for windows."""
        with torch.autocast(
            batch["history"].device.type, enabled=False
        ):  # codes as they will be when it answers
            taught = lesson(self.dynamics.config, self._teacher[0], batch)
        found: tuple[Tensor, dict[str, Tensor]] = self.dynamics(taught)
        return found


@torch.no_grad()
def lesson(config: VideoWorldConfig, latent: LatentModel | None, batch: Batch) -> Batch:
    """What ``Dynamics`` learns from windows: codes from the latent model, or from labels for states."""
    found = {"history": batch["history"], "there": batch["there"], "next": batch["after"][:, 0]}
    if config.input == "state":
        return {**found, "codes": batch["actions"]}
    if latent is None:
        return found
    latent.to(batch["history"].device)
    found["codes"] = latent.encode(batch)
    if config.imagines:
        found["imagined"] = latent.decode(batch["history"][:, -1], found["codes"][:, :1])[:, 0]
    return found


class TransformerStage:
    """Prompts -> codes and the next frame; or states -> actions."""

    name = "transformer"

    def __init__(
        self,
        networks: Networks,
        windows: Windows | PairedWindows,
        held_out: Windows | PairedWindows,
        exam: Exam,
        batch: int,
    ) -> None:
        self._networks, self._windows, self._held_out = networks, windows, held_out
        self._exam, self._batch = exam, batch
        self._answered: tuple[int, Array] | None = None
        self.config = networks.transformer.config
        self.module = Lesson(networks.transformer, networks.latent)
        self.tokens = networks.transformer.trained(batch)
        self.rows = networks.transformer.frame_every if self.config.frames else 1
        reach = self.config.latent.offsets[-1] if self.config.codes else 1
        self.frames = batch * (self.config.transformer.history + reach)
        self.flops = step_flops(networks.transformer, batch, networks.latent)
        self.identity: Record = {"data": windows.provenance, "config": self.config.to_json()}

    def batch(self, step: int, rank: int, world: int) -> Batch:
        return self._windows.batch(step, self._batch, rank, world)

    @cached_property
    def _checked(self) -> list[Batch]:
        return held_out(self._held_out, CHECKED, self._batch)

    def evaluate(self, step: int) -> Mapping[str, float]:
        """Nats on held-out windows, and how answers to held-out prompts are judged."""
        return {**averaged(self.module, self._checked), **self._exam.marks(self._given(step))}

    def _given(self, step: int) -> Array:
        """Answers after ``step`` updates, once a step; in the precision in which the model will answer."""
        if self._answered is None or self._answered[0] != step:
            self._answered = step, self._drawn(self.config, slice(None))
        return self._answered[1]

    def _drawn(self, config: VideoWorldConfig, rows: slice) -> Array:
        device = next(self.module.parameters()).device
        with torch.autocast(device.type, enabled=False):
            return self._exam.answered(answers_of(config, self._networks, device), rows)

    def picture(self, step: int) -> Array:
        """Prompt, the codes as the latent model draws them, answer, what came."""
        given = self._given(step)
        each = max(1, len(given) // SHOWN)
        some = slice(0, SHOWN * each, each)
        frames, imagined = self._exam.frames[some], []
        if self.config.frames and self.config.codes:
            sampler = replace(self.config.sampler, renderer="latent")
            imagined = [self._drawn(replace(self.config, sampler=sampler), some)]
        titles = "prompt", *("drawn from codes" for _ in imagined), "answer", "what came"
        return sheet([frames[:, -2], *imagined, given[some], frames[:, -1]], titles)


def _seen(latent: LatentConfig) -> int:
    """Frames of a window that a latent model looks at: tokens of those on either side of each step, or all pixels."""
    if latent.form == "pixel":
        return 1 + latent.offsets[-1]
    return len({frame for offset in latent.offsets for frame in (offset - 1, offset)})


def held_out(windows: Any, many: int, size: int) -> list[Batch]:
    """``many`` windows from all over a split, always the same ones, in batches of ``size``."""
    numbers = np.unique(np.linspace(0, len(windows) - 1, min(many, len(windows))).astype(np.int64))
    return [windows.at(numbers[start : start + size]) for start in range(0, len(numbers), size)]


def averaged(module: nn.Module, batches: Sequence[Batch]) -> dict[str, float]:
    """A module's loss and metrics, over the windows of all batches."""
    device, sums, rows = next(module.parameters()).device, dict[str, float](), 0
    for batch in batches:
        own = len(batch["time"])
        loss, metrics = module({key: value.to(device) for key, value in batch.items()})
        for key, value in {"loss": loss, **metrics}.items():
            sums[key] = sums.get(key, 0.0) + own * float(value)
        rows += own
    return {key: value / rows for key, value in sums.items()}
