"""Games as files: ``games.jsonl``, one ``GameResult`` a line in the order of the match, equal bytes for equal games."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gobench import atomic
from gobench.canonical import dumps, loads
from gobench.errors import DataError
from gobench.types import Json
from gobench_go.arena.result import ENDS, GameResult

GAMES = "games.jsonl"


def read_games(path: Path) -> list[GameResult]:
    """The games of a match's folder, or of a file.

    Raises:
        DataError: nothing there, or a line that is no game; names the line.
    """
    file = path / GAMES if path.is_dir() else path
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        hint = "" if file.exists() else ": a match writes it at its end; run its command again to go on"
        raise DataError(f"cannot read {file} ({error.strerror or error}){hint}.") from error
    return [read_game(loads(line, f"{file}:{n}"), f"{file}:{n}") for n, line in enumerate(lines, 1) if line]


def read_game(record: Json, where: str) -> GameResult:
    """A game of a record; raises DataError that names ``where`` it stands."""
    try:
        game = GameResult.of(record)
        known = game.end in ENDS and game.winner in (0, 1, 2)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{where} is no game of a match: {type(error).__name__} {error}.") from error
    if not known:
        raise DataError(f"{where} is no game of a match: end {game.end!r}, winner {game.winner!r}.")
    return game


def write_games(path: Path, games: Iterable[GameResult]) -> str:
    """Write a file of games; returns its sha256."""
    return atomic.write(path, b"".join(dumps(game.record()) + b"\n" for game in games))
