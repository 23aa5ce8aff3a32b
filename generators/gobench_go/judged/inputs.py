"""Games to be judged, from built datasets and from SGF: all of one board and one set of rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from gobench.build.assemble import MANIFEST
from gobench.build.plan import PLAN
from gobench.errors import DataError, UsageError
from gobench.types import Record, Rejection
from gobench_go.game import coords
from gobench_go.game.rules import Rules, checked_komi
from gobench_go.judged.judging import Game


class Found(NamedTuple):
    """The games of some sources, and what was not taken."""

    rules: Rules
    games: list[Game]
    rejected: list[Rejection]


def find_games(
    sources: Sequence[str], most: int = 0, size: str = "", komi: float | None = None, opening: int = 0
) -> Found:
    """Games of dataset folders and SGF files, in order.

    Args:
        sources: folders that ``gobench build-dataset`` made, or files, folders, archives and globs of SGF.
        most: how many to take at most, 0 for all.
        size: the board of the SGF games that are wanted, such as "7x7"; by default 9x9.
        komi: judge all games by this one, instead of their own, which must then be the same.
        opening: how many first plies of each game do not count as played.

    Raises:
        UsageError: no games, or games of different rules.
        DataError: a dataset that is broken.
    """
    if not sources:
        raise UsageError("no games given: name a dataset folder or SGF files.")
    rules: Rules | None = None
    games, rejected = list[Game](), list[Rejection]()
    for item in _records(sources, size):
        if isinstance(item, Rejection):
            rejected.append(item)
            continue
        own = _rules(item, komi)
        rules = rules or own
        if own != rules:
            raise UsageError(
                f"{item['origin']}: {_differs(own, rules)}. A set has one board and one set of rules."
            )
        games.append(
            Game(tuple(item["moves"]), tuple(item["colors"]), item["setup"], opening, str(item["origin"]))
        )
        if most and len(games) == most:
            break
    if rules is None:
        why = f": {rejected[0].origin}: {rejected[0].reason} ({rejected[0].detail})" if rejected else ""
        raise UsageError(f"no game to judge in {', '.join(sources)}{why}.")
    return Found(rules, games, rejected)


def _records(sources: Sequence[str], size: str) -> Iterator[Record | Rejection]:
    for source in sources:
        if (Path(source) / MANIFEST).is_file() or (Path(source) / PLAN).is_file():
            yield from _of_dataset(source)
        else:
            yield from _of_sgf(source, size)


def _of_dataset(folder: str) -> Iterator[Record]:
    from gobench.dataset import open_dataset

    data = open_dataset(folder)
    if (domain := data.plan.config.domain) != "go":
        raise DataError(f"{folder} is a dataset of {domain!r}, not of Go: there is nothing to judge.")
    for sample in data.samples():
        yield sample.record()


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
