"""Rank intervals and tiers on constructed models."""

from __future__ import annotations

import numpy as np
import pytest

from gobench import statistics as s

GAMES = 110


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
