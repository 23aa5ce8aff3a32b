"""The games' part of a recipe as plain JSON: filled in and checked, with errors that name the key.

    {"rows": 9, "cols": 9, "rules": "benchmark", "komi": 7.0, "reannotate": "",
     "sources": [{"kind": "selfplay", "teacher": "mcts:50", "share": 1, "max_plies": 162,
                  "opening": {"plies": 4, "region": 5}, "temperature": [[8, 1.0], [30, 0.5], [400, 0.1]]},
                 {"kind": "sgf", "paths": ["games.zip"], "rules": "as-written", "filters": {...},
                  "max_bytes": 4194304},
                 {"kind": "videoworld", "paths": ["tars/"], "teacher": "katago", "max_bytes": 67108864}]}

``rules`` is a name of ``RULES``, or ``as-written``: SGF games by their own RU, everything else by ``benchmark``.
An SGF source without rules of its own takes the recipe's. Teachers are stored with their version (``mcts@2:50``), but
programs of others (``gnugo:10``, ``gtp:COMMAND``), whose version says who answers when they are asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gobench.errors import GobenchError, UsageError, unknown
from gobench.types import Json, Record
from gobench_go.game import coords
from gobench_go.game.rules import RULES, checked_komi, named
from gobench_go.sources import filters
from gobench_go.sources.sgf_files import AS_WRITTEN, MAX_BYTES

PATHS = "paths"
"""A source's key that says where its files lie on this machine: no part of what is stored and hashed."""
KEYS = ("rows", "cols", "rules", "komi", "sources", "reannotate")
OPENING: Mapping[str, int] = {"plies": 0, "region": 5}
TEMPERATURE: tuple[tuple[int, float], ...] = ((8, 1.0), (30, 0.5), (400, 0.1))
DEFAULT_RULES = "benchmark"
MOST_PLIES = 10_000
MAX_TAR_BYTES = 64 << 20


def configure_sources(options: Mapping[str, Json]) -> Record:
    """Every key of ``KEYS`` present and checked; ``sources`` may be empty, which ``make_source`` refuses.

    Raises UsageError that names the key, the value and what is allowed.
    """
    if strange := sorted(set(options) - set(KEYS)):
        raise unknown("option of the games", strange[0], KEYS)
    rows = _whole("rows", options.get("rows", 9), 1, coords.MAX_SIDE)
    cols = _whole("cols", options.get("cols", 9), 1, coords.MAX_SIDE)
    rules = _rules("rules", options.get("rules", DEFAULT_RULES))
    base = named(DEFAULT_RULES if rules == AS_WRITTEN else rules, rows, cols)
    sources = options.get("sources", [])
    if not isinstance(sources, list | tuple):
        raise UsageError(f"sources is a list of tables, each with a kind; got {sources!r}.")
    return {
        "rows": rows,
        "cols": cols,
        "rules": rules,
        "komi": _komi(options.get("komi", base.komi)),
        "sources": [_source(f"sources[{i}]", s, rows * cols, rules) for i, s in enumerate(sources)],
        "reannotate": _teacher("reannotate", options.get("reannotate", ""), optional=True),
    }


def public_sources(options: Mapping[str, Json]) -> Record:
    """The options as stored: no places of files, whose contents are inputs of the plan, nor of engines."""
    from gobench_go.sources.outside import public

    sources = [{k: v for k, v in source.items() if k != PATHS} for source in options["sources"]]
    for source in sources:
        if source["kind"] == "selfplay":
            source["teacher"] = public(source["teacher"])
    return {**options, "sources": sources, "reannotate": public(options["reannotate"])}


def _source(key: str, given: Json, points: int, rules: str) -> Record:
    if not isinstance(given, Mapping) or "kind" not in given:
        raise UsageError(f"{key} is a table with a kind ({', '.join(_KINDS)}); got {given!r}.")
    if given["kind"] not in _KINDS:
        raise unknown(f"{key}.kind", str(given["kind"]), _KINDS)
    configure, keys = _KINDS[given["kind"]]
    if strange := sorted(set(given) - set(keys) - {"kind"}):
        raise unknown(f"key of {key} ({given['kind']})", strange[0], ("kind", *keys))
    inherited = {"rules": rules} if "rules" in keys else {}
    return {"kind": given["kind"], **configure(key, {**inherited, **given}, points)}


def _selfplay(key: str, given: Mapping[str, Json], points: int) -> Record:
    return {
        "teacher": _teacher(f"{key}.teacher", given.get("teacher", "mcts:50")),
        "opening": _opening(f"{key}.opening", given.get("opening", {})),
        "temperature": _temperature(f"{key}.temperature", given.get("temperature", TEMPERATURE)),
        "max_plies": _whole(f"{key}.max_plies", given.get("max_plies", 2 * points), 1, MOST_PLIES),
        "share": _whole(f"{key}.share", given.get("share", 1), 1, 1_000_000),
    }


def _sgf(key: str, given: Mapping[str, Json], points: int) -> Record:
    wanted = given.get("filters", {})
    if not isinstance(wanted, Mapping):
        raise UsageError(
            f"{key}.filters is a table with the keys {', '.join(filters.DEFAULTS)}; got {wanted!r}."
        )
    return {
        "paths": _paths(f"{key}.paths", given.get("paths")),
        "rules": _rules(f"{key}.rules", given["rules"]),
        "filters": filters.configure(wanted, f"{key}.filters"),
        "max_bytes": _whole(f"{key}.max_bytes", given.get("max_bytes", MAX_BYTES), 1, 1 << 30),
    }


def _videoworld(key: str, given: Mapping[str, Json], points: int) -> Record:
    teacher = given.get("teacher", "katago")
    if not isinstance(teacher, str):
        raise UsageError(f"{key}.teacher is the name of who chose the extra_ moves; got {teacher!r}.")
    return {
        "paths": _paths(f"{key}.paths", given.get("paths")),
        "teacher": teacher,
        "max_bytes": _whole(f"{key}.max_bytes", given.get("max_bytes", MAX_TAR_BYTES), 1, 1 << 30),
    }


_KINDS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "selfplay": (_selfplay, ("teacher", "opening", "temperature", "max_plies", "share")),
    "sgf": (_sgf, ("paths", "rules", "filters", "max_bytes")),
    "videoworld": (_videoworld, ("paths", "teacher", "max_bytes")),
}


def _whole(key: str, value: Json, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{key} is a whole number from {least} to {most}; got {value!r}.")
    return value


def _number(key: str, value: Json) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise UsageError(f"{key} is a number; got {value!r}.")
    return float(value)


def _komi(value: Json) -> float:
    return checked_komi(_number("komi", value))


def _rules(key: str, value: Json) -> str:
    if value != AS_WRITTEN and value not in RULES:
        raise unknown(key, str(value), (*RULES, AS_WRITTEN))
    return str(value)


def _paths(key: str, value: Json) -> list[str]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(p, str) and p for p in value):
        raise UsageError(f"{key} is a list of files, folders, archives or globs; got {value!r}.")
    return list(value)


def _opening(key: str, value: Json) -> Record:
    if not isinstance(value, Mapping):
        raise UsageError(f"{key} is a table with the keys {', '.join(OPENING)}; got {value!r}.")
    if strange := sorted(set(value) - set(OPENING)):
        raise unknown(f"key of {key}", strange[0], OPENING)
    opening = {**OPENING, **value}
    return {
        "plies": _whole(f"{key}.plies", opening["plies"], 0, 361),
        "region": _whole(f"{key}.region", opening["region"], 1, coords.MAX_SIDE),
    }


def _temperature(key: str, value: Json) -> list[list[float]]:
    """Rows [ply, temperature], plies ascending: a temperature holds for the plies before its row's ply."""
    rows = list(value) if isinstance(value, list | tuple) else []
    if not rows or not all(isinstance(r, list | tuple) and len(r) == 2 for r in rows):
        raise UsageError(
            f"{key} is a list of rows [before ply, temperature], as in [[8, 1.0], [400, 0.1]]; got {value!r}."
        )
    plies = [_whole(f"{key}[{i}][0]", r[0], 1, 1_000_000) for i, r in enumerate(rows)]
    heats = [_number(f"{key}[{i}][1]", r[1]) for i, r in enumerate(rows)]
    if plies != sorted(set(plies)) or min(heats) < 0 or max(heats) > 100:
        raise UsageError(f"{key}: plies must ascend and temperatures lie from 0 to 100; got {value!r}.")
    return [[ply, heat] for ply, heat in zip(plies, heats, strict=True)]


def _teacher(key: str, value: Json, optional: bool = False) -> str:
    """The teacher's full name with its version; of an external one as it is written, for it may not be here.

    Raises UsageError for one that cannot be.
    """
    if not isinstance(value, str):
        raise UsageError(f"{key} is a teacher such as 'random', 'mcts:50' or 'gnugo:10'; got {value!r}.")
    if optional and not value:
        return ""
    from gobench_go.teachers import is_external, teacher

    if is_external(value):
        return value.strip()
    try:
        return teacher(value).name
    except GobenchError as error:
        raise UsageError(f"{key}: {error}") from None
