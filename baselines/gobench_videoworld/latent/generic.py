"""Codes without a notion of place: a learnable query for each offset attends to the frames so far.

The encoder is causal in time and keeps every frame apart: features of a frame come from it and the one before it, and the
query of offset o attends to frames t to t+o alone. What it gathers goes through finite scalar quantization. The decoder draws
frame t+o from x_t and the codes up to that of o.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.fsq import FSQ
from gobench_videoworld.latent.model import Batch, LatentModel, Metrics
from gobench_videoworld.latent.redraw import Redraw
from gobench_videoworld.latent.white import White

HEADS = 4
REACH = 1.1  # of codes: levels are used about equally
SLOW = 0.1  # speed of the encoder, of the decoder's
OWN = 4.0  # by which a query prefers the frame of its own offset, at first
WAVES = (1, 2, 4)  # half-waves of a code's range, so that neighbouring levels can mean different things
INNER = 4  # hidden units of the code reader, in widths


def slow(*shape: int, std: float = 1.0) -> nn.Parameter:
    """Normal weights, to be multiplied by ``SLOW``: AdamW's steps have one size, so these move so much slower.

    Otherwise the encoder forgets how to tell changes apart before the decoder has learnt to read it.
    """
    return nn.Parameter(torch.randn(shape) * (std / SLOW))


class Codes(NamedTuple):
    indices: Tensor  # int64 [B, K]
    quantized: Tensor  # f32 [B, K, d] in [-1, 1], with a gradient
    z: Tensor  # f32 [B, K, d] before


class Watcher(nn.Module):
    """Frames of windows -> what is quantized, f32 [B, K, d].

    Its random features tell most changes apart from the start; see ``slow``.
    """

    seen: Tensor

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        spec, vocabulary = config.latent, config.tokenizer.vocabulary
        width, self.offsets = spec.width, spec.offsets
        self.times = sorted({0} | {o - 1 for o in spec.offsets} | set(spec.offsets))
        self.past, self.now = slow(vocabulary, width), slow(vocabulary, width)
        self.site = slow(config.tokenizer.sites, width, std=2.0)
        self.inner = slow(width, width, std=(2 / width) ** 0.5)
        self.queries = slow(len(spec.offsets), HEADS, width, std=width**-0.5)
        self.out = slow(HEADS * width, len(spec.levels), std=(HEADS * width) ** -0.5)
        times, offsets = torch.tensor(self.times), torch.tensor(spec.offsets)[:, None]
        self.lag = nn.Parameter(OWN / SLOW * (times == offsets))  # [K, frames]
        self.register_buffer("seen", times <= offsets, persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        """Attention over all sites of the frames so far, to what changes there: where nothing does, features are zero."""
        frames = self._frames(batch)
        past = torch.cat([frames[:, :1], frames[:, :-1]], 1)
        x = self._features(past, frames) - self._features(frames, frames)
        scores = SLOW * (torch.einsum("khv,bfsv->bkhfs", self.queries, x) + self.lag[:, None, :, None])
        scores = scores.masked_fill(~self.seen[:, None, :, None], -math.inf)
        gathered = torch.einsum("bkhn,bnv->bkhv", scores.flatten(3).softmax(-1), x.flatten(1, 2)).flatten(2)
        made: Tensor = SLOW * functional.layer_norm(gathered, gathered.shape[2:]) @ self.out
        return made

    def _features(self, past: Tensor, now: Tensor) -> Tensor:
        """int64 [B, F, S] both -> f32 [B, F, S, width]."""
        x = functional.embedding(past, self.past) + functional.embedding(now, self.now) + self.site
        return torch.relu(SLOW * torch.relu(SLOW * x) @ self.inner)

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
        self.inner = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, spec.width, bias=False)
        self.everywhere = nn.Linear(hidden, spec.width)

    def forward(self, content: Tensor, last: Tensor) -> Tensor:
        """Quantized codes f32 [n, K, d] of which those up to ``last`` int64 [n] are read."""
        waves = [part(math.pi * w * content) for w in WAVES for part in (torch.sin, torch.cos)]
        features = torch.cat([content, *waves], -1)
        told = torch.stack([own(features[:, k]) for k, own in enumerate(self.codes)], 1)
        read = torch.arange(told.shape[1], device=told.device) <= last[:, None]
        x = self.inner(torch.relu((told * read[..., None]).sum(1)))
        made: Tensor = self.out(x[:, None] * self.site.weight) + self.everywhere(x)[:, None]
        return made


class Generic(LatentModel):
    """See above."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__(config)
        dimensions = len(config.latent.levels)
        self.watcher, self.reader, self.redrawn = Watcher(config), Reader(config), Redraw(config)
        self.white = nn.ModuleList(White(dimensions, REACH) for _ in config.latent.offsets)
        self.fsq = FSQ(config.latent.levels)

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """Of each window one frame is drawn: at every other time that of the first offset, else the others in turn."""
        there, time = batch["there"], batch["time"]
        turn = torch.where(time % 2 == 0, 0, time // 2 % there.shape[1])
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
