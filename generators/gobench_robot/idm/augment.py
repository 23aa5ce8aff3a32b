"""Pictures as a video model may imagine them: other light, softer, noisy, a pixel aside. Actions stay what they were."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

GAIN, TINT, SHIFT_OF_LIGHT = (
    0.3,
    0.1,
    0.1,
)  # widths of uniform draws: contrast, contrast of a colour, brightness
SOFT, SHARES = 0.35, (0.5, 0.625, 0.75)  # how often a run is made softer, and by drawing it how much smaller
ASIDE = 0.5  # how often it is a pixel aside
NOISE = 0.04  # standard deviation of pixels' noise at most


def disturbed(runs: Tensor, random: torch.Generator) -> Tensor:
    """Runs f32 [B, L, 3, H, W] in [-0.5, 0.5], each disturbed in its own way, all frames of a run alike but for noise."""
    batch = len(runs)
    gain = 1 + GAIN * _draw(random, batch, 1, 1, 1, 1) + TINT * _draw(random, batch, 1, 3, 1, 1)
    lit = runs * gain + SHIFT_OF_LIGHT * _draw(random, batch, 1, 1, 1, 1)
    moved = torch.stack([_aside(_softer(run, random), random) for run in lit])
    level = NOISE * torch.rand(batch, 1, 1, 1, 1, generator=random)
    return moved + level * torch.randn(moved.shape, generator=random)


def _draw(random: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=random) - 0.5


def _softer(run: Tensor, random: torch.Generator) -> Tensor:
    if float(torch.rand(1, generator=random)) >= SOFT:
        return run
    side = run.shape[-1]
    small = int(side * SHARES[int(torch.randint(len(SHARES), (1,), generator=random))])
    less = interpolate(run, size=(small, small), mode="area")
    return interpolate(less, size=(side, side), mode="bilinear", align_corners=False)


def _aside(run: Tensor, random: torch.Generator) -> Tensor:
    if float(torch.rand(1, generator=random)) >= ASIDE:
        return run
    height, width = run.shape[-2:]
    down, right = torch.randint(3, (2,), generator=random).tolist()
    wider = pad(run, (1, 1, 1, 1), mode="replicate")
    return wider[..., down : down + height, right : right + width]
