"""A teacher of this package as a player."""

from __future__ import annotations

from dataclasses import dataclass

from gobench.types import Record
from gobench_go.arena.player import Reply
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers import Teacher, shared, teacher


@dataclass(frozen=True)
class EmbeddedPlayer:
    """Plays a teacher's best move; never resigns. The same seeds give the same games."""

    text: str
    teacher: Teacher

    @classmethod
    def of(cls, text: str) -> EmbeddedPlayer:
        """Raises UsageError for a name that no teacher has."""
        name = teacher(text).name
        return cls(name, shared(name))

    @property
    def name(self) -> str:
        """Without the version: ``mcts:200``."""
        kind, _, argument = self.text.partition(":")
        return kind.partition("@")[0] + (f":{argument}" if argument else "")

    @property
    def identity(self) -> Record:
        version = self.text.partition(":")[0].partition("@")[2]
        return {"name": self.name, "kind": "teacher", "version": version, "teacher": self.text}

    def begin(self, rules: Rules, seed: int) -> None:
        """It keeps nothing of a game."""

    def reply(self, position: Position, seed: int) -> Reply:
        found = self.teacher.judge(position, seed)
        return Reply(int(found.best), value=float(found.value))

    def close(self) -> None:
        """It has started nothing."""
