"""Games that KataGo played and judged, one JSON object a game, as a set in this project's format.

    python -m gobench_go.judged.katago_games GAMES.jsonl.gz go9-lite.jsonl.gz [NAME]

The games: ``{"id", "opening", "moves": ["E5", "pass"], "lead", "komi", "rules", "positions"}``, Black first, moves as
GTP vertices, illegal entries -1 (policy, child_winrate) or null (child_lead); see ``gobench_go.judged.files`` for the
rest. No judgement is rounded or left out.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from gobench.canonical import loads
from gobench.errors import DataError
from gobench.types import Record
from gobench_go.game import coords
from gobench_go.game.rules import Rules, named
from gobench_go.judged.files import rules_record, write
from gobench_go.judged.sets import JudgedSet

RULES = "area,positional-superko,no-suicide"
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


def convert(
    source: Path | str,
    target: Path | str,
    name: str = "go9-lite",
    *,
    oracle: Record = ORACLE,
    note: str = NOTE,
    version: str = "1",
) -> JudgedSet:
    """Write the games of ``source`` as a set.

    Args:
        oracle: who judged; at least "name", "version" and "visits", and "child_visits" where that is not 1.

    Raises:
        DataError: games that are not as above.
    """
    with gzip.open(source, "rb") as file:
        games = [loads(line, f"{source}, line {n}") for n, line in enumerate(file, 1)]
    rules = named("benchmark")
    header = {
        "name": name,
        "version": version,
        "rules": rules_record(rules),
        "oracle": oracle,
        "licence": "CC0-1.0",
        "note": note,
    }
    return write(target, header, [_game(game, rules, str(source)) for game in games])


def _game(game: Record, rules: Rules, where: str) -> Record:
    if game["rules"] != RULES or game["komi"] != rules.komi:
        raise DataError(
            f"{where}, game {game['id']}: rules {game['rules']}, komi {game['komi']} are not the set's."
        )
    moves = [_move(vertex, rules) for vertex in game["moves"]]
    return {
        "id": f"g{game['id']:03d}",
        "setup": "",
        "opening": game["opening"],
        "moves": moves,
        "colors": [1 + ply % 2 for ply in range(len(moves))],
        "lead": round(game["lead"], 4),
        "positions": [_position(position, rules) for position in game["positions"]],
    }


def _position(position: Record, rules: Rules) -> Record:
    found = {str(_move(vertex, rules)): entry for vertex, entry in position["search"].items()}
    return {
        "policy": position["policy"],
        "winrate": position["winrate"],
        "lead": position["lead"],
        "search": found,
        "best": _move(position["best"], rules),
        "child_value": [None if value == -1 else value for value in position["child_winrate"]],
        "child_lead": position["child_lead"],
    }


def _move(vertex: str, rules: Rules) -> int:
    return coords.index_of_gtp(vertex, rules.rows, rules.cols)


if __name__ == "__main__":
    convert(*sys.argv[1:4])
