"""The three stages as ``fit`` trains them: a network, its batches, its measures and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gobench.loader.resize import resized
from gobench.types import Array, Record
from gobench_videoworld.answers import answers_of, enlarged
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.data.frames import FramePool
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.latent import LatentModel
from gobench_videoworld.networks import Networks
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.pictures import sheet
from gobench_videoworld.train.stage import Batch
from gobench_videoworld.transformer.dynamics import Dynamics
from gobench_videoworld.transformer.flops import training_flops

SHOWN = 4  # rows of a sample picture
CHECKED = 512  # validation windows looked at


class TokenizerStage:
    """Frames -> tokens -> frames."""

    name, best = "tokenizer", ""

    def __init__(self, module: Tokenizer, pool: FramePool, held_out: Array, exam: Exam, batch: int) -> None:
        self.module, self._pool, self._exam, self._batch = module, pool, exam, batch
        self._held_out = held_out  # uint8 [N, H, W, 3] as stored
        self.tokens = batch * module.config.sites
        self.flops = 6.0 * sum(p.numel() for p in module.parameters()) * self.tokens
        self.identity: Record = {"data": pool.identity}

    def batch(self, step: int, rank: int, world: int) -> Batch:
        return self._pool.batch(step, self._batch, rank, world)

    def evaluate(self, step: int) -> Mapping[str, float]:
        """PSNR, codebook use, and where the domain reads frames how many are read back exactly."""
        seen, drawn, tokens = self._round_trip(self._held_out)
        found = {"psnr": _psnr(seen, drawn), "used": float(len(np.unique(tokens)))}
        if self._exam.reads:
            back = self._exam.states(enlarged(drawn, (self._held_out.shape[1], self._held_out.shape[2])))
            found["exact"] = float((back == self._exam.states(self._held_out)).all(axis=1).mean())
        return found

    def picture(self, step: int) -> Array:
        """Frames, and the same from their tokens."""
        some = self._held_out[:: max(1, len(self._held_out) // SHOWN)][:SHOWN]
        seen, drawn, _ = self._round_trip(some)
        return sheet([seen, drawn])

    def _round_trip(self, frames: Array) -> tuple[Array, Array, Array]:
        seen = resized(frames, *self.module.config.size, "area")
        device = next(self.module.parameters()).device
        tokens = self.module.encode(torch.from_numpy(seen).to(device))
        return seen, self.module.decode(tokens).cpu().numpy(), tokens.cpu().numpy()


class LatentStage:
    """Frames -> codes of what changes -> frames."""

    name, best = "latent", ""

    def __init__(
        self, config: VideoWorldConfig, module: LatentModel, windows: Any, held_out: Any, batch: int
    ) -> None:
        self.module, self._windows, self._held_out, self._batch = module, windows, held_out, batch
        self._config = config
        self.tokens = batch * config.sites * (1 + len(config.latent.offsets))
        self.flops = 6.0 * sum(p.numel() for p in module.parameters()) * self.tokens
        self.identity: Record = {"data": windows.provenance}

    def batch(self, step: int, rank: int, world: int) -> Batch:
        return self._windows.batch(step, self._batch, rank, world)

    @cached_property
    def _checked(self) -> Batch:
        numbers = np.linspace(0, len(self._held_out) - 1, min(CHECKED, len(self._held_out))).astype(np.int64)
        return dict(self._held_out.at(np.unique(numbers)))

    def evaluate(self, step: int) -> Mapping[str, float]:
        """The loss on held-out windows, and the module's own measures."""
        device = next(self.module.parameters()).device
        batch = {key: value.to(device) for key, value in self._checked.items()}
        loss, metrics = self.module(batch)
        return {"loss": float(loss), **{key: float(value) for key, value in metrics.items()}}

    def picture(self, step: int) -> Array | None:
        return None


class Lesson(nn.Module):
    """The transformer and, frozen and not part of its weights, the latent model that gives it codes."""

    def __init__(self, dynamics: Dynamics, latent: LatentModel | None) -> None:
        super().__init__()
        self.dynamics = dynamics
        self._teacher = [latent]  # in a list: not a child, so neither trained nor saved here

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """As ``Dynamics``, for windows."""
        found: tuple[Tensor, dict[str, Tensor]] = self.dynamics(
            lesson(self.dynamics.config, self._teacher[0], batch)
        )
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

    name, best = "transformer", ""

    def __init__(
        self, networks: Networks, windows: Windows, held_out: Windows, exam: Exam, batch: int
    ) -> None:
        self._networks, self._windows, self._held_out = networks, windows, held_out
        self._exam, self._batch = exam, batch
        self.config = networks.transformer.config
        self.module = Lesson(networks.transformer, networks.latent)
        self.tokens = batch * networks.transformer.positions
        self.flops = training_flops(networks.transformer, batch)
        self.identity: Record = {"data": windows.provenance, "config": self.config.to_json()}

    def batch(self, step: int, rank: int, world: int) -> Batch:
        return self._windows.batch(step, self._batch, rank, world)

    @cached_property
    def _checked(self) -> Batch:
        many = len(self._held_out)
        return self._held_out.at(np.unique(np.linspace(0, many - 1, min(CHECKED, many)).astype(np.int64)))

    def evaluate(self, step: int) -> Mapping[str, float]:
        """Nats on held-out windows, and how answers to held-out prompts are judged."""
        device = next(self.module.parameters()).device
        loss, metrics = self.module({key: value.to(device) for key, value in self._checked.items()})
        found = {"loss": float(loss), **{key: float(value) for key, value in metrics.items()}}
        given = self._exam.answered(answers_of(self.config, self._networks, device))
        return {**found, **self._exam.marks(given)}

    def picture(self, step: int) -> Array:
        """Prompt, answer, what came."""
        device = next(self.module.parameters()).device
        given = self._exam.answered(answers_of(self.config, self._networks, device))
        some = slice(None, None, max(1, len(given) // SHOWN))
        columns = [self._exam.frames[some, -2], given[some], self._exam.frames[some, -1]]
        return sheet([column[:SHOWN] for column in columns])


def _psnr(seen: Array, drawn: Array) -> float:
    """Peak signal to noise of 8-bit frames, in dB."""
    error = np.square(seen.astype(np.float64) - drawn).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
