"""Decoding a frame site by site, and the same answer in a few passes: a frame is nearly the frame before it.

Draft decoding guesses all sites at once, from the previous frame's tokens, and asks the model about all of them in one
pass. Up to and including the first wrong guess the model's answers are what plain decoding would have given; behind it
they are a better guess than before, and the next pass starts there. At least one site is settled by each pass.
Source: Leviathan et al. 2023, "Fast inference from transformers via speculative decoding" (with a draft that costs
nothing); Santilli et al. 2023, "Accelerating transformer inference for translation via parallel decoding" (Jacobi).

With numbers drawn beforehand, a sample is as good a function of the sites before it as the likeliest token is, so that
sampling is drafted in the same way.

Shapes: B rows, S sites of a frame, V vocabulary, D hidden. Afterwards the cache is S positions longer, but rows
that were done early have left it: a frame is the last thing that is decoded, and nothing can follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from gobench_videoworld.transformer.llama import Cache


class Backbone(Protocol):
    """What decoding asks of a ``Llama``."""

    def __call__(self, x: Tensor, prefix: int = 0, cache: Cache | None = None) -> Tensor: ...


Inputs = Callable[[int, Tensor], Tensor]
"""(start, previous int64 [B, n]) -> float [B, n, D], inputs that predict sites start .. start+n-1.

``previous`` are the tokens one site earlier; for start 0 the first is 0 and means nothing.
"""

Logits = Callable[[Tensor, int], Tensor]
"""(hidden float [B, n, D], start) -> float [B, n, V] of sites start .. start+n-1."""

Pick = Callable[[Tensor, int, Tensor], Tensor]
"""(logits [n rows, n, V], start, rows int64) -> int64 [n rows, n]: a site's token, given the sites before it."""

DROP = 0.75  # rows that are done leave the batch when at most this share of it is left
NARROWEST, SPARSE = 4, 4  # a pass that settles less than 1 / SPARSE of its sites makes the next ones narrower


def greedy_decode(llama: Backbone, cache: Cache, inputs: Inputs, logits: Logits, draft: Tensor) -> Tensor:
    """The likeliest token of each site in turn, int64 [B, S]. Of ``draft`` int64 [B, S] only the shape counts."""
    return _one_by_one(llama, cache, inputs, logits, likeliest, draft)


def draft_decode(llama: Backbone, cache: Cache, inputs: Inputs, logits: Logits, draft: Tensor) -> Tensor:
    """What ``greedy_decode`` says, int64 [B, S], sooner the closer ``draft`` int64 [B, S] comes to it.

    Equal but where two logits differ by less than rounding: passes of several sites add in another order.
    """
    return _drafted(llama, cache, inputs, logits, likeliest, draft)


def sample_decode(
    llama: Backbone,
    cache: Cache,
    inputs: Inputs,
    logits: Logits,
    draft: Tensor,
    temperature: float,
    uniforms: Tensor,
) -> Tensor:
    """One sample of a frame, int64 [B, S].

    Args:
        draft: int64 [B, S], a guess; it changes the time taken, not the answer.
        temperature: >= 0; 0 is greedy.
        uniforms: float64 [B, S] in [0, 1): a row's answer depends on its own numbers alone.
    """

    def pick(found: Tensor, start: int, rows: Tensor) -> Tensor:
        return draw(found, temperature, uniforms[rows, start : start + found.shape[1]])

    return _drafted(llama, cache, inputs, logits, pick, draft)


def draw(logits: Tensor, temperature: float, uniforms: Tensor) -> Tensor:
    """The inverse of the distribution function, in float64: logits [..., V], uniforms float64 [...] -> int64 [...].

    Tokens without probability are never drawn. ``temperature`` 0 takes the likeliest.
    """
    if temperature == 0:
        return logits.argmax(-1)
    above = logits.double() - logits.double().amax(-1, keepdim=True)  # stays finite however cold it is
    rising = torch.softmax(above / temperature, -1).cumsum(-1)
    wanted = uniforms.to(rising)[..., None] * rising[..., -1:]
    below = (rising <= wanted).sum(-1)
    last = (rising < rising[..., -1:]).sum(-1)
    return torch.minimum(below, last)


def likeliest(logits: Tensor, start: int, rows: Tensor) -> Tensor:
    """A ``Pick``."""
    return logits.argmax(-1)


def _one_by_one(
    llama: Backbone, cache: Cache, inputs: Inputs, logits: Logits, pick: Pick, draft: Tensor
) -> Tensor:
    tokens, rows = torch.zeros_like(draft), torch.arange(len(draft), device=draft.device)
    previous = tokens[:, :1]
    for site in range(draft.shape[1]):
        hidden = llama(inputs(site, previous), 0, cache)
        previous = pick(logits(hidden, site), site, rows)
        tokens[:, site : site + 1] = previous
    return tokens


def _drafted(
    llama: Backbone, cache: Cache, inputs: Inputs, logits: Logits, pick: Pick, draft: Tensor
) -> Tensor:
    base, done, (batch, sites) = cache.length, 0, draft.shape
    # a column before site 0, so that tokens[:, i] is what comes before site i
    tokens = torch.cat([torch.zeros_like(draft[:, :1]), draft], 1)
    rows, width = torch.arange(batch, device=draft.device), Width(sites)
    while done < sites:
        stop = min(done + width.now, sites)
        x = inputs(done, tokens[:, done:stop])
        hidden = llama(x if len(rows) == batch else x[rows], 0, cache)
        found = pick(logits(hidden, done), done, rows)
        wrong = found != tokens[rows, done + 1 : stop + 1]
        tokens[rows, done + 1 : stop + 1] = found
        # sites settled in each row; behind the last one asked about there is nothing that a wrong guess could spoil
        settled = torch.where(wrong.any(1), wrong.int().argmax(1) + 1, stop - done)
        unsettled = settled < stop - done
        least = int(settled.min())
        width.learn(least)
        done += least
        cache.cut(base + done)
        if stop == sites and int(unsettled.sum()) <= DROP * len(rows):
            rows = rows[unsettled]
            if not len(rows):
                break
            cache.keep(unsettled.nonzero()[:, 0])
    return tokens[:, 1:]


class Width:
    """How many sites a pass asks about: all, until passes settle little. Two may: the first corrects all rows at once."""

    def __init__(self, sites: int) -> None:
        self.now, self._patience = sites, 2

    def learn(self, settled: int) -> None:
        """From how many sites the last pass settled."""
        self._patience -= 1
        if settled == self.now:
            self.now *= 2
        elif self._patience <= 0 and settled * SPARSE < self.now:
            self.now = max(NARROWEST, self.now // 2)
