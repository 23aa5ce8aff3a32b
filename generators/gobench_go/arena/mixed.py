"""Weak players, so that the bottom of a ladder has no gaps: two kinds of a better and a worse player, mixed by turns.

=============  =========================================================================================
``mixed:35``   plays as ``mcts:1`` in 35 of 100 turns and as ``random`` in the others
``clumsy:35``  plays as ``random``, which spares its own eyes, in 35 of 100 turns, and in the others any
               legal stone with the same chance, also into its own eyes; ``clumsy:0`` knows nothing else
=============  =========================================================================================

``random`` and ``mcts:1`` are so far apart that no game between them tells how far, and so are ``clumsy:0`` and ``random``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench.types import Record
from gobench_go.arena.embedded import EmbeddedPlayer
from gobench_go.arena.player import Player, Reply
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

VERSION = 1
ANY = "any legal stone"


class Mix(NamedTuple):
    """A kind of mixed players."""

    good: str  # a teacher
    poor: str  # a teacher, or ANY
    least: int  # percent of good turns
    most: int = 99


MIXES: Mapping[str, Mix] = {"mixed": Mix("mcts:1", "random", 1), "clumsy": Mix("random", ANY, 0)}


@dataclass(frozen=True)
class AnyLegal:
    """Any legal stone with the same chance; passes where there is none."""

    name: str = ANY

    @property
    def identity(self) -> Record:
        return {"name": ANY, "kind": "teacher", "version": str(VERSION), "teacher": ANY}

    def begin(self, rules: Rules, seed: int) -> None:
        """It keeps nothing of a game."""

    def reply(self, position: Position, seed: int) -> Reply:
        return Reply(int(stream(seed, ANY).choice(position.legal_moves()[:-1] or [position.rules.points])))

    def close(self) -> None:
        """It has started nothing."""


@dataclass(frozen=True)
class MixedPlayer:
    """Plays well in ``percent`` of its turns, drawn by the turn's seed; never resigns. The same seeds give the same
    games.
    """

    kind: str
    percent: int
    good: Player
    poor: Player

    @classmethod
    def of(cls, text: str) -> MixedPlayer:
        """Raises UsageError for anything but a kind of ``MIXES`` with a percentage in its range."""
        kind, _, number = text.partition(":")
        mix = MIXES[kind.partition("@")[0]]
        if not number.isdigit() or not mix.least <= int(number) <= mix.most:
            raise UsageError(
                f"{text!r} is no player: give {kind}:{mix.least} to {kind}:{mix.most}, its share of good turns in percent."
            )
        poor = AnyLegal() if mix.poor == ANY else EmbeddedPlayer.of(mix.poor)
        return cls(kind.partition("@")[0], int(number), EmbeddedPlayer.of(mix.good), poor)

    @property
    def name(self) -> str:
        """Without versions: ``mixed:35``."""
        return f"{self.kind}:{self.percent}"

    @property
    def identity(self) -> Record:
        """The teachers of both parts carry their versions."""
        parts = [str(player.identity["teacher"]) for player in (self.good, self.poor)]
        return {"name": self.name, "kind": "teacher", "version": str(VERSION), "teacher": "/".join(parts)}

    def begin(self, rules: Rules, seed: int) -> None:
        """It keeps nothing of a game."""

    def reply(self, position: Position, seed: int) -> Reply:
        good = stream(seed, "mixed").integers(100) < self.percent
        return (self.good if good else self.poor).reply(position, seed)

    def close(self) -> None:
        """It has started nothing."""
