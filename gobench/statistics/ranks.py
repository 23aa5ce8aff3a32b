"""Many models on common samples: which ranks each may hold, and tiers of those that cannot be told apart.

Two models are told apart when their difference exceeds what the largest studentised difference of *all* pairs reaches by
chance in the bootstrap (max-t). So all statements hold together at the level given, and the rank intervals are
simultaneous confidence sets (Mogstad, Romano, Shaikh and Wilhelm 2024); bootstrapped ranks alone are not, near ties.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.statistics.intervals import LEVEL, Floats, Ints, Sums, Weights, gather
from gobench.statistics.quantiles import normal_quantile, t_quantile


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a model stands among others."""

    model: int  # its row in the values
    value: float
    low: int  # the best rank it may hold, 1 is first
    high: int  # the worst
    tier: int  # 1, 2, ...: a new tier begins with the first model told apart from the head of the one before


def rank(
    values: Floats,
    clusters: Ints,
    better: str = "higher",
    weights: Weights | None = None,
    level: float = LEVEL,
) -> list[Rank]:
    """Rank models, best first; equal values keep their order.

    Args:
        values: float64 [models, n] over common samples, NaN where undefined.
        clusters: int64 [n].
        better: "higher" or "lower".

    Raises:
        ValueError: a model without any defined value.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"better is 'higher' or 'lower', not {better!r}")
    weights = weights or Weights(clusters)
    sums = [gather(row, clusters, weights) for row in np.asarray(values, np.float64)]
    if empty := [i for i, s in enumerate(sums) if not len(s.defined)]:
        raise ValueError(f"models {empty} have no defined value: leave them out")
    means = np.array([s.mean for s in sums]) * (1 if better == "higher" else -1)
    apart = _told_apart(means, _draws(sums, weights, better), min((s.filled for s in sums), default=0), level)
    order = sorted(range(len(means)), key=lambda i: -means[i])
    tiers = _tiers(order, apart)
    return [
        Rank(
            model=i,
            value=sums[i].mean,
            low=1 + int(np.count_nonzero(apart[i] & (means > means[i]))),
            high=len(means) - int(np.count_nonzero(apart[i] & (means < means[i]))),
            tier=tiers[i],
        )
        for i in order
    ]


def _draws(sums: list[Sums], weights: Weights, better: str) -> Floats:
    if not sums:
        return np.zeros((len(weights.counts), 0))
    means = weights.means(np.stack([s.totals for s in sums], 1), np.stack([s.counts for s in sums], 1))
    return means if better == "higher" else -means


def _told_apart(means: Floats, draws: Floats, groups: int, level: float) -> npt.NDArray[np.bool_]:
    """Bool [models, models], symmetric: whether a pair is separated, simultaneously over all pairs."""
    size = len(means)
    apart = np.zeros((size, size), bool)
    if groups < 2:
        return apart
    draws = draws[~np.isnan(draws).any(axis=1)]
    spread = np.zeros((size, size))
    highest = np.zeros(len(draws))
    for i in range(size):
        moved = (draws - draws[:, i : i + 1]) - (means - means[i])
        spread[i] = np.sqrt(np.mean(moved**2, axis=0))
        noisy = spread[i] > 1e-12
        if noisy.any():
            highest = np.maximum(highest, np.max(np.abs(moved[:, noisy]) / spread[i][noisy], axis=1))
    bound = float(np.quantile(highest, level)) * _widening(groups, level)
    gaps = np.abs(means[:, None] - means[None, :])
    return gaps > np.maximum(bound * spread, 1e-12)


def _widening(groups: int, level: float) -> float:
    """From normal to t quantiles, and from the bootstrap's variance to the unbiased one."""
    p = 0.5 + level / 2
    return t_quantile(p, groups - 1) / normal_quantile(p) * math.sqrt(groups / (groups - 1))


def _tiers(order: list[int], apart: npt.NDArray[np.bool_]) -> dict[int, int]:
    tiers: dict[int, int] = {}
    head, tier = -1, 0
    for i in order:
        if head < 0 or apart[head, i]:
            head, tier = i, tier + 1
        tiers[i] = tier
    return tiers
