"""Several sources one after another as one, and the one entry by which the domain makes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import cast

from gobench.build.journal import asking, let_go
from gobench.errors import UsageError
from gobench.types import AskingSource, Episode, Json, Rejection, Source
from gobench_go.game.rules import named
from gobench_go.sources.options import DEFAULT_RULES, configure_sources, public_sources
from gobench_go.sources.sgf_files import AS_WRITTEN


@dataclass(frozen=True)
class Mixed:
    """The units of several sources in their order; ``starts`` holds N+1 sums."""

    sources: tuple[Source, ...]
    starts: tuple[int, ...]
    limit: int  # how many candidates are kept at most, 0 for all
    question: Mapping[str, Json] = field(default_factory=dict)  # what ``asked`` holds beside the inputs

    @classmethod
    def of(cls, sources: tuple[Source, ...], limit: int) -> Mixed:
        """Count the units once."""
        return cls(sources, tuple(accumulate((s.units for s in sources), initial=0)), limit)

    @property
    def units(self) -> int:
        """The sum."""
        return self.starts[-1]

    @property
    def inputs(self) -> Mapping[str, str]:
        """All inputs; a name that another source has got too carries the number of its source."""
        together: dict[str, str] = {}
        for number, source in enumerate(self.sources):
            for name, digest in source.inputs.items():
                clash = name in together and together[name] != digest
                together[f"{name}@{number}" if clash else name] = digest
        return together

    @cached_property
    def asking(self) -> Sequence[int]:
        """The units about which an external teacher is asked."""
        pairs = zip(self.starts, self.sources, strict=False)
        return [start + unit for start, source in pairs for unit in asking(source)]

    @property
    def asked(self) -> Mapping[str, Json]:
        """The options of the games, as they are stored, and what they are read from."""
        return {**self.question, "inputs": dict(self.inputs)}

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """Unit ``index`` of whichever source it belongs to."""
        source, own = self._find(index)
        return source.unit(own)

    def ask(self, index: int) -> Json:
        """The answer about unit ``index``."""
        source, own = self._find(index)
        return cast(AskingSource, source).ask(own)

    def told(self, index: int, answer: Json) -> Iterator[Episode | Rejection]:
        """The candidates of unit ``index``, given the answer about it."""
        source, own = self._find(index)
        return cast(AskingSource, source).told(own, answer)

    def close(self) -> None:
        """End what asking has started."""
        for source in self.sources:
            let_go(source)

    def _find(self, index: int) -> tuple[Source, int]:
        at = bisect_right(self.starts, index) - 1
        return self.sources[at], index - self.starts[at]


def make_source(options: Mapping[str, Json], episodes: int, seed: int) -> Source:
    """All sources of a recipe's options (see ``options``) as one.

    Self-play makes ``episodes`` games, divided by ``share`` when there are several; archives have as many units as
    files, all of which are kept beside self-play, and ``episodes`` at most (0: all) where there is none.

    Raises UsageError for bad options, paths that do not exist, and a recipe without any source.
    """
    full = configure_sources(options)
    made = tuple(_made(full, episodes, seed))
    if not made:
        hint = "--sgf games.zip, --videoworld-tars DIR or a self-play recipe such as go9-tiny"
        raise UsageError(f"sources: this recipe has no source of games. Add {hint}.")
    if full["reannotate"]:
        from gobench_go.sources.reannotate import Reannotated

        made = tuple(Reannotated(source, full["reannotate"], seed) for source in made)
    plays = any(source["kind"] == "selfplay" for source in full["sources"])
    question = {"games": public_sources(full), "episodes": episodes, "seed": seed}
    return replace(Mixed.of(made, limit=0 if plays else episodes), question=question)


def _made(options: Mapping[str, Json], episodes: int, seed: int) -> Iterator[Source]:
    counts = shared_out(episodes, [s.get("share", 0) for s in options["sources"]])
    first = 0
    for source, count in zip(options["sources"], counts, strict=True):
        yield _MAKERS[source["kind"]](options, source, first, count, seed)
        first += count


def shared_out(episodes: int, shares: list[int]) -> list[int]:
    """``episodes`` divided in proportion, the sum kept."""
    total = sum(shares)
    ends = [episodes * part // total for part in accumulate(shares)] if total else [0] * len(shares)
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _selfplay(
    options: Mapping[str, Json], source: Mapping[str, Json], first: int, count: int, seed: int
) -> Source:
    from gobench_go.sources.selfplay import SelfPlay

    rules = named(_base(options), options["rows"], options["cols"], options["komi"])
    return SelfPlay.of(rules, source, first, count, seed)


def _sgf(
    options: Mapping[str, Json], source: Mapping[str, Json], first: int, count: int, seed: int
) -> Source:
    from gobench_go.sources.sgf_files import SgfSource

    return SgfSource.of(source["paths"], source, options["rows"], options["cols"], _base(options))


def _videoworld(
    options: Mapping[str, Json], source: Mapping[str, Json], first: int, count: int, seed: int
) -> Source:
    from gobench_go.sources.videoworld import VideoworldSource

    rules = named(_base(options), options["rows"], options["cols"], options["komi"])
    return VideoworldSource.of(source["paths"], source, rules)


_MAKERS = {"selfplay": _selfplay, "sgf": _sgf, "videoworld": _videoworld}


def _base(options: Mapping[str, Json]) -> str:
    return DEFAULT_RULES if options["rules"] == AS_WRITTEN else options["rules"]
