"""Players between ``random`` and ``mcts:1``: those two are so far apart that no game between them tells how far.

``mixed:25`` plays a move of ``mcts:1`` in 25 of 100 turns, drawn by the turn's seed, and of ``random`` in the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench.types import Record
from gobench_go.arena.embedded import EmbeddedPlayer
from gobench_go.arena.player import Reply
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

KIND, VERSION = "mixed", 1
STRONG, WEAK = "mcts:1", "random"


@dataclass(frozen=True)
class MixedPlayer:
    """Plays well in ``percent`` of its turns; never resigns. The same seeds give the same games."""

    percent: int
    strong: EmbeddedPlayer
    weak: EmbeddedPlayer

    @classmethod
    def of(cls, text: str) -> MixedPlayer:
        """Raises UsageError for anything but ``mixed:1`` to ``mixed:99``."""
        kind, _, number = text.partition(":")
        if kind.partition("@")[0] != KIND or not number.isdigit() or not 1 <= int(number) <= 99:
            raise UsageError(
                f"{text!r} is no player: give {KIND}:1 to {KIND}:99, its share of good turns in percent."
            )
        return cls(int(number), EmbeddedPlayer.of(STRONG), EmbeddedPlayer.of(WEAK))

    @property
    def name(self) -> str:
        """Without versions: ``mixed:25``."""
        return f"{KIND}:{self.percent}"

    @property
    def identity(self) -> Record:
        """The teachers of both parts carry their versions."""
        parts = [self.strong.text, self.weak.text]
        return {"name": self.name, "kind": "teacher", "version": str(VERSION), "teacher": "/".join(parts)}

    def begin(self, rules: Rules, seed: int) -> None:
        """It keeps nothing of a game."""

    def reply(self, position: Position, seed: int) -> Reply:
        good = stream(seed, KIND).integers(100) < self.percent
        return (self.strong if good else self.weak).reply(position, seed)

    def close(self) -> None:
        """It has started nothing."""
