"""The values: a set of judged games, a game, a position. Everything is seen from the side to move.

``value`` and ``lead`` of a move are what the search found where it looked often enough (``sure_visits``), else a short
look at the position after the move: that one is noisy, good for telling bad moves from good ones, not for choosing
among the best. The best move is therefore the search's first choice, never the maximum of ``value``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from gobench.types import Array, Record
from gobench_go.game.rules import Rules

SURE_VISITS = 4  # from so many visits on the searched value counts, but no fewer than the short look had

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One position before a move. Moves are row * C + col, P = R*C is the pass; the arrays are read-only."""

    policy: (
        Floats  # [P+1] 0 to 1, a network's before any search or a search's share of visits; 0 where illegal
    )
    legal: Bools  # [P+1] the pass included
    value: Floats  # [P+1] chance that the mover wins after the move (a draw is half); NaN where illegal
    lead: Floats  # [P+1] points by which the mover is ahead after the move, komi included; NaN where illegal
    visits: Ints  # [P+1] of the search
    best: int  # the search's first choice
    root_value: float  # chance that the mover wins
    root_lead: float  # points


def sure_visits(oracle: Record) -> int:
    """The visits from which on a searched value is better than the short look, which had ``child_visits``."""
    return max(SURE_VISITS, int(oracle.get("child_visits", 1)))


class Columns(NamedTuple):
    """The positions of a game as arrays, one row a position; see ``Judged``."""

    policy: Floats  # [N, P+1]
    legal: Bools
    value: Floats
    lead: Floats
    visits: Ints
    best: Ints  # [N]
    root_value: Floats
    root_lead: Floats


class Positions(Sequence[Judged]):
    """The positions of a game, made when asked for."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        for array in columns:
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.columns.best)

    @overload
    def __getitem__(self, index: int) -> Judged: ...
    @overload
    def __getitem__(self, index: slice) -> list[Judged]: ...
    def __getitem__(self, index: int | slice) -> Judged | list[Judged]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        c = self.columns
        arrays = c.policy[index], c.legal[index], c.value[index], c.lead[index], c.visits[index]
        return Judged(*arrays, int(c.best[index]), float(c.root_value[index]), float(c.root_lead[index]))

    def __iter__(self) -> Iterator[Judged]:
        return (self[i] for i in range(len(self)))


@dataclass(frozen=True, slots=True, eq=False)
class JudgedGame:
    """A game; position t is the one before move t. Positions before ``opening`` were drawn, not played."""

    id: str  # "g000"
    moves: list[int]
    colors: list[int]  # 1 black, 2 white
    opening: int
    boards: Array  # uint8 [T+1, R, C], read-only
    positions: Sequence[Judged]  # T of them
    lead: float  # Black's at the end


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSet:
    """A frozen test set."""

    name: str
    version: str
    rules: Rules
    oracle: Record  # name, version, visits, and what else the judge says of itself
    note: str
    licence: str
    games: Sequence[JudgedGame]
    digest: str  # sha256 of rules, oracle and games: everything that can change a number

    @property
    def positions(self) -> int:
        """How many positions there are in all games."""
        return sum(len(game.positions) for game in self.games)
