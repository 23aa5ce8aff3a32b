"""An eye that follows points in a picture, and what reads actions off a few neighbouring frames of it.

The eye's maps become points by the mean place of each (spatial softmax; Finn et al., arXiv 1509.06113): a hundred episodes
teach it where the hand is to a fraction of a pixel. An action is a change, so that it follows from differences of frames:
of what the robot felt, as the eye tells it, and of a few numbers more.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gobench_robot.idm.config import GROUPS, Config

APART = 10.0  # how much larger the change in a frame is made: it is about a tenth of the picture


class Eye(nn.Module):
    """Pictures f32 [N, 3, size, size] in [-0.5, 0.5] -> points [N, 2 K] in [-1, 1], and proprioception [N, P] in spreads."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for place, width in enumerate(config.widths):
            kernel, stride = 5 if place == 0 else 3, 2 if place < 2 else 1
            layers.append(nn.Conv2d(before, width, kernel, stride, kernel // 2, bias=False))
            layers += [nn.GroupNorm(GROUPS, width), nn.ReLU()]
            before = width
        self.body = nn.Sequential(*layers)
        self.maps = nn.Conv2d(before, config.points, 1)
        self.sharpness = nn.Parameter(torch.zeros(config.points))
        felt = len(config.proprio_names)
        self.straight = nn.Linear(2 * config.points, felt)
        self.bent = nn.Sequential(
            nn.Linear(2 * config.points, config.hidden // 2), nn.ReLU(), nn.Linear(config.hidden // 2, felt)
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.maps(self.body(pictures))
        points = mean_places(maps * self.sharpness.exp()[:, None, None])
        return points, self.straight(points) + self.bent(points)


def mean_places(maps: Tensor) -> Tensor:
    """The mean place of the softmax of each map: [N, K, h, w] -> [N, 2 K] in [-1, 1], rows first."""
    _, _, height, width = maps.shape
    share = maps.flatten(2).softmax(-1).unflatten(2, (height, width))
    rows = share.sum(3) @ torch.linspace(-1, 1, height)
    columns = share.sum(2) @ torch.linspace(-1, 1, width)
    return torch.cat([rows, columns], 1)


class Chooser(nn.Module):
    """The last two frames and the task at hand -> the next actions."""

    def __init__(self, config: Config, tasks: int, chunk: int) -> None:
        super().__init__()
        self.eye = Eye(config)
        self.shape = (chunk, len(config.action_names))
        read = 2 * (2 * config.points + len(config.proprio_names)) + tasks
        wide = 2 * config.hidden
        self.head = nn.Sequential(
            nn.Linear(read, wide),
            nn.GELU(),
            nn.Linear(wide, wide),
            nn.GELU(),
            nn.Linear(wide, chunk * self.shape[1]),
        )

    def forward(self, runs: Tensor, tasks: Tensor) -> tuple[Tensor, Tensor]:
        """Runs f32 [B, 2, 3, size, size], tasks f32 [B, N] one-hot -> actions [B, n, A], proprioception [B, 2, P] in spreads."""
        points, felt = (row.unflatten(0, (-1, 2)) for row in self.eye(runs.flatten(0, 1)))
        moved = torch.cat([points, felt], -1)
        read = [moved[:, 1], APART * (moved[:, 1] - moved[:, 0]), tasks]
        return self.head(torch.cat(read, -1)).unflatten(1, self.shape), felt


class Inverse(nn.Module):
    """Runs of frames -> the actions between them."""

    ratio: Tensor  # [P] spreads in changes of a frame

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.window = config.window
        self.eye = Eye(config)
        self.code = nn.Linear(2 * config.points, config.code)
        felt = len(config.proprio_names)
        read = len(config.window) * (felt + config.code + 1) + felt
        self.head = nn.Sequential(
            nn.Linear(read, config.hidden), nn.GELU(),
            nn.Linear(config.hidden, config.hidden), nn.GELU(),
            nn.Linear(config.hidden, len(config.action_names)),
        )  # fmt: skip
        self.register_buffer(
            "ratio", torch.tensor(config.spread) / torch.tensor(config.change), persistent=False
        )

    def forward(self, runs: Tensor) -> tuple[Tensor, Tensor]:
        """Runs f32 [B, L, 3, size, size], L >= 2 -> actions [B, L - 1, A], proprioception [B, L, P] in spreads."""
        batch, length = runs.shape[:2]
        points, felt = self.eye(runs.flatten(0, 1))
        felt = felt.unflatten(0, (batch, length))
        codes = self.code(points).unflatten(0, (batch, length))
        places, there = self._windows(length)
        moved = (felt[:, places] - felt[:, :-1, None]) * self.ratio
        turned = codes[:, places] - codes[:, :-1, None]
        read = [moved.flatten(2), turned.flatten(2), felt[:, :-1], there.expand(batch, -1, -1)]
        return self.head(torch.cat(read, -1)), felt

    def _windows(self, length: int) -> tuple[Tensor, Tensor]:
        """Which frames each action is read off, int64 [L - 1, W], the run's ends repeated; and which of them are there."""
        places = torch.arange(length - 1)[:, None] + torch.tensor(self.window)
        kept = places.clamp(0, length - 1)
        return kept, (kept == places).float()


def to_input(frames: Tensor) -> Tensor:
    """uint8 [..., H, W, 3] -> f32 [..., 3, H, W] in [-0.5, 0.5]."""
    return frames.movedim(-1, -3).float() / 255 - 0.5
