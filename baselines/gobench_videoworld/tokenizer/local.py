"""An encoder and a decoder that see one patch each, and where it is: linear maps of patches, and residual blocks.

What is the same at a place in nearly all frames (a board's lines) is learnt there as a background. The encoder subtracts it,
the decoder draws over it: so tokens need only tell what lies on the background, and a thing may have one token everywhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import TokenizerConfig

SWIFT = 10.0  # how much faster a background is learnt than weights
GREY = 127.5  # pixels are worked on as value / GREY - 1


def over(drawn: Tensor, cover: Tensor, ground: Tensor) -> Tensor:
    """Colours drawn over a background: ``cover`` are logits of how much of it they hide."""
    return torch.lerp(ground.expand_as(drawn), drawn, torch.sigmoid(cover))


class Block(nn.Module):
    """x + two linear maps of the normalised x: a residual block of 1x1 convolutions, channels last."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] -> the same shape."""
        inner: Tensor = self.down(functional.gelu(self.up(self.norm(x))))
        return x + inner


class Local(nn.Module):
    """Works on patches: [N, S, P] with P = patch * patch * 3."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.grid, self.patch = config.grid, config.patch
        size = config.patch * config.patch * 3
        self.background = nn.Parameter(torch.zeros(config.sites, size))  # times SWIFT
        self.stem = nn.Linear(size, config.width)
        self.encoder = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        self.decoder = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        self.places = nn.Parameter(0.3 * torch.randn(config.sites, config.width))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, size)
        self.cover = nn.Linear(config.width, config.patch * config.patch)

    def split(self, frames: Tensor) -> Tensor:
        """uint8 [N, h, w, 3] -> the same pixels as patches uint8 [N, S, P]."""
        (rows, cols), p = self.grid, self.patch
        cut = frames.view(len(frames), rows, p, cols, p, 3).transpose(2, 3)
        return cut.reshape(len(frames), rows * cols, p * p * 3)

    def join(self, patches: Tensor) -> Tensor:
        """The inverse of ``split``."""
        (rows, cols), p = self.grid, self.patch
        cut = patches.view(len(patches), rows, cols, p, p, 3).transpose(2, 3)
        return cut.reshape(len(patches), rows * p, cols * p, 3)

    def features(self, pixels: Tensor) -> Tensor:
        """Patches as ``split`` gives them [N, S, P] -> f32 [N, S, width]."""
        return self._features(pixels, self._offsets())

    def drawn(self, features: Tensor) -> Tensor:
        """f32 [N, S, width] -> patches f32 [N, S, P], in the units of pixels / GREY - 1."""
        x = self.norm(self.decoder(features + self.places))
        drawn = self.head(x).unflatten(-1, (-1, 3))
        ground = (self.background * SWIFT).view(len(self.background), -1, 3)
        return over(drawn, self.cover(x)[..., None], ground).flatten(-2)

    def changed(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Features of those patches alone that differ from the frame before.

        Args:
            pixels: uint8 [N, S, P], frames that follow each other, as most do that are asked for together.

        Returns:
            f32 [M, width], and int64 [N, S]: which of the M rows each patch has.
        """
        words = (
            pixels.view(torch.int64) if pixels.shape[-1] % 8 == 0 else pixels
        )  # eight bytes compared at once
        new = torch.ones(pixels.shape[:2], dtype=torch.bool, device=pixels.device)
        new[1:] = (words[1:] != words[:-1]).any(-1)
        rows = (new.flatten().cumsum(0) - 1).view_as(new)
        rows = torch.where(new, rows, -1).cummax(0).values
        sites = new.nonzero()[:, 1]
        return self._features(pixels[new], self._offsets()[sites]), rows

    def _offsets(self) -> Tensor:
        """What the stem adds at each site, f32 [S, width], so that it takes bytes and subtracts the background."""
        background = self.background.detach() * SWIFT + 1
        return self.stem.bias - background @ self.stem.weight.T

    def _features(self, pixels: Tensor, offsets: Tensor) -> Tensor:
        made: Tensor = self.encoder(functional.linear(pixels.float(), self.stem.weight / GREY) + offsets)
        return made
