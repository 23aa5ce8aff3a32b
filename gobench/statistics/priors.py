"""What is assumed before any game: virtual games, counts and points for each cell, that keep ratings finite.

``size`` is in games of each player. Who met players of given ratings alone wins half of them against the weakest of these
and loses half against the strongest: among them this says nothing, whomever the games were against, and beyond both ends
it holds a player that lost or won every game. Where ratings are found together, a player's virtual games are drawn and
shared among its opponents as its games are: a prior of each pair would pull the ends of a long ladder together the more,
the more players stand on it. With one opponent both are one drawn game.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gobench.statistics.cells import Cells
from gobench.statistics.intervals import Floats


class Virtual(NamedTuple):
    """Games that were not played, [K] each."""

    counts: Floats
    points: Floats  # of the first player


def virtual(cells: Cells, fixed: Floats, size: float) -> Virtual:
    """The prior of some players; ``fixed`` [P] are ratings that are given, NaN for those to be found."""
    counts = size * cells.shares() / 2  # each pair has two cells
    points = counts / 2
    met, given = cells.met(), ~np.isnan(fixed)
    for player in np.flatnonzero(~given).tolist():
        others = np.flatnonzero(met[player])
        if given[others].all():
            weakest = others[np.argmin(fixed[others])]
            strongest = others[np.argmax(fixed[others])]
            _place(cells, (counts, points), player, ((weakest, size / 2, 1.0), (strongest, size / 2, 0.0)))
    return Virtual(counts, points)


def _place(
    cells: Cells, into: tuple[Floats, Floats], player: int, games: tuple[tuple[int, float, float], ...]
) -> None:
    """A player's virtual games and no others, half of them in either cell of a pair: (opponent, games, score)."""
    counts, points = into
    first, second = cells.first == player, cells.second == player
    counts[first | second] = points[first | second] = 0.0
    for other, size, score in games:
        ahead, behind = first & (cells.second == other), second & (cells.first == other)
        counts[ahead | behind] += size / 2
        points[ahead] += size / 2 * score
        points[behind] += size / 2 * (1 - score)


__all__ = ["Virtual", "virtual"]
