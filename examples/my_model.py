"""A model of your own in torch: gobench evaluate examples/my_model.py:MyModel

Tiny and untrained; put your network where `net` is. What it may declare stands in gobench/types.py, VideoModel.
"""

import numpy as np
import torch
from torch import nn


class MyModel:
    """Changes the last frame a little, with noise from each sample's own seed."""

    frame_size = (128, 128)  # height, width in pixels: prompts are drawn as large as this
    max_frames = 4  # the longest prompt; early in a game there are fewer frames
    context_keys = ()  # beside frames it reads nothing

    def __init__(self, device="cpu"):
        torch.manual_seed(0)  # else the weights, and so the answers, would differ from run to run
        self.net = nn.Conv2d(3, 3, 5, padding=2).eval().to(device)
        self.device = device

    @torch.inference_mode()
    def generate(self, frames, n, seeds, context=None):
        """uint8 [B, T, H, W, 3] -> uint8 [B, n, H, W, 3]."""
        last = torch.from_numpy(frames[:, -1]).to(self.device).permute(0, 3, 1, 2).float() / 255
        chances = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        video = []
        for _ in range(n):
            noise = torch.stack([torch.randn(last.shape[1:], generator=g) for g in chances])
            last = (0.9 * last + 0.1 * self.net(last) + 0.02 * noise.to(self.device)).clamp(0, 1)
            video.append((last * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())
        return np.stack(video, axis=1)
