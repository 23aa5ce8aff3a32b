"""Whoever plays a side: the contract between the referee and teachers, engines and models.

A player is asked for one move at a time and given the whole position with its history, so that it can be started again
in the middle of a game. What it answers is checked by the referee, never believed.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from gobench.types import Record
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

RESIGN = -1
NOTHING = -2  # no move was answered: a picture that shows none


class Reply(NamedTuple):
    """One answer. Moves are row * C + col, R*C is the pass, ``RESIGN`` gives up, ``NOTHING`` is no move."""

    move: int
    tries: int = 1  # how often it was asked: a model may be asked again after what is no legal move
    illegal: tuple[str, ...] = ()  # why each answer before the last one did not count, in a word
    value: float = math.nan  # the chance of winning that the player gives itself, where it says so
    said: str = ""  # one line for people


class Player(Protocol):
    """One side of a game. Used by one game at a time, and by the thread that made it."""

    @property
    def name(self) -> str:
        """How it stands in tables, as short as it can be: ``mcts:200``, ``gnugo:10``."""
        ...

    @property
    def identity(self) -> Record:
        """Who it is exactly, as plain data with the keys "name", "kind" ("teacher", "engine", "model") and
        "version", and what else decides its moves (command, settings, hash of its network or weights, protocol).
        Without paths of this machine; the same in every process, so that a match can be resumed.
        """
        ...

    def begin(self, rules: Rules, seed: int) -> None:
        """A new game from the empty board.

        Raises:
            UsageError: a board or komi that it cannot play.
            EngineError: it broke down.
        """
        ...

    def reply(self, position: Position, seed: int) -> Reply:
        """Its move in ``position``, for the side to move. ``seed`` is an unsigned 64-bit number.

        Raises:
            EngineError: no answer; ``fault`` says why.
        """
        ...

    def close(self) -> None:
        """End what it has started. May be called twice; the player may be used again after ``begin``."""
        ...
