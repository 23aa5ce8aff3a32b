"""Games to be judged, from built datasets and from SGF: all of one board and one set of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from gobench.build.assemble import MANIFEST
from gobench.build.plan import PLAN
from gobench.errors import DataError, UsageError
from gobench.types import Json, Record, Rejection
from gobench_go.game import coords
from gobench_go.game.rules import Rules, checked_komi
from gobench_go.judged.judging import Game

EVERY_SPLIT = "all"


class Found(NamedTuple):
    """The games of some sources, and what was not taken."""

    rules: Rules
    games: list[Game]
    rejected: list[Rejection]


def find_games(
    sources: Sequence[str],
    most: int = 0,
    size: str = "",
    komi: float | None = None,
    opening: int | None = None,
    split: str = "all",
) -> Found:
    """Games of dataset folders and SGF files, in order.

    Args:
        sources: folders that ``gobench build-dataset`` made, or files, folders, archives and globs of SGF.
        most: how many to take at most, 0 for all.
        size: the board of the SGF games that are wanted, such as "7x7"; by default 9x9.
        komi: judge all games by this one, instead of their own, which must then be the same.
        opening: how many first plies of each game do not count as played; by default those that a dataset's own
            self-play drew at random, and none of SGF games.
        split: which part of a dataset, or "all".

    Raises:
        UsageError: no games, games of different rules, a split that a dataset has not.
        DataError: a dataset that is broken.
    """
    if not sources:
        raise UsageError("no games given: name a dataset folder or SGF files.")
    rules: Rules | None = None
    games, rejected = list[Game](), list[Rejection]()
    for item, drawn in _records(sources, size, split):
        if isinstance(item, Rejection):
            rejected.append(item)
            continue
        first = drawn if opening is None else opening
        own = _rules(item, komi)
        rules = rules or own
        if own != rules:
            raise UsageError(
                f"{item['origin']}: {_differs(own, rules)}. A set has one board and one set of rules."
            )
        games.append(
            Game(tuple(item["moves"]), tuple(item["colors"]), item["setup"], first, str(item["origin"]))
        )
        if most and len(games) == most:
            break
    if rules is None:
        why = f": {rejected[0].origin}: {rejected[0].reason} ({rejected[0].detail})" if rejected else ""
        raise UsageError(f"no game to judge in {', '.join(sources)}{why}.")
    return Found(rules, games, rejected)


def _records(sources: Sequence[str], size: str, split: str) -> Iterator[tuple[Record | Rejection, int]]:
    """Every game, and how many of its first plies were drawn at random."""
    for source in sources:
        if (Path(source) / MANIFEST).is_file() or (Path(source) / PLAN).is_file():
            yield from _of_dataset(source, split)
        elif split != EVERY_SPLIT:
            raise UsageError(f"{source} is no dataset and has no splits: leave out --split.")
        else:
            yield from ((item, 0) for item in _of_sgf(source, size))


def _of_dataset(folder: str, split: str) -> Iterator[tuple[Record, int]]:
    from gobench.dataset import open_dataset

    data = open_dataset(folder)
    if (domain := data.plan.config.domain) != "go":
        raise DataError(f"{folder} is a dataset of {domain!r}, not of Go: there is nothing to judge.")
    drawn = opening_of(data.plan.config.options.get("sources", []))
    for sample in data.samples(None if split == EVERY_SPLIT else split):
        yield sample.record(), drawn


def opening_of(sources: Sequence[Mapping[str, Json]]) -> int:
    """The plies that a dataset's self-play draws at random before each game, the most of its sources; 0 without any."""
    return max((int(s["opening"]["plies"]) for s in sources if s["kind"] == "selfplay"), default=0)


def _of_sgf(path: str, size: str) -> Iterator[Record | Rejection]:
    from gobench_go.sources.options import configure_sources
    from gobench_go.sources.sgf_files import SgfSource

    rows, cols = coords.size(size) if size else (9, 9)
    options = configure_sources({"rows": rows, "cols": cols, "sources": [{"kind": "sgf", "paths": [path]}]})
    source = SgfSource.of([path], options["sources"][0], rows, cols, "benchmark")
    for unit in range(source.units):
        for item in source.unit(unit):
            yield item if isinstance(item, Rejection) else item.record


def _rules(record: Record, komi: float | None) -> Rules:
    own = Rules(
        record["rows"], record["cols"], record["ko"], record["suicide"], record["komi"], record["rules"]
    )
    return own if komi is None else replace(own, komi=checked_komi(komi))


def _differs(own: Rules, first: Rules) -> str:
    keys = [
        key
        for key in ("rows", "cols", "ko", "suicide", "komi", "name")
        if getattr(own, key) != getattr(first, key)
    ]
    return ", ".join(
        f"its {key} is {getattr(own, key)}, the first game's {getattr(first, key)}" for key in keys
    )
