"""One game, one file: what travels to worker processes, each of which keeps its players open between games."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gobench import atomic
from gobench.canonical import dumps, read_json
from gobench.errors import DataError
from gobench.types import Record
from gobench_go.arena.games import read_game
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.player import Player
from gobench_go.arena.referee import Fixture, Limits, Watch, play
from gobench_go.arena.result import GameResult
from gobench_go.game.rules import Rules


@dataclass(frozen=True, slots=True)
class Piece:
    """A finished game and the seconds that it took, all its replays included."""

    result: GameResult
    seconds: tuple[float, float]  # Black and White
    wall: float

    @property
    def times(self) -> Record:
        """As a line of ``times.jsonl``."""
        black, white = (round(each, 3) for each in self.seconds)
        return {"game": self.result.game, "black": black, "white": white, "wall": round(self.wall, 3)}


@dataclass(frozen=True)
class MatchJob:
    """Plays the games of a match (``gobench.build.stages.Job``)."""

    folder: Path
    fixtures: tuple[Fixture, ...]
    texts: Mapping[str, str]  # a player's name in the match -> what ``open_player`` takes
    rules: Rules
    limits: Limits
    conditions: Conditions
    watch: Watch | None = None  # in this process only
    _open: dict[str, Player] = field(default_factory=dict, compare=False, repr=False)

    def path(self, index: int) -> Path:
        """Where the piece lies."""
        return self.folder / f"{self.fixtures[index].game}.json"

    def name(self, index: int) -> str:
        """What a message calls it."""
        fixture = self.fixtures[index]
        return f"game {fixture.game}, {fixture.black} (Black) against {fixture.white}"

    def __call__(self, index: int) -> None:
        fixture, clock = self.fixtures[index], [0.0, 0.0]
        began = time.monotonic()
        players = self._player(fixture.black), self._player(fixture.white)
        result = play(fixture, self.rules, players, self.limits, watch=self.watch, clock=clock)
        self.write(index, Piece(result, (clock[0], clock[1]), time.monotonic() - began))

    def write(self, index: int, piece: Piece) -> None:
        """Keep a finished piece."""
        record = {"result": piece.result.record(), "seconds": piece.seconds, "wall": piece.wall}
        atomic.write(self.path(index), dumps(record) + b"\n")

    def read(self, index: int) -> Piece:
        """A finished piece. Raises DataError for one that is broken or of another game."""
        path = self.path(index)
        record = read_json(path)
        try:
            black, white = record["seconds"]
            piece = Piece(read_game(record["result"], str(path)), (black, white), record["wall"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is no finished game ({error}): remove it and play it again.") from error
        if any(getattr(piece.result, key) != getattr(self.fixtures[index], key) for key in Fixture.__slots__):
            raise DataError(f"{path} is another game than {self.name(index)}: remove it and play it again.")
        return piece

    def close(self) -> None:
        """End the players of this process."""
        for player in self._open.values():
            player.close()
        self._open.clear()

    def _player(self, name: str) -> Player:
        if name not in self._open:
            self._open[name] = open_player(self.texts[name], self.conditions)
        return self._open[name]
