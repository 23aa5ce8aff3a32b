"""Elo ratings from results of games: Bradley and Terry's model (1952) with a prior, an advantage and intervals.

The chance of the first player is 1 / (1 + 10^(-(its rating - the other's + advantage) / 400)); a draw is half a win and
half a loss. Ratings are those of the greatest posterior; the prior is about ``prior`` games of each player that were not
played, as ``priors`` says. So two players that met n times differ by 400 log10((w + prior/2) / (n - w + prior/2)) for w
points, which stays finite when one of them won all.

Ratings are differences; anchors say where they stand. Players whom no results connect with an anchor cannot be rated.
Where nobody of a group took a point from an anchor, directly or by way of others, only a bound is known: ``bound`` says
so, and that end of the interval is infinite.

Intervals are of a bootstrap of whole clusters (pairs of games with one opening) as in ``intervals``: percentiles,
widened to t quantiles by the clusters that a player has games in. The finite end of a bound is where the rating would be
had the winners of every clean sweep got no more than the lower end of Wilson's interval for so many clusters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gobench.statistics import priors
from gobench.statistics.bradley_terry import Design
from gobench.statistics.cells import Cells, Played
from gobench.statistics.comparisons import Bools, groups, reached, said
from gobench.statistics.intervals import DRAWS, LEVEL, Floats, Ints, Weights
from gobench.statistics.quantiles import normal_cdf, t_quantile

ELO = 400 / math.log(10)  # points of rating for one natural unit
PRIOR = 1.0  # virtual games of each player, in all
FEWEST = 8  # clusters; fewer give no interval, as everywhere

Bound = Literal["", ">=", "<=", "?"]


@dataclass(frozen=True, slots=True)
class Rating:
    """One player. An end of the interval is infinite where only the other is known; both are NaN where there is none."""

    name: str
    elo: float
    low: float
    high: float
    bound: Bound  # ">=": at least ``low``; "<=": at most ``high``; "?": nothing ties it to an anchor but the prior
    anchored: bool
    games: int
    wins: int
    draws: int
    losses: int
    clusters: int
    opponents: tuple[str, ...]

    @property
    def points(self) -> float:
        """Wins and half the draws."""
        return self.wins + self.draws / 2


@dataclass(frozen=True, slots=True)
class Ratings:
    """Players, the strongest first."""

    players: tuple[Rating, ...]
    advantage: float  # rating points that being first is worth; 0 if it was not asked for
    advantage_low: float  # NaN where there is no interval
    advantage_high: float
    level: float
    prior: float

    def of(self, name: str) -> Rating:
        """Raises KeyError for a player without games."""
        return {player.name: player for player in self.players}[name]


class UnconnectedError(ValueError):
    """Players that cannot be compared; ``parts`` are the groups that no results connect."""

    def __init__(self, message: str, parts: Sequence[Sequence[str]]) -> None:
        super().__init__(message)
        self.parts = parts


def rate(
    games: Sequence[Played],
    anchors: Mapping[str, float] | None = None,
    *,
    advantage: bool = True,
    prior: float = PRIOR,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Ratings:
    """The ratings of all players of some games.

    Args:
        anchors: players whose rating is given; without any the mean of all players is 0.
        advantage: whether being first may be worth something, the same for all.
        prior: virtual games of each player, in all; 0 for none, where results allow it.
        draws: bootstrap resamples, at least 1.
        seed: decides them.

    Raises:
        UnconnectedError: a group of players without an anchor, or several groups and no anchors.
        ValueError: no games, a player against itself, points outside 0 to 1, an anchor without games, a negative
            prior, or no prior where ratings would be infinite or not determined.
    """
    cells = Cells.gather(games)
    fixed = _fixed(cells, anchors or {})
    fit = _Fit(cells, fixed, advantage, prior)
    elo, edge = fit(cells.counts()[None], cells.scored()[None])
    weights = Weights(cells.clusters, draws, seed)
    many, edges = fit(*cells.resampled(weights))
    took = _took(cells, fixed)
    bounds = _bounds(took, fixed)
    ends = _ends(many, cells.held(), level)
    if any(bounds):
        narrow, _ = fit(cells.counts()[None], cells.unswept(took, level)[None])
        ends = _opened(ends, bounds, narrow[0])
    players = [_rating(cells, n, float(elo[0, n]), ends[:, n], bounds[n], fixed) for n in range(len(bounds))]
    low, high = _ends(edges[:, None], np.array([len(weights.labels)]), level)[:, 0] if advantage else (0, 0)
    ranked = tuple(sorted(players, key=lambda player: (-player.elo, player.name)))
    return Ratings(ranked, float(edge[0]), float(low), float(high), level, prior)


def _fixed(cells: Cells, anchors: Mapping[str, float]) -> Floats:
    """Given ratings, [P]; NaN for those to be found. Raises as ``rate``."""
    if strange := sorted(set(anchors) - set(cells.names)):
        raise ValueError(f"the anchor {strange[0]!r} has no games; players: {', '.join(cells.names)}")
    parts = groups(reached(cells.met()))
    loose = [part for part in parts if not any(cells.names[n] in anchors for n in part)]
    if loose and (anchors or len(parts) > 1):
        raise UnconnectedError(
            f"no games connect {said(cells.names, parts)}; without an anchor of their own are "
            f"{said(cells.names, loose)}",
            [[cells.names[n] for n in part] for part in parts],
        )
    return np.array([anchors.get(name, math.nan) for name in cells.names], np.float64)


class _Fit:
    """Counts and points [D, K] -> ratings [D, P] and advantage [D], in points of rating."""

    def __init__(self, cells: Cells, fixed: Floats, advantage: bool, prior: float) -> None:
        self.floating = bool(np.isnan(fixed).all())
        self.fixed = fixed.copy()
        if self.floating:
            self.fixed[0] = 0.0
        self.free, self.advantage = np.isnan(self.fixed), advantage
        self.design = Design.of(cells.first, cells.second, self.fixed / ELO, advantage)
        if prior < 0:
            raise ValueError(f"a prior of {prior:g} games: give 0 or more")
        self.prior = priors.virtual(cells, fixed, prior)
        if prior == 0:
            _refuse_infinite(cells, self.design)

    def __call__(self, counts: Floats, points: Floats) -> tuple[Floats, Floats]:
        found = self.design.fit(counts + self.prior.counts, points + self.prior.points) * ELO
        ratings = np.tile(self.fixed, (len(found), 1))
        ratings[:, self.free] = found[:, : int(self.free.sum())]
        if self.floating:
            ratings -= ratings.mean(axis=1, keepdims=True)
        return ratings, found[:, -1] if self.advantage else np.zeros(len(found))


def _refuse_infinite(cells: Cells, design: Design) -> None:
    parts = groups(reached(cells.took()))
    if len(parts) > 1:
        raise ValueError(
            f"without a prior ratings are infinite: between {said(cells.names, parts)} one side won every game"
        )
    if not design.determined(cells.counts() > 0):
        raise ValueError("without a prior these games cannot tell the advantage from the ratings")


def _ends(many: Floats, clusters: Ints, level: float) -> Floats:
    """Interval ends [2, P] of draws [D, P] over so many clusters [P]; NaN for too few of them."""
    ends = np.full((2, many.shape[1]), np.nan)
    for n, held in enumerate(clusters.tolist()):
        if held >= FEWEST:
            reach = t_quantile(0.5 + level / 2, held - 1) * math.sqrt(held / (held - 1))
            ends[:, n] = np.quantile(many[:, n], (normal_cdf(-reach), normal_cdf(reach)))
    return ends


def _took(cells: Cells, fixed: Floats) -> Bools:
    """Who took points from whom, [P, P]: second axis from first. Anchors need no games to be held to each other."""
    anchored = ~np.isnan(fixed)
    took: Bools = cells.took() | np.outer(anchored, anchored)
    return took


def _bounds(took: Bools, fixed: Floats) -> list[Bound]:
    """Which players' ratings the results do not hold from above, from below, or at all, [P].

    Without anchors the largest group that took points from each other stands for them.
    """
    paths = reached(took)  # paths[a, b]: b took points from a, by way of others
    anchors = np.flatnonzero(~np.isnan(fixed)) if not np.isnan(fixed).all() else max(groups(paths), key=len)
    above: list[bool] = np.any(paths[anchors], axis=0).tolist()
    below: list[bool] = np.any(paths[:, anchors], axis=1).tolist()
    words: dict[tuple[bool, bool], Bound] = {
        (True, True): "", (True, False): ">=", (False, True): "<=", (False, False): "?",
    }  # fmt: skip
    return [words[a, b] for a, b in zip(above, below, strict=True)]


def _opened(ends: Floats, bounds: Sequence[Bound], narrow: Floats) -> Floats:
    """Ends [2, P] with those that results do not hold made infinite, and the others as far out as sweeps allow."""
    low, high = ends.copy()
    for n, bound in enumerate(bounds):
        if bound == ">=":
            low[n], high[n] = np.nanmin([low[n], narrow[n]]), np.inf
        elif bound == "<=":
            low[n], high[n] = -np.inf, np.nanmax([high[n], narrow[n]])
        elif bound == "?":
            low[n], high[n] = -np.inf, np.inf
    return np.stack([low, high])


def _rating(cells: Cells, player: int, elo: float, ends: Floats, bound: Bound, fixed: Floats) -> Rating:
    first, second = cells.first[cells.of] == player, cells.second[cells.of] == player
    own = np.where(first, cells.points, 1 - cells.points)[first | second]
    anchored = not math.isnan(fixed[player])
    others = np.flatnonzero(cells.met()[player]).tolist()
    wins, losses = int((own > 0.5).sum()), int((own < 0.5).sum())
    return Rating(
        name=cells.names[player],
        elo=elo,
        low=elo if anchored else float(ends[0]),
        high=elo if anchored else float(ends[1]),
        bound="" if anchored else bound,
        anchored=anchored,
        games=len(own),
        wins=wins,
        draws=len(own) - wins - losses,
        losses=losses,
        clusters=int(cells.held()[player]),
        opponents=tuple(cells.names[n] for n in others),
    )


def win_chance(difference: float) -> float:
    """The expected score of a player that is ``difference`` points stronger."""
    return 1 / (1 + 10 ** (-difference / 400))


__all__ = ["ELO", "PRIOR", "Bound", "Played", "Rating", "Ratings", "UnconnectedError", "rate", "win_chance"]
