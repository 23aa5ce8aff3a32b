"""A small torch model: a convolution of fixed weights, and noise from each sample's seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gobench.types import Array


class TinyTorch:
    """One 3x3 convolution over the last frame, and a little noise."""

    domain = "quiz"
    frame_size = (24, 24)
    max_frames = 1

    def __init__(self, argument: str = "") -> None:
        self.net = torch.nn.Conv2d(3, 3, 3, padding=1)
        values = torch.arange(self.net.weight.numel(), dtype=torch.float32).reshape(self.net.weight.shape)
        with torch.no_grad():
            self.net.weight.copy_(torch.sin(values) / 9)
            self.net.bias.fill_(0.2)

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Array:
        """uint8 [B, T, H, W, 3] -> uint8 [B, n, H, W, 3]."""
        last = torch.from_numpy(frames[:, -1].astype(np.float32) / 255).permute(0, 3, 1, 2)
        noise = torch.stack([self.noise(int(seed), last.shape[1:]) for seed in seeds])
        with torch.no_grad():
            out = torch.sigmoid(self.net(last) + 0.1 * noise)
        drawn = (out * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        return np.repeat(drawn[:, None], n, axis=1)

    def noise(self, seed: int, shape: Any) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed % 2**63)
        return torch.randn(tuple(shape), generator=generator)
