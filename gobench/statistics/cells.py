"""Results of games, added up: one cell for each two players and who of them was first, in all and by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gobench.statistics.comparisons import Bools, groups, reached
from gobench.statistics.intervals import Floats, Ints, Weights, wilson


class Played(NamedTuple):
    """One finished game between two players; games with equal ``cluster`` belong together."""

    first: str
    second: str
    points: float  # of the first: 1 for a win, 0.5 for a draw
    cluster: str


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """P players, K cells, C clusters, n games."""

    names: Sequence[str]  # [P], sorted
    first: Ints  # [K] who was first
    second: Ints  # [K]
    of: Ints  # [n] the cell of each game
    points: Floats  # [n] of its first player
    clusters: Ints  # [n]

    @classmethod
    def gather(cls, games: Sequence[Played]) -> Cells:
        """Both orders of two players that met have a cell, even where one was not played.

        Raises ValueError for no games, a player against itself, or points outside 0 to 1.
        """
        _check(games)
        names = sorted({name for game in games for name in game[:2]})
        place = {name: n for n, name in enumerate(names)}
        pairs = [(place[game.first], place[game.second]) for game in games]
        orders = sorted({*pairs, *((b, a) for a, b in pairs)})
        cell = {pair: k for k, pair in enumerate(orders)}
        labels = {label: c for c, label in enumerate(sorted({game.cluster for game in games}))}
        first, second = np.array(orders, np.int64).T
        return cls(
            names, first, second,
            np.array([cell[pair] for pair in pairs], np.int64),
            np.array([game.points for game in games], np.float64),
            np.array([labels[game.cluster] for game in games], np.int64),
        )  # fmt: skip

    def counts(self) -> Floats:
        """Games of each cell, [K]."""
        return np.bincount(self.of, minlength=len(self.first)).astype(np.float64)

    def scored(self, points: Floats | None = None) -> Floats:
        """Points of the first player in each cell, [K]; of other points [n] where they are given."""
        given = self.points if points is None else points
        return np.bincount(self.of, weights=given, minlength=len(self.first)).astype(np.float64)

    def resampled(self, weights: Weights) -> tuple[Floats, Floats]:
        """Counts and points of each draw of whole clusters, [D, K] each."""
        places = (weights.index(self.clusters), self.of)
        counts = np.zeros((len(weights.labels), len(self.first)))
        points = np.zeros_like(counts)
        np.add.at(counts, places, 1.0)
        np.add.at(points, places, self.points)
        return weights.counts @ counts, weights.counts @ points

    def held(self) -> Ints:
        """In how many clusters each player has games, [P]."""
        found = np.zeros((len(self.names), int(self.clusters.max()) + 1), np.bool_)
        found[self.first[self.of], self.clusters] = True
        found[self.second[self.of], self.clusters] = True
        held: Ints = found.sum(axis=1, dtype=np.int64)
        return held

    def shares(self) -> Floats:
        """The games of each cell's two players among all games of one of them, the mean of both: [K]."""
        size = len(self.names)
        games = np.zeros((size, size))
        np.add.at(games, (self.first[self.of], self.second[self.of]), 1.0)
        met = games + games.T
        parts = met / met.sum(axis=1, keepdims=True)
        both: Floats = (parts + parts.T)[self.first, self.second] / 2
        return both

    def met(self) -> Bools:
        """Whether two players have games, [P, P]."""
        found = np.zeros((len(self.names), len(self.names)), np.bool_)
        found[self.first, self.second] = True
        return found

    def took(self) -> Bools:
        """Whether the second axis' player took points from the first axis' one, [P, P]."""
        found = np.zeros((len(self.names), len(self.names)), np.bool_)
        counts, points = self.counts(), self.scored()
        won, lost = points > 0, points < counts
        found[self.second[won], self.first[won]] = True
        found[self.first[lost], self.second[lost]] = True
        return found

    def unswept(self, took: Bools, level: float) -> Floats:
        """Points [K] as they would be had each sweep been as narrow as its clusters allow.

        A sweep is all games between two groups that met, where ``took`` (who took points from whom, [P, P]) leads both
        ways within groups only: its winners get the lower end of Wilson's interval for so many clusters won of so many.
        """
        group = np.zeros(len(self.names), np.int64)
        for number, members in enumerate(groups(reached(took))):
            group[members] = number
        a, b = group[self.first[self.of]], group[self.second[self.of]]
        points = self.points.copy()
        low, high = np.minimum(a, b), np.maximum(a, b)
        for one, two in {*zip(low[low < high].tolist(), high[low < high].tolist(), strict=True)}:
            among = (low == one) & (high == two)
            clusters = len(np.unique(self.clusters[among]))
            least = wilson(clusters, clusters, level)[0]
            points[among] = np.where(points[among] > 0.5, least, 1 - least)
        return self.scored(points)


def _check(games: Sequence[Played]) -> None:
    if not games:
        raise ValueError("there are no games to rate")
    for game in games:
        if game.first == game.second:
            raise ValueError(f"{game.first!r} played against itself")
        if not 0 <= game.points <= 1:
            raise ValueError(f"{game.points} points in a game of {game.first!r}: give 0 to 1")
