"""What every teacher offers, and how one is named: ``random``, ``mcts:50``, with a version ``mcts@2:50``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

Temperature: TypeAlias = Sequence[tuple[int, float]]
Opening: TypeAlias = "int | Mapping[str, int]"
REGION = 5  # side of the middle square in which an opening given as a number of plies takes place


class Judgement(NamedTuple):
    """What a teacher thinks of every move of a position. Moves are row * C + col, R*C is the pass."""

    policy: npt.NDArray[np.float32]  # [R*C + 1], sums to 1
    values: npt.NDArray[
        np.float32
    ]  # [R*C + 1], chance that the mover wins (a draw is half); NaN where unknown
    visits: npt.NDArray[np.int32]  # [R*C + 1]
    best: int
    value: float  # chance that the side to move wins
    leads: npt.NDArray[np.float32]  # [R*C + 1], points for the mover, komi included; NaN where unknown
    lead: float  # the same of the position; NaN where unknown


class GameRecord(NamedTuple):
    """A game from the empty board, Black first. ``targets`` and ``values`` are each as long, or empty."""

    moves: list[int]
    targets: list[int]  # the teacher's best move before each ply, also where another was played
    values: list[float]  # the chance of winning of the side to move, before each ply


class Teacher(Protocol):
    """A player that judges positions and makes games; one that is not external always the same ones for a seed."""

    @property
    def external(self) -> bool:
        """Whether a program of others answers. Its answers do not repeat: journal them."""
        ...

    @property
    def name(self) -> str:
        """The full name with the version, as it stands in records: ``mcts@2:50``, ``gnugo:10 (GNU Go 3.8)``.

        ``teacher`` takes it. Of an external one it is without places of this machine, and it may start the program,
        which says itself who it is.
        """
        ...

    def judge(self, position: Position, seed: int) -> Judgement:
        """What it thinks of a position. Raises UsageError when the game is over."""
        ...

    def game(
        self, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
    ) -> GameRecord:
        """Play against itself to two passes or ``max_plies``.

        Args:
            opening: how many first moves are random legal ones in the middle of the board: a number, or
                ``{"plies": 4, "region": 5}`` with the side of that middle.
            temperature: rows (ply, temperature); each holds for the plies before its own, the last one also
                for all after. 0 plays the best move, 1 draws in proportion to the visits.
        """
        ...
