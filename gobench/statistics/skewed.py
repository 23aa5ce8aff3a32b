"""Intervals of unbounded means from few clusters: a t interval over clusters that minds how skewed they are.

Of losses that are mostly 0 and now and then large, a small sample often holds too few of the large ones: the bootstrap
and the t interval alike end too low (coverage 83% to 92% at 8 to 18 clusters). Hall's (1992) monotone cubic
transformation of the t statistic corrects for the skew that is seen; of symmetric differences with heavy tails it would
make intervals too short. So the interval reaches as far as either of the two does, and the p-value is the larger one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gobench.statistics.quantiles import t_quantile, t_tail

if TYPE_CHECKING:
    from gobench.statistics.intervals import Sums

LEAST = 8  # clusters for an interval
LEAST_TOLD = 2  # of them unlike the common value
NO_SKEW = 1e-9


def telling(sums: Sums) -> int:
    """How many clusters do not have the commonest cluster mean; all of them where no two are alike."""
    held = sums.counts > 0
    _, common = np.unique((sums.totals[held] / sums.counts[held]).round(12), return_counts=True)
    return sums.filled - int(common.max()) if common.max() > 1 else sums.filled


def too_few(sums: Sums) -> bool:
    """Whether no interval can be given."""
    return sums.filled < LEAST or telling(sums) < LEAST_TOLD


def interval(sums: Sums, level: float) -> tuple[float, float]:
    """(low, high) of the mean, for at least three clusters."""
    groups, spread, skew = sums.filled, sums.spread(), _skew(sums)
    reach = t_quantile(0.5 + level / 2, groups - 1)
    low = max(reach, _back(reach, skew, groups))
    high = min(-reach, _back(-reach, skew, groups))
    return sums.mean - low * spread, sums.mean - high * spread


def p_value(sums: Sums) -> float:
    """Two-sided p-value of a mean of 0: below 1 - level where ``interval`` excludes 0, and only there."""
    groups, t = sums.filled, sums.mean / sums.spread()
    return max(t_tail(abs(x), groups - 1) for x in (t, _transformed(t, _skew(sums), groups)))


def _transformed(t: float, skew: float, groups: int) -> float:
    """Hall's transformation of a t statistic: t for no skew."""
    root = math.sqrt(groups)
    u = t / root
    return root * (u + skew * u**2 / 3 + skew**2 * u**3 / 27 + skew / (6 * groups))


def _back(x: float, skew: float, groups: int) -> float:
    """The t statistic that is transformed to ``x``."""
    if abs(skew) < NO_SKEW:
        return x
    root = math.sqrt(groups)
    return root * 3 * (math.cbrt(1 + skew * (x / root - skew / (6 * groups))) - 1) / skew


def _skew(sums: Sums) -> float:
    """Skew of what clusters add to the mean, without the bias of small samples; 0 where nothing varies."""
    pull = (sums.totals - sums.mean * sums.counts)[sums.counts > 0]
    groups, power = len(pull), math.pow(np.mean(pull**2), 1.5)
    if groups < 3 or power == 0:
        return 0.0
    return float(np.mean(pull**3)) / power * math.sqrt(groups * (groups - 1)) / (groups - 2)
