"""Paired differences and their tests, against scipy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of

from gobench import statistics as s

GAMES = 110


def test_mcnemar_is_the_exact_binomial_test() -> None:
    for a, b in ((0, 0), (0, 1), (3, 3), (2, 9), (9, 2), (40, 71), (0, 60), (510, 400), (50_000, 50_800)):
        expected = stats.binomtest(min(a, b), a + b).pvalue if a + b else 1.0
        assert s.mcnemar(a, b) == pytest.approx(expected, rel=1e-6)
        assert s.mcnemar(a, b) == s.mcnemar(b, a)
    assert s.mcnemar(7, 21) == pytest.approx(mcnemar_of([[5, 7], [21, 5]], exact=True).pvalue, rel=1e-9)
    assert s.mcnemar(1_000_000, 1_010_000) == pytest.approx(
        2 * stats.binom.cdf(1_000_000, 2_010_000, 0.5), rel=1e-6
    )
    with pytest.raises(ValueError, match="negative"):
        s.mcnemar(-1, 2)


def test_the_difference_is_second_minus_first_on_common_samples() -> None:
    clusters = np.repeat(np.arange(50), 20)
    rng = np.random.default_rng(1)
    a = rng.random(1000)
    b = a + 0.25 + rng.normal(0, 0.1, 1000)
    b[::7] = np.nan
    found = s.paired(a, b, clusters)
    assert found is not None
    assert found.n == 1000 - 143
    assert found.value == pytest.approx(np.nanmean(b - a))
    assert 0.24 < found.low < found.value < found.high < 0.27 and found.excludes_zero
    assert s.paired_p(a, b, clusters) < 1e-12


def test_a_paired_interval_is_narrower_than_two_single_ones() -> None:
    clusters = np.repeat(np.arange(GAMES), 60)
    rng = np.random.default_rng(2)
    a = (rng.random(len(clusters)) < 0.3).astype(float)
    b = np.where(rng.random(len(clusters)) < 0.05, 1.0, a)
    pair, alone = (
        s.paired(a, b, clusters, proportion=True),
        s.estimate(a, clusters, proportion=True),
    )
    assert pair is not None and alone is not None
    assert pair.high - pair.low < 0.5 * (alone.high - alone.low)


def test_no_flips_and_few_flips_are_not_shown_as_certain() -> None:
    clusters = np.repeat(np.arange(GAMES), 60)
    a = np.zeros(len(clusters))
    same = s.paired(a, a, clusters, proportion=True)
    assert same is not None
    assert (same.value, same.method) == (0.0, "wilson-clusters")
    assert same.high == -same.low == s.wilson(0, GAMES)[1]
    assert s.paired_p(a, a, clusters) == 1.0
    b = a.copy()
    b[[3, 500, 900]] = 1
    few = s.paired(a, b, clusters, proportion=True)
    assert few is not None
    assert few.method == "few-discordant" and few.low < 0 < few.high
    assert s.paired_p(a, b, clusters, proportion=True) > 0.1


def test_equal_answers_of_a_continuous_proportion_have_no_interval() -> None:
    clusters = np.arange(120) // 6
    a = np.linspace(0, 1, 120)
    same = s.paired(a, a, clusters, proportion=True)
    assert same is not None and (same.value, same.method) == (0.0, "constant")
    assert same.interval is None and s.paired_p(a, a, clusters, proportion=True) == 1.0


@pytest.mark.parametrize("change", [0.5, -2.0, 0.0])
def test_the_same_difference_everywhere_is_no_evidence_without_bounds(change: float) -> None:
    clusters = np.arange(10)
    p = s.paired_p(np.zeros(10), np.full(10, change), clusters)
    assert p == 1.0 if change == 0 else math.isnan(p)
    found = s.paired(np.zeros(10), np.full(10, change), clusters)
    assert found is not None and (found.method, found.value) == ("constant", change)
    assert found.interval is None and not found.excludes_zero


def test_all_right_against_all_wrong_is_told_apart() -> None:
    clusters = np.arange(GAMES)
    for sign in (1, -1):
        a, b = np.full(GAMES, float(sign < 0)), np.full(GAMES, float(sign > 0))
        found = s.paired(a, b, clusters, proportion=True)
        assert found is not None and (found.value, found.method) == (sign, "wilson-clusters")
        assert found.excludes_zero and max(abs(found.low), abs(found.high)) == 1 < 1.1 * min(
            abs(found.low), abs(found.high)
        )
        assert s.paired_p(a, b, clusters, proportion=True) == 2.0 ** (1 - GAMES)


@pytest.mark.parametrize("games", [5, 8, 15, 24])
def test_of_few_clusters_p_and_interval_say_the_same(games: int) -> None:
    rng = np.random.default_rng(8)
    clusters, seen = np.repeat(np.arange(games), 4), set()
    for lift in rng.choice([0, 0.5, 1.0, 2.0], 60):
        a = np.zeros(4 * games)
        b = np.where(
            rng.random(len(a)) < 0.3, rng.exponential(1, len(a)) * lift + rng.normal(0, 0.3, len(a)), 0
        )
        found, p = s.paired(a, b, clusters), s.paired_p(a, b, clusters)
        assert found is not None and math.isnan(p) == (found.interval is None)
        if found.interval is not None:
            assert found.excludes_zero == (p < 0.05)
            seen.add(found.excludes_zero)
    assert seen == (set() if games < 8 else {True, False})


def test_paired_p_is_the_t_test_where_samples_stand_alone() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1, 40), rng.normal(0.3, 1, 40)
    assert s.paired_p(a, b, np.arange(40)) == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)


def test_holm_is_that_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = [0.04, 0.001, 0.03, 0.5, 0.012]
    assert s.holm(p) == pytest.approx(list(multipletests(p, method="holm")[1]))
    assert s.holm([0.02, math.nan, 0.03])[::2] == pytest.approx([0.04, 0.04])
    assert math.isnan(s.holm([0.02, math.nan])[1])
    assert s.holm([]) == []
