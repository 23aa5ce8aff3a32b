"""Elo from games: outcomes -> a ladder.

A match's pairs of games with one opening are clusters of the bootstrap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gobench.errors import UsageError, unknown
from gobench.statistics.ratings import Played, Rating, Ratings, UnconnectedError, rate
from gobench.types import Record
from gobench_go.arena.outcomes import UNRATED, Games

ANCHORS: Mapping[str, float] = {"random": 0.0}
"""Who stands where on the embedded ladder, unless anchors are given."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ratings, with what is told beside them."""

    ratings: Ratings
    anchors: Mapping[str, float]
    unique: Mapping[str, int]  # player -> unlike games
    games: int
    repeats: int  # games that are equal to one before, with the same players on the same sides
    unrated: Mapping[str, int]
    renamed: Sequence[str] = ()
    placed: bool = False  # whether the anchors are those of a suite

    def notes(self) -> Iterator[str]:
        """What a reader should know, a line each."""
        if not self.anchors:
            yield "no anchor: ratings are relative to their mean. Give --anchor NAME=ELO to place them."
        if self.placed:
            yield (
                f"anchors: {len(self.anchors)} opponents stand where the shipped ladder of their suite says, and Black "
                "is worth nothing, as in the suite; --anchor NAME=ELO sets others instead."
            )
        if self.repeats:
            yield (
                f"{self.repeats} of {self.games} games repeat another one move by move, players and colours alike: "
                "they tell nothing new, and intervals are too narrow by them."
            )
        if bounded := [player.name for player in self.ratings.players if player.bound]:
            yield (
                f"bounds only: {', '.join(bounded)}. Between them and an anchor one side won every game; their "
                "place is what the prior makes of that. Players of a strength between would tell."
            )
        if self.renamed:
            yield (
                f"not the same players under one name (by the plans of their matches): {', '.join(self.renamed)} "
                "come from later folders."
            )
        for reason, count in self.unrated.items():
            yield f"{count} games not rated: {UNRATED[reason]}."

    def record(self) -> Record:
        """As plain data; what is unknown or without an end is null."""
        return {
            "players": [_row(self, player) for player in self.ratings.players],
            "anchors": dict(self.anchors),
            "black": {
                "elo": _digits(self.ratings.advantage),
                "interval": _ends(self.ratings.advantage_low, self.ratings.advantage_high),
            },
            "games": self.games,
            "repeats": self.repeats,
            "unrated": dict(self.unrated),
            "level": self.ratings.level,
            "prior": self.ratings.prior,
        }


def climb(
    games: Games,
    anchors: Mapping[str, float] | None = None,
    *,
    placed: Mapping[str, float] | None = None,
    colour: bool = True,
    forfeits: bool = True,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Ladder:
    """The ladder of some games.

    Args:
        anchors: player -> rating that is given; None for those of ``placed``, or else of ``ANCHORS``, that play.
        placed: ratings of a suite's opponents; with them ``colour`` is not asked, for suites exchange colours.
        colour: whether being Black may be worth something.
        forfeits: whether games that ended by a forfeit count.
        level, draws, seed: of the intervals, as ``gobench.statistics.rate``.

    Raises:
        UsageError: no games, an anchor that has none, or players that no games connect with an anchor.
    """
    rated = [game for game in games.outcomes if forfeits or not game.forfeit]
    unrated = dict(games.unrated)
    if left := len(games.outcomes) - len(rated):
        unrated["forfeit"] = left
    if not rated:
        said = "; ".join(f"{count}: {UNRATED[reason]}" for reason, count in unrated.items())
        raise UsageError(f"there is no game to rate{f' ({said})' if said else ''}.")
    names = {name for game in rated for name in (game.black, game.white)}
    suite = {} if anchors is not None else {name: e for name, e in (placed or {}).items() if name in names}
    fixed = suite or _anchors(anchors, names)
    played = [Played(game.black, game.white, game.points, game.pair) for game in rated]
    try:
        ratings = rate(played, fixed, advantage=colour and not suite, level=level, draws=draws, seed=seed)
    except UnconnectedError as error:
        raise UsageError(
            f"{error}. Play games between the groups, rate them apart, or give --anchor NAME=ELO in each."
        ) from None
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    seen = Counter((game.black, game.white, game.moves) for game in rated)
    repeats = sum(seen.values()) - len(seen)
    unique = Counter(name for black, white, _ in seen for name in (black, white))
    return Ladder(ratings, fixed, unique, len(rated), repeats, unrated, games.renamed, bool(suite))


def _anchors(given: Mapping[str, float] | None, names: set[str]) -> dict[str, float]:
    if given is None:
        return {name: elo for name, elo in ANCHORS.items() if name in names}
    for name in given:
        if name not in names:
            raise unknown("anchor", name, names)
    return dict(given)


def anchor(text: str) -> tuple[str, float]:
    """``mcts:200=870`` -> ("mcts:200", 870.0). Raises UsageError for anything else."""
    name, equals, number = text.rpartition("=")
    try:
        elo = float(number)
    except ValueError:
        elo = math.nan
    if not (name and equals and math.isfinite(elo)):
        raise UsageError(f"--anchor {text!r}: give NAME=ELO, such as random=0 or gnugo:10=1400.")
    return name, elo


def _row(ladder: Ladder, player: Rating) -> Record:
    return {
        "name": player.name,
        "elo": _digits(player.elo),
        "interval": None if player.anchored else _ends(player.low, player.high),
        "bound": player.bound or None,
        "anchored": player.anchored,
        "games": player.games,
        "wins": player.wins,
        "draws": player.draws,
        "losses": player.losses,
        "score": round(player.points / player.games, 4),
        "unique_games": ladder.unique[player.name],
        "opponents": list(player.opponents),
    }


def _ends(low: float, high: float) -> list[float | None] | None:
    return None if math.isnan(low) and math.isnan(high) else [_digits(low), _digits(high)]


def _digits(value: float) -> float | None:
    return round(value, 1) + 0.0 if math.isfinite(value) else None
