"""The frame tokenizer: encoder, finite scalar quantization, decoder.

The loss is L1 + MSE of pixels, and a margin: what is quantized is drawn to the middle of its level, so that noise of a codec
does not turn one token into another. Measured on boards, the margin decides whether equal patches have equal tokens. It comes
late in training, since it also keeps apart what has one token from getting two. Where no two patches are equal, as in filmed
scenes, it only leaves codes unused: measured on the playtable, 112 of 512 and 29.8 dB with it, 441 and 32.6 dB without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from gobench_videoworld.config import PATCHWISE, TokenizerConfig
from gobench_videoworld.fsq import FSQ
from gobench_videoworld.tokenizer.local import GREY, Local
from gobench_videoworld.tokenizer.pyramid import Pyramid

MARGIN: Mapping[str, float] = {"local": 0.3, "scene": 0.0, "conv": 0.3, "paper": 0.0}
"""Encoder -> the weight of the margin, once it has come."""
MARGIN_COMES = (0.25, 0.75)  # from the first to the second share of training, linearly
CHUNK: Mapping[str, int] = {"local": 32, "scene": 32, "conv": 8, "paper": 4}
"""Encoder -> frames that are encoded or decoded at once."""


class Body(Protocol):
    """What encoders and decoders have in common; ``pixels`` are in an order of their own."""

    def split(self, frames: Tensor) -> Tensor:
        """uint8 [N, h, w, 3] -> uint8 pixels."""
        ...

    def join(self, patches: Tensor) -> Tensor:
        """uint8 pixels -> uint8 [N, h, w, 3]."""
        ...

    def features(self, pixels: Tensor) -> Tensor:
        """uint8 pixels -> f32 [N, S, width]."""
        ...

    def drawn(self, features: Tensor) -> Tensor:
        """f32 [N, S, width] -> f32 pixels / GREY - 1."""
        ...


class Tokenizer(nn.Module):
    """Frames uint8 [N, h, w, 3] of ``config.size`` <-> tokens int64 [N, S], sites row by row."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.body: Body = Local(config) if config.encoder in PATCHWISE else Pyramid(config)
        self.norm = nn.LayerNorm(config.width, elementwise_affine=False)  # without it levels are left unused
        self.into = nn.Linear(config.width, len(config.levels))
        self.fsq = FSQ(config.levels)
        self.out = nn.Linear(len(config.levels), config.width)

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, and what it is made of.

        Args:
            batch: "frames" uint8 [N, h, w, 3]; "progress" f32 [N], one number in [0, 1]: the share of training that is done
                (without it, the margin counts in full).

        Returns:
            0-d f32; and 0-d tensors without gradient: "l1" and "mse" of pixels in [-1, 1], "margin" in levels squared,
            "psnr" in dB, "used", the share of the codebook.
        """
        pixels = self.body.split(batch["frames"])
        z = self.continuous(self.body.features(pixels))
        codes, tokens = self.fsq(z)
        error = self.body.drawn(self.out(codes)) - (pixels.float() / GREY - 1)
        l1, mse, margin = error.abs().mean(), error.square().mean(), self.fsq.residue(z).square().mean()
        loss = l1 + mse + self._margin(batch) * margin
        used = torch.zeros(self.fsq.codes, device=z.device).index_fill(0, tokens.flatten(), 1.0).mean()
        metrics = {"l1": l1, "mse": mse, "margin": margin, "psnr": 10 * torch.log10(4 / mse), "used": used}
        return loss, {name: value.detach() for name, value in metrics.items()}

    def _margin(self, batch: Mapping[str, Tensor]) -> Tensor | float:
        """The weight of the margin."""
        if "progress" not in batch:
            return MARGIN[self.config.encoder]
        first, last = MARGIN_COMES
        return MARGIN[self.config.encoder] * ((batch["progress"].mean() - first) / (last - first)).clamp(0, 1)

    def continuous(self, features: Tensor) -> Tensor:
        """f32 [..., width] -> what is quantized, f32 [..., d]."""
        made: Tensor = self.into(self.norm(features))
        return made

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """uint8 [N, h, w, 3] -> int64 [N, S]. The same whether frames come together or one by one, up to rounding."""
        return torch.cat([self._tokens(part) for part in self._parts(frames)])

    @torch.no_grad()
    def decode(self, tokens: Tensor) -> Tensor:
        """int64 [N, S] -> uint8 [N, h, w, 3]."""
        return torch.cat([self._frames(part) for part in self._parts(tokens)])

    def _parts(self, whole: Tensor) -> list[Tensor]:
        """At least one, which may be empty."""
        many = CHUNK[self.config.encoder]
        return [whole[at : at + many] for at in range(0, max(1, len(whole)), many)]

    def _tokens(self, frames: Tensor) -> Tensor:
        pixels = self.body.split(frames)
        if not isinstance(self.body, Local):
            return self._indices(self.body.features(pixels))
        features, rows = self.body.changed(pixels)
        return self._indices(features)[rows]

    def _indices(self, features: Tensor) -> Tensor:
        indices: Tensor = self.fsq(self.continuous(features))[1]
        return indices

    def _frames(self, tokens: Tensor) -> Tensor:
        drawn = self.body.drawn(self.out(self.fsq.to_codes(tokens)))
        return self.body.join(((drawn + 1) * GREY).round().clamp(0, 255).to(torch.uint8))
