"""Numbers of a comparison in words, for the terminal and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gobench.compare.differences import Difference
from gobench.compare.pairing import Comparison, TaskComparison

DIGITS = {"proportion": 3, "ratio": 3, "points": 2, "plies": 2}
"""Unit -> digits after the point."""


def value(number: float, unit: str) -> str:
    """A metric's value: 0.312."""
    return f"{number:.{DIGITS.get(unit, 3)}f}"


def signed(number: float, unit: str) -> str:
    """A difference: +0.041; what rounds to nothing has no sign."""
    text = f"{number:+.{DIGITS.get(unit, 3)}f}"
    return text if float(text) else text[1:]


def interval(found: Difference) -> str:
    """As "+0.010 to +0.072"; a dash where there is none."""
    if found.change.interval is None:
        return "–"
    low, high = (signed(x, found.unit) for x in found.change.interval)
    return f"{low} to {high}"


def p_value(p: float | None) -> str:
    """A p-value with two digits; a dash where there is none."""
    if p is None or math.isnan(p):
        return "–"
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def cells(found: Difference) -> Mapping[str, str]:
    """The columns of a difference."""
    return {
        "a": value(found.a, found.unit),
        "b": value(found.b, found.unit),
        "difference": signed(found.change.value, found.unit),
        "interval": interval(found),
        "p": p_value(found.p),
        "only_a": "–" if found.only_a is None else f"{found.only_a:,}",
        "only_b": "–" if found.only_b is None else f"{found.only_b:,}",
        "mcnemar": p_value(found.mcnemar),
        "n": f"{found.change.n:,}",
        "verdict": found.verdict,
    }


def rule(level: float) -> str:
    """When a difference is called better or worse."""
    return (
        f'"better" and "worse": the {100 * level:g}% interval excludes 0 and p (a test over clusters) is at most '
        f"{1 - level:.2g}. Neither is corrected for the number of metrics; McNemar's p, which takes samples as "
        "independent, decides nothing."
    )


def facts(comparison: Comparison) -> list[str]:
    """What is compared, in a few words each."""
    suites = {
        f"{s.suite.name}, protocol {s.suite.protocol}" for s in (comparison.a.result, comparison.b.result)
    }
    return [
        *(sorted(suites)),
        "differences are B − A",
        f"{100 * comparison.level:g}% intervals by a paired bootstrap over clusters",
    ]


def summary(task: TaskComparison) -> str:
    """How much of a task is compared, and how many samples flipped."""
    gained, lost = len(task.flips.gained), len(task.flips.lost)
    return (
        f"{task.n:,} common samples in {task.clusters:,} clusters. {task.metric}: B is better on {gained:,}, "
        f"A on {lost:,}, and they are equal on {task.n - gained - lost:,}."
    )
