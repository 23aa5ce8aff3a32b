"""Numbers as multiples of their own spread: what keeps codes from collapsing onto one level."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

FORGET = 0.05  # share of the newest batch in the running moments; more at the start
REACH = 1.5  # units of a standard deviation, so that two equally frequent values lie on the outer levels


class Standard(nn.Module):
    """Without parameters: nothing is learnt, moments are remembered and saved with the weights.

    Two things that are to be told apart may lie on one level at first. Then the decoder learns nothing of their difference,
    and nothing draws them apart. Here any difference is brought to the scale of the levels.
    """

    mean: Tensor
    square: Tensor
    batches: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("square", torch.ones(dimensions))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        """f32 [n, d] -> [n, d], centred and scaled by running moments, through which no gradient goes.

        While it trains, the moments move towards those of ``z``, over all processes.
        """
        if self.training and torch.is_grad_enabled():
            self._remember(z.detach().float())
        deviation = (self.square - self.mean.square()).clamp(min=1e-8).sqrt()
        return REACH * (z.float() - self.mean) / deviation

    @torch.no_grad()
    def _remember(self, z: Tensor) -> None:
        moments = torch.stack([z.mean(0), z.square().mean(0)])
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(moments)
            moments /= dist.get_world_size()
        self.batches += 1
        share = torch.clamp(1 / self.batches, min=FORGET)
        self.mean.lerp_(moments[0], share)
        self.square.lerp_(moments[1], share)
