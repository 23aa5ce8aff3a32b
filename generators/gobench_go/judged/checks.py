"""From a line of a file to a judged game, trusting nothing: types, lengths, ranges, legality."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from gobench.canonical import check
from gobench.errors import DataError, UsageError
from gobench.types import Array, Json, Record
from gobench_go.game.rules import Rules
from gobench_go.judged.sets import Bools, Columns, Floats, Ints, JudgedGame, Positions

GAME: Record = {
    "id": str, "setup": str, "opening": int, "moves": [int], "colors": [int], "positions": [dict],
}  # fmt: skip
POLICY_SCALE = 100_000
MOST_PLIES = 2_000
MOST_VISITS = 1 << 40
MOST_LEAD = 10_000.0
NUMBERS = frozenset({int, float})


def game_of(record: Json, rules: Rules, sure: int, where: str) -> JudgedGame:
    """A game of a file, checked; from ``sure`` visits on a searched value counts.

    Raises DataError that names ``where``, the game and the position.
    """
    check(record, GAME, f"{where}, a game")
    here = f"{where}, game {record['id'][:40]!r}"
    moves, colors, positions = record["moves"], record["colors"], record["positions"]
    if not len(moves) == len(colors) == len(positions) or len(moves) > MOST_PLIES:
        raise DataError(
            f"{here}: {len(moves)} moves, {len(colors)} colours and {len(positions)} positions do not fit."
        )
    if not 0 <= record["opening"] <= len(moves):
        raise DataError(f"{here}: its opening is {record['opening']} plies of {len(moves)}.")
    columns = _columns(positions, rules.points + 1, sure, here)
    boards = _boards(record, rules, columns.legal, here)
    lead = float(_numbers([record.get("lead")], -MOST_LEAD, MOST_LEAD, "lead", here)[0])
    return JudgedGame(record["id"], moves, colors, record["opening"], boards, Positions(columns), lead)


def _boards(record: Record, rules: Rules, legal: Bools, here: str) -> Array:
    """Play the game again; every move must be legal by the rules and by the judgements."""
    from gobench_go.game import kernels
    from gobench_go.game.position import board_of

    moves = record["moves"]
    try:
        setup = board_of(record["setup"], rules.rows, rules.cols) if record["setup"] else None
        replay = kernels.replay(rules, setup, np.array(moves, np.int64), np.array(record["colors"], np.int64))
    except (UsageError, OverflowError) as error:
        raise DataError(f"{here}: {error}") from error
    if replay.first_illegal >= 0:
        ply = replay.first_illegal
        raise DataError(f"{here}, position {ply}: the move {moves[ply]} is against the rules.")
    colors = np.array(record["colors"], np.uint8)
    plies = np.array(moves, np.int16)
    fine = [
        bool((kernels.legal_mask(rules, setup, plies[:t], colors[:t], int(color)) == legal[t]).all())
        for t, color in enumerate(colors)
    ]
    _every(np.array(fine, np.bool_), "what is judged legal is not what the rules allow", here)
    replay.boards.flags.writeable = False
    return replay.boards


def _columns(positions: Sequence[Record], width: int, sure: int, here: str) -> Columns:
    policy, legal = _policy(positions, width, here)
    value = _children(positions, "child_value", legal, (0.0, 1.0), here)
    lead = _children(positions, "child_lead", legal, (-MOST_LEAD, MOST_LEAD), here)
    visits = _searched(positions, legal, value, lead, sure, here)
    best = [position.get("best") for position in positions]
    for t, move in enumerate(best):
        if type(move) is not int or not 0 <= move < width or not legal[t, move]:
            raise DataError(f"{here}, position {t}: the best move is {str(move)[:40]}, which is not legal.")
    roots = [
        _numbers([position.get(key) for position in positions], low, high, key, here)
        for key, low, high in (("winrate", 0.0, 1.0), ("lead", -MOST_LEAD, MOST_LEAD))
    ]
    return Columns(policy, legal, value, lead, visits, np.array(best, np.int64), roots[0], roots[1])


def _policy(positions: Sequence[Record], width: int, here: str) -> tuple[Floats, Bools]:
    """Probabilities and legality, [N, P+1] each."""
    whole = frozenset({int})
    table = _table([position.get("policy") for position in positions], width, whole, "policy", here)
    _every(((table >= -1) & (table <= POLICY_SCALE)).all(1), f"policy is not in -1 to {POLICY_SCALE}", here)
    legal = table >= 0
    _every(legal[:, -1], "the pass is judged illegal", here)
    _every((table > 0).any(1), "policy is zero everywhere", here)
    return np.where(legal, table, 0.0) / POLICY_SCALE, legal


def _children(
    positions: Sequence[Record], key: str, legal: Bools, bounds: tuple[float, float], here: str
) -> Floats:
    """What follows each legal move, [N, P+1] with NaN elsewhere."""
    kinds = NUMBERS | {type(None)}
    table = _table([position.get(key) for position in positions], legal.shape[1], kinds, key, here)
    _every((np.isnan(table) == ~legal).all(1), f"{key} and policy disagree on what is legal", here)
    low, high = bounds
    with np.errstate(invalid="ignore"):
        _every(
            (np.isnan(table) | ((table >= low) & (table <= high))).all(1),
            f"{key} is not in {low:g} to {high:g}",
            here,
        )
    return table


def _searched(
    positions: Sequence[Record], legal: Bools, value: Floats, lead: Floats, sure: int, here: str
) -> Ints:
    """Put what was searched often enough into ``value`` and ``lead``; returns the visits [N, P+1]."""
    rows, moves, entries = list[int](), list[int](), list[list[Any]]()
    for t, position in enumerate(positions):
        search = position.get("search")
        if type(search) is not dict or not all(map(_is_entry, search.values())):
            raise DataError(f"{here}, position {t}: search is not a table of move: [visits, winrate, lead].")
        rows += [t] * len(search)
        moves += [_move(text, legal.shape[1], f"{here}, position {t}") for text in search]
        entries += search.values()
    visits = np.zeros(legal.shape, np.int64)
    if not entries:
        return visits
    found = np.array(entries, np.float64)
    _every_entry(legal[rows, moves], rows, "search holds an illegal move", here)
    _every_entry((found[:, 0] >= 0) & (found[:, 0] <= MOST_VISITS), rows, "visits are out of range", here)
    _every_entry((found[:, 1] >= 0) & (found[:, 1] <= 1), rows, "a searched winrate is not in 0 to 1", here)
    _every_entry(np.abs(found[:, 2]) <= MOST_LEAD, rows, "a searched lead is out of range", here)
    visits[rows, moves] = found[:, 0]
    often = found[:, 0] >= sure
    at = np.array(rows)[often], np.array(moves)[often]
    value[at], lead[at] = found[often, 1], found[often, 2]
    return visits


def _is_entry(entry: Json) -> bool:
    if type(entry) is not list or len(entry) != 3:
        return False
    visits, value, lead = entry
    return type(visits) is int and abs(visits) <= MOST_VISITS and _is_number(value) and _is_number(lead)


def _is_number(value: Json) -> bool:
    return type(value) is float or (type(value) is int and abs(value) <= MOST_LEAD)


def _move(text: str, width: int, here: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) < width:
        return int(text)
    raise DataError(f"{here}: search holds {text[:40]!r}, which is no move; moves go from 0 to {width - 1}.")


def _table(rows: list[Json], width: int, kinds: frozenset[type], key: str, here: str) -> Floats:
    """Lists of numbers as float64 [N, width], None as NaN."""
    for t, row in enumerate(rows):
        if type(row) is not list or len(row) != width:
            raise DataError(f"{here}, position {t}: {key} is not a list of {width} numbers.")
    if set(map(type, chain.from_iterable(rows))) - kinds:
        raise DataError(f"{here}: {key} of some position holds what is no number there.")
    try:
        return np.array(rows, np.float64).reshape(len(rows), width)
    except OverflowError as error:
        raise DataError(f"{here}: {key} of some position holds a number beyond all bounds.") from error


def _numbers(values: list[Json], low: float, high: float, key: str, here: str) -> Floats:
    """One number a position, in ``low`` to ``high``."""
    for t, value in enumerate(values):
        if type(value) not in NUMBERS or not low <= value <= high:  # also refuses NaN
            raise DataError(f"{here}, position {t}: {key} is {str(value)[:40]}, not in {low:g} to {high:g}.")
    return np.array(values, np.float64)


def _every(fine: Any, problem: str, here: str) -> None:
    if not fine.all():
        raise DataError(f"{here}, position {int(np.argmin(fine))}: {problem}.")


def _every_entry(fine: Any, rows: list[int], problem: str, here: str) -> None:
    if not fine.all():
        raise DataError(f"{here}, position {rows[int(np.argmin(fine))]}: {problem}.")
