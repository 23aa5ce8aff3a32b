"""Any engine that speaks GTP as a teacher: it says one move for a position, and nothing else.

For each judgement the engine begins a new game, gets all moves that led there, and is told a seed where it knows
``set_random_seed``; so that what it says does not hang on what it was asked before, as far as the engine allows. One
that broke down is started again by the next question.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from gobench.errors import UsageError
from gobench.types import Record
from gobench_go.engines.commands import engine_command
from gobench_go.engines.faults import EngineError
from gobench_go.engines.gtp import RESIGN, GtpEngine, identity_of
from gobench_go.game import coords
from gobench_go.game.position import NAMES, Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.base import GameRecord, Judgement, Opening, Temperature
from gobench_go.teachers.external import self_play

SECONDS = 60.0  # for one move
_NAMED = re.compile(r"(.+?) \(([^()]+)\)")


@dataclass
class GtpTeacher:
    """Its policy is all on one move; values and leads are unknown. To resign is taken for a pass."""

    engine: GtpEngine
    said: str = ""  # the program and version that its name was given with
    external = True

    @classmethod
    def of(cls, text: str) -> GtpTeacher:
        """``gnugo:10``, ``gtp:COMMAND``, or the same with its version. Raises UsageError as ``engine_command`` does."""
        found = _NAMED.fullmatch(text)
        command = engine_command(found[1] if found else text)
        return cls(GtpEngine(command, SECONDS), found[2] if found else "")

    @property
    def name(self) -> str:
        """``gnugo:10 (GNU Go 3.8)``. Raises UsageError when it was named with another version than is here."""
        engine = self.engine
        if not engine.greeted:
            engine.start()
        is_now = f"{engine.program} {engine.version}".strip().translate(_ROUND) or "unnamed"
        if self.said and self.said != is_now:
            raise UsageError(
                f"teacher {engine.command.name!r}: {self.said} is wanted, and here is {is_now}. Write it without the "
                "version, or install that one."
            )
        return f"{engine.command.name} ({is_now})"

    @property
    def identity(self) -> Record:
        """Who answers, as plain data without places of this machine; starts the engine if it never was."""
        return identity_of(self.engine)

    def judge(self, position: Position, seed: int) -> Judgement:
        """Raises UsageError when the game is over, EngineError when it breaks down or its move is illegal."""
        if position.over:
            raise UsageError("the game is over: there is nothing to judge after two passes.")
        self._check()
        self.engine.begin(position.rules, seed, renew=False)
        return self._judgement(position)

    def game(
        self, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
    ) -> GameRecord:
        """See ``Teacher.game``. Temperature does nothing: an engine says one move. There are no values."""
        self._check()
        self.engine.begin(rules, seed)
        played = self_play(
            lambda position, _: self._judgement(position), rules, opening, temperature, max_plies, seed
        )
        return played._replace(values=[])

    def close(self) -> None:
        """End its process. May be called twice; it starts again when it is asked again."""
        self.engine.close()

    def _check(self) -> None:
        """Raises UsageError as ``name`` does."""
        assert self.name

    def _judgement(self, position: Position) -> Judgement:
        best = self._move(position)
        policy = np.eye(1, position.rules.points + 1, best, dtype=np.float32)[0]
        unknown = np.full(policy.size, np.nan, np.float32)
        return Judgement(policy, unknown, np.zeros(policy.size, np.int32), best, math.nan, unknown, math.nan)

    def _move(self, position: Position) -> int:
        """The engine's move, which is legal."""
        self.engine.set_up(position)
        move = self.engine.genmove(position.to_move)
        if move == RESIGN:
            return position.rules.points
        if why := position.why_illegal(move):
            name = coords.gtp(move, position.rules.rows, position.rules.cols)
            raise EngineError(
                "malformed",
                f"engine {self.engine.command.name!r} plays {name} for {NAMES[position.to_move]}, which is illegal "
                f"({why}), on\n{position}",
            )
        return move


_ROUND = str.maketrans("()", "[]")  # brackets enclose the version in a name
