"""Encoders and decoders of strided convolutions with residual blocks: ``conv`` and ``paper``.

``paper`` is in the style of MAGVIT-v2 (Yu et al. 2024, arXiv 2310.05737, section 3.2): group norms, SiLU, halvings by strided
convolutions, doublings by depth-to-space. Its convolutions are causal in time; of one frame alone, whose past is empty, a
causal convolution is the convolution of that frame, which is what is here.

``conv`` differs by norms of each pixel's channels alone, so that a change far away changes no token, and by a background (see
``local``) for cameras that stand still.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench.errors import UsageError
from gobench_videoworld.config import TokenizerConfig
from gobench_videoworld.tokenizer.local import GREY, SWIFT, over

GROUPS = 8  # of a group norm
PRIMES = (7, 5, 3, 2)  # by which a level may be finer than the next


@dataclass(frozen=True, slots=True)
class Style:
    """What tells pyramids apart."""

    halvings: int  # how often a finer level may have half the channels of the next coarser one
    least: int  # channels
    pixelwise: bool  # norms of a pixel's channels; otherwise group norms, of the whole frame
    background: bool


STYLES: Mapping[str, Style] = {
    "conv": Style(halvings=2, least=16, pixelwise=True, background=True),
    "paper": Style(halvings=4, least=8, pixelwise=False, background=False),
}
"""Encoder -> its style."""


class PixelNorm(nn.LayerNorm):
    """Layer norm of each pixel's channels, [N, C, h, w]."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, h, w] -> the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int, pixelwise: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = (norm_of(channels, pixelwise) for _ in range(2))
        self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, h, w] -> the same shape."""
        inner = self.conv1(functional.silu(self.norm1(x)))
        outer: Tensor = self.conv2(functional.silu(self.norm2(inner)))
        return x + outer


class Pyramid(nn.Module):
    """Works on pixels [N, 3, h, w]."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        style = STYLES[config.encoder]
        factors = factors_of(config.patch)
        channels = channels_of(config.width, len(factors), style)
        self.grid = config.grid
        self.background = nn.Parameter(torch.zeros(3, *config.size)) if style.background else None
        self.encoder = nn.Sequential(*chain(*down(factors, channels, config.blocks, style.pixelwise)))
        colours = 4 if style.background else 3  # the fourth tells how much of the background is hidden
        self.decoder = up(factors[::-1], [*channels[::-1], colours], config.blocks, style.pixelwise)

    def split(self, frames: Tensor) -> Tensor:
        """uint8 [N, h, w, 3] -> uint8 [N, 3, h, w], channels last in memory."""
        return frames.permute(0, 3, 1, 2)

    def join(self, patches: Tensor) -> Tensor:
        """The inverse of ``split``."""
        return patches.permute(0, 2, 3, 1).contiguous()

    def features(self, pixels: Tensor) -> Tensor:
        """uint8 [N, 3, h, w] -> f32 [N, S, width]."""
        x = pixels.float() / GREY - 1
        if self.background is not None:
            x = x - self.background.detach() * SWIFT
        made: Tensor = self.encoder(x)
        return made.permute(0, 2, 3, 1).flatten(1, 2)

    def drawn(self, features: Tensor) -> Tensor:
        """f32 [N, S, width] -> f32 [N, 3, h, w], in the units of pixels / GREY - 1."""
        sites = features.view(len(features), *self.grid, -1)
        drawn: Tensor = self.decoder(sites.permute(0, 3, 1, 2))
        if self.background is None:
            return drawn
        return over(drawn[:, :3], drawn[:, 3:], self.background * SWIFT)


def down(factors: list[int], channels: list[int], blocks: int, pixelwise: bool) -> Iterator[list[nn.Module]]:
    """Pixels to sites: the layers of each level, by a factor and then residual blocks, the finest first."""
    for factor, before, after in zip(factors, [3, *channels], channels, strict=False):
        by = nn.Conv2d(before, after, factor + 2, stride=factor, padding=1)
        yield [by, *(Block(after, pixelwise) for _ in range(blocks))]


def up(factors: list[int], channels: list[int], blocks: int, pixelwise: bool) -> nn.Sequential:
    """Sites to pixels: residual blocks, then by a factor, the coarsest first."""
    layers: list[nn.Module] = []
    for factor, before, after in zip(factors, channels, channels[1:], strict=False):
        layers += [Block(before, pixelwise) for _ in range(blocks)]
        layers += [norm_of(before, pixelwise), nn.SiLU()]
        layers += [nn.Conv2d(before, after * factor * factor, 3, padding=1), nn.PixelShuffle(factor)]
    return nn.Sequential(*layers)


def factors_of(patch: int) -> list[int]:
    """The prime factors of a patch's side, the largest first: 12 -> [3, 2, 2]."""
    found, rest = [], patch
    for p in PRIMES:
        while rest % p == 0:
            found.append(p)
            rest //= p
    if rest > 1:
        raise UsageError(
            f"patch {patch} has a prime factor beyond {PRIMES[0]}: convolutions need a patch of factors up to that, such as "
            "8, 12 or 16."
        )
    return found


def channels_of(width: int, levels: int, style: Style) -> list[int]:
    """Channels of each level, the finest first; the last is ``width``."""
    halved = [width >> min(levels - 1 - level, style.halvings) for level in range(levels)]
    return [*(max(style.least, some // GROUPS * GROUPS) for some in halved[:-1]), width]


def norm_of(channels: int, pixelwise: bool) -> nn.Module:
    """A style's norm of [N, C, h, w]."""
    return (
        PixelNorm(channels) if pixelwise else nn.GroupNorm(GROUPS if channels % GROUPS == 0 else 1, channels)
    )
