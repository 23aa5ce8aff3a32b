"""A mean and how sure we are of it: Wilson for independent samples, a bootstrap of whole clusters otherwise.

The bootstrap is of the ratio sum(values) / count over clusters drawn with replacement, so that clusters of unlike size
and undefined (NaN) samples are handled alike. Its plain percentile interval is too short when clusters are few or
values skewed; here it is corrected for bias and skew (BCa, Efron 1987) and widened from normal to t quantiles with
sqrt(G / (G - 1)) for G clusters (Hesterberg 2015, "expanded percentile"). Where only a few clusters tell anything, no
bootstrap covers: of 0/1 values (almost all right, almost all wrong) the Wilson interval is then taken at the effective
number of samples (as in Franco et al. 2019), with t quantiles by the informative clusters; of others a t interval over
clusters that minds their skew (``skewed``). Where there is too little for that, there is no interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.seeds import stream
from gobench.statistics import skewed
from gobench.statistics.quantiles import normal_cdf, normal_quantile, t_quantile

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

METHODS = {
    "wilson": "Wilson's interval for independent 0/1 samples.",
    "cluster-bootstrap": "Bootstrap of whole clusters (BCa), widened to t quantiles.",
    "wilson-clusters": "Wilson's interval at the effective number of samples: few clusters tell anything, or none differ.",
    "few-discordant": "Paired 0/1 differences in few clusters: t interval with one pseudo-difference each way.",
    "skewed-t": "Fewer than 25 clusters tell anything: t interval over clusters, as wide as Hall's correction for skew asks.",
    "too-few-clusters": "Fewer than 8 clusters, or than 2 that are unlike the rest: no interval.",
    "constant": "All values are equal: they cannot say how others would differ; no interval.",
    "stratified-bootstrap": "Mean of the strata's means; bootstrap within each stratum.",
    "wilson-strata": "The same mean where few samples tell anything, or all of a stratum are equal: Wilson's interval.",
    "one-cluster": "One cluster: its own samples cannot say how another one would differ; no interval.",
}
"""Method of an interval -> one line about it."""

DRAWS = 2000
LEVEL = 0.95
FEW = 25  # informative clusters below which there is no bootstrap
NONE = (math.nan, math.nan)
LEAST_DF = 3.0  # the fewest degrees of freedom that a t quantile is taken at


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval. ``low`` and ``high`` are NaN where no interval can be given (see ``method``)."""

    value: float
    low: float
    high: float
    n: int  # samples on which it is defined
    clusters: int  # clusters those samples are of
    method: str  # a key of METHODS

    @property
    def interval(self) -> tuple[float, float] | None:
        """(low, high), or None where there is none."""
        return None if math.isnan(self.low) else (self.low, self.high)

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval and 0 lies outside it."""
        return self.low > 0 or self.high < 0

    def rounded(self, digits: int) -> Estimate:
        """The same with value, low and high rounded (and never -0.0)."""
        value, low, high = (round(x, digits) + 0.0 for x in (self.value, self.low, self.high))
        return replace(self, value=value, low=low, high=high)


class Weights:
    """Bootstrap draws of whole clusters, made once and used for every metric and slice of a task.

    Args:
        clusters: int64 [n], the cluster of each sample.
        draws: how many resamples.
        seed: decides them, with the number of distinct clusters and nothing else.
    """

    def __init__(self, clusters: Ints, draws: int = DRAWS, seed: int = 0) -> None:
        self.labels: Ints = np.unique(clusters)  # [C] sorted
        size = len(self.labels)
        picks = stream(seed, "bootstrap").integers(0, max(size, 1), size=(draws, size))
        rows = np.arange(draws)[:, None] * size
        flat = np.bincount((picks + rows).ravel(), minlength=draws * size)
        self.counts: Floats = flat.reshape(draws, size).astype(np.float64)  # [draws, C]

    def index(self, clusters: Ints) -> npt.NDArray[np.intp]:
        """Where each cluster stands in ``labels``; ValueError for one that was not there."""
        places = np.searchsorted(self.labels, clusters)
        if len(clusters) and (places.max() >= len(self.labels) or np.any(self.labels[places] != clusters)):
            raise ValueError("these weights were made for other clusters")
        return places

    def means(self, totals: Floats, counts: Floats) -> Floats:
        """sum(totals) / sum(counts) in each draw: [C] or [C, K] -> [draws] or [draws, K]; NaN where nothing is defined."""
        above, below = self.counts @ totals, self.counts @ counts
        means: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
        return means


class Sums(NamedTuple):
    """Values added up by cluster, undefined ones left out."""

    totals: Floats  # [C] sum of values
    counts: Floats  # [C] how many
    defined: Floats  # [n'] the defined values themselves

    @property
    def mean(self) -> float:
        return float(self.totals.sum() / self.counts.sum())

    @property
    def filled(self) -> int:
        """How many clusters have a defined value."""
        return int(np.count_nonzero(self.counts))

    def spread(self) -> float:
        """Standard error of the mean by linearisation over clusters; 0 for a single cluster."""
        groups = self.filled
        if groups < 2:
            return 0.0
        residuals = self.totals - self.mean * self.counts
        return float(np.sqrt(np.sum(residuals**2) * groups / (groups - 1)) / self.counts.sum())


def gather(values: Floats, clusters: Ints, weights: Weights) -> Sums:
    """Add values up by cluster, in the order of ``weights.labels``."""
    values, clusters = np.asarray(values, np.float64), np.asarray(clusters, np.int64)
    if values.shape != clusters.shape or values.ndim != 1:
        raise ValueError(
            f"{values.shape} values for {clusters.shape} clusters: give one cluster for each value"
        )
    there = ~np.isnan(values)
    places, size = weights.index(clusters[there]), len(weights.labels)
    totals = np.bincount(places, weights=values[there], minlength=size).astype(np.float64)
    counts = np.bincount(places, minlength=size).astype(np.float64)
    return Sums(totals, counts, values[there])


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927).

    Args:
        successes: 0 to n; both may be fractions, for an effective number of samples.
        level: coverage, such as 0.95.
    """
    if not 0 <= successes <= n or n <= 0:
        raise ValueError(f"{successes} successes of {n} samples: give 0 <= successes <= n and n > 0")
    return _score(successes / n, n, normal_quantile(0.5 + level / 2))


def _score(p: float, n: float, z: float) -> tuple[float, float]:
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At 0 and 1 the bound is exact; rounding must not push it inside.
    return (0.0 if p == 0 else max(0.0, centre - half)), (1.0 if p == 1 else min(1.0, centre + half))


def estimate(
    values: Floats,
    clusters: Ints,
    weights: Weights | None = None,
    proportion: bool = False,
    level: float = LEVEL,
) -> Estimate | None:
    """The mean of the defined values, with an interval over clusters.

    Args:
        values: float64 [n], NaN where undefined.
        clusters: int64 [n]; samples with equal numbers belong together.
        weights: draws made for these clusters (or more of them); made here with seed 0 if not given.
        proportion: whether the values are bounded by 0 and 1.

    Returns:
        None where no value is defined. The method is one of METHODS: Wilson where 0/1 samples stand alone; Wilson at an
        effective number where fewer than 25 clusters are informative, and at the number of clusters where all values of
        a proportion are equal (so that 1.0 everywhere is not shown as certain); "skewed-t" for other values of few
        informative clusters, and no interval where they are too few or all values are equal; else the bootstrap.
    """
    weights = weights or Weights(np.asarray(clusters, np.int64))
    sums = gather(values, clusters, weights)
    if not len(sums.defined):
        return None
    if proportion and not (sums.defined.min() >= 0 and sums.defined.max() <= 1):
        raise ValueError("a proportion's values lie between 0 and 1")
    low, high, method = _interval(sums, weights, proportion, level)
    return Estimate(sums.mean, low, high, len(sums.defined), sums.filled, method)


def _interval(sums: Sums, weights: Weights, proportion: bool, level: float) -> tuple[float, float, str]:
    groups, mean = sums.filled, sums.mean
    binary = proportion and bool(np.all((sums.defined == 0) | (sums.defined == 1)))
    if binary and sums.counts.max() == 1:
        return *wilson(float(sums.totals.sum()), len(sums.defined), level), "wilson"
    if sums.defined.min() == sums.defined.max():
        mean = float(sums.defined[0])
        if proportion:
            return *wilson(mean * groups, groups, level), "wilson-clusters"
        return *NONE, "constant" if groups > 1 else "one-cluster"
    if binary and (told := informative(sums)) < FEW:
        return *_effective_wilson(sums, told, level), "wilson-clusters"
    low, high, method = over_clusters(sums, weights, level)
    return (max(0.0, low), min(1.0, high), method) if proportion and low <= high else (low, high, method)


def over_clusters(sums: Sums, weights: Weights, level: float) -> tuple[float, float, str]:
    """(low, high, method) of a mean of values that are not all equal, and of which no bounds are used."""
    if sums.filled < 2:
        return *NONE, "one-cluster"
    if skewed.too_few(sums):
        return *NONE, "too-few-clusters"
    if skewed.telling(sums) < FEW:
        return *skewed.interval(sums, level), "skewed-t"
    return *bca(sums, weights.means(sums.totals, sums.counts), level), "cluster-bootstrap"


def informative(sums: Sums) -> int:
    """Of 0/1 values: the clusters with a success or those with a failure, whichever are fewer."""
    return int(min(np.count_nonzero(sums.totals > 0), np.count_nonzero(sums.totals < sums.counts)))


def _effective_wilson(sums: Sums, told: int, level: float) -> tuple[float, float]:
    mean, spread, n = sums.mean, sums.spread(), float(sums.counts.sum())
    if sums.filled == 1:
        effective = 1.0
    else:
        effective = min(n, mean * (1 - mean) / spread**2) if spread > 0 else n
    return _score(mean, max(effective, 1.0), t_quantile(0.5 + level / 2, max(told - 1, LEAST_DF)))


def bca(sums: Sums, draws: Floats, level: float) -> tuple[float, float]:
    """Bias-corrected, accelerated and widened quantiles of bootstrap means [draws]; undefined draws are dropped."""
    draws = draws[~np.isnan(draws)]
    groups, mean = sums.filled, sums.mean
    below = (np.count_nonzero(draws < mean) + 0.5 * np.count_nonzero(draws == mean)) / len(draws)
    bias = normal_quantile(min(max(below, 1 / len(draws)), 1 - 1 / len(draws)))
    skew = _acceleration(sums)
    reach = t_quantile(0.5 + level / 2, groups - 1) * math.sqrt(groups / (groups - 1))
    ends = []
    for side in (-reach, reach):
        moved = bias + side
        ends.append(normal_cdf(bias + moved / max(1 - skew * moved, 0.2)))
    low, high = np.quantile(draws, ends)
    return float(low), float(high)


def _acceleration(sums: Sums) -> float:
    """Skew of the influence of single clusters, by the jackknife."""
    held = sums.counts > 0
    totals, counts = sums.totals[held], sums.counts[held]
    without = (totals.sum() - totals) / (counts.sum() - counts)
    pull = without.mean() - without
    power = float(np.sum(pull**2)) ** 1.5
    return float(np.sum(pull**3)) / (6 * power) if power > 0 else 0.0


def intraclass(values: Floats, clusters: Ints) -> float:
    """How alike the samples of a cluster are: the intraclass correlation by analysis of variance, 0 to 1.

    NaN where there are fewer than two clusters, or none with two samples.
    """
    sums = gather(values, clusters, Weights(np.asarray(clusters), draws=1))
    held = sums.counts > 0
    totals, counts, n, groups = sums.totals[held], sums.counts[held], len(sums.defined), sums.filled
    if groups < 2 or n <= groups:
        return math.nan
    between = float(np.sum(counts * (totals / counts - sums.mean) ** 2)) / (groups - 1)
    within = (float(np.sum(sums.defined**2)) - float(np.sum(totals**2 / counts))) / (n - groups)
    size = (n - float(np.sum(counts**2)) / n) / (groups - 1)
    whole = between + (size - 1) * within
    return min(1.0, max(0.0, (between - within) / whole)) if whole > 0 else 0.0
