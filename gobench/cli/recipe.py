"""From the words of a command line to a ``BuildConfig``: a recipe or a file, flags, and --set."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import click

from gobench.build.recipes import CORE_KEYS, BuildConfig, configure
from gobench.errors import UsageError, unknown
from gobench.registry import domain, recipes
from gobench.types import Domain, Json, Record

CORE_FLAGS = {
    "games": "episodes",
    "seed": "seed",
    "codec": "codec",
    "shards": "shards",
    "shard_size": "shard_size",
}
"""Flag -> key of BuildConfig."""
DOMAIN_FLAGS = (
    "sgf", "videoworld_tars", "teacher", "reannotate", "theme", "size", "randomise",
    "camera", "label_fraction", "keep_failures", "data",
)  # fmt: skip
"""Flags handed to the recipe's domain, which knows what they mean."""


def chosen(recipe: str, flags: Mapping[str, Any]) -> tuple[Domain, BuildConfig]:
    """The domain and the config that a command line asks for.

    Args:
        recipe: a recipe's name, or a TOML file with ``base`` (a recipe), core keys and a table ``options``.
        flags: values of CORE_FLAGS, DOMAIN_FLAGS and ``settings`` (texts KEY=VALUE); None and () are not given.

    Raises:
        UsageError: an unknown recipe, flag, key or value; says which.
    """
    base, changes = from_file(Path(recipe)) if recipe.endswith(".toml") else (recipe, {})
    world = domain(room_of(base))
    options = {**world.recipes()[base].get("options", {}), **changes.pop("options", {})}
    given = {flag: flags[flag] for flag in DOMAIN_FLAGS if flags.get(flag) not in (None, ())}
    if given:
        options = overridden(world, options, given)
    options = settled(options, flags["settings"])
    changes |= {key: flags[flag] for flag, key in CORE_FLAGS.items() if flags[flag] is not None}
    return world, configure(world, base, changes, options)


def room_of(recipe: str) -> str:
    """The name of the domain that has a recipe; domains that do not load are told on stderr."""
    table, broken = recipes()
    for problem in broken:
        click.echo(f"gobench: {problem}", err=True)
    if recipe not in table:
        if Path(recipe).is_file():
            raise UsageError(f"{recipe} is a file; a recipe of your own ends in .toml.")
        raise unknown("recipe", recipe, table)
    return table[recipe]


def from_file(path: Path) -> tuple[str, Record]:
    """The base recipe of a TOML file, and what it changes."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the recipe {path}: {error}.") from error
    base = table.pop("base", None)
    if not isinstance(base, str):
        raise UsageError(f'{path}: say which recipe it changes, as in base = "go9-tiny".')
    table.pop("about", None)
    for key in table:
        if key not in CORE_KEYS | {"options"}:
            raise unknown(f"key of {path}", key, CORE_KEYS | {"options"})
    return base, table


def overridden(world: Domain, options: Record, given: Record) -> Record:
    """Options with the domain's flags applied."""
    override = getattr(world, "override", None)
    if override is None:
        raise UsageError(f"the domain {world.name!r} has no option --{min(given).replace('_', '-')}.")
    changed: Record = override(options, given)
    return changed


def settled(options: Mapping[str, Json], settings: Sequence[str]) -> Record:
    """Options with each KEY=VALUE put in: keys are paths as in ``clip.fps`` or ``sources.0.max_plies``."""
    changed: Record = deepcopy(dict(options))
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--set {setting!r}: write KEY=VALUE, as in --set clip.fps=8 or --set rules=chinese."
            )
        _put(changed, key.split("."), _value(text), setting)
    return changed


def _value(text: str) -> Json:
    """A TOML value; a bare word is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(table: Any, path: list[str], value: Json, setting: str) -> None:
    try:
        for step in path[:-1]:
            table = table[int(step)] if isinstance(table, list) else table.setdefault(step, {})
        table[int(path[-1]) if isinstance(table, list) else path[-1]] = value
    except (IndexError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"--set {setting!r}: there is nothing at {'.'.join(path[:-1])!r} to set it in."
        ) from error
