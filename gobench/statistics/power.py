"""Before measuring: how many samples it takes to see a difference of two proportions, and what so many can show.

Normal approximations: two independent groups (Fleiss), or the same samples for both models (Connor 1987), where only the
discordant ones, which one model gets right and the other does not, tell. Samples in clusters count less by the design
effect 1 + (m - 1) * icc (Kish 1965).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from gobench.statistics.intervals import LEVEL
from gobench.statistics.quantiles import normal_cdf, normal_quantile

POWER = 0.8


class Need(NamedTuple):
    """How much has to be measured, for each of the two models."""

    samples: int
    clusters: int


def design_effect(per_cluster: float, icc: float) -> float:
    """By how much the variance of a mean grows when samples come in clusters of ``per_cluster`` alike by ``icc``."""
    if per_cluster < 1 or not 0 <= icc <= 1:
        raise ValueError(f"clusters of {per_cluster} samples alike by {icc}: give at least 1, and 0 to 1")
    return 1 + (per_cluster - 1) * icc


def chance_discordance(rate: float, difference: float) -> float:
    """The share of samples on which exactly one of two models is right, if their answers were independent."""
    other = rate + difference
    return rate * (1 - other) + other * (1 - rate)


def _variances(rate: float, difference: float, discordance: float | None) -> tuple[float, float]:
    """Variance of the difference of one sample: without a difference, and with it."""
    other = rate + difference
    if not (0 <= rate <= 1 and 0 <= other <= 1):
        raise ValueError(f"rates {rate} and {other:g} are not both between 0 and 1")
    if discordance is None:
        middle = (rate + other) / 2
        return 2 * middle * (1 - middle), rate * (1 - rate) + other * (1 - other)
    most = min(rate + other, 2 - rate - other)
    if not abs(difference) - 1e-12 <= discordance <= most + 1e-12:
        raise ValueError(
            f"a discordance of {discordance:g} does not go with rates {rate:g} and {other:g}: "
            f"it lies between {abs(difference):g} and {most:g}"
        )
    return discordance, discordance - difference**2


def samples_needed(
    rate: float,
    difference: float,
    *,
    discordance: float | None = None,
    per_cluster: float = 1,
    icc: float = 0.0,
    power: float = POWER,
    level: float = LEVEL,
) -> Need:
    """Samples (and clusters) for each model to see ``rate`` against ``rate + difference``.

    Args:
        discordance: the share of samples that exactly one model gets right, if both are asked the same samples; None
            for two independent groups.
        power: chance to see the difference, if it is there.
        level: of the interval that has to exclude 0.

    Raises:
        ValueError: values that cannot be.
    """
    if difference == 0:
        raise ValueError("no number of samples shows a difference of 0")
    null, there = _variances(rate, difference, discordance)
    reach = normal_quantile(0.5 + level / 2) * math.sqrt(null) + normal_quantile(power) * math.sqrt(there)
    exact = (reach / difference) ** 2 * design_effect(per_cluster, icc)
    samples = max(1, math.ceil(exact - 1e-9))
    clusters = math.ceil(samples / per_cluster)
    return Need(math.ceil(clusters * per_cluster), clusters)


def achieved_power(
    rate: float,
    difference: float,
    clusters: int,
    *,
    discordance: float | None = None,
    per_cluster: float = 1,
    icc: float = 0.0,
    level: float = LEVEL,
) -> float:
    """The chance that so many clusters show the difference; arguments as in ``samples_needed``."""
    null, there = _variances(rate, difference, discordance)
    n = clusters * per_cluster / design_effect(per_cluster, icc)
    short = abs(difference) * math.sqrt(n) - normal_quantile(0.5 + level / 2) * math.sqrt(null)
    if there <= 0:
        return 1.0 if short >= 0 else 0.0
    return normal_cdf(short / math.sqrt(there))


def detectable(
    rate: float,
    clusters: int,
    *,
    paired: bool = False,
    discordance: float | None = None,
    per_cluster: float = 1,
    icc: float = 0.0,
    power: float = POWER,
    level: float = LEVEL,
) -> float | None:
    """The smallest rise above ``rate`` that so many clusters show with this power; None if even a rise to 1 is not seen.

    Args:
        paired: both models are asked the same samples.
        discordance: as in ``samples_needed``; with ``paired`` and None, that of independent answers.
    """

    def shown(rise: float) -> bool:
        share = discordance
        if paired and share is None:
            share = chance_discordance(rate, rise)
        return (
            achieved_power(
                rate, rise, clusters, discordance=share, per_cluster=per_cluster, icc=icc, level=level
            )
            >= power
        )

    low, high = 0.0, 1 - rate
    if discordance is not None:  # |rise| <= discordance <= both rates together, and both errors together
        low = max(low, discordance - 2 * rate)
        high = min(high, discordance, 2 - 2 * rate - discordance)
    if high <= 0 or high < low or not shown(high):
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high
