"""Macro means: groups count alike, and their intervals cover."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.statistics import macro, wilson


def test_groups_count_alike_however_large_they_are() -> None:
    values = np.array([1.0] * 90 + [0.0] * 10)
    found = macro(values, ["large"] * 90 + ["small"] * 10, proportion=True)
    assert found is not None and found.value == 0.5 and found.n == 100


def test_nothing_defined_is_nothing_and_undefined_samples_are_left_out() -> None:
    assert macro(np.array([np.nan, np.nan]), ["a", "b"]) is None
    found = macro(np.array([2.0, np.nan, 4.0]), ["a", "a", "b"])
    assert found is not None and found.value == 3.0 and found.n == 2


def test_all_successes_are_no_certainty() -> None:
    found = macro(np.ones(100), ["a", "b"] * 50, proportion=True)
    assert found is not None and found.method == "wilson-strata"
    assert (found.low, found.high) == pytest.approx(wilson(100, 100))
    constant = macro(np.full(4, 7.0), ["a", "a", "b", "b"])
    assert constant is not None and constant.method == "constant" and constant.interval is None


def test_tasks_that_are_always_or_never_done_are_no_certainty_either() -> None:
    values = np.array([1.0] * 30 + [0.0] * 70)
    found = macro(values, [str(n // 10) for n in range(100)], proportion=True)
    assert found is not None and found.value == pytest.approx(0.3)
    assert found.low < 0.25 and found.high > 0.35


@pytest.mark.parametrize("rates", [[0.9, 0.5, 0.1], [0.95] * 4, [1.0, 1.0, 0.7], [1.0, 0.0, 0.9, 0.1]])
def test_intervals_cover_about_as_often_as_they_say(rates: list[float]) -> None:
    rng, hits, tries, size = np.random.default_rng(0), 0, 300, 30
    strata = [str(k) for k in range(len(rates)) for _ in range(size)]
    for _ in range(tries):
        values = np.concatenate([rng.random(size) < rate for rate in rates]).astype(float)
        found = macro(values, strata, proportion=True, draws=400)
        assert found is not None
        hits += found.low <= np.mean(rates) <= found.high
    assert hits / tries >= 0.92
