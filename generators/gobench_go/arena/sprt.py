"""A sequential test of two Elo differences on opening pairs: play until one of them is clearly the better guess.

The log-likelihood ratio is that of the generalised sequential probability ratio test: under either hypothesis the five
chances of a pair are those that fit the counts best among all with the hypothesis' mean score (Van den Bergh, "A
practical introduction to the GSPRT"). Outcomes not seen yet get a small count, so that a run of wins or losses alone
has a ratio too. The verdict is that of the shortest prefix of pairs, in the order of the plan, whose ratio passes a
bound: pairs that were finished beyond it change nothing, so neither does the number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gobench.errors import UsageError
from gobench_go.arena.pairs import POINTS, score_of

Verdict = Literal["accepted H0", "accepted H1", "undecided"]
UNSEEN = 1e-3  # the count of an outcome that was not seen
LARGEST = 2000.0  # Elo of a hypothesis: beyond it no game is lost, and nothing can be told apart
STEPS = 60  # of bisection: its error is then that of floats


@dataclass(frozen=True, slots=True)
class Sprt:
    """H0: the first player is ``elo0`` stronger; H1: it is ``elo1`` stronger. Raises UsageError out of range."""

    elo0: float
    elo1: float
    alpha: float = 0.05  # the chance of accepting H1 where H0 holds
    beta: float = 0.05  # and the other way round

    def __post_init__(self) -> None:
        if not -LARGEST <= self.elo0 < self.elo1 <= LARGEST:  # NaN is neither
            raise UsageError(
                f"--sprt {self.elo0:g},{self.elo1:g}: elo0 is below elo1, as in 0,10, and both lie between "
                f"-{LARGEST:g} and {LARGEST:g}."
            )
        if not (0 < self.alpha < 0.5 and 0 < self.beta < 0.5):
            raise UsageError(
                f"--sprt with errors {self.alpha:g} and {self.beta:g}: both lie between 0 and 0.5."
            )

    @classmethod
    def of(cls, text: str) -> Sprt:
        """``elo0,elo1[,alpha,beta]``; raises UsageError."""
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 4):
            raise UsageError(
                f"--sprt {text!r}: give elo0,elo1 or elo0,elo1,alpha,beta, as in 0,10,0.05,0.05."
            )
        return cls(*numbers)

    @property
    def bounds(self) -> tuple[float, float]:
        """H0 is accepted at or below the first, H1 at or above the second."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)

    def llr(self, counts: Sequence[float]) -> float:
        """The log-likelihood ratio of H1 to H0 of a pentanomial; 0 without pairs."""
        return _ratio(self.elo0, self.elo1, tuple(counts)) if sum(counts) else 0.0

    def verdict(self, counts: Sequence[float]) -> Verdict:
        """What the ratio of these counts says."""
        low, high = self.bounds
        ratio = self.llr(counts)
        return "accepted H0" if ratio <= low else "accepted H1" if ratio >= high else "undecided"


@dataclass(frozen=True, slots=True)
class Decision:
    """How a test stands."""

    verdict: Verdict
    pairs: int  # that were looked at; the last one decided
    llr: float


def decide(test: Sprt, points: Iterable[float]) -> Decision:
    """Look at the points of pairs (0 to 2) one after the other until the test is decided."""
    counts, ratio, pairs = [0] * 5, 0.0, 0
    low, high = test.bounds
    for pairs, each in enumerate(points, 1):
        counts[round(2 * each)] += 1
        ratio = test.llr(counts)
        if not low < ratio < high:
            return Decision(test.verdict(counts), pairs, ratio)
    return Decision("undecided", pairs, ratio)


@lru_cache(maxsize=1 << 16)  # a test is looked at after every game, each time from its first pair on
def _ratio(elo0: float, elo1: float, counts: tuple[float, ...]) -> float:
    seen = [max(float(count), UNSEEN) for count in counts]
    first, second = (_fitted(seen, score_of(elo)) for elo in (elo0, elo1))
    return sum(n * (math.log(b) - math.log(a)) for n, a, b in zip(seen, first, second, strict=True))


def _fitted(counts: Sequence[float], mean: float) -> list[float]:
    """The likeliest chances of the five outcomes with a given mean: counts, each divided by 1 + tilt * (its points - mean).

    The tilt is the one that brings the mean about; it lies where all chances are positive.
    """
    total = sum(counts)
    low, high = -1 / (POINTS[-1] - mean), 1 / (mean - POINTS[0])

    def beyond(tilt: float) -> float:
        return sum(n * (x - mean) / (1 + tilt * (x - mean)) for n, x in zip(counts, POINTS, strict=True))

    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > 0 else (low, middle)
    tilt = (low + high) / 2
    return [n / total / (1 + tilt * (x - mean)) for n, x in zip(counts, POINTS, strict=True)]
