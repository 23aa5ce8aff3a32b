"""KataGo's analysis engine as a player: the search's first choice, or with a profile a move that people would play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gobench.types import Record
from gobench_go.arena.player import Reply
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.katago import KataGoTeacher

if TYPE_CHECKING:
    from gobench_go.arena.names import Conditions


@dataclass(frozen=True)
class KataGoPlayer:
    """Never resigns. Does not play the same game twice, whatever the seed."""

    teacher: KataGoTeacher
    seconds: float

    @classmethod
    def of(cls, text: str, conditions: Conditions) -> KataGoPlayer:
        """Raises UsageError for a name that cannot be, and for files and programs that are not here."""
        return cls(KataGoTeacher.of(text), conditions.seconds)

    @property
    def name(self) -> str:
        return self.teacher.spec.name

    @property
    def identity(self) -> Record:
        """Starts the engine, which alone knows its version."""
        return {
            **self.teacher.identity,
            "name": self.name,
            "kind": "engine",
            "engine": self.teacher.identity["name"],
        }

    def begin(self, rules: Rules, seed: int) -> None:
        """Starts the engine where it does not run; it keeps nothing of a game."""
        self.teacher.begin(rules)

    def reply(self, position: Position, seed: int) -> Reply:
        move, found = self.teacher.play(position, seed, self.seconds)
        return Reply(move, value=float(found.value), said=f"lead {found.lead:+.1f}")

    def close(self) -> None:
        """Ends the engine, unless another player uses it."""
        self.teacher.close()
