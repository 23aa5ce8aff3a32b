"""Intervals and quantiles against scipy and statsmodels, and where samples say little."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from gobench import statistics as s

GAMES = 110


@pytest.mark.parametrize("n", [1, 2, 10, 71, 7150])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_is_that_of_statsmodels(n: int, level: float) -> None:
    for k in {0, 1, n // 3, n - 1, n}:
        expected = proportion_confint(k, n, alpha=1 - level, method="wilson")
        assert s.wilson(k, n, level) == pytest.approx(expected, abs=1e-12)


def test_wilson_refuses_what_cannot_be() -> None:
    for k, n in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="successes"):
            s.wilson(k, n)


@pytest.mark.parametrize("df", [1, 2, 3, 5.5, 14, 109, 1000, 100_000])
def test_t_is_that_of_scipy(df: float) -> None:
    for p in (0.005, 0.025, 0.3, 0.9, 0.975, 0.9999):
        assert s.t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-8)
    for t in (0.0, 0.5, 2.0, 7.0):
        assert s.t_tail(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-8, abs=1e-14)


def test_independent_proportions_get_wilson() -> None:
    values = np.array([1.0, 0, 1, np.nan, 1])
    found = s.estimate(values, np.arange(5), proportion=True)
    assert found is not None
    assert (found.value, found.n, found.clusters, found.method) == (0.75, 4, 4, "wilson")
    assert found.interval == s.wilson(3, 4)


def test_nothing_defined_gives_nothing() -> None:
    nothing = np.full(3, np.nan)
    assert s.estimate(nothing, np.arange(3)) is None
    assert s.estimate(np.zeros(0), np.zeros(0, np.int64)) is None
    assert s.paired(nothing, np.ones(3), np.arange(3)) is None
    assert math.isnan(s.paired_p(nothing, np.ones(3), np.arange(3)))


def test_one_cluster_claims_little() -> None:
    clusters = np.zeros(50, np.int64)
    losses = np.linspace(0, 3, 50)
    found = s.estimate(losses, clusters)
    assert found is not None
    assert found.method == "one-cluster" and found.interval is None and not found.excludes_zero
    right = s.estimate((losses > 1).astype(float), clusters, proportion=True)
    assert right is not None and right.interval is not None
    assert right.interval[1] - right.interval[0] > 0.9


def test_all_right_is_not_shown_as_certain() -> None:
    clusters = np.repeat(np.arange(GAMES), 65)
    found = s.estimate(np.ones(len(clusters)), clusters, proportion=True)
    assert found is not None
    assert (found.value, found.high, found.method) == (1.0, 1.0, "wilson-clusters")
    assert found.low == pytest.approx(proportion_confint(GAMES, GAMES, method="wilson")[0])
    unbounded = s.estimate(np.full(len(clusters), 2.5), clusters)
    assert unbounded is not None
    assert (unbounded.interval, unbounded.method) == (None, "constant")
    assert not unbounded.excludes_zero


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5])
def test_equal_values_without_bounds_have_no_interval(value: float) -> None:
    found = s.estimate(np.full(60, value), np.repeat(np.arange(30), 2))
    assert found is not None and found.value == value
    assert (found.interval, found.method, found.excludes_zero) == (None, "constant", False)


def test_few_clusters_have_no_interval_of_unbounded_values() -> None:
    values = np.random.default_rng(0).random(150)
    for games, method in (
        (7, "too-few-clusters"),
        (8, "skewed-t"),
        (24, "skewed-t"),
        (25, "cluster-bootstrap"),
    ):
        found = s.estimate(values, np.arange(150) % games)
        assert found is not None and found.method == method
        assert (found.interval is None) == (games < 8)
    rare = np.zeros(500)
    rare[7] = 3.0
    found = s.estimate(rare, np.arange(500) // 5)
    assert found is not None and (found.interval, found.method) == (None, "too-few-clusters")
    rare[[200, 400]] = 1.0
    found = s.estimate(rare, np.arange(500) // 5)
    assert found is not None and found.method == "skewed-t" and found.high > 3 * found.value


def test_shares_of_few_clusters_keep_their_bounds() -> None:
    shares = np.full(40, 0.98)
    shares[3] = 0.01
    shares[9] = 0.5
    found = s.estimate(shares, np.arange(40) // 4, proportion=True)
    assert found is not None and 0 <= found.low < found.value < found.high <= 1


def test_a_proportion_outside_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        s.estimate(np.array([0.5, 1.5]), np.arange(2), proportion=True)
    with pytest.raises(ValueError, match="one cluster for each value"):
        s.estimate(np.zeros(3), np.zeros(2, np.int64))


def test_weights_serve_subsets_and_refuse_strangers() -> None:
    clusters = np.repeat(np.arange(40), 10)
    values = np.random.default_rng(0).random(400)
    weights = s.Weights(clusters)
    some = clusters % 3 == 0
    masked = s.estimate(np.where(some, values, np.nan), clusters, weights)
    cut = s.estimate(values[some], clusters[some], weights)
    assert masked == cut and masked is not None and masked.clusters == 14
    with pytest.raises(ValueError, match="other clusters"):
        s.estimate(values, clusters + 1, weights)


def test_the_same_seed_gives_the_same_interval() -> None:
    clusters = np.repeat(np.arange(40), 10)
    values = np.random.default_rng(0).random(400)
    first = s.estimate(values, clusters, s.Weights(clusters, seed=3))
    assert first == s.estimate(values, clusters, s.Weights(clusters, seed=3))
    assert first != s.estimate(values, clusters, s.Weights(clusters, seed=4))
    assert first == s.estimate(values, clusters + 1000, s.Weights(clusters + 1000, seed=3))


def test_weights_draw_whole_clusters() -> None:
    weights = s.Weights(np.array([5, 5, 9, 7]), draws=3000)
    assert weights.labels.tolist() == [5, 7, 9]
    assert weights.counts.shape == (3000, 3) and (weights.counts.sum(1) == 3).all()
    assert weights.counts.mean(0) == pytest.approx([1, 1, 1], abs=0.06)
    # a draw without the one defined cluster has no mean
    lone = weights.means(np.array([2.0, 0, 0]), np.array([1.0, 0, 0]))
    assert np.isnan(lone).mean() == pytest.approx((2 / 3) ** 3, abs=0.03)
    assert (lone[~np.isnan(lone)] == 2).all()


def test_rounding_leaves_no_negative_zero() -> None:
    found = s.Estimate(0.123456, -1e-9, 0.2, 3, 2, "cluster-bootstrap").rounded(4)
    assert (found.value, found.low, found.high) == (0.1235, 0.0, 0.2)
    assert math.copysign(1, found.low) == 1
