"""What KataGo's analysis engine answers, as values. Everything speaks for the side to move."""

from __future__ import annotations

from typing import NamedTuple, NoReturn, TypeGuard

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.types import Json, Record
from gobench_go.engines.faults import EngineError
from gobench_go.game import coords
from gobench_go.game.position import NAMES, Position
from gobench_go.game.rules import Rules

MOST_LEAD = 10_000.0
SLACK = 1e-4  # by which a chance may leave 0 to 1
SHOWN = 80
LARGEST = 1e15  # of any number; whole ones of JSON have no bound

Policy = npt.NDArray[np.float64]


class Searched(NamedTuple):
    """A move that the search looked at."""

    move: int  # row * C + col, R*C is the pass
    visits: int
    value: float  # chance that the mover wins after it
    lead: float  # points by which the mover is ahead after it


class Analysis(NamedTuple):
    """One position."""

    turn: int
    visits: int
    value: float  # chance that the side to move wins
    lead: float  # points by which it is ahead, komi included
    searched: tuple[Searched, ...]  # the search's first choice first
    policy: Policy | None  # [R*C + 1], the raw network's, -1 where a move is illegal
    people: Policy | None  # the same of the network that imitates people, where there is one


def analysis_of(record: Record, rules: Rules, engine: str) -> Analysis:
    """An answer, checked. Raises EngineError ("malformed") that shows what does not fit."""
    root = record.get("rootInfo")
    if not isinstance(root, dict):
        _wrong(engine, "rootInfo", root, "a table")
    infos = record.get("moveInfos")
    if not isinstance(infos, list):
        _wrong(engine, "moveInfos", infos, "a list")
    value, lead = _chance(root, engine), _lead(root, engine)
    moves = sorted((_info(info, rules, engine) for info in infos), key=lambda pair: pair[0])
    searched = tuple(found for _, found in moves)
    people = _policy(record, "humanPolicy", rules, engine)
    policy = _policy(record, "policy", rules, engine)
    return Analysis(
        record["turnNumber"], _count(root, "visits", engine), value, lead, searched, policy, people
    )


def check_legal(policy: Policy, position: Position, engine: str) -> None:
    """Raise EngineError ("malformed") where the engine takes another view of what is legal than the rules."""
    ours = set(position.legal_moves())
    theirs = set(np.flatnonzero(policy >= 0).tolist())
    if ours == theirs:
        return
    rules = position.rules
    names = [
        f"{coords.gtp(move, rules.rows, rules.cols)} ({'legal' if move in ours else position.why_illegal(move)} here)"
        for move in sorted(ours ^ theirs)
    ]
    raise EngineError(
        "malformed",
        f"{engine} and the rules disagree on what {NAMES[position.to_move]} may play at ply {position.plies} "
        f"({rules.ko} ko, suicide {'allowed' if rules.suicide else 'forbidden'}): {', '.join(names[:8])}. "
        f"The position:\n{position}",
    )


def _info(info: Json, rules: Rules, engine: str) -> tuple[int, Searched]:
    if not isinstance(info, dict):
        _wrong(engine, "an entry of moveInfos", info, "a table")
    order = _count(info, "order", engine)
    try:
        move = coords.index_of_gtp(str(info.get("move")), rules.rows, rules.cols)
    except UsageError as error:
        raise EngineError("malformed", f"{engine}: {error}") from error
    return order, Searched(move, _count(info, "visits", engine), _chance(info, engine), _lead(info, engine))


def _policy(record: Record, key: str, rules: Rules, engine: str) -> Policy | None:
    given = record.get(key)
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != rules.points + 1 or not all(map(_is_number, given)):
        _wrong(engine, key, given, f"a list of {rules.points + 1} numbers")
    policy = np.array(given, np.float64)
    bad = ~((policy == -1) | ((policy >= 0) & (policy <= 1 + SLACK)))
    if bad.any():
        _wrong(engine, f"a number of {key}", given[int(np.argmax(bad))], "-1 or a probability")
    return policy


def _chance(table: Record, engine: str) -> float:
    found = table.get("winrate")
    if not _is_number(found) or not -SLACK <= found <= 1 + SLACK:
        _wrong(engine, "winrate", found, "a chance from 0 to 1")
    return min(1.0, max(0.0, float(found)))


def _lead(table: Record, engine: str) -> float:
    found = table.get("scoreLead")
    if not _is_number(found) or not abs(found) <= MOST_LEAD:
        _wrong(engine, "scoreLead", found, "a number of points")
    return float(found)


def _count(table: Record, key: str, engine: str) -> int:
    found = table.get(key)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        _wrong(engine, key, found, "a whole number")
    return found


def _is_number(value: Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _wrong(engine: str, what: str, given: Json, wanted: str) -> NoReturn:
    shown = repr(given)
    shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "..."
    raise EngineError("malformed", f"{engine} answered with {what} being {shown}, not {wanted}.")
