"""The file: gzip of one JSON object a line, a header and then the games.

header     {"format": "gobench-judged-1", "name", "version", "rules": {"rows", "cols", "ko", "suicide", "komi", "name"},
           "oracle": {"name", "version", "visits", ...}, "licence", "note", "games": how many, "positions": how many}
game       {"id": "g000", "setup": "" or R*C of ".XO", "opening": plies, "moves": [...], "colors": [1, 2, ...],
           "lead": Black's at the end, "positions": [...]}, one position before each move, from the side to move:
position   {"policy": [P+1 whole numbers, probability x 100000, -1 where illegal], "winrate", "lead",
           "search": {move: [visits, winrate, lead]}, "best": move,
           "child_value": [P+1, null where illegal], "child_lead": [P+1, null where illegal]}

Moves are row * C + col from the top left, P = R*C is the pass. ``child_value`` and ``child_lead`` are what one look
(or a small search, of the oracle's ``child_visits``) at the position after a move gives, for the mover of that move.
A searched value counts from ``max(4, child_visits)`` visits on.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from gobench.atomic import write as write_file
from gobench.canonical import check, dumps, loads
from gobench.errors import DataError, UsageError
from gobench.types import Record
from gobench_go.game.rules import Rules
from gobench_go.judged.checks import MOST_VISITS, game_of
from gobench_go.judged.sets import JudgedGame, JudgedSet, sure_visits

FORMAT = "gobench-judged-1"
HEADER: Record = {
    **dict.fromkeys(("format", "name", "version", "licence", "note"), str),
    "rules": {"rows": int, "cols": int, "ko": str, "suicide": bool, "name": str},
    "oracle": {"name": str, "version": str, "visits": int},
    "games": int,
    "positions": int,
}
MOST_LINE = 64 << 20  # bytes of one game as text


def read(path: Path | str) -> JudgedSet:
    """Read a file and check everything in it.

    Raises:
        DataError: the file is missing, broken, or says what cannot be; names the file, the game and the position.
    """
    where = str(path)
    lines = _lines(Path(path))
    header = _header(next(lines, b""), where)
    rules, sure = rules_of(header["rules"], where), _sure(header, where)
    digest = _digest(header)
    games = list[JudgedGame]()
    for number, line in enumerate(lines):
        digest.update(line)
        games.append(game_of(loads(line, f"{where}, line {number + 2}"), rules, sure, where))
    _check_counts(header, games, where)
    facts = {key: header[key] for key in ("name", "version", "oracle", "note", "licence")}
    return JudgedSet(**facts, rules=rules, games=tuple(games), digest=digest.hexdigest())


def records(path: Path | str) -> tuple[Record, list[Record]]:
    """The header and the games as they stand in the file, as plain data. Raises DataError."""
    lines = _lines(Path(path))
    header = _header(next(lines, b""), str(path))
    return header, [loads(line, str(path)) for line in lines]


def write(path: Path | str, header: Record, games: Iterable[Record]) -> JudgedSet:
    """Write a set, whole or not at all, after it passed the checks of ``read``; returns it.

    Args:
        header: as above, without "format", "games" and "positions".

    Raises:
        DataError: the games are not what a file may hold.
    """
    table = list(games)
    positions = sum(len(game["positions"]) for game in table)
    counted = {**header, "format": FORMAT, "games": len(table), "positions": positions}
    lines = [dumps(record) + b"\n" for record in (counted, *table)]
    where = str(path)
    checked = _header(lines[0], where)
    rules, sure = rules_of(checked["rules"], where), _sure(checked, where)
    for game in table:
        game_of(game, rules, sure, where)
    write_file(Path(path), gzip.compress(b"".join(lines), 9, mtime=0))
    return read(path)


def rules_record(rules: Rules) -> Record:
    """Rules as they stand in a header."""
    keys = ("rows", "cols", "ko", "suicide", "komi", "name")
    return {key: getattr(rules, key) for key in keys}


def rules_of(record: Record, where: str) -> Rules:
    """The other way round; raises DataError for rules that cannot be."""
    komi = record.get("komi")
    if not isinstance(komi, int | float):
        raise DataError(f"{where}: the komi is {komi!r}, not a number.")
    try:
        return Rules(
            record["rows"], record["cols"], record["ko"], record["suicide"], float(komi), record["name"]
        )
    except (UsageError, OverflowError) as error:
        raise DataError(f"{where}: {error}") from error


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a gzip file, none longer than ``MOST_LINE``."""
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(MOST_LINE):
                if len(line) == MOST_LINE:
                    raise DataError(f"{path} has a line of {MOST_LINE} bytes or more: no game is so long.")
                yield line
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}. A set of judged games is a gzip file.") from error


def _header(line: bytes, where: str) -> Record:
    header: Record = loads(line, f"{where}, line 1") if line else {}
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            f"{where} does not begin with a header of format {FORMAT!r}: it is no set of judged games."
        )
    check(header, HEADER, f"{where}, the header")
    return header


def _sure(header: Record, where: str) -> int:
    looked = header["oracle"].get("child_visits", 1)
    if type(looked) is not int or not 0 <= looked <= MOST_VISITS:
        raise DataError(f"{where}, the header: child_visits is {str(looked)[:40]}, not a number of visits.")
    return sure_visits(header["oracle"])


def _check_counts(header: Record, games: list[JudgedGame], where: str) -> None:
    found = {"games": len(games), "positions": sum(len(game.positions) for game in games)}
    for key, count in found.items():
        if header[key] != count:
            raise DataError(
                f"{where} says that it has {header[key]} {key}, but holds {count}: it was cut or mixed."
            )
    ids = [game.id for game in games]
    if len(set(ids)) != len(ids):
        raise DataError(f"{where} has two games of one id.")


def _digest(header: Record) -> hashlib._Hash:
    """The beginning of the digest: what of the header can change a number."""
    facts = {key: header[key] for key in ("format", "rules", "oracle")}
    return hashlib.sha256(dumps(facts) + b"\n")
