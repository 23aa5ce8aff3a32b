"""How clips are continued: frames -> tokens -> codes and the next tokens -> frames, or states -> action -> frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gobench import registry
from gobench.loader.resize import resized
from gobench.seeds import stream
from gobench.types import Array, Json
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.networks import Networks, filled
from gobench_videoworld.transformer.dynamics import Drawn

Seeds = npt.NDArray[np.uint64]
Intervene = Callable[[Seeds, int], Tensor]
"""Seeds uint64 [B] and how many frames were added before -> digits of codes to take, int64 [B, C]; -1 draws as usual."""


class Answers(Protocol):
    """Continues clips."""

    @property
    def networks(self) -> Networks:
        """What it asks."""
        ...

    def continued(self, frames: Array, n: int, seeds: Seeds) -> Array:
        """uint8 [B, h, H, W, 3], exactly the config's history and frame size -> uint8 [B, n, H, W, 3]."""
        ...


class Draws:
    """Uniform numbers in [0, 1), a stream of its own for each row: an answer does not depend on its neighbours."""

    def __init__(self, seeds: Seeds, device: torch.device) -> None:
        self._rows = [stream(int(seed), "videoworld") for seed in seeds]
        self._device = device

    def __call__(self, count: int) -> Tensor:
        """The next ``count`` of each row, float64 [B, count]."""
        return torch.from_numpy(np.stack([row.random(count) for row in self._rows])).to(self._device)


@dataclass(frozen=True, slots=True)
class VideoAnswers:
    """Sees and says frames. What is generated goes on as tokens, without a way through pixels."""

    config: VideoWorldConfig
    networks: Networks
    device: torch.device
    intervene: Intervene | None = None  # for analyses

    def continued(self, frames: Array, n: int, seeds: Seeds) -> Array:
        """See ``Answers``."""
        draws = Draws(seeds, self.device)
        history = self.tokens(frames)
        shown: list[Tensor] = []
        with torch.inference_mode():
            for added in range(n):
                force = self.intervene(seeds, added).to(self.device) if self.intervene else None
                picture, tokens = self._next(history, draws, force)
                history = torch.cat([history[:, 1:], tokens[:, None]], 1)
                shown.append(picture)
        if not shown:
            return np.empty((len(frames), 0, *frames.shape[2:]), np.uint8)
        working = torch.stack(shown, 1).cpu().numpy()
        return enlarged(working, self.config.frame_size)

    def tokens(self, frames: Array) -> Tensor:
        """Frames uint8 [B, T, H, W, 3] -> int64 [B, T, S]."""
        tokenizer = self.networks.tokenizer
        assert tokenizer is not None
        flat = resized(frames.reshape(-1, *frames.shape[2:]), *self.config.tokenizer.size, "area")
        with torch.inference_mode():
            found = tokenizer.encode(torch.from_numpy(np.require(flat, requirements="W")).to(self.device))
        return found.view(*frames.shape[:2], self.config.sites)

    def drawn(self, history: Tensor, draws: Draws, force: Tensor | None = None) -> Drawn:
        """Codes, and tokens of the next frame where the transformer draws it, after int64 [B, h, S]."""
        config = self.config
        uniforms = draws(config.codes * len(config.digits) + config.sites)
        return self.networks.transformer.sample(
            history, uniforms, config.sampler, self.networks.imagine, force
        )

    def _next(self, history: Tensor, draws: Draws, force: Tensor | None) -> tuple[Tensor, Tensor]:
        """(uint8 [B, h, w, 3] at working size, int64 [B, S]): the next frame and its tokens."""
        tokenizer = self.networks.tokenizer
        assert tokenizer is not None
        drawn = self.drawn(history, draws, force)
        if drawn.tokens is None:
            return self.imagined(history[:, -1], drawn.codes)
        return tokenizer.decode(drawn.tokens), drawn.tokens

    def imagined(self, before: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """The next frame as the latent model's own decoder draws it."""
        tokenizer, latent = self.networks.tokenizer, self.networks.latent
        assert tokenizer is not None and latent is not None
        if self.config.latent.form == "pixel":
            picture = latent.decode(tokenizer.decode(before), codes)[:, 0]
            return picture, tokenizer.encode(picture)
        tokens = latent.decode(before, codes)[:, 0]
        return tokenizer.decode(tokens), tokens


@dataclass(frozen=True, slots=True)
class StateAnswers:
    """Reads states with the domain's reader, chooses an action, and lets the domain draw what follows."""

    config: VideoWorldConfig
    networks: Networks
    device: torch.device

    def continued(self, frames: Array, n: int, seeds: Seeds) -> Array:
        """See ``Answers``."""
        world: Any = registry.domain(self.config.domain)
        options: Mapping[str, Json] = self.config.options
        draws = Draws(seeds, self.device)
        history = self.states(frames)
        last = frames[:, -1]
        shown = [np.empty((0, *last.shape), np.uint8)]
        for _ in range(n):
            last = world.act(options, last, self._actions(history, draws))
            history = np.concatenate([history[:, 1:], self.states(last[:, None])], axis=1)
            shown.append(last[None])
        return np.ascontiguousarray(np.concatenate(shown).swapaxes(0, 1))

    def states(self, frames: Array) -> Array:
        """What the domain's reader sees in frames uint8 [B, T, H, W, 3]: uint8 [B, T, cells]."""
        world: Any = registry.domain(self.config.domain)
        found: Array = world.states(self.config.options, frames.reshape(-1, *frames.shape[2:]))
        return found.reshape(*frames.shape[:2], -1)

    def _actions(self, history: Array, draws: Draws) -> npt.NDArray[np.int64]:
        """What comes next, int64 [B, 2]: a cell, or the number of cells for nothing, and its symbol."""
        config = self.config
        uniforms = draws(config.codes * len(config.digits) + config.sites)
        with torch.inference_mode():
            seen = torch.from_numpy(history.astype(np.int64)).to(self.device)
            drawn = self.networks.transformer.sample(seen, uniforms, config.sampler)
        actions: npt.NDArray[np.int64] = drawn.codes[:, 0].cpu().numpy()
        return actions


def answers(config: VideoWorldConfig, tensors: Mapping[str, Tensor], device: str, dtype: str) -> Answers:
    """What answers for a config and the tensors of a file; raises DataError as ``networks.filled``."""
    return answers_of(config, filled(config, tensors, device, dtype), torch.device(device))


def answers_of(config: VideoWorldConfig, made: Networks, device: torch.device) -> Answers:
    """What answers with networks as they are, also while they are trained."""
    kind = StateAnswers if config.input == "state" else VideoAnswers
    return kind(config, made, device)


def enlarged(frames: Array, size: tuple[int, int]) -> Array:
    """Frames uint8 [..., h, w, 3] at ``size`` (height, width), bicubically: what the benchmark's reader is measured on."""
    from PIL import Image

    if frames.shape[-3:-1] == size:
        return frames
    flat = frames.reshape(-1, *frames.shape[-3:])
    out = np.empty((len(flat), *size, 3), np.uint8)
    for i, frame in enumerate(flat):
        out[i] = np.asarray(Image.fromarray(frame).resize(size[::-1], Image.Resampling.BICUBIC))
    return out.reshape(*frames.shape[:-3], *size, 3)
