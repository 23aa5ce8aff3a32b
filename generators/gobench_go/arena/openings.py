"""Openings from which matches are played, each in both colours, so that no side gains by them.

================  ==========================================================================================
``auto``          the shipped ones of the board, else ``none``
``9x9`` ...       the shipped ones of that board: fair by a judge's opinion, all different
``none``          the empty board alone
a file            text, one opening a line as in ``E5 C3 G7`` (``#`` begins a comment), or ``.sgf``: the main
                  lines of its games
================  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gobench.canonical import dumps, sha256
from gobench.errors import DataError, UsageError, unknown
from gobench.types import Record
from gobench_go.game import coords
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

SHIPPED = Path(__file__).parent / "data"
SUFFIX = ".openings.txt"
AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class Openings:
    """A fixed list of openings, Black's ply first."""

    name: str
    lines: tuple[tuple[int, ...], ...]  # moves, row * C + col

    @cached_property
    def digest(self) -> str:
        """sha256 of the plies of all of them."""
        return sha256(dumps([list(line) for line in self.lines]))

    @property
    def record(self) -> Record:
        """As it stands in a plan."""
        return {"name": self.name, "openings": len(self.lines), "sha256": self.digest}


def shipped() -> list[str]:
    """Names of the shipped sets, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in SHIPPED.glob(f"*{SUFFIX}"))


def find(text: str, rules: Rules) -> Openings:
    """The openings of a name or file, all legal by ``rules`` and none of them ending the game.

    Raises:
        UsageError: an unknown name, or openings of another board.
        DataError: a file that cannot be read or holds none.
    """
    board = f"{rules.rows}x{rules.cols}"
    if text == AUTO:
        text = board if board in shipped() else NONE
    if text == NONE:
        return Openings(NONE, ((),))
    if text in shipped():
        return _checked(text, _lines((SHIPPED / f"{text}{SUFFIX}").read_text("utf-8"), rules, text), rules)
    path = Path(text)
    if not path.exists():
        raise unknown("set of openings (and no file)", text, [AUTO, NONE, *shipped()])
    return _checked(path.stem, _of_file(path, rules), rules)


def _of_file(path: Path, rules: Rules) -> list[tuple[int, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    if path.suffix.lower() == ".sgf":
        return _of_sgf(data, rules, path)
    return _lines(data.decode("utf-8", "replace"), rules, str(path))


def _lines(text: str, rules: Rules, where: str) -> list[tuple[int, ...]]:
    rows = enumerate((line.partition("#")[0] for line in text.splitlines()), 1)
    return [_line(row, rules, f"{where}:{number}") for number, row in rows if row.strip()]


def _line(row: str, rules: Rules, where: str) -> tuple[int, ...]:
    try:
        return tuple(coords.index_of_gtp(word, rules.rows, rules.cols) for word in row.split())
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _of_sgf(data: bytes, rules: Rules, path: Path) -> list[tuple[int, ...]]:
    from gobench_go.game import sgf

    found = []
    for number, game in enumerate(sgf.read(data)):
        if isinstance(game, sgf.SgfError):
            raise DataError(f"{path}, game {number}: {game}")
        if (game.rows, game.cols) != (rules.rows, rules.cols):
            raise UsageError(
                f"{path}, game {number} is on {game.rows}x{game.cols}; the match is on {rules.rows}x{rules.cols}."
            )
        if game.setup or any(color != 1 + ply % 2 for ply, color in enumerate(game.colors)):
            raise UsageError(
                f"{path}, game {number}: an opening is moves of both sides in turn, Black first."
            )
        found.append(game.moves)
    return found


def _checked(name: str, lines: list[tuple[int, ...]], rules: Rules) -> Openings:
    if not lines:
        raise DataError(f"the openings {name!r} hold no line: write one a line, as in E5 C3 G7.")
    for number, line in enumerate(lines):
        position = Position.start(rules)
        try:
            for move in line:
                position = position.play(move)
        except UsageError as error:
            raise UsageError(f"opening {number} of {name!r}: {error}") from error
        if position.over:
            raise UsageError(f"opening {number} of {name!r} ends the game: leave nothing but moves in it.")
    return Openings(name, tuple(lines))
