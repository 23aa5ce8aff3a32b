"""Codes that say where something changes, and what.

Both frames of a step score the sites of the token grid; the best of those that changed is the place, in a single digit
row * columns + column. What is at the place goes through finite scalar quantization and is the content. Where nothing
changed, the place is site 0. That a change has a place is all that is built in: of Go this knows nothing.

Digits have no gradient. In place of the choice stands the softmax of the scores (straight through), so that a place is good
which helps to draw the frame; and where a single site changed there is no doubt, so that such steps teach the scores too.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.fsq import FSQ
from gobench_videoworld.latent.model import Batch, LatentModel, Metrics
from gobench_videoworld.latent.redraw import Redraw
from gobench_videoworld.latent.steps import busiest, each_step
from gobench_videoworld.latent.white import White

EMBEDDED = 16  # channels of a token where places are sought
REACH = 1.5  # of contents: two that are equally frequent lie on the outer levels


class Code(NamedTuple):
    """Of n steps, with P places and contents of d dimensions."""

    digits: Tensor  # int64 [n, P + 1]
    maps: Tensor  # f32 [n, P, S]: 1 at each place, with the gradient of a softmax
    content: Tensor  # f32 [n, d] in [-1, 1], quantized, with a gradient
    scores: Tensor  # f32 [n, P, S]
    continuous: (
        Tensor  # f32 [n, 2 P + d]: rows and columns in [-1, 1], and the content before it is quantized
    )


class Located(LatentModel):
    """See above."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__(config)
        spec, vocabulary = config.latent, config.tokenizer.vocabulary
        self.places = spec.places
        self.before = nn.Embedding(vocabulary, EMBEDDED)
        self.after = nn.Embedding(vocabulary, EMBEDDED)
        self.score = nn.Linear(2 * EMBEDDED, spec.places)
        self.content = nn.Linear(2 * EMBEDDED, len(spec.levels), bias=False)
        self.white = White(len(spec.levels), REACH)
        self.fsq = FSQ(spec.levels)
        self.mark = nn.Linear(len(spec.levels), spec.places * spec.width)
        self.everywhere = nn.Linear(len(spec.levels), spec.width)
        self.redrawn = Redraw(config)

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """Of each window one step is learnt from; see ``steps.busiest``."""
        before, after = busiest(batch)
        code = self._code(before, after)
        losses = self.redrawn.losses(before, self._told(code.maps, code.content), after)
        place = self._sure(code.scores[:, 0], before != after)
        parts = {"change": losses.change.mean(), "token": losses.token.mean(), "place": place.mean()}
        metrics = {name: value.detach() for name, value in parts.items()}
        return torch.stack([*parts.values()]).sum(), {**metrics, "exact": losses.exact.float().mean()}

    @torch.no_grad()
    def encode(self, batch: Batch) -> Tensor:
        return self._code(*each_step(batch)).digits.view(*batch["there"].shape, -1)

    @torch.no_grad()
    def continuous(self, batch: Batch) -> Tensor:
        return self._code(*each_step(batch)).continuous.view(*batch["there"].shape, -1)

    @torch.no_grad()
    def decode(self, before: Tensor, codes: Tensor) -> Tensor:
        """Codes one after the other, each drawn upon the frame that the last one left: what lies between is not told of."""
        frames, shown = [], before
        for code in codes.unbind(1):
            shown = self._drawn(shown, code)
            frames.append(shown)
        return torch.stack(frames, 1)

    @torch.no_grad()
    def redraw(self, batch: Batch) -> Tensor:
        before, after = each_step(batch)
        return self._drawn(before, self._code(before, after).digits).view(*batch["there"].shape, -1)

    def _drawn(self, before: Tensor, digits: Tensor) -> Tensor:
        """int64 [n, S], int64 [n, P + 1] -> int64 [n, S]."""
        maps = functional.one_hot(digits[:, :-1], before.shape[1]).float()
        return self.redrawn.drawn(before, self._told(maps, self.fsq.to_codes(digits[:, -1])))

    def _told(self, maps: Tensor, content: Tensor) -> Tensor:
        """f32 [n, P, S], f32 [n, d] -> what is said of the sites, f32 [n, S, width]."""
        marks = self.mark(content).unflatten(1, (self.places, -1))
        told: Tensor = maps.transpose(1, 2) @ marks + self.everywhere(content)[:, None]
        return told

    def _code(self, before: Tensor, after: Tensor) -> Code:
        """int64 [n, S] both."""
        features = torch.cat([self.before(before), self.after(after)], -1)
        scores = self.score(features).transpose(1, 2)
        places, weights = self._places(scores, before != after)
        at = functional.one_hot(places, before.shape[1]).float()
        maps = at + weights - weights.detach()
        inside = functional.layer_norm((weights @ features).mean(1), features.shape[-1:])
        z = self.white(self.content(inside))
        content, index = self.fsq(z)
        digits = torch.cat([places, index[:, None]], 1)
        return Code(digits, maps, content, scores, torch.cat([self._coordinates(weights), z], 1))

    def _places(self, scores: Tensor, changed: Tensor) -> tuple[Tensor, Tensor]:
        """Each place is the best changed site that no earlier one is at, or the first place where none is left.

        Returns places int64 [n, P] and the softmax over the sites among which each was chosen, f32 [n, P, S].
        """
        left, places, weights = changed, list[Tensor](), list[Tensor]()
        for own in scores.unbind(1):
            masked = own.masked_fill(~left, -1e4)
            best = masked.argmax(1)
            some = left.any(1)
            first = places[0] if places else torch.zeros_like(best)
            places.append(torch.where(some, best, first))
            weights.append(masked.softmax(1) * left)
            left = left.scatter(1, best[:, None], False)
        return torch.stack(places, 1), torch.stack(weights, 1)

    def _coordinates(self, weights: Tensor) -> Tensor:
        """Expected rows and columns, f32 [n, P, S] -> f32 [n, 2 P] in [-1, 1]; 0 where nothing changed."""
        rows, cols = self.config.tokenizer.grid
        grid = [
            torch.linspace(-1, 1, n, device=weights.device) if n > 1 else weights.new_zeros(1)
            for n in (rows, cols)
        ]
        sites = torch.cartesian_prod(*grid)
        return (weights @ sites).flatten(1)

    def _sure(self, scores: Tensor, changed: Tensor) -> Tensor:
        """Nats of the first place where it is sure, f32 [n]; 0 elsewhere."""
        cost = functional.cross_entropy(scores, changed.int().argmax(1), reduction="none")
        return cost * (changed.sum(1) == 1)
