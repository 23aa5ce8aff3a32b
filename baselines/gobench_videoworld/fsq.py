"""Finite scalar quantization (Mentzer et al. 2023, arXiv 2309.15505): d bounded numbers, each rounded to one of a few levels.

Bounds, rounding and the order of indices are those of the paper's appendix A.1, as the package vector-quantize-pytorch has
them: the first dimension counts fastest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gobench.errors import UsageError

EPS = 1e-3  # by which the bound reaches beyond the outermost levels, so that both can be rounded to


class FSQ(nn.Module):
    """Numbers <-> indices. Has no parameters, and nothing of it is saved.

    Dimension i takes ``levels[i]`` values: (k - levels[i] // 2) / (levels[i] // 2) for k = 0, 1, ..., levels[i] - 1.
    An index is the sum of k_i times the product of the levels before i.
    """

    levels: Tensor
    basis: Tensor
    half_width: Tensor
    half_range: Tensor
    offset: Tensor
    shift: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        """Raises UsageError unless there are levels, each at least 2."""
        super().__init__()
        if not levels or min(levels) < 2:
            raise UsageError(
                f"levels are whole numbers >= 2, one a dimension, not {tuple(levels)}: try 8,5,5."
            )
        self.codes = math.prod(levels)
        for name, values in _constants(torch.tensor(levels)).items():
            self.register_buffer(name, values, persistent=False)

    def bounded(self, z: Tensor) -> Tensor:
        """f32 [..., d] any numbers -> f32 [..., d] in units of levels, before they are rounded."""
        return torch.tanh(z.float() + self.shift) * self.half_range - self.offset

    def residue(self, z: Tensor) -> Tensor:
        """How far from the level that they are rounded to, f32 [..., d] in [-0.5, 0.5]; the gradient is of ``bounded``."""
        bounded = self.bounded(z)
        return bounded - bounded.detach().round()

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """z [..., d] -> (quantized f32 [..., d] in [-1, 1] with the gradient of ``bounded``, indices int64 [...])."""
        bounded = self.bounded(z)
        quantized = (bounded + (bounded.round() - bounded).detach()) / self.half_width
        return quantized, self.to_indices(quantized.detach())

    def to_indices(self, quantized: Tensor) -> Tensor:
        """[..., d] as ``forward`` and ``to_codes`` give them -> int64 [...]."""
        steps = (quantized.float() * self.half_width).round().long() + self.half_width
        return (steps * self.basis).sum(-1)

    def to_codes(self, indices: Tensor) -> Tensor:
        """int64 [...], 0 <= index < ``codes`` -> f32 [..., d] in [-1, 1]."""
        steps = torch.div(indices[..., None], self.basis, rounding_mode="floor") % self.levels
        return (steps - self.half_width).float() / self.half_width


def _constants(levels: Tensor) -> dict[str, Tensor]:
    """What bounding and counting need of the levels int64 [d]."""
    half_range = (levels - 1) * (1 + EPS) / 2
    offset = torch.where(levels % 2 == 0, 0.5, 0.0)
    # the shift puts z = 0 onto a level; with two levels it would put nearly all numbers there
    shift = torch.where(levels > 2, torch.atanh(offset / half_range), 0.0)
    ones = torch.ones(1, dtype=torch.int64)
    return {
        "levels": levels,
        "basis": torch.cumprod(torch.cat([ones, levels[:-1]]), 0),
        "half_width": levels // 2,
        "half_range": half_range,
        "offset": offset,
        "shift": shift,
    }
