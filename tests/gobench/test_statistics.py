"""Intervals, tests, ranks and power against scipy and statsmodels, and against simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of
from statsmodels.stats.power import NormalIndPower
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
    assert (unbounded.interval, unbounded.method) == ((2.5, 2.5), "constant")


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


# ---- coverage -----------------------------------------------------------------------------------------------------


def played(kind: str, games: int, rate: float, icc: float, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """Values and clusters of one simulated evaluation, and the truth."""
    sizes = np.clip(rng.poisson(65, games) - rng.integers(0, 30, games), 5, None)
    clusters = np.repeat(np.arange(games), sizes)
    n = len(clusters)
    if kind == "loss":  # most moves lose nothing, few lose much, and games differ
        values = rng.gamma(0.2, 5.0, n) * rng.lognormal(-0.08, 0.4, games)[clusters]
        return values, clusters, 1.0
    skill = rng.beta(rate * (1 - icc) / icc, (1 - rate) * (1 - icc) / icc, games)
    return (rng.random(n) < skill[clusters]).astype(float), clusters, rate


def coverage(kind: str, games: int, rate: float, icc: float, runs: int) -> float:
    rng = np.random.default_rng(11)
    weights = s.Weights(np.arange(games), draws=1000)
    hits = 0
    for _ in range(runs):
        values, clusters, truth = played(kind, games, rate, icc, rng)
        found = s.estimate(values, clusters, weights, proportion=kind != "loss")
        assert found is not None
        hits += found.low <= truth <= found.high
    return hits / runs


CASES = [
    ("rate", GAMES, 0.3, 0.02),
    ("rate", GAMES, 0.3, 0.1),
    ("rate", GAMES, 0.03, 0.02),
    ("rate", GAMES, 0.995, 0.02),
    ("rate", 30, 0.3, 0.05),
    ("rate", 12, 0.5, 0.05),
    ("loss", GAMES, 1.0, 0.0),
    ("loss", 40, 1.0, 0.0),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_intervals_cover(case: tuple[str, int, float, float]) -> None:
    # 250 runs: a true 95% falls below 91% once in 350
    assert coverage(*case, runs=250) >= 0.91


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_intervals_cover_93_to_97_of_100(case: tuple[str, int, float, float]) -> None:
    assert 0.925 <= coverage(*case, runs=3000) <= 0.975


def difference_coverage(games: int, lift: float, runs: int) -> tuple[float, float]:
    """How often the interval of a paired difference covers, and how often the p-value is below 5% without one."""
    rng = np.random.default_rng(5)
    weights = s.Weights(np.arange(games), draws=1000)
    hits = alarms = 0
    for _ in range(runs):
        clusters = np.repeat(np.arange(games), 60)
        hard = rng.beta(3, 7, games)[clusters] * rng.random(len(clusters)) * 2
        a = (rng.random(len(clusters)) < hard * 0.5).astype(float)
        b = np.where(rng.random(len(clusters)) < lift * hard, 1.0, a)
        swapped = rng.random(len(clusters)) < 0.02
        a, b = np.where(swapped, b, a), np.where(swapped, a, b)
        truth = lift * (1 - 0.04) * np.mean(TRUE_HARD * (1 - TRUE_HARD * 0.5))
        found = s.paired(a, b, clusters, weights, proportion=True)
        assert found is not None
        hits += found.low <= truth <= found.high
        alarms += s.paired_p(a, b, clusters, proportion=True) < 0.05
    return hits / runs, alarms / runs


_RNG = np.random.default_rng(0)
TRUE_HARD = np.minimum(_RNG.beta(3, 7, 400_000) * _RNG.random(400_000) * 2, 1)


@pytest.mark.parametrize("games", [15, GAMES])
def test_paired_intervals_cover(games: int) -> None:
    covered, seen = difference_coverage(games, 0.1, 200)
    assert covered >= 0.9
    assert seen > (0.9 if games == GAMES else 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("games", [15, 30, GAMES])
def test_paired_intervals_cover_93_to_97_of_100(games: int) -> None:
    assert 0.925 <= difference_coverage(games, 0.1, 2000)[0] <= 0.98


# ---- pairs --------------------------------------------------------------------------------------------------------


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


def test_the_same_difference_everywhere_is_as_surprising_as_the_clusters_are_many() -> None:
    clusters = np.arange(10)
    assert s.paired_p(np.zeros(10), np.full(10, 0.5), clusters) == 2.0**-9
    found = s.paired(np.zeros(10), np.full(10, 0.5), clusters)
    assert found is not None and found.method == "constant" and found.value == 0.5


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


# ---- ranks --------------------------------------------------------------------------------------------------------


def scores(levels: list[float], games: int = GAMES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    clusters = np.repeat(np.arange(games), 60)
    luck = rng.random(len(clusters))
    mixed = [np.where(rng.random(len(clusters)) < 0.5, luck, rng.random(len(clusters))) for _ in levels]
    return np.array([(m < x).astype(float) for m, x in zip(mixed, levels, strict=True)]), clusters


def test_ranks_and_tiers_of_models_far_apart_and_alike() -> None:
    values, clusters = scores([0.3, 0.6, 0.301, 0.05])
    found = s.rank(values, clusters)
    assert found[0].model == 1 and found[3].model == 3
    assert [(r.low, r.high, r.tier) for r in found] == [(1, 1, 1), (2, 3, 2), (2, 3, 2), (4, 4, 3)]
    reverse = s.rank(values, clusters, better="lower")
    assert [r.model for r in reverse] == [r.model for r in found][::-1]


def test_a_chain_of_small_steps_makes_wide_ranks() -> None:
    values, clusters = scores([0.30, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36], games=25)
    found = s.rank(values, clusters)
    assert all(r.low <= place <= r.high for place, r in enumerate(found, 1))
    assert any(r.high - r.low >= 2 for r in found)
    assert [r.tier for r in found] == sorted(r.tier for r in found)


def test_identical_models_share_a_rank_and_one_cluster_tells_nothing() -> None:
    values, clusters = scores([0.3, 0.3])
    twins = np.array([values[0], values[0]])
    assert [(r.model, r.low, r.high, r.tier) for r in s.rank(twins, clusters)] == [(0, 1, 2, 1), (1, 1, 2, 1)]
    alone = s.rank(np.array([[1.0, 1], [0, 0]]), np.zeros(2, np.int64))
    assert [(r.low, r.high, r.tier) for r in alone] == [(1, 2, 1), (1, 2, 1)]
    assert s.rank(np.zeros((0, 2)), np.zeros(2, np.int64)) == []


def test_models_without_values_and_unknown_directions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[1\]"):
        s.rank(np.array([[1.0, 0], [np.nan, np.nan]]), np.arange(2))
    with pytest.raises(ValueError, match="upwards"):
        s.rank(np.zeros((1, 2)), np.arange(2), better="upwards")


def false_ranks(runs: int) -> float:
    """How often any of eight models, seven of them equal, gets a rank interval without its true ranks."""
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(40), 30)
    weights, wrong = s.Weights(clusters, draws=600), 0
    for _ in range(runs):
        rates = [0.5] + [0.3] * 7
        mood = rng.normal(0, 0.05, 40)[clusters]
        values = np.array([(rng.random(len(clusters)) < r + mood).astype(float) for r in rates])
        for r in s.rank(values, clusters, weights=weights):
            wrong += not (r.low == r.high == 1) if r.model == 0 else not (r.low <= 2 and r.high == 8)
    return wrong / runs


def test_equal_models_are_seldom_told_apart() -> None:
    assert false_ranks(80) <= 0.3


# ---- power --------------------------------------------------------------------------------------------------------


def test_samples_needed_are_near_those_of_statsmodels() -> None:
    effect = 2 * (math.asin(math.sqrt(0.35)) - math.asin(math.sqrt(0.3)))
    expected = NormalIndPower().solve_power(effect, power=0.8, alpha=0.05)
    assert s.samples_needed(0.3, 0.05).samples == pytest.approx(expected, rel=0.01)


def test_pairs_need_fewer_and_alike_clusters_need_more() -> None:
    apart = s.samples_needed(0.3, 0.05)
    pairs = s.samples_needed(0.3, 0.05, discordance=0.15)
    clustered = s.samples_needed(0.3, 0.05, per_cluster=66, icc=0.05)
    assert pairs.samples < apart.samples / 2
    assert clustered.samples == clustered.clusters * 66
    assert clustered.samples / apart.samples == pytest.approx(s.design_effect(66, 0.05), rel=0.01)
    assert s.samples_needed(0.3, -0.05).samples > 0


def test_power_and_detectable_are_inverse_to_samples_needed() -> None:
    need = s.samples_needed(0.3, 0.05, per_cluster=66, icc=0.02)
    reached = s.achieved_power(0.3, 0.05, need.clusters, per_cluster=66, icc=0.02)
    assert 0.8 <= reached < 0.83
    smallest = s.detectable(0.3, need.clusters, per_cluster=66, icc=0.02)
    assert smallest == pytest.approx(0.05, rel=0.03)
    paired = s.detectable(0.3, need.clusters, per_cluster=66, icc=0.02, discordance=0.2)
    assert paired is not None and smallest is not None and paired < smallest
    assert s.detectable(0.3, 110, paired=True, per_cluster=66) is not None
    assert s.detectable(0.9, 2) is None


def test_achieved_power_is_that_of_a_simulation() -> None:
    rng = np.random.default_rng(9)
    n, runs = 400, 4000
    only_b, only_a = 0.14, 0.08
    counts = rng.multinomial(n, [only_a, only_b, 1 - only_a - only_b], size=runs)
    differ = counts[:, 0] + counts[:, 1]
    z = (counts[:, 1] - counts[:, 0]) / np.sqrt(differ)
    predicted = s.achieved_power(0.3, 0.06, n, discordance=0.22)
    assert predicted == pytest.approx((z > 1.96).mean(), abs=0.03)


def test_power_refuses_what_cannot_be() -> None:
    for wrong in (
        lambda: s.samples_needed(0.3, 0),
        lambda: s.samples_needed(0.9, 0.2),
        lambda: s.samples_needed(0.3, 0.1, discordance=0.05),
        lambda: s.samples_needed(0.3, 0.1, discordance=0.9),
        lambda: s.design_effect(0.5, 0.1),
        lambda: s.design_effect(5, 1.1),
    ):
        with pytest.raises(ValueError, match=r"\d"):
            wrong()


def test_intraclass_finds_how_alike_samples_are() -> None:
    rng = np.random.default_rng(6)
    for icc in (0.02, 0.2):
        values, clusters, _ = played("rate", 2000, 0.3, icc, rng)
        assert s.intraclass(values, clusters) == pytest.approx(icc, abs=0.012)
    assert s.intraclass(np.repeat([0.0, 1.0], 5), np.repeat([0, 1], 5)) == 1.0
    assert math.isnan(s.intraclass(np.ones(3), np.zeros(3, np.int64)))
