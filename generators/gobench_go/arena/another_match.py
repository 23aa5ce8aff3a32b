"""Two plans of matches in one folder: how they differ, in words for the one who asked for the second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gobench.build.recipes import differences
from gobench.types import Json, Record

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "games": "the number of games a pairing",
        "max_plies": "--max-plies",
        "conditions.seconds": "--seconds",
        "conditions.tries": "--tries",
        "conditions.device": "--device",
        "conditions.dtype": "--dtype",
        "rules.name": "the rules",
        "rules.komi": "the komi",
    }
)
"""Keys of a plan -> what a user calls them, where that is something else."""

SPRT = ("elo0", "elo1", "alpha", "beta")  # in the order of --sprt


def differing(there: Record, asked: Record) -> list[str]:
    """How the plan that is asked for differs from the one that is there, a phrase each; empty for equal plans."""
    found = [*_players(there.get("players"), asked.get("players"))]
    if (old := _board(there)) != (new := _board(asked)):
        found.append(f"the board was {old}; asked for {new}")
    if (old := _openings(there)) != (new := _openings(asked)):
        found.append(f"openings were {old}; asked for {new}")
    if (old := _sprt(there)) != (new := _sprt(asked)):
        found.append(f"the test was {old}; asked for {new}")
    told = {"players", "openings", "sprt"}
    for key in sorted((there.keys() | asked.keys()) - told):
        found += _leaves(key, there.get(key), asked.get(key))
    return found


def _players(there: Json, asked: Json) -> Iterator[str]:
    old, new = ([str(row["as"]) for row in rows or []] for rows in (there, asked))
    if old != new:
        yield f"players were {', '.join(old)}; asked for {', '.join(new)}"
        return
    for name, before, now in zip(new, there, asked, strict=True):
        if lines := list(differences(before, now)):
            yield f"the player {name} is another one: {', '.join(lines)}"


def _board(plan: Record) -> str:
    rules = plan.get("rules", {})
    return f"{rules.get('rows')}x{rules.get('cols')}"


def _openings(plan: Record) -> str:
    openings = plan.get("openings", {})
    return (
        f"{openings.get('name')} ({openings.get('openings')} lines, sha256 {str(openings.get('sha256'))[:8]})"
    )


def _sprt(plan: Record) -> str:
    test = plan.get("sprt") or {}
    return "--sprt " + ",".join(_word(test[key]) for key in SPRT if key in test) if test else "none"


def _leaves(key: str, old: Json, new: Json) -> Iterator[str]:
    """A phrase for each number or word that differs; the sizes of the board are told apart."""
    if isinstance(old, dict) and isinstance(new, dict):
        for inner in sorted(old.keys() | new.keys()):
            if inner not in ("rows", "cols"):
                yield from _leaves(f"{key}.{inner}", old.get(inner), new.get(inner))
    elif old != new:
        yield f"{WORDS.get(key, key.rpartition('.')[2])} was {_word(old)}; asked for {_word(new)}"


def _word(value: Json) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else "nothing" if value is None else str(value)
