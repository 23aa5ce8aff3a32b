"""Numbers without common mean, scale and correlation: what keeps codes from collapsing onto a few levels."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

FORGET = 0.05  # share of the newest batch in the running moments; more at the start
LEAST = 1e-6  # variance
ROUNDING = 4e-6  # share of the moments that float32 may get wrong: without it, numbers far from 0 have no root


class White(nn.Module):
    """Without parameters: nothing is learnt, moments are remembered and saved with the weights.

    Two things that are to be told apart may lie on one level at first. Then the decoder learns nothing of their difference,
    and nothing draws them apart. Here any difference is brought to the scale of the levels, and each dimension is left with
    what those before it do not say.
    """

    mean: Tensor
    moments: Tensor
    batches: Tensor

    def __init__(self, dimensions: int, reach: float) -> None:
        """``reach`` is the standard deviation of what comes out, in the units that ``FSQ`` bounds."""
        super().__init__()
        self.reach = reach
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("moments", torch.eye(dimensions))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        """f32 [n, d] -> [n, d], whitened by running moments, through which no gradient goes.

        While it trains, the moments move towards those of ``z`` over all processes; rows of zeros say nothing.
        """
        z = z.float()
        if self.training and torch.is_grad_enabled():
            self._remember(z.detach())
        covariance = self.moments - torch.outer(self.mean, self.mean)
        lower = torch.linalg.cholesky(covariance + torch.diag(LEAST + ROUNDING * self.moments.diagonal()))
        whitened: Tensor = torch.linalg.solve_triangular(lower, (z - self.mean).T, upper=False).T
        return self.reach * whitened

    @torch.no_grad()
    def _remember(self, z: Tensor) -> None:
        told = z.any(1).sum().float()
        found = torch.cat([z.sum(0)[None], z.T @ z, told.expand(1, z.shape[1])])
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(found)
        found = found[:-1] / found[-1].clamp(min=1)
        self.batches += 1
        share = torch.clamp(1 / self.batches, min=FORGET)
        self.mean.lerp_(found[0], share)
        self.moments.lerp_(found[1:], share)
