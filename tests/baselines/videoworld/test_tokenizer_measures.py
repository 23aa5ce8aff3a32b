"""What a tokenizer is worth, on arrays whose numbers are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gobench_videoworld.tokenizer import measures


def read(frames: Any) -> Any:
    """The brightness of the top row."""
    return frames[:, 0, :, 0] // 100


def test_exact_is_the_share_of_frames_read_the_same() -> None:
    frames = np.zeros((4, 2, 3, 3), np.uint8)
    drawn = frames.copy()
    drawn[0, 0, 1] = 99  # read the same
    drawn[1, 0, 2] = 120
    drawn[3, 1] = 255  # nobody looks there
    assert measures.exact(read, drawn, read(frames)) == 0.75


def test_psnr_is_in_decibel() -> None:
    seen = np.full((1, 2, 2, 3), 100, np.uint8)
    assert measures.psnr(seen, seen + 10) == pytest.approx(20 * math.log10(25.5))
    assert measures.psnr(seen, seen - 10) == measures.psnr(seen, seen + 10)  # no overflow of bytes
    assert measures.psnr(seen, seen) > 130


def test_use_of_the_codebook() -> None:
    tokens = np.array([[0, 1, 1], [3, 0, 1]])
    assert measures.used(tokens, 12) == 0.25
    assert measures.perplexity([7] * 9) == 1.0
    assert measures.perplexity(list("abcd") * 3) == pytest.approx(4.0)
    assert measures.perplexity([0, 0, 0, 1]) == pytest.approx(4 / 3**0.75)


def test_churn_is_tokens_a_cell() -> None:
    before = np.zeros((3, 4), np.int64)
    after = np.array([[1, 0, 0, 0], [0, 2, 2, 2], [0, 0, 0, 0]])
    assert measures.churn(before, after, 4) == 1.0
    assert measures.churn(before, after, 2) == 2.0
    assert math.isnan(measures.churn(before, before, 0))


def test_patches_that_change_beyond_noise_are_counted() -> None:
    before = np.full((2, 4, 6, 3), 100, np.uint8)
    after = before.copy()
    after[0, 0, 0, 0] = 97  # darker, in one colour of one pixel
    after[0, 3, 5] = 255
    after[1, 1, 1] = 102  # noise
    assert measures.changed_patches(before, after, (2, 3)) == 2
    assert measures.changed_patches(before, after, (2, 3), noise=0) == 3
    assert measures.changed_patches(before, after, (1, 1)) == 1
    assert measures.changed_patches(before, before, (2, 3)) == 0


def test_tokens_that_follow_from_states_have_no_excess() -> None:
    random = np.random.default_rng(0)
    states = random.integers(0, 3, (50, 9)).astype(np.uint8)
    tokens = states.astype(np.int64) * 7 + np.arange(9)  # of their own at each site
    assert measures.excess(tokens, states) == 0.0


@pytest.mark.parametrize("many", [2, 4])
def test_excess_is_the_entropy_behind_the_state(many: int) -> None:
    """Two sites: one follows from its state, at the other a die with ``many`` sides is thrown."""
    random = np.random.default_rng(0)
    states = random.integers(0, 3, (4000, 2))
    tokens = np.stack([states[:, 0], 10 * states[:, 1] + random.integers(0, many, 4000)], axis=1)
    assert measures.excess(tokens, states) == pytest.approx(math.log(many), abs=0.01)


def test_few_frames_tell_of_as_much_excess_as_many() -> None:
    """The correction of Miller and Madow; without it, 60 frames would tell of 0.2 nats less."""
    random = np.random.default_rng(0)
    states = random.integers(0, 3, (60, 500))
    found = measures.excess(random.integers(0, 8, (60, 500)), states) / 500
    assert found == pytest.approx(math.log(8), abs=0.05)
