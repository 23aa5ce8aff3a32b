"""Games that KataGo played and judged, one JSON object a game, as a set in this project's format.

    python -m gobench_go.judged.katago_games GAMES.jsonl.gz go9.jsonl.gz --name go9 --oracle FILE.json --note TEXT

For what a KataGo elsewhere has said; ``gobench go judge --teacher katago:…`` runs KataGo itself. The games are on 9x9 by the
benchmark's rules, gzip, one JSON object a line, all seen from the side to move (``reportAnalysisWinratesAs = SIDETOMOVE``):

game       {"id": 0, "opening": plies that were drawn, "moves": ["E5", "pass", ...], Black first, GTP vertices,
           "komi": 7, "rules": "area,positional-superko,no-suicide", "lead": Black's at the end,
           "positions": [one before each move]}
position   what KataGo's analysis engine answers for the position:
           "policy": its ``policy`` (R*C numbers from the top left, row by row, then the pass), each probability times
           100000 and rounded, -1 where illegal
           "winrate", "lead": ``rootInfo.winrate`` and ``rootInfo.scoreLead``
           "search": {``move``: [``visits``, ``winrate``, ``scoreLead``]} of each entry of ``moveInfos``
           "best": the ``move`` of the entry of order 0
           "child_winrate", "child_lead": for each move in the order of "policy", of a query of the position after it with
           as many visits as "child_visits" says (1 by default): 1 - ``rootInfo.winrate`` and -``rootInfo.scoreLead``, so
           that they speak for who made the move; -1 and null where it is illegal

The oracle file says who judged: {"name": "KataGo", "version": "1.17.2", "net": "...", "net_sha256": 64 hex digits,
"visits": 64} and, where that is not 1, "child_visits". No judgement is rounded or left out; see ``gobench_go.judged.files``
for the rest.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from gobench.canonical import check, loads
from gobench.errors import DataError, GobenchError, UsageError
from gobench.types import Json, Record
from gobench_go.game import coords
from gobench_go.game.rules import Rules, named
from gobench_go.judged.files import rules_record, write
from gobench_go.judged.sets import JudgedSet

RULES = "area,positional-superko,no-suicide"
SHIPPED = "a7c33cb051a5fef585a87cc875bd9892de70ae8d6fcb7ab7cfd9cec3ffbdb814"
"""sha256 of the games that go9-lite was made of: who judged those is known, and need not be said."""
ORACLE: Record = {
    "name": "KataGo",
    "version": "1.17.2",
    "backend": "CPU",
    "net": "g170-b6c96-s175395328-d26788732",
    "net_sha256": "f5d32604e3675c480c7c8f6aa579a1ea857135628a0afccc8fa56330fbacd38d",
    "visits": 64,
    "child_visits": 1,
}
NOTE = (
    "Self-play on 9x9. Each game starts with `opening` random plies in the middle 5x5, then 16 visits a move, drawn by "
    "visits with temperature 1.0 (to ply 8), 0.5 (to ply 30), 0.2; about 6% of the moves to ply 40 straight from the "
    "policy, so that quality varies. Every position judged with 64 visits, and every legal move by one evaluation of "
    "the position after it. A small net: a strong judge for this purpose, not the strongest; visits do not repeat "
    "exactly when judged again."
)
WHO: Record = {"name": str, "version": str, "net": str, "net_sha256": str, "visits": int}
GAME: Record = {"id": int, "opening": int, "moves": [str], "rules": str, "positions": [dict]}
POSITION: Record = {
    "policy": list,
    "search": {},
    "best": str,
    "child_winrate": list,
    "child_lead": list,
}


def convert(
    source: Path | str,
    target: Path | str,
    name: str = "go9-lite",
    *,
    oracle: Record | None = None,
    note: str = "",
    version: str = "1",
) -> JudgedSet:
    """Write the games of ``source`` as a set.

    Args:
        oracle: who judged, at least "name", "version", "net", "net_sha256" and "visits", and "child_visits" where that is
            not 1. It and ``note`` may be left out only for the very games that go9-lite was made of.

    Raises:
        UsageError: nobody said who judged other games than those.
        DataError: games or an oracle that are not as above.
    """
    data = _bytes(source)
    if hashlib.sha256(data).hexdigest() == SHIPPED:
        oracle, note = oracle or ORACLE, note or NOTE
    if not oracle or not note.strip():
        raise UsageError(
            f"{source} are not the games that go9-lite was made of: say who judged them and where they come from "
            "(--oracle FILE.json and --note TEXT)."
        )
    _check_oracle(oracle)
    rules = named("benchmark")
    header = {
        "name": name,
        "version": version,
        "rules": rules_record(rules),
        "oracle": oracle,
        "licence": "CC0-1.0",
        "note": note,
    }
    return write(target, header, [_game(game, rules, where) for where, game in _games(data, str(source))])


def _bytes(source: Path | str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror}.") from error


def _games(data: bytes, source: str) -> list[tuple[str, Json]]:
    """(where it stands, game) of every line."""
    try:
        lines = gzip.decompress(data).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {source}: {error}. Judged games are a gzip file.") from error
    return [(f"{source}, line {n}", loads(line, f"{source}, line {n}")) for n, line in enumerate(lines, 1)]


def _check_oracle(oracle: Record) -> None:
    check(oracle, WHO, "the oracle")
    if not re.fullmatch(r"[0-9a-f]{64}", oracle["net_sha256"]):
        raise DataError(
            f"the oracle: net_sha256 is {oracle['net_sha256'][:80]!r}, not 64 hex digits: what sha256sum says of the net."
        )


def _game(game: Record, rules: Rules, where: str) -> Record:
    check(game, GAME, where)
    if game["rules"] != RULES or game.get("komi") != rules.komi:
        raise DataError(
            f"{where}, game {game['id']}: rules {game['rules']}, komi {game.get('komi')} are not the set's."
        )
    here = f"{where}, game {game['id']}"
    moves = [_move(vertex, rules, here) for vertex in game["moves"]]
    return {
        "id": f"g{game['id']:03d}",
        "setup": "",
        "opening": game["opening"],
        "moves": moves,
        "colors": [1 + ply % 2 for ply in range(len(moves))],
        "lead": round(_number(game, "lead", here), 4),
        "positions": [
            _position(position, rules, f"{here}, position {t}")
            for t, position in enumerate(game["positions"])
        ],
    }


def _position(position: Record, rules: Rules, where: str) -> Record:
    check(position, POSITION, where)
    found = {str(_move(vertex, rules, where)): entry for vertex, entry in position["search"].items()}
    return {
        "policy": position["policy"],
        "winrate": _number(position, "winrate", where),
        "lead": _number(position, "lead", where),
        "search": found,
        "best": _move(position["best"], rules, where),
        "child_value": [None if value == -1 else value for value in position["child_winrate"]],
        "child_lead": position["child_lead"],
    }


def _number(record: Record, key: str, where: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{where}: {key} is {str(value)[:40]!r}, not a number.")
    return value


def _move(vertex: str, rules: Rules, where: str) -> int:
    try:
        return coords.index_of_gtp(vertex, rules.rows, rules.cols)
    except UsageError as error:
        raise DataError(f"{where}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    about, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m gobench_go.judged.katago_games",
        description=about,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="GAMES.jsonl.gz", help="the games, as described below")
    parser.add_argument("target", metavar="OUT.jsonl.gz", help="the set to write")
    parser.add_argument("--name", help="what the set is called; by default the name of OUT")
    parser.add_argument("--oracle", metavar="FILE.json", help="who judged; needed for games of your own")
    parser.add_argument("--note", default="", help="where the games come from; needed for games of your own")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """The command; returns its exit status. A fault of the user's is one line on stderr."""
    given = _parser().parse_args(words)
    try:
        if not given.target.endswith(".jsonl.gz"):
            raise UsageError(f"{given.target} is no name of a set: sets are called NAME.jsonl.gz.")
        oracle = loads(_bytes(given.oracle), given.oracle) if given.oracle else None
        name = given.name or Path(given.target).name.removesuffix(".jsonl.gz")
        made = convert(given.source, given.target, name, oracle=oracle, note=given.note)
    except GobenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stderr.write(f"{given.target}: {len(made.games)} games, {made.positions} positions.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
