"""Finds what is installed: domains, models and commands, by entry point.

A package adds a domain by publishing ``[project.entry-points."gobench.domains"] name = "module:Class"``; nothing
is imported until it is asked for.

=========  =========================================================================================
domains    ``go = "module:Class"``, a ``gobench.types.Domain``
models     ``copy-frame = "module:Class"``, a ``gobench.types.VideoModel``; with ``from_checkpoint`` it reads files
commands   ``go = "module:LIST"``: click commands under ``gobench go``; ``train.NAME = "module:command"`` and
           ``analyze.NAME``: one click command under ``gobench train`` or ``gobench analyze``
=========  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from gobench.errors import UsageError, unknown
from gobench.types import Domain

GROUPS = {"domains": "gobench.domains", "models": "gobench.models", "commands": "gobench.commands"}


@cache
def installed(kind: str) -> dict[str, EntryPoint]:
    """Name -> entry point of everything installed of a kind ("domains", "models", "commands"), sorted by name."""
    if kind not in GROUPS:
        raise unknown("kind of room", kind, GROUPS)
    found = {e.name: e for e in entry_points(group=GROUPS[kind])}
    return dict(sorted(found.items()))


@cache
def load(kind: str, name: str) -> Any:
    """The object behind an entry point; raises UsageError for an unknown name or one that does not import."""
    table = installed(kind)
    if name not in table:
        raise unknown(kind.removesuffix("s"), name, table)
    try:
        return table[name].load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the {kind.removesuffix('s')} {name!r} is installed but does not import: {error}. "
            "Install its extra, or run `gobench doctor`."
        ) from error


@cache
def domain(name: str) -> Domain:
    """The domain called ``name``, one instance a process."""
    return cast(Domain, load("domains", name)())


def recipes() -> tuple[dict[str, str], list[str]]:
    """Recipe name -> domain name over all installed domains, and what is wrong with those that do not load.

    Raises UsageError where two domains have a recipe of the same name.
    """
    return _offered("recipe", "recipes")


def suites() -> tuple[dict[str, str], list[str]]:
    """The same for suites, of the domains that have some (``gobench.tasks.Benchmark``)."""
    return _offered("suite", "suites")


def _offered(kind: str, method: str) -> tuple[dict[str, str], list[str]]:
    table: dict[str, str] = {}
    broken = []
    for name in installed("domains"):
        try:
            own: Mapping[str, Any] = getattr(domain(name), method, dict)()
        except UsageError as error:
            broken.append(str(error))
            continue
        if twice := sorted(set(own) & set(table)):
            raise UsageError(
                f"domains {table[twice[0]]!r} and {name!r} both have a {kind} {twice[0]!r}: remove one."
            )
        table.update(dict.fromkeys(own, name))
    return table, broken
