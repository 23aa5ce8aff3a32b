"""Statistics of opening pairs: two games with one opening and exchanged colours are one observation.

The two games of a pair are alike, for the opening may favour a colour; and they cancel each other's luck of colours. So
the spread is that of pairs, not of games: a pair scores 0, 0.5, 1, 1.5 or 2 points, and the five counts are the
"pentanomial" of a pairing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gobench.statistics import t_quantile
from gobench_go.arena.result import GameResult

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # a game, in the mean of a pair
PSEUDO = (0.25, 0.0, 0.5, 0.0, 0.25)
LEVEL = 0.95
ELO = 400.0  # points of Elo for ten times the odds


@dataclass(frozen=True, slots=True)
class Score:
    """The mean of points a game, with its interval; Elo is infinite where a bound is 0 or 1."""

    value: float
    low: float
    high: float

    @property
    def elo(self) -> tuple[float, float, float]:
        """The Elo difference (value, low, high) that such scores stand for."""
        return elo_of(self.value), elo_of(self.low), elo_of(self.high)


def elo_of(score: float) -> float:
    """The Elo difference at which a player is expected to score so; -inf for 0, inf for 1."""
    if score <= 0 or score >= 1:
        return math.inf if score >= 1 else -math.inf
    return ELO * math.log10(score / (1 - score))


def score_of(elo: float) -> float:
    """The other way round."""
    return 1 / (1 + 10 ** (-elo / ELO))


def pair_points(games: Iterable[GameResult], player: str) -> list[float]:
    """Points of ``player`` in every pair of which both games are there, in the order of their first games."""
    pairs: dict[str, list[float]] = {}
    for game in games:
        pairs.setdefault(game.pair, []).append(game.points(player))
    return [sum(points) for points in pairs.values() if len(points) == 2]


def pentanomial(points: Iterable[float]) -> tuple[int, int, int, int, int]:
    """How many pairs brought 0, 0.5, 1, 1.5 and 2 points."""
    counts = [0] * 5
    for each in points:
        counts[round(2 * each)] += 1
    a, b, c, d, e = counts
    return a, b, c, d, e


def score(counts: Sequence[int], level: float = LEVEL) -> Score | None:
    """The score of a pentanomial: Wilson's interval at the number of games that the spread of pairs is worth.

    The spread is taken with one pseudo-pair, of two even games that know nothing of each other, so that pairs that are
    all alike are not taken for certain; bounds reach as far as t quantiles do. None without pairs.
    """
    pairs = sum(counts)
    if not pairs:
        return None
    value = _mean(counts)
    z = t_quantile(0.5 + level / 2, pairs)
    low, high = _wilson(value, _worth(counts), z)
    return Score(value, low, high)


def _mean(counts: Sequence[float]) -> float:
    return sum(n * x for n, x in zip(counts, POINTS, strict=True)) / sum(counts)


def _worth(counts: Sequence[int]) -> float:
    """How many independent games without draws would tell as much."""
    padded = [count + pseudo for count, pseudo in zip(counts, PSEUDO, strict=True)]
    mean = _mean(padded)
    spread = sum(n * (x - mean) ** 2 for n, x in zip(padded, POINTS, strict=True)) / sum(padded)
    return sum(counts) * mean * (1 - mean) / spread


def _wilson(p: float, n: float, z: float) -> tuple[float, float]:
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    return max(0.0, centre - half) if p > 0 else 0.0, min(1.0, centre + half) if p < 1 else 1.0
