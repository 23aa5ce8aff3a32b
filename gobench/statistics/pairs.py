"""Two models on the same samples: the difference, its interval, and how surprising it would be by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gobench.statistics import skewed
from gobench.statistics.intervals import (
    FEW,
    LEAST_DF,
    LEVEL,
    NONE,
    Estimate,
    Floats,
    Ints,
    Sums,
    Weights,
    gather,
    over_clusters,
    wilson,
)
from gobench.statistics.quantiles import t_quantile, t_tail


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided McNemar test: the p-value of so uneven a split of discordant samples (McNemar 1947).

    The sum of the binomial tail is exact for any counts. Samples are taken as independent: within clusters they are
    not quite, so read it beside the interval of ``paired``.

    Args:
        only_a: samples that only the first model got right.
        only_b: samples that only the second got right.
    """
    if only_a < 0 or only_b < 0:
        raise ValueError(f"counts are not negative: {only_a}, {only_b}")
    n, few = only_a + only_b, min(only_a, only_b)
    if 2 * few >= n - 1:
        return 1.0
    top = math.lgamma(n + 1) - math.lgamma(few + 1) - math.lgamma(n - few + 1) - n * math.log(2)
    k = np.arange(few, 0, -1, dtype=np.float64)
    tail = 1.0 + float(np.sum(np.exp(np.cumsum(np.log(k) - np.log(n - k + 1)))))
    return min(1.0, 2 * tail * math.exp(top))


def paired(
    a: Floats,
    b: Floats,
    clusters: Ints,
    weights: Weights | None = None,
    proportion: bool = False,
    level: float = LEVEL,
) -> Estimate | None:
    """The mean of b - a over the samples on which both are defined, with an interval over clusters.

    Positive: b is higher. None where no sample is defined for both. Where 0/1 values differ in fewer than 25 clusters, the
    method is "few-discordant" (see ``METHODS``). Where all differences of 0/1 values are equal, it is Wilson's for the
    share of discordant samples, at the number of clusters. Other differences that are all equal (also all 0) have no
    interval: "constant". Else as ``estimate`` for unbounded values.
    """
    differences = np.asarray(b, np.float64) - np.asarray(a, np.float64)
    binary = proportion and _binary(a, b)
    weights = weights or Weights(np.asarray(clusters, np.int64))
    sums = gather(differences, clusters, weights)
    if not len(sums.defined):
        return None
    low, high, method = _interval(sums, weights, proportion, binary, level)
    return Estimate(sums.mean, low, high, len(sums.defined), sums.filled, method)


def _binary(a: Floats, b: Floats) -> bool:
    """Whether all values are 0 or 1, where both are defined."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    both = ~np.isnan(a) & ~np.isnan(b)
    return bool(np.isin(a[both], (0, 1)).all() and np.isin(b[both], (0, 1)).all())


def _interval(
    sums: Sums, weights: Weights, proportion: bool, binary: bool, level: float
) -> tuple[float, float, str]:
    mean = sums.mean
    same = sums.defined.min() == sums.defined.max()
    if same and mean == 0 and binary:
        most = wilson(0, sums.filled, level)[1]
        return -most, most, "wilson-clusters"
    if binary and _differing(sums) < FEW:
        spread, df = _few_discordant(sums)
        half = t_quantile(0.5 + level / 2, df) * spread
        return max(-1.0, mean - half), min(1.0, mean + half), "few-discordant"
    if same:
        return _same(sums, binary, level)
    low, high, method = over_clusters(sums, weights, level)
    return (max(-1.0, low), min(1.0, high), method) if proportion and low <= high else (low, high, method)


def _same(sums: Sums, binary: bool, level: float) -> tuple[float, float, str]:
    """Of differences that are all equal, and not 0 if of 0/1 values."""
    if sums.filled < 2:
        return *NONE, "one-cluster"
    if not binary:
        return *NONE, "constant"
    least = wilson(sums.filled, sums.filled, level)[0]
    return (least, 1.0, "wilson-clusters") if sums.mean > 0 else (-1.0, -least, "wilson-clusters")


def _differing(sums: Sums) -> int:
    return int(np.count_nonzero(sums.totals))


def _few_discordant(sums: Sums) -> tuple[float, float]:
    """Standard error and degrees of freedom with a pseudo-difference each way (after Bonett and Price 2012).

    A pseudo-difference weighs as much as an average differing cluster, at least one sample.
    """
    told, n = _differing(sums), float(sums.counts.sum())
    weight = float(np.sum(sums.totals**2)) / told if told else 1.0
    variance = (sums.spread() * n) ** 2 + 2 * max(weight, 1.0)
    return math.sqrt(variance) / (n + 2), max(told - 1.0, LEAST_DF)


def paired_p(a: Floats, b: Floats, clusters: Ints, proportion: bool = False) -> float:
    """Two-sided p-value of the mean of b - a being 0, by a t test over clusters.

    NaN where it cannot be said, which is where ``paired`` gives no interval; 1 where no sample differs.
    """
    differences = np.asarray(b, np.float64) - np.asarray(a, np.float64)
    sums = gather(differences, clusters, Weights(np.asarray(clusters), draws=1))
    if not len(sums.defined):
        return math.nan
    if not np.any(sums.defined):
        return 1.0
    binary = proportion and _binary(a, b)
    if binary and _differing(sums) < FEW:
        spread, df = _few_discordant(sums)
        return t_tail(abs(sums.mean) / spread, df)
    return _p_over_clusters(sums, binary)


def _p_over_clusters(sums: Sums, binary: bool) -> float:
    if sums.defined.min() == sums.defined.max():  # as surprising as equal signs of so many clusters
        return 2.0 ** (1 - sums.filled) if binary else math.nan
    if skewed.too_few(sums):
        return math.nan
    if skewed.telling(sums) < FEW:
        return skewed.p_value(sums)
    return t_tail(abs(sums.mean) / sums.spread(), sums.filled - 1.0)


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for being many (Holm 1979): reject those at or below 1 - level. NaN stays NaN, uncounted."""
    order = sorted((i for i, x in enumerate(p) if not math.isnan(x)), key=lambda i: p[i])
    adjusted, highest = [math.nan] * len(p), 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - place) * p[i]))
        adjusted[i] = highest
    return adjusted
