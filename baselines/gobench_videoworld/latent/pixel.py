"""The paper's form: from frames to codes, and from a frame and codes to the next frames, without tokens.

The encoder is a pyramid in the style of MAGVIT-v2, causal in time and without temporal down-sampling; its 3x3x3 convolutions
are taken apart into 3x3 of a frame and 3 of time. A learnable query for each offset o attends to the features of frames t to
t+o, and what it gathers goes through finite scalar quantization. The features of x_t are not quantized: the decoder draws
frame t+o from them and the codes up to that of o. The loss is L1 + MSE of pixels.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.fsq import FSQ
from gobench_videoworld.latent.generic import HEADS, OWN, REACH, Reader
from gobench_videoworld.latent.model import Batch, LatentModel, Metrics
from gobench_videoworld.latent.white import White
from gobench_videoworld.tokenizer.local import GREY
from gobench_videoworld.tokenizer.pyramid import STYLES, channels_of, down, factors_of, norm_of, up

STYLE = STYLES["paper"]
TIMES = 3  # frames that a convolution over time sees: the frame itself and those before it
CHUNK = 4  # windows that are encoded or decoded at once


class Past(nn.Module):
    """A causal convolution over time beside the identity, which is all it is at first. Before a clip its first frame stands."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm_of(channels, STYLE.pixelwise)
        self.times = nn.Linear(TIMES * channels, channels)
        nn.init.zeros_(self.times.weight)
        nn.init.zeros_(self.times.bias)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """[B * T, C, h, w] of clips of T frames -> the same shape; in the order of memory in which convolutions are fast."""
        own = functional.silu(self.norm(x)).permute(0, 2, 3, 1).unflatten(0, (-1, frames))
        at = torch.arange(frames, device=x.device)
        seen = torch.cat([own[:, (at - ago).clamp(min=0)] for ago in range(TIMES)], -1)
        made: Tensor = x + self.times(seen.flatten(0, 1)).permute(0, 3, 1, 2)
        return made


class Pyramid(nn.Module):
    """Clips uint8 [B, T, h, w, 3] -> f32 [B, T, S, width]; features of a frame come from it and those before it."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        factors = factors_of(config.tokenizer.patch)
        channels = channels_of(config.latent.width, len(factors), STYLE)
        levels = down(factors, channels, config.latent.blocks, STYLE.pixelwise)
        layers = ([*level, Past(some)] for level, some in zip(levels, channels, strict=True))
        self.layers = nn.ModuleList(chain(*layers))
        self.norm = nn.LayerNorm(config.latent.width, elementwise_affine=False)

    def forward(self, clips: Tensor) -> Tensor:
        x = clips.flatten(0, 1).permute(0, 3, 1, 2).float() / GREY - 1
        for layer in self.layers:
            x = layer(x, clips.shape[1]) if isinstance(layer, Past) else layer(x)
        made: Tensor = self.norm(x.permute(0, 2, 3, 1)).flatten(1, 2).unflatten(0, clips.shape[:2])
        return made


class Queries(nn.Module):
    """Features f32 [B, T, S, width] -> what is quantized, f32 [B, K, d].

    They attend to what is new in each frame: where nothing changes, there are zeros.
    """

    seen: Tensor

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        spec = config.latent
        width, many = spec.width, len(spec.offsets)
        self.site = nn.Parameter(2 * torch.randn(config.tokenizer.sites, width))
        self.inner = nn.Linear(width, width)
        self.queries = nn.Parameter(torch.randn(many, HEADS, width) * width**-0.5)
        self.out = nn.Linear(HEADS * width, len(spec.levels), bias=False)
        times, offsets = torch.arange(spec.offsets[-1] + 1), torch.tensor(spec.offsets)[:, None]
        self.lag = nn.Parameter(OWN * (times == offsets))  # [K, T]
        self.register_buffer("seen", times <= offsets, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        x = torch.relu(self.inner(torch.relu(features + self.site))).float()
        x = torch.cat([x[:, :1] - x[:, :1], x[:, 1:] - x[:, :-1]], 1)
        scores = torch.einsum("khv,bfsv->bkhfs", self.queries, x) + self.lag[:, None, :, None]
        scores = scores.masked_fill(~self.seen[:, None, :, None], -math.inf)
        gathered = torch.einsum("bkhn,bnv->bkhv", scores.flatten(3).softmax(-1), x.flatten(1, 2)).flatten(2)
        made: Tensor = self.out(functional.layer_norm(gathered, gathered.shape[2:]))
        return made


class Codes(NamedTuple):
    """Of B windows."""

    first: Tensor  # f32 [B, S, width], features of x_t
    indices: Tensor  # int64 [B, K]
    quantized: Tensor  # f32 [B, K, d] in [-1, 1], with a gradient
    z: Tensor  # f32 [B, K, d] before


class Pixel(LatentModel):
    """See above. Frames are of the tokenizer's size, and features lie on its grid."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__(config)
        spec = config.latent
        self.encoder, self.queries = Pyramid(config), Queries(config)
        self.white = nn.ModuleList(White(len(spec.levels), REACH) for _ in spec.offsets)
        self.fsq = FSQ(spec.levels)
        self.reader = Reader(config)
        factors = factors_of(config.tokenizer.patch)[::-1]
        channels = channels_of(spec.width, len(factors), STYLE)[::-1]
        self.decoder = up(factors, [*channels, 3], spec.blocks, STYLE.pixelwise)

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """All frames that are there are drawn."""
        frames, there = batch["frames"], batch["there"].float()
        codes = self._codes(frames)
        later = frames[:, list(self.config.latent.offsets)]
        truth = later.float() / GREY - 1
        error = self._drawn(codes.first, codes.quantized).float() - truth
        of_window = there / there.sum(1, keepdim=True)

        def mean(values: Tensor) -> Tensor:
            """Of [B, K, h, w, 3], over the frames of each window, then over windows."""
            return (values.mean((2, 3, 4)) * of_window).sum(1).mean()

        l1, mse = mean(error.abs()), mean(error.square())
        moved = later != frames[:, :1]
        metrics = {
            "l1": l1,
            "mse": mse,
            "moved": mean(error.abs() * moved) / mean(moved.float()).clamp(min=1e-9),
        }
        return l1 + mse, {name: value.detach() for name, value in metrics.items()}

    @torch.no_grad()
    def encode(self, batch: Batch) -> Tensor:
        """The codes of windows, int64 [B, K, 1]."""
        return torch.cat([self._codes(part).indices for part in batch["frames"].split(CHUNK)])[..., None]

    @torch.no_grad()
    def continuous(self, batch: Batch) -> Tensor:
        """What is quantized, before it is: f32 [B, K, d]."""
        return torch.cat([self._codes(part).z for part in batch["frames"].split(CHUNK)])

    @torch.no_grad()
    def decode(self, before: Tensor, codes: Tensor) -> Tensor:
        """The k-th frame from the codes up to the k-th, which may be fewer than the model has; uint8 [B, K, h, w, 3]."""
        found = [self._after(*part) for part in zip(before.split(CHUNK), codes.split(CHUNK), strict=True)]
        return torch.cat(found)

    @torch.no_grad()
    def redraw(self, batch: Batch) -> Tensor:
        """The frames at the offsets as they come back from their codes, uint8 [B, K, h, w, 3]."""
        return self.decode(batch["frames"][:, 0], self.encode(batch))

    def _after(self, before: Tensor, codes: Tensor) -> Tensor:
        drawn = self._drawn(self.encoder(before[:, None])[:, 0], self.fsq.to_codes(codes[..., 0]))
        return ((drawn + 1) * GREY).round().clamp(0, 255).to(torch.uint8)

    def _codes(self, frames: Tensor) -> Codes:
        features = self.encoder(frames)
        z = self.queries(features)
        z = torch.stack([own(z[:, k]) for k, own in enumerate(self.white)], 1)
        quantized, indices = self.fsq(z)
        return Codes(features[:, 0], indices, quantized, z)

    def _drawn(self, first: Tensor, content: Tensor) -> Tensor:
        """f32 [B, S, width] and codes f32 [B, k, d] -> f32 [B, k, h, w, 3], in the units of pixels / GREY - 1."""
        many = content.shape[1]
        full = functional.pad(content, (0, 0, 0, len(self.config.latent.offsets) - many))
        told = [self.reader(full, torch.full_like(first[:, 0, 0], k, dtype=torch.int64)) for k in range(many)]
        x = (first[:, None] + torch.stack(told, 1)).flatten(0, 1)
        sites = x.unflatten(1, self.config.tokenizer.grid).permute(0, 3, 1, 2)
        drawn: Tensor = self.decoder(sites).permute(0, 2, 3, 1).unflatten(0, (-1, many))
        return drawn
