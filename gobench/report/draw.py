"""Numbers as places on an axis, in percent of its length: all that the page's inline SVG needs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Axis(NamedTuple):
    """From ``low`` to ``high`` along the whole width."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Where a value lies, as "41.25%"; what is beyond the ends lies on them."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.2f}%"

    def ticks(self) -> list[tuple[str, str]]:
        """(place, words) of five ticks."""
        values = [self.low + (self.high - self.low) * i / 4 for i in range(5)]
        return [(self.at(value), f"{value:g}") for value in values]


class Mark(NamedTuple):
    """A value with its interval on an axis."""

    at: str
    low: str
    high: str
    words: str  # for those who cannot see it


def axis(unit: str, values: Iterable[float]) -> Axis:
    """The axis for values of a unit: proportions from 0 to 1, anything else from 0 (or below) to a round number."""
    finite = [value for value in values if math.isfinite(value)]
    high, low = max(finite, default=1.0), min(finite, default=0.0)
    if unit in ("proportion", "ratio") and low >= 0 and high <= 1:
        return Axis(0.0, 1.0)
    return Axis(-round_up(-low) if low < 0 else 0.0, round_up(high) if high > 0 else 1.0)


def round_up(value: float) -> float:
    """The next round number that is not smaller, for a value above 0."""
    power = 10.0 ** math.floor(math.log10(value))
    step = next((s for s in STEPS if s * power >= value * (1 - 1e-9)), 10.0)
    return step * power


def number(value: float | None, unit: str) -> str:
    """A value for people: proportions and ratios with 3 digits behind the point, others with 2."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if unit in ("proportion", "ratio") else f"{value:.2f}"
