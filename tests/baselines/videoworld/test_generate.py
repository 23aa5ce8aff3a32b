"""Decoding from a draft says what plain decoding says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gobench_videoworld.config import TransformerConfig
from gobench_videoworld.transformer.generate import draft_decode, draw, greedy_decode, sample_decode
from gobench_videoworld.transformer.llama import Cache, Llama

SITES, VOCABULARY, PROMPT = 16, 11, 7


class Toy:
    """A random model of frames whose inputs show the frame before, as the real one's do."""

    def __init__(self, seed: int, batch: int) -> None:
        torch.manual_seed(seed)
        groups = 2 if seed % 2 else 4
        self.config = TransformerConfig(
            hidden_size=32, num_hidden_layers=2, num_key_value_heads=groups, intermediate_size=40
        )
        self.llama = Llama(self.config)
        self.token, self.site = nn.Embedding(VOCABULARY, 32), nn.Embedding(SITES, 32)
        self.begin, self.head = torch.randn(32), nn.Linear(32, VOCABULARY, bias=False)
        for weight in (*self.llama.parameters(), *self.head.parameters()):
            weight.data += torch.randn_like(weight) * 0.2
        self.shown = torch.randint(0, VOCABULARY, (batch, SITES))
        self.prompt = torch.randn(batch, PROMPT, 32)
        self.calls = 0

    def rows(self, rows: slice) -> None:
        """Only some of the batch."""
        self.shown, self.prompt = self.shown[rows], self.prompt[rows]

    def inputs(self, start: int, previous: Tensor) -> Tensor:
        x = self.token(previous)
        if start == 0:
            x[:, 0] = self.begin
        stop = start + previous.shape[1]
        return x + self.site.weight[start:stop] + 2 * self.token(self.shown[:, start:stop])

    def logits(self, hidden: Tensor, start: int) -> Tensor:
        return 4 * self.head(hidden)

    def __call__(self, x: Tensor, prefix: int = 0, cache: Cache | None = None) -> Tensor:
        self.calls += 1
        return self.llama(x, prefix, cache)

    def decode(self, how: Callable[..., Tensor], draft: Tensor, *more: object) -> Tensor:
        """With a new cache that holds the prompt."""
        with torch.no_grad():
            cache = Cache(self.config, len(draft), PROMPT + SITES)
            self.llama(self.prompt, PROMPT, cache)
            self.calls = 0
            found = how(self, cache, self.inputs, self.logits, draft, *more)
        assert cache.length == PROMPT + SITES
        return found


@pytest.mark.parametrize("seed", range(16))
def test_drafts_change_nothing(seed: int) -> None:
    batch = (1, 2, 7, 64)[seed % 4]
    toy = Toy(seed, batch)
    wanted = toy.decode(greedy_decode, toy.shown)
    assert toy.calls == SITES
    assert torch.equal(toy.decode(draft_decode, toy.shown), wanted)
    assert toy.calls <= SITES
    assert torch.equal(toy.decode(draft_decode, torch.zeros_like(toy.shown)), wanted)


def test_a_right_draft_takes_one_pass_and_one_wrong_site_two() -> None:
    toy = Toy(3, 5)
    wanted = toy.decode(greedy_decode, toy.shown)
    assert torch.equal(toy.decode(draft_decode, wanted), wanted) and toy.calls == 1
    last = wanted.clone()
    last[:, -1] += 1
    assert torch.equal(toy.decode(draft_decode, last), wanted) and toy.calls == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0])
def test_a_sample_depends_on_its_own_numbers_alone(seed: int, temperature: float) -> None:
    toy = Toy(seed, 6)
    uniforms = torch.rand(6, SITES, dtype=torch.float64)
    wanted = toy.decode(sample_decode, toy.shown, temperature, uniforms)
    assert torch.equal(toy.decode(sample_decode, torch.zeros_like(toy.shown), temperature, uniforms), wanted)
    if temperature == 0:
        assert torch.equal(toy.decode(greedy_decode, toy.shown), wanted)
    toy.rows(slice(2, 3))
    assert torch.equal(toy.decode(sample_decode, toy.shown, temperature, uniforms[2:3]), wanted[2:3])


def test_drawing_inverts_the_distribution_function() -> None:
    chances = torch.tensor([0.0, 0.25, 0.0, 0.5, 0.25, 0.0], dtype=torch.float64)
    numbers = torch.tensor([0.0, 0.2499, 0.2501, 0.7499, 0.7501, 1 - 2**-53], dtype=torch.float64)
    logits = chances.log().float().expand(6, 6)
    assert draw(logits, 1.0, numbers).tolist() == [1, 1, 3, 3, 4, 4]
    assert draw(logits, 0.0, numbers).tolist() == [3] * 6
    grid = (torch.arange(8000, dtype=torch.float64) + 0.5) / 8000
    skew = torch.tensor([0.0, 1.0, -1.0, 3.0])
    counts = torch.bincount(draw(skew.expand(8000, 4), 2.0, grid), minlength=4) / 8000
    torch.testing.assert_close(counts, (skew / 2).softmax(-1), atol=2e-4, rtol=0)
