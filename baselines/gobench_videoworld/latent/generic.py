"""Codes without a notion of place: a learnable query for each offset attends to the frames so far.

The encoder is causal in time and keeps every frame apart: features of a frame come from it and the one before it, and the
query of offset o attends to frames t to t+o alone. What it gathers goes through finite scalar quantization. The decoder draws
frame t+o from x_t and the codes up to that of o.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.fsq import FSQ
from gobench_videoworld.latent.model import Batch, LatentModel, Metrics
from gobench_videoworld.latent.redraw import Redraw
from gobench_videoworld.latent.white import White

HEADS = 4
WAVES = (1, 2, 4)  # half-waves of a code's range, so that neighbouring levels can mean different things
INNER = 4  # hidden units of the code reader, in widths


class Codes(NamedTuple):
    indices: Tensor  # int64 [B, K]
    quantized: Tensor  # f32 [B, K, d] in [-1, 1], with a gradient
    z: Tensor  # f32 [B, K, d] before


class Watcher(nn.Module):
    """Frames of windows -> what is quantized, f32 [B, K, d]."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        spec, vocabulary = config.latent, config.tokenizer.vocabulary
        width, self.offsets = spec.width, spec.offsets
        self.times = sorted({0} | {o - 1 for o in spec.offsets} | set(spec.offsets))
        seen = torch.tensor(self.times) <= torch.tensor(spec.offsets)[:, None]
        self.register_buffer("seen", seen, persistent=False)  # bool [K, frames]
        self.before, self.now = (nn.Embedding(vocabulary, width) for _ in range(2))
        self.site = nn.Embedding(config.tokenizer.sites, width)
        self.inner = nn.Linear(width, width)
        self.queries = nn.Parameter(torch.randn(len(spec.offsets), HEADS, width))
        self.keys = nn.Linear(width, HEADS * width)
        self.lag = nn.Parameter(torch.zeros(len(spec.offsets), len(self.times)))
        self.out = nn.Linear(HEADS * width, len(spec.levels), bias=False)

    def forward(self, batch: Batch) -> Tensor:
        frames = self._frames(batch)
        past = torch.cat([frames[:, :1], frames[:, :-1]], 1)
        x = self._features(past, frames) - self._features(frames, frames)
        made: Tensor = self.out(self._gathered(x))
        return made

    def _features(self, past: Tensor, now: Tensor) -> Tensor:
        """int64 [B, F, S] both -> f32 [B, F, S, width]."""
        made: Tensor = self.inner(torch.relu(self.before(past) + self.now(now) + self.site.weight))
        return made

    def _gathered(self, x: Tensor) -> Tensor:
        queries = self.queries * x.shape[-1] ** -0.5
        mapped = torch.einsum("khw,hwv->khv", queries, self.keys.weight.unflatten(0, (HEADS, -1)))
        scores = torch.einsum("khv,bfsv->bkhfs", mapped, x) + cast(Tensor, self.lag)[:, None, :, None]
        scores = scores.masked_fill(~cast(Tensor, self.seen)[:, None, :, None], -math.inf)
        weights = scores.flatten(3).softmax(-1)
        gathered = torch.einsum("bkhn,bnv->bkhv", weights, x.flatten(1, 2))
        return functional.layer_norm(gathered.flatten(2), (gathered.shape[2] * gathered.shape[3],))

    def _frames(self, batch: Batch) -> Tensor:
        """The frames that windows hold, each once, int64 [B, F, S]."""
        found = {0: batch["history"][:, -1]}
        for k, offset in enumerate(self.offsets):
            found[offset - 1] = batch["before"][:, k]
            found[offset] = batch["after"][:, k]
        return torch.stack([found[time] for time in self.times], 1)


class Reader(nn.Module):
    """Codes -> what is said of each site, f32 [n, S, width]."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        spec = config.latent
        hidden = INNER * spec.width
        features = len(spec.levels) * (1 + 2 * len(WAVES))
        self.codes = nn.ModuleList(nn.Linear(features, hidden) for _ in spec.offsets)
        self.site = nn.Embedding(config.tokenizer.sites, hidden)
        self.out = nn.Linear(hidden, spec.width)

    def forward(self, content: Tensor, last: Tensor) -> Tensor:
        """Quantized codes f32 [n, K, d] of which those up to ``last`` int64 [n] are read."""
        waves = [part(math.pi * w * content) for w in WAVES for part in (torch.sin, torch.cos)]
        features = torch.cat([content, *waves], -1)
        told = torch.stack([own(features[:, k]) for k, own in enumerate(self.codes)], 1)
        read = torch.arange(told.shape[1], device=told.device) <= last[:, None]
        x = (told * read[..., None]).sum(1)[:, None] + self.site.weight
        made: Tensor = self.out(torch.relu(x))
        return made


class Generic(LatentModel):
    """See above."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__(config)
        dimensions = len(config.latent.levels)
        self.watcher, self.reader, self.redrawn = Watcher(config), Reader(config), Redraw(config)
        self.white = nn.ModuleList(White(dimensions) for _ in config.latent.offsets)
        self.fsq = FSQ(config.latent.levels)

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """Of each window the frame of one offset is drawn; offsets take turns by time."""
        there = batch["there"]
        turn = batch["time"] % there.shape[1]
        rows = torch.arange(len(turn), device=turn.device)
        last = torch.where(there[rows, turn], turn, 0)
        told = self.reader(self._codes(batch).quantized, last)
        losses = self.redrawn.losses(batch["history"][:, -1], told, batch["after"][rows, last])
        change, token = losses.change.mean(), losses.token.mean()
        metrics = {"change": change.detach(), "token": token.detach(), "exact": losses.exact.float().mean()}
        return change + token, metrics

    @torch.no_grad()
    def encode(self, batch: Batch) -> Tensor:
        return self._codes(batch).indices[..., None]

    @torch.no_grad()
    def continuous(self, batch: Batch) -> Tensor:
        return self._codes(batch).z

    @torch.no_grad()
    def decode(self, before: Tensor, codes: Tensor) -> Tensor:
        """The k-th frame from the codes up to the k-th, which may be fewer than the model has."""
        content = self.fsq.to_codes(codes[..., 0])
        many = codes.shape[1]
        full = functional.pad(content, (0, 0, 0, len(self.config.latent.offsets) - many))
        last = [torch.full((len(before),), k, device=before.device) for k in range(many)]
        return torch.stack([self.redrawn.drawn(before, self.reader(full, own)) for own in last], 1)

    def _codes(self, batch: Batch) -> Codes:
        z = self.watcher(batch)
        z = torch.stack([own(z[:, k]) for k, own in enumerate(self.white)], 1)
        quantized, indices = self.fsq(z)
        return Codes(indices, quantized, z)
