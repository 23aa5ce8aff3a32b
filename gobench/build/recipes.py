"""What a build is asked to make: a recipe's table and the user's changes -> one frozen ``BuildConfig``.

A recipe is a plain table of its domain (``Domain.recipes()``): ``about`` is for people, ``options`` belong to
the domain, every other key is one of ``BuildConfig``:

    about = "9x9, 2,000 games"          splits = { train = 0.9, validation = 0.05, test = 0.05 }
    episodes = 2000                     dedup = "symmetry"
    seed = 0                            codec = "h264"
    shard_size = 256                    options = { ... }
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import takewhile, zip_longest

from gobench.canonical import dumps, sha256
from gobench.errors import DataError, UsageError, unknown
from gobench.types import Domain, Json, Record

SPLITS = ("train", "validation", "test")  # their order on disk
DEDUP = ("none", "exact", "symmetry")
ABOUT = "about"
MOVES = "moves"  # the codec that keeps records alone
LONGEST = 80  # characters of a value that a message shows
CONTEXT = 20  # of them before the place where two values begin to differ


def _all_train() -> dict[str, float]:
    return {"train": 1.0}


@dataclass(frozen=True)
class BuildConfig:
    """All that decides a dataset's bytes, apart from the versions of packages and the contents of its inputs.

    Raises UsageError that names the key, the value and what is allowed.
    """

    domain: str
    recipe: str
    codec: str
    episodes: int = (
        0  # keep at most so many; for a source without an end, how many to make; 0 is all there are
    )
    seed: int = 0
    shard_size: int = 256  # samples a shard at most
    shards: int = 0  # if not 0: how many shards in all, whatever their size
    part_size: int = 0  # the source's units in one part of the first stage; 0 is chosen by their number
    splits: Mapping[str, float] = field(default_factory=_all_train)
    dedup: str = "none"
    options: Mapping[str, Json] = field(default_factory=dict)
    # the options with what is true on this machine alone, such as paths; {} where they are the same. Files
    # count by their contents (``Source.inputs``), so this is neither stored nor hashed
    local: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("episodes", "seed", "shards", "part_size"):
            _whole(name, getattr(self, name), 0)
        _whole("shard_size", self.shard_size, 1)
        if self.dedup not in DEDUP:
            raise unknown("dedup", str(self.dedup), DEDUP)
        object.__setattr__(self, "splits", _fractions(self.splits))
        object.__setattr__(self, "options", _plain(self.options))

    def to_json(self) -> Record:
        """Plain data with every key that decides bytes: what is stored in ``plan.json``."""
        return {key: value for key, value in asdict(self).items() if key != "local"}

    @classmethod
    def from_json(cls, table: Mapping[str, Json]) -> BuildConfig:
        """The inverse of ``to_json``; raises DataError for a table that is not one."""
        try:
            return cls(**table)
        except (TypeError, AttributeError, UsageError) as error:
            raise DataError(f"this is not the config of a build: {error}") from error

    @cached_property
    def hash(self) -> str:
        """sha256 in hex over the canonical JSON of ``to_json()``."""
        return sha256(dumps(self.to_json()))

    @property
    def all_options(self) -> Record:
        """The options that the domain's source is opened with."""
        return dict(self.local or self.options)


CORE_KEYS = frozenset(BuildConfig.__dataclass_fields__) - {"domain", "recipe", "options", "local"}


def configure(
    domain: Domain,
    recipe: str,
    changes: Mapping[str, Json] | None = None,
    options: Mapping[str, Json] | None = None,
) -> BuildConfig:
    """A recipe of a domain with the user's changes, checked by both the core and the domain.

    Args:
        changes: core keys to change ("episodes", "codec", "seed", "shards", ...); None values are left out.
        options: the domain's options to change; they replace the recipe's key by key.

    A domain whose options name files has a method ``public_options(options)``: what is stored, no paths.
    """
    recipes = domain.recipes()
    if recipe not in recipes:
        raise unknown("recipe", recipe, recipes)
    table = dict(recipes[recipe])
    table.pop(ABOUT, None)
    given = {**table.pop("options", {}), **_given(options)}
    table.update(_given(changes))
    for key in table:
        if key not in CORE_KEYS:
            raise unknown(f"key of recipe {recipe!r}", key, CORE_KEYS)
    full = domain.configure(given)
    publish = getattr(domain, "public_options", dict)
    public = publish(full)
    if table.get("codec") == MOVES and not drawable(domain, full):
        raise UsageError(
            f"codec {MOVES} stores no pictures, and those of {recipe!r} are read from files: use h264, lossless or png."
        )
    return BuildConfig(
        domain=domain.name,
        recipe=recipe,
        options=public,
        local=full if public != full else {},
        **{"codec": "h264", **table},
    )


def drawable(domain: Domain | None, options: Mapping[str, Json]) -> bool:
    """Whether the clips of a dataset with these options can be drawn again from its records alone."""
    return bool(getattr(domain, "drawable", lambda options: True)(options))


def differences(old: Json, new: Json, name: str = "", now: str = "was asked for") -> Iterator[str]:
    """A line for each leaf in which tables differ: ``options.sources[0].teacher is "mcts@2:50" there, "gnugo:1" was asked
    for``. A key that one of them lacks: ``options.marks is not there, true was asked for`` or ``options.marks is true
    there, nothing was asked for``.

    Args:
        name: of the tables, before every key.
        now: what is said of the new table.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{name}.{key}" if name else str(key), now)
    elif _alike(old, new):
        for i, (one, other) in enumerate(zip_longest(old, new)):
            yield from differences(one, other, f"{name}[{i}]", now)
    elif old != new:
        yield _difference(name, old, new, now)


def _alike(old: Json, new: Json) -> bool:
    """Whether two values are lists to be compared item by item: equally long ones, and tables in any number."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return False
    return len(old) == len(new) or all(isinstance(each, Mapping) for each in (*old, *new))


def _difference(name: str, old: Json, new: Json, now: str) -> str:
    one, other = _cut(*("" if value is None else dumps(value).decode() for value in (old, new)))
    return (
        f"{name} is {one} there, {other or 'nothing'} {now}" if one else f"{name} is not there, {other} {now}"
    )


def _cut(one: str, other: str) -> tuple[str, str]:
    """Both texts, long ones cut around the place where they begin to differ."""
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    start = max(0, alike - CONTEXT)
    return _window(one, start), _window(other, start)


def _window(text: str, start: int) -> str:
    if len(text) <= LONGEST:
        return text
    end = start + LONGEST
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _given(table: Mapping[str, Json] | None) -> Record:
    return {key: value for key, value in (table or {}).items() if value is not None}


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name} is {value!r}; allowed is a whole number of at least {least}.")


def _plain(options: Mapping[str, Json]) -> Record:
    try:
        table: Record = json.loads(dumps(dict(options)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"the options are not plain data: {error}.") from error
    return table


def _fractions(splits: Mapping[str, float]) -> dict[str, float]:
    for name, part in splits.items():
        if name not in SPLITS:
            raise unknown("split", str(name), SPLITS)
        if isinstance(part, bool) or not isinstance(part, (int, float)) or not 0 <= part <= 1:
            raise UsageError(f"splits.{name} is {part!r}; allowed is a fraction from 0 to 1.")
    total = sum(splits.values())
    if abs(total - 1) > 1e-9:
        raise UsageError(f"splits {dict(splits)} add up to {total:g}; fractions must add up to 1.")
    return {name: float(splits[name]) for name in SPLITS if name in splits}
