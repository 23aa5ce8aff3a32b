"""Which games of an archive are wanted: options as plain data, and one reason for each that is not met."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gobench.errors import UsageError, unknown
from gobench_go.game import coords
from gobench_go.game.rules import RULES
from gobench_go.game.sgf import SgfGame
from gobench_go.sources.record import UNKNOWN

DEFAULTS: Mapping[str, Any] = {
    "sizes": [],
    "rules": [],
    "min_rank": "",
    "max_rank": "",
    "min_moves": 1,
    "max_moves": 1000,
    "results": "any",
    "handicap": "any",
}
"""Every filter and what it is when not given."""

ABOUT: Mapping[str, str] = {
    "sizes": 'board sizes such as ["9x9", "13x13"]; none is the recipe\'s own board',
    "rules": "rule sets by our names, as read from RU; none is any, games without RU included",
    "min_rank": 'the least rank of both players, such as "3k", "5d" or "1p"; unranked players do not meet it',
    "max_rank": "the highest rank of both players",
    "min_moves": "least number of plies",
    "max_moves": "most plies; 0 is no limit",
    "results": "any; known: RE or two passes say it; decided: won by points or resignation; counted: by points",
    "handicap": "any; none: no handicap and no stones set up; only",
}
"""One line about each filter."""

REASONS: Mapping[str, str] = {
    "filter-size": "another board size",
    "filter-rules": "another rule set",
    "filter-rank": "a player's rank out of range, or none given",
    "filter-moves": "too few or too many plies",
    "filter-result": "a result that is not wanted",
    "filter-handicap": "a handicap that is not wanted, or none",
}

RESULTS: Mapping[str, Callable[[str], bool]] = {
    "any": lambda result: True,
    "known": lambda result: result != UNKNOWN,
    "decided": lambda result: re.fullmatch(r"[BW]\+(R|[0-9.]+)", result) is not None,
    "counted": lambda result: re.fullmatch(r"[BW]\+[0-9.]+|0", result) is not None,
}
HANDICAPS = ("any", "none", "only")

_RULE_WORDS: tuple[tuple[str, str], ...] = (
    (r"tromp|logical|simplified", "tromp-taylor"),
    (r"aga|bga|french|ing's american", "aga-like"),
    (r"chin|cn\b|area|中国|中國|数子", "chinese"),
    (r"jap|jp\b|korea|territory|日本|韓|韩|한국", "japanese"),
    (r"benchmark", "benchmark"),
)
"""What RU may say -> our rule set. New Zealand and Ing rules are not here: their ko is another."""

_RANK = re.compile(r"([0-9]{1,2})\s*\.?\s*(kyu|k|dan|d|pro|p|段|级|級|급|단)", re.I)
_RANK_BASE = {"k": 30, "级": 30, "級": 30, "급": 30, "d": 29, "段": 29, "단": 29, "p": 40}


def rules_name(text: str) -> str:
    """Our name of the rule set that RU means, or the empty string."""
    low = text.strip().lower()
    return next((name for pattern, name in _RULE_WORDS if re.search(pattern, low)), "")


def rank(text: str) -> int | None:
    """Strength as a number: 30k is 0, 1k 29, 1d 30, 9d 38, 1p 41; None when the text is no rank."""
    found = _RANK.search(text)
    if not found:
        return None
    base = _RANK_BASE[found[2][0].lower()]
    return base - int(found[1]) if base == 30 else base + int(found[1])


def configure(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """All filters, checked. Raises UsageError that names ``key``, the value and what is allowed."""
    if strange := sorted(set(given) - set(DEFAULTS)):
        raise unknown(f"key of {key}", strange[0], DEFAULTS)
    filters = {**DEFAULTS, **given}
    for name, value in filters.items():
        _check(f"{key}.{name}", name, value)
    filters["sizes"] = ["{}x{}".format(*coords.size(s)) for s in filters["sizes"]]
    return filters


def _check(key: str, name: str, value: Any) -> None:
    kind = type(DEFAULTS[name])
    if not isinstance(value, kind) or isinstance(value, bool) or (kind is int and value < 0):
        what = {list: "a list of texts", int: "a whole number, not negative", str: "a text"}[kind]
        raise UsageError(f"{key} is {what}: {ABOUT[name]}; got {value!r}.")
    if kind is list and not all(isinstance(v, str) for v in value):
        raise UsageError(f"{key} is a list of texts: {ABOUT[name]}; got {value!r}.")
    if name in _NAMES:
        for word in value if kind is list else [value]:
            if word not in _NAMES[name]:
                raise unknown(key, word, _NAMES[name])
    if name.endswith("_rank") and value and rank(value) is None:
        raise UsageError(f"{key} is {ABOUT[name]}; got {value!r}.")


_NAMES: Mapping[str, tuple[str, ...]] = {
    "rules": tuple(RULES),
    "results": tuple(RESULTS),
    "handicap": HANDICAPS,
}


def unwanted(game: SgfGame, filters: Mapping[str, Any], rows: int, cols: int) -> tuple[str, str] | None:
    """(reason, detail) of the first filter that a game does not pass, or None.

    ``rows``, ``cols`` are the recipe's. A result that the file does not state passes here: see
    ``unwanted_result``.
    """
    size = f"{game.rows}x{game.cols}"
    sizes = filters["sizes"] or [f"{rows}x{cols}"]
    if size not in sizes:
        return "filter-size", f"{size}; wanted: {', '.join(sizes)}"
    name = rules_name(game.rules)
    if filters["rules"] and name not in filters["rules"]:
        return "filter-rules", f"RU[{game.rules}] is {name or 'no known rule set'}"
    most = filters["max_moves"] or len(game.moves)
    if not filters["min_moves"] <= len(game.moves) <= most:
        return (
            "filter-moves",
            f"{len(game.moves)} plies; wanted: {filters['min_moves']} to {filters['max_moves']}",
        )
    if game.result != UNKNOWN and (problem := unwanted_result(game.result, filters)):
        return problem
    if filters["handicap"] != "any" and (filters["handicap"] == "only") != _given(game):
        return "filter-handicap", f"HA[{game.handicap}]; wanted: {filters['handicap']}"
    return _rank_problem(game, filters)


def unwanted_result(result: str, filters: Mapping[str, Any]) -> tuple[str, str] | None:
    """The same for the result alone: for that of the record, which the score may have decided."""
    if RESULTS[filters["results"]](result):
        return None
    return "filter-result", f"{result}; wanted: {filters['results']}"


def _given(game: SgfGame) -> bool:
    return game.handicap >= 2 or bool(game.setup)


def _rank_problem(game: SgfGame, filters: Mapping[str, Any]) -> tuple[str, str] | None:
    if not filters["min_rank"] and not filters["max_rank"]:
        return None
    least = rank(filters["min_rank"]) if filters["min_rank"] else None
    most = rank(filters["max_rank"]) if filters["max_rank"] else None
    for name, text in (("BR", game.black_rank), ("WR", game.white_rank)):
        found = rank(text)
        low = found is None or (least is not None and found < least)
        if low or (most is not None and found is not None and found > most):
            wanted = f"{filters['min_rank'] or 'any'} to {filters['max_rank'] or 'any'}"
            return "filter-rank", f"{name}[{text}]; wanted: {wanted}"
    return None
