"""Decoding a frame site by site, and the same answer in a few passes: a frame is nearly the frame before it.

Draft decoding guesses all sites at once, from the previous frame's tokens, and asks the model about all of them in one
pass. Up to and including the first wrong guess the model's answers are what plain decoding would have given; behind it
they are a better guess than before, and the next pass starts there. At least one site is settled by each pass.
Source: Leviathan et al. 2023, "Fast inference from transformers via speculative decoding" (with a draft that costs
nothing); Santilli et al. 2023, "Accelerating transformer inference for translation via parallel decoding" (Jacobi).

With numbers drawn beforehand, a sample is as good a function of the sites before it as the likeliest token is, so that
sampling is drafted in the same way.

Shapes: B rows, S sites of a frame, V vocabulary, D hidden. All functions leave the cache with the frame's S inputs behind
what it held.
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

Pick = Callable[[Tensor, int], Tensor]
"""(logits [B, n, V], start) -> int64 [B, n]: a site's token, given the sites before it."""


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

    def pick(found: Tensor, start: int) -> Tensor:
        return draw(found, temperature, uniforms[:, start : start + found.shape[1]])

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


def likeliest(logits: Tensor, start: int) -> Tensor:
    """A ``Pick``."""
    return logits.argmax(-1)


def _one_by_one(
    llama: Backbone, cache: Cache, inputs: Inputs, logits: Logits, pick: Pick, draft: Tensor
) -> Tensor:
    tokens = torch.zeros_like(draft)
    previous = tokens[:, :1]
    for site in range(draft.shape[1]):
        hidden = llama(inputs(site, previous), 0, cache)
        previous = pick(logits(hidden, site), site)
        tokens[:, site : site + 1] = previous
    return tokens


def _drafted(
    llama: Backbone, cache: Cache, inputs: Inputs, logits: Logits, pick: Pick, draft: Tensor
) -> Tensor:
    base, done, sites = cache.length, 0, draft.shape[1]
    # a column before site 0, so that tokens[:, i] is what comes before site i
    tokens = torch.cat([torch.zeros_like(draft[:, :1]), draft], 1)
    while done < sites:
        hidden = llama(inputs(done, tokens[:, done:sites]), 0, cache)
        found = pick(logits(hidden, done), done)
        settled = agreed(found, tokens[:, done + 1 :]) + 1
        tokens[:, done + 1 :] = found
        done = min(done + settled, sites)
        cache.cut(base + done)
    return tokens[:, 1:]


def agreed(found: Tensor, guess: Tensor) -> int:
    """How many leading sites agree in every row, int64 [B, n] both."""
    wrong = (found != guess).any(0)
    return int(wrong.int().argmax()) if bool(wrong.any()) else len(wrong)
