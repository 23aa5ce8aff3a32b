"""Any engine that speaks GTP as a teacher: it says one move for a position, and nothing else.

For each judgement the engine begins a new game, gets all moves that led there, and is told a seed where it knows
``set_random_seed``; so that what it says does not hang on what it was asked before, as far as the engine allows. An
engine that breaks down is started again once for each question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench_go.engines.commands import engine_command
from gobench_go.engines.faults import EngineError
from gobench_go.engines.gtp import RESIGN, GtpEngine
from gobench_go.game import coords
from gobench_go.game.position import NAMES, Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.base import REGION, GameRecord, Judgement, Opening, Temperature
from gobench_go.teachers.random_teacher import is_own_eye

SECONDS = 60.0  # for one move
_NAMED = re.compile(r"(.+?) \(([^()]+)\)")
Answer = TypeVar("Answer")


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

    def judge(self, position: Position, seed: int) -> Judgement:
        """Raises UsageError when the game is over, EngineError when it breaks down twice or its move is illegal."""
        if position.over:
            raise UsageError("the game is over: there is nothing to judge after two passes.")
        best = self._again(lambda: self._best(position, seed))
        policy = np.eye(1, position.rules.points + 1, best, dtype=np.float32)[0]
        unknown = np.full(policy.size, np.nan, np.float32)
        return Judgement(policy, unknown, np.zeros(policy.size, np.int32), best, math.nan, unknown, math.nan)

    def game(
        self, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
    ) -> GameRecord:
        """See ``Teacher.game``. Temperature does nothing: an engine says one move. The game ends where a side resigns.
        There are no values.
        """
        return self._again(lambda: self._game(rules, opening, max_plies, seed))

    def close(self) -> None:
        """End its process. May be called twice; it starts again when it is asked again."""
        self.engine.close()

    def _game(self, rules: Rules, opening: Opening, max_plies: int, seed: int) -> GameRecord:
        self.name  # noqa: B018  checks the version
        start = _opened(rules, opening, max_plies, seed)
        self.engine.begin(rules, seed)
        position, moves, targets = Position.start(rules), [], []
        for ply in range(max_plies):
            best = self._move(position)
            if best == RESIGN:
                break
            targets.append(best)
            moves.append(start[ply] if ply < len(start) else best)
            position = position.play(moves[-1])
            if position.over:
                break
        return GameRecord(moves, targets, [])

    def _best(self, position: Position, seed: int) -> int:
        self.name  # noqa: B018  checks the version
        self.engine.begin(position.rules, seed, renew=False)
        move = self._move(position)
        return position.rules.points if move == RESIGN else move

    def _move(self, position: Position) -> int:
        """The engine's move, which is legal, or RESIGN."""
        self.engine.set_up(position)
        move = self.engine.genmove(position.to_move)
        if move != RESIGN and (why := position.why_illegal(move)):
            name = coords.gtp(move, position.rules.rows, position.rules.cols)
            raise EngineError(
                "malformed",
                f"engine {self.engine.command.name!r} plays {name} for {NAMES[position.to_move]}, which is illegal "
                f"({why}), on\n{position}",
            )
        return move

    def _again(self, ask: Callable[[], Answer]) -> Answer:
        """Ask once more when the engine broke down."""
        try:
            return ask()
        except EngineError:
            self.engine.close()
            return ask()


_ROUND = str.maketrans("()", "[]")  # brackets enclose the version in a name


def _opened(rules: Rules, opening: Opening, max_plies: int, seed: int) -> list[int]:
    """Random legal plies in the middle of the board that fill no own eye; fewer where there is none."""
    table = {"plies": opening} if isinstance(opening, int) else dict(opening)
    plies, region = int(table.get("plies", 0)), int(table.get("region", REGION))
    middle, rng = _middle(rules, region), stream(seed, "gtp-opening")
    position, moves = Position.start(rules), list[int]()
    while len(moves) < min(plies, max_plies):
        choice = [m for m in middle if position.is_legal(m) and not is_own_eye(position, m)]
        if not choice:
            break
        moves.append(int(rng.choice(choice)))
        position = position.play(moves[-1])
    return moves


def _middle(rules: Rules, region: int) -> list[int]:
    height, width = min(region, rules.rows), min(region, rules.cols)
    top, left = (rules.rows - height) // 2, (rules.cols - width) // 2
    return [row * rules.cols + col for row in range(top, top + height) for col in range(left, left + width)]
