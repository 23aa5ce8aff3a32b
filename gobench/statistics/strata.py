"""The mean of groups that count alike, however many samples each has: a macro average, resampled within each group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gobench.seeds import stream
from gobench.statistics.intervals import DRAWS, FEW, LEVEL, NONE, Estimate, wilson

Floats = npt.NDArray[np.float64]


def macro(
    values: Floats,
    strata: Sequence[str],
    proportion: bool = False,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Estimate | None:
    """The mean of the strata's means, with an interval over samples drawn anew within each stratum.

    Args:
        values: float64 [n], NaN where undefined.
        strata: [n], the stratum of each sample; strata without a defined value are left out.
        proportion: whether the values are bounded by 0 and 1.

    Returns:
        None where no value is defined. The method is "stratified-bootstrap"; "wilson-strata" for 0/1 values of which
        fewer than 25 samples tell anything, or which are all equal in some stratum; "constant" where all other values are equal.
    """
    values, names = np.asarray(values, np.float64), np.asarray(strata)
    there = ~np.isnan(values)
    groups = [values[there & (names == name)] for name in sorted(set(names[there].tolist()))]
    if not groups:
        return None
    mean, n = float(np.mean([group.mean() for group in groups])), int(there.sum())
    pooled = values[there]
    binary = proportion and bool(np.all((pooled == 0) | (pooled == 1)))
    sure = any(group.min() == group.max() for group in groups)  # resampled it would stay so
    if binary and (sure or min(pooled.sum(), n - pooled.sum()) < FEW):
        number = _effective(groups, mean, n)
        return Estimate(mean, *wilson(mean * number, number, level), n, n, "wilson-strata")
    if pooled.min() == pooled.max():
        return Estimate(mean, *NONE, n, n, "constant")
    low, high = _quantiles(groups, draws, level, seed)
    if proportion:
        low, high = max(0.0, low), min(1.0, high)
    return Estimate(mean, low, high, n, n, "stratified-bootstrap")


def _effective(groups: Sequence[Floats], mean: float, n: int) -> float:
    """The number of independent 0/1 samples whose mean would be as uncertain; at most n."""
    spread = sum(float(group.var()) / max(len(group) - 1, 1) for group in groups) / len(groups) ** 2
    return min(float(n), mean * (1 - mean) / spread) if spread > 0 and 0 < mean < 1 else float(n)


def _quantiles(groups: Sequence[Floats], draws: int, level: float, seed: int) -> tuple[float, float]:
    """Quantiles of the resampled macro mean; deviations widened by sqrt(n / (n - 1)) in each stratum."""
    rng = stream(seed, "strata")
    found = np.zeros(draws)
    for group in groups:
        n = len(group)
        means = group[rng.integers(0, n, size=(draws, n))].mean(axis=1)
        found += group.mean() + (means - group.mean()) * np.sqrt(n / max(n - 1, 1))
    low, high = np.quantile(found / len(groups), [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
