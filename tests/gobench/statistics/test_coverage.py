"""Intervals against simulated truth: how often a 95% interval holds it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gobench import statistics as s

GAMES = 110


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


def few_clusters(kind: str, games: int, runs: int) -> tuple[float, float]:
    """Of samples in clusters of 5: how often the interval holds the mean where there is one, and how often there is."""
    rng = np.random.default_rng(21)
    clusters = np.repeat(np.arange(games), 5)
    weights, hits, given = s.Weights(clusters, draws=500), 0, 0
    for _ in range(runs):
        values = rng.normal(0, 1, len(clusters)) + rng.normal(0, 0.5, games)[clusters]
        if kind != "normal":  # nothing in 90 of 100
            values = rng.exponential(1, len(clusters)) * (rng.random(len(clusters)) < 0.1)
        if kind == "difference":
            values *= rng.choice([-1, 1], len(clusters))
        found = s.estimate(values, clusters, weights)
        if found is not None and found.interval is not None:
            given += 1
            hits += bool(found.low <= (0.1 if kind == "loss" else 0) <= found.high)
    return hits / given, given / runs


KINDS = ["loss", "normal", "difference"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("games", [8, 15, 30])
def test_intervals_of_few_clusters_cover(kind: str, games: int) -> None:
    covered, given = few_clusters(kind, games, 300)
    assert covered >= (0.89 if games >= 25 and kind != "normal" else 0.91)
    assert given > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("games", [8, 12, 15, 18, 24])
def test_intervals_of_few_clusters_cover_93_of_100(kind: str, games: int) -> None:
    covered, given = few_clusters(kind, games, 4000)
    assert 0.93 <= covered <= (0.985 if kind != "difference" else 1.0)
    assert given > 0.9


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


def test_intraclass_finds_how_alike_samples_are() -> None:
    rng = np.random.default_rng(6)
    for icc in (0.02, 0.2):
        values, clusters, _ = played("rate", 2000, 0.3, icc, rng)
        assert s.intraclass(values, clusters) == pytest.approx(icc, abs=0.012)
    assert s.intraclass(np.repeat([0.0, 1.0], 5), np.repeat([0, 1], 5)) == 1.0
    assert math.isnan(s.intraclass(np.ones(3), np.zeros(3, np.int64)))


def false_alarms(games: int, per_game: int, runs: int) -> tuple[float, float]:
    """Two equally good models that share half their answers: how often the interval holds 0, and p is below 5%."""
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(games), per_game)
    weights, held, alarms = s.Weights(clusters, draws=1000), 0, 0
    for _ in range(runs):
        ease = rng.beta(4.5, 10.5, games)
        common = rng.random(len(clusters)) < ease[clusters]
        own = [rng.random(len(clusters)) < (ease * rng.lognormal(0, 0.2, games))[clusters] for _ in range(2)]
        shared = rng.random(len(clusters)) < 0.5
        a, b = (np.where(shared, common, x).astype(float) for x in own)
        found = s.paired(a, b, clusters, weights, proportion=True)
        assert found is not None
        held += found.low <= 0 <= found.high
        alarms += s.paired_p(a, b, clusters, proportion=True) < 0.05
    return held / runs, alarms / runs


@pytest.mark.parametrize(("games", "per_game"), [(110, 65), (30, 65), (12, 30)])
def test_equally_good_models_are_seldom_told_apart(games: int, per_game: int) -> None:
    held, alarms = false_alarms(games, per_game, 150)
    assert held >= 0.9 and alarms <= 0.1


@pytest.mark.slow
def test_equally_good_models_are_told_apart_once_in_20() -> None:
    held, alarms = false_alarms(GAMES, 65, 2000)
    assert 0.935 <= held <= 0.965 and 0.035 <= alarms <= 0.065
