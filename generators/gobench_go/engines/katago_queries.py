"""Questions to KataGo's analysis engine: a position with its history, the rules as it names them, visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from gobench.errors import UsageError
from gobench.types import Array, Json, Record
from gobench_go.game import coords
from gobench_go.game.plies import Plies, plies_of
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import Rules

KO: Mapping[str, str] = MappingProxyType(
    {"simple": "SIMPLE", "positional": "POSITIONAL", "situational": "SITUATIONAL"}
)
"""Our ko rules -> KataGo's."""
ALWAYS: Mapping[str, Json] = MappingProxyType(
    {
        "scoring": "AREA",
        "tax": "NONE",
        "hasButton": False,
        "whiteHandicapBonus": "0",
        "friendlyPassOk": False,
    }
)
"""What all our rules share, in KataGo's words: by area, every stone counts as alive."""
SIDES = (2, 19)
MOST_KOMI = 150.0
PLAYERS = ("", "B", "W")


@dataclass(frozen=True, slots=True)
class Query:
    """One question. ``turns`` are the positions of it that are answered, by the number of moves before them."""

    record: Record  # what is sent, without its id
    turns: tuple[int, ...]
    what: str = field(default="a position", compare=False)  # for messages


def rules_record(rules: Rules) -> Record:
    """The rules as KataGo takes them, every one of them said.

    Raises UsageError for a board or komi that KataGo cannot play.
    """
    low, high = SIDES
    if not (low <= rules.rows <= high and low <= rules.cols <= high):
        raise UsageError(
            f"KataGo plays on boards of {low}x{low} to {high}x{high}, not {rules.rows}x{rules.cols}."
        )
    if abs(rules.komi) > MOST_KOMI:
        raise UsageError(f"KataGo takes a komi from -{MOST_KOMI:g} to {MOST_KOMI:g}, not {rules.komi:g}.")
    return {"ko": KO[rules.ko], "suicide": rules.suicide, **ALWAYS}


def query_of(
    position: Position, visits: int, *, policy: bool = False, settings: Mapping[str, Json] | None = None
) -> Query:
    """What to ask about a position that is not over; ``settings`` are KataGo's own, for this question alone."""
    plies = _connected(position)
    first = plies.colors[0] if plies.colors else position.to_move
    record = _board(position.rules, plies.setup, first)
    record["moves"] = _moves(plies, position.rules)
    record |= {"analyzeTurns": [len(plies.moves)], "maxVisits": visits, "includePolicy": policy}
    if settings:
        record["overrideSettings"] = dict(settings)
    what = f"ply {len(plies.moves)} on {position.rules.rows}x{position.rules.cols} with {visits} visits"
    return Query(record, (len(plies.moves),), what)


def probe_of(rules: Rules) -> Query:
    """Two positions that tell for whom values speak: all is Black's, first White is to move, then Black."""
    board = (np.indices((rules.rows, rules.cols)).sum(0) % 2).astype(np.uint8)  # every empty point an eye
    record = _board(rules, board, 2)
    record |= {"moves": [["W", "pass"]], "analyzeTurns": [0, 1], "maxVisits": 1, "komi": 0}
    return Query(record, (0, 1), "a board that is all Black's")


def _board(rules: Rules, setup: Array, first: int) -> Record:
    told = rules_record(rules)
    record: Record = {"rules": told, "komi": rules.komi, "boardXSize": rules.cols, "boardYSize": rules.rows}
    stones = [(int(color), point) for point, color in enumerate(setup.reshape(-1)) if color]
    if stones:
        record["initialStones"] = [[PLAYERS[color], _vertex(point, rules)] for color, point in stones]
    return {**record, "initialPlayer": PLAYERS[first]}


def _connected(position: Position) -> Plies:
    """The plies of a position since a colour had two turns in a row, if any had.

    KataGo forgets what was before such, and gives the turn to the other colour after each move.
    """
    plies = plies_of(position)
    turns = (*plies.colors, position.to_move)
    begin = max((ply for ply in range(1, len(turns)) if turns[ply] == turns[ply - 1]), default=0)
    return Plies(position.boards()[begin], plies.moves[begin:], plies.colors[begin:])


def _moves(plies: Plies, rules: Rules) -> list[Json]:
    pairs = zip(plies.colors, plies.moves, strict=True)
    return [[PLAYERS[color], _vertex(move, rules)] for color, move in pairs]


def _vertex(move: int, rules: Rules) -> str:
    return coords.gtp(move, rules.rows, rules.cols)


def mover(position: Position) -> str:
    """``"B"`` or ``"W"``."""
    return PLAYERS[BLACK if position.to_move == BLACK else 2]
