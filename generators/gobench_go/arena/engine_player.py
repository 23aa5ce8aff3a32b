"""A program that speaks GTP as a player."""

from __future__ import annotations

from dataclasses import dataclass, field

from gobench.types import Record
from gobench_go.arena.names import Conditions
from gobench_go.arena.player import RESIGN, Reply
from gobench_go.engines import gtp
from gobench_go.engines.commands import engine_command
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules


@dataclass
class GtpPlayer:
    """Plays what an engine answers to ``genmove``. A process that broke down is started again by the next ``begin`` or
    ``reply``.

    An engine whose command holds ``{seed}`` gets a new process for each game; another keeps its process and is told
    ``set_random_seed`` where it knows that. The seed of a single move is not used: ``begin``'s decides the game.
    """

    engine: gtp.GtpEngine
    _identity: Record = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, conditions: Conditions) -> GtpPlayer:
        """``gnugo:10``, ``gtp:COMMAND``; starts nothing yet. Raises UsageError as ``engine_command`` does."""
        return cls(gtp.GtpEngine(engine_command(text), conditions.seconds))

    @property
    def name(self) -> str:
        return self.engine.command.name

    @property
    def identity(self) -> Record:
        """Starts the engine for the first time it is asked, since its version is what the engine says itself."""
        if not self._identity:
            self._identity = gtp.identity_of(self.engine)
        return dict(self._identity)

    def begin(self, rules: Rules, seed: int) -> None:
        self.engine.begin(rules, seed)

    def reply(self, position: Position, seed: int) -> Reply:
        self.engine.set_up(position)
        move = self.engine.genmove(position.to_move)
        return Reply(RESIGN if move == gtp.RESIGN else move)

    def close(self) -> None:
        self.engine.close()
