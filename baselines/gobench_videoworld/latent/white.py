"""Numbers without common mean, scale and correlation: what keeps codes from collapsing onto a few levels."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

FORGET = 0.05  # share of the newest batch in the running moments; more at the start
LEAST = 1e-6  # variance


class White(nn.Module):
    """Without parameters: nothing is learnt, moments are remembered and saved with the weights.

    Two things that are to be told apart may lie on one level at first. Then the decoder learns nothing of their difference,
    and nothing draws them apart. Here any difference is brought to the scale of the levels, and each dimension is left with
    what those before it do not say.
    """

    mean: Tensor
    covariance: Tensor
    batches: Tensor

    def __init__(self, dimensions: int, reach: float) -> None:
        """``reach`` is the standard deviation of what comes out, in the units that ``FSQ`` bounds."""
        super().__init__()
        self.reach = reach
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("covariance", torch.eye(dimensions))  # about the running mean
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        """f32 [n, d] -> [n, d], whitened by running moments, through which no gradient goes.

        While it trains, the moments move towards those of ``z`` over all processes; rows of zeros say nothing.
        """
        z = z.float()
        if self.training and torch.is_grad_enabled():
            self._remember(z.detach())
        lower = torch.linalg.cholesky(self.covariance + LEAST * torch.eye(z.shape[1], device=z.device))
        whitened: Tensor = torch.linalg.solve_triangular(lower, (z - self.mean).T, upper=False).T
        return self.reach * whitened

    @torch.no_grad()
    def _remember(self, z: Tensor) -> None:
        told = z.any(1)
        many = _over_processes(told.sum())
        mean = _over_processes(z.sum(0)) / many.clamp(min=1)
        apart = (z - mean) * told[:, None]
        found = _over_processes(apart.T @ apart) / many.clamp(min=1)
        self.batches += many > 0
        share = (many > 0) * torch.clamp(1 / self.batches.clamp(min=1), min=FORGET)
        moved = mean - self.mean
        self.covariance.lerp_(found, share).add_((1 - share) * share * torch.outer(moved, moved))
        self.mean.lerp_(mean, share)


def _over_processes(own: Tensor) -> Tensor:
    """The sum over all of them."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(own)
    return own
