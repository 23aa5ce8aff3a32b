"""Numbers of a comparison: the difference of a metric, over all samples and over slices, and the samples that flipped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench import results
from gobench.statistics import Estimate, Weights, holm, mcnemar, paired, paired_p
from gobench.tasks import Metric
from gobench.types import Record

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """Both sides' metrics over common samples."""

    ids: Sequence[str]
    clusters: npt.NDArray[np.int64]  # [n]
    a: Mapping[str, Floats]  # metric -> [n], NaN where undefined
    b: Mapping[str, Floats]
    slices: Mapping[str, Mask]  # [n] samples that are in the slice for both sides
    weights: Weights
    level: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of both models on the samples for which both have it."""

    a: float
    b: float
    change: Estimate  # of b - a, with an interval over clusters
    p: float  # two-sided, by a t test over clusters; NaN where it cannot be said
    better: str  # "higher" or "lower"
    unit: str
    only_a: int | None  # samples on which A has 1 and B has 0, of a 0/1 metric
    only_b: int | None
    mcnemar: float | None  # exact, two-sided; takes samples as independent
    level: float = 0.95

    @property
    def verdict(self) -> str:
        """ "better" (B is) or "worse" where the interval excludes 0 and p is at most 1 - level, else ""."""
        if not (self.change.excludes_zero and self.p <= 1 - self.level):
            return ""
        return "better" if (self.change.value > 0) == (self.better == "higher") else "worse"

    def plain(self) -> Record:
        """As JSON, rounded like a result; what is missing is null."""
        interval = self.change.interval
        return {
            "a": results.rounded(self.a),
            "b": results.rounded(self.b),
            "difference": results.rounded(self.change.value),
            "interval": interval and [results.rounded(x) for x in interval],
            "method": self.change.method,
            "n": self.change.n,
            "clusters": self.change.clusters,
            "p": _rounded(self.p),
            "better": self.better,
            "unit": self.unit,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "mcnemar": _rounded(self.mcnemar),
            "verdict": self.verdict or "not told apart",
        }


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """The difference on a part of the samples."""

    name: str
    difference: Difference
    adjusted: float  # p after Holm over all slices of the table
    holds: bool  # whether that is at or below 1 - level, and the interval excludes 0

    def plain(self) -> Record:
        return {
            "slice": self.name,
            "holm_p": _rounded(self.adjusted),
            "holds": self.holds,
        } | self.difference.plain()


class Flip(NamedTuple):
    """A sample that one model gets better than the other."""

    sample: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Flips:
    """Samples whose value of a metric differs, most telling first."""

    metric: str
    gained: Sequence[Flip]  # B is better
    lost: Sequence[Flip]  # A is better

    def plain(self) -> Record:
        return {
            "metric": self.metric,
            "gained": [f.sample for f in self.gained],
            "lost": [f.sample for f in self.lost],
        }


def _rounded(p: float | None) -> float | None:
    return None if p is None or math.isnan(p) else float(f"{p:.6g}")


def difference(columns: Columns, name: str, metric: Metric, mask: Mask | None = None) -> Difference | None:
    """The difference of one metric, over all common samples or those of ``mask``; None if it is defined nowhere."""
    a, b = columns.a[name], columns.b[name]
    both = ~np.isnan(a) & ~np.isnan(b)
    both = both if mask is None else both & mask
    a, b, clusters = a[both], b[both], columns.clusters[both]
    proportion = metric.unit == "proportion"
    change = paired(a, b, clusters, columns.weights, proportion, columns.level)
    if change is None:
        return None
    binary = bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all())
    only_a, only_b = int(np.sum(a > b)), int(np.sum(b > a))
    return Difference(
        a=float(a.mean()),
        b=float(b.mean()),
        change=change,
        p=paired_p(a, b, clusters, proportion),
        better=metric.better,
        unit=metric.unit,
        only_a=only_a if binary else None,
        only_b=only_b if binary else None,
        mcnemar=mcnemar(only_a, only_b) if binary else None,
        level=columns.level,
    )


def slice_differences(columns: Columns, name: str, metric: Metric) -> list[SliceDifference]:
    """One metric in every slice where both have it, with p-values adjusted for their number (Holm 1979)."""
    found = {s: difference(columns, name, metric, mask) for s, mask in columns.slices.items()}
    there = [(s, d) for s, d in found.items() if d is not None]
    adjusted = holm([d.p for _, d in there])
    return [
        SliceDifference(s, d, p, d.change.excludes_zero and p <= 1 - columns.level)
        for (s, d), p in zip(there, adjusted, strict=True)
    ]


def moved(slices: Sequence[SliceDifference]) -> list[SliceDifference]:
    """The slices whose interval excludes 0, largest difference first."""
    told = [s for s in slices if s.difference.change.excludes_zero]
    return sorted(told, key=lambda s: (-abs(s.difference.change.value), s.name))


def flips(columns: Columns, name: str, metrics: Mapping[str, Metric]) -> Flips:
    """The samples on which a metric differs.

    Most telling first: by how far it differs, then by how far all other metrics do (each in units of its spread),
    so that of two right answers turned wrong the one that costs more comes first; then by name.
    """
    sign = 1 if metrics[name].better == "higher" else -1
    a, b = columns.a[name], columns.b[name]
    change = sign * (b - a)
    aside = _weight(columns, [m for m in metrics if m != name])
    order = sorted(
        np.flatnonzero(np.abs(change) > 0).tolist(),
        key=lambda i: (-round(abs(float(change[i])), 9), -round(float(aside[i]), 9), columns.ids[i]),
    )
    rows = [(float(change[i]), Flip(columns.ids[i], float(a[i]), float(b[i]))) for i in order]
    return Flips(name, [f for c, f in rows if c > 0], [f for c, f in rows if c < 0])


def _weight(columns: Columns, names: Sequence[str]) -> Floats:
    """How far these metrics differ in each sample, float64 [n]."""
    total = np.zeros(len(columns.ids))
    for name in names:
        change = np.abs(columns.b[name] - columns.a[name])
        there = ~np.isnan(change)
        spread = float(np.sqrt(np.mean(change[there] ** 2))) if there.any() else 0.0
        if spread > 0:
            total[there] += change[there] / spread
    return total
