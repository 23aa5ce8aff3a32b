"""The decoder of tokens: a frame and what is said of each of its sites -> the next frame.

It says for each site whether it changes, and what to; whatever it is unsure about stays. With g the score of change,

    p(v) = sigmoid(-g) for the token v that is shown,  sigmoid(g) * softmax over all others of the token's scores otherwise:

a cross-entropy over tokens with a learnt copy bias of the site's own, of which only the few changed sites cost a softmax.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig

SPREADING = 16  # channels that spread
SHARP = 4.0  # by which scores of spreading are multiplied


class Losses(NamedTuple):
    """Nats of each frame, f32 [n], and whether the frame came out exactly, bool [n]."""

    change: Tensor
    token: Tensor
    exact: Tensor


class Block(nn.Module):
    """A 3x3 convolution beside the identity, which is all it is at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def forward(self, x: Tensor) -> Tensor:
        """[n, width, R, C] -> the same shape."""
        made: Tensor = x + self.out(torch.relu(self.conv(x)))
        return made


class Spread(nn.Module):
    """Lets each site know what is connected to it: few channels, passed on to neighbours round by round.

    A channel starts where a score says so, and goes on through sites that let it pass. In Go that is how far a chain's
    liberties are known along it. At first it goes to the four nearest neighbours; the kernel is learnt.
    """

    def __init__(self, width: int, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.into = nn.Conv2d(width, 2 * SPREADING, 1)
        self.out = nn.Conv2d(SPREADING, width, 1)
        cross = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
        self.kernel = nn.Parameter(cross.repeat(SPREADING, 1, 1, 1))
        with torch.no_grad():
            cast(Tensor, self.into.bias).copy_(torch.full((2 * SPREADING,), -1.0 / SHARP))

    def forward(self, x: Tensor) -> Tensor:
        """[n, width, R, C] -> the same shape."""
        start, passing = (torch.sigmoid(SHARP * part) for part in self.into(x).chunk(2, 1))
        start = start * passing
        reached = start
        for _ in range(self.rounds):
            around = functional.conv2d(reached, self.kernel, padding=1, groups=SPREADING)
            reached = torch.addcmul(start, passing, around).clamp(0, 1)
        made: Tensor = x + self.out(reached)
        return made


class Redraw(nn.Module):
    """See above. The grid and the vocabulary are the tokenizer's; rounds of spreading cross the grid once."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        spec, self.grid = config.latent, config.tokenizer.grid
        vocabulary, width = config.tokenizer.vocabulary, spec.width
        self.shown = nn.Embedding(vocabulary, width)
        self.site = nn.Embedding(config.tokenizer.sites, width)
        nn.init.normal_(self.site.weight, std=0.1)
        blocks: list[nn.Module] = [Block(width) for _ in range(max(2, spec.blocks))]
        blocks.insert((len(blocks) + 1) // 2, Spread(width, max(self.grid) - 1))
        self.blocks = nn.Sequential(*blocks)
        self.change = nn.Linear(width, 1)
        self.token = nn.Linear(width, vocabulary)
        nn.init.zeros_(self.change.weight)
        nn.init.constant_(self.change.bias, -3.0)
        nn.init.normal_(self.token.weight, std=0.02)

    def features(self, before: Tensor, told: Tensor) -> Tensor:
        """int64 [n, S] shown, f32 [n, S, width] said of the sites -> f32 [n, S, width]."""
        x = (self.shown(before) + self.site.weight + told).unflatten(1, self.grid)
        made: Tensor = self.blocks(x.permute(0, 3, 1, 2))
        return made.permute(0, 2, 3, 1).flatten(1, 2)

    def losses(self, before: Tensor, told: Tensor, after: Tensor) -> Losses:
        """What the next frame ``after`` int64 [n, S] costs."""
        features = self.features(before, told)
        scores = self.change(features)[..., 0]
        changed = before != after
        change = functional.binary_cross_entropy_with_logits(scores, changed.float(), reduction="none")
        logits = self._others(features[changed], before[changed])
        token = functional.cross_entropy(logits, after[changed], reduction="none")
        rows = changed.nonzero()[:, 0]
        per_frame = torch.zeros(len(before), device=before.device).index_add(0, rows, token)
        with torch.no_grad():
            wrong = ((scores > 0) != changed).any(1)
            wrong[rows[logits.argmax(-1) != after[changed]]] = True
        return Losses(change.sum(1), per_frame, ~wrong)

    def drawn(self, before: Tensor, told: Tensor) -> Tensor:
        """The likeliest next frame, int64 [n, S]: a site changes where that is likelier than not."""
        features = self.features(before, told)
        changes = self.change(features)[..., 0] > 0
        after = before.clone()
        after[changes] = self._others(features[changes], before[changes]).argmax(-1)
        return after

    def _others(self, features: Tensor, shown: Tensor) -> Tensor:
        """Scores of the tokens [m, V] other than the one that is shown, int64 [m]."""
        logits: Tensor = self.token(features)
        return logits.scatter(-1, shown[:, None], torch.finfo(logits.dtype).min)
