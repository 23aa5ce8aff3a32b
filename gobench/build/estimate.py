"""``--dry-run``: what a build would make and cost, from a few samples that are made and thrown away."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from gobench.build.journal import Answered, asking, let_go
from gobench.build.plan import Plan, lay_out
from gobench.build.recipes import BuildConfig
from gobench.build.stages import Studio, limit_of, open_source
from gobench.build.trial import TRIAL_UNITS, warm
from gobench.canonical import dumps
from gobench.shards import RECORD, pack
from gobench.types import Domain, Episode, Record, Source


@dataclass(frozen=True)
class Estimate:
    """What a build comes to. Counts assume that no candidate repeats another."""

    units: int  # of the source
    clips: int
    shards: int
    frames: int
    bytes: int  # of the shards
    seconds: float  # wall time with so many workers
    sampled: int  # how many candidates this was measured on
    asked: int = 0  # about how many units somebody is asked first, for the journal

    def to_json(self) -> Record:
        """Plain data."""
        return asdict(self)


def estimate(
    domain: Domain,
    config: BuildConfig,
    *,
    workers: int = 1,
    sample: int = 8,
    journal: Path | str | None = None,
) -> Estimate:
    """Make up to ``sample`` units spread over the source, time them, and scale up. Writes nothing.

    Where answers for a journal are to come, no more is asked than gives one candidate. ``journal`` is one that exists.

    Raises UsageError where ``build`` would: the first candidate is drawn and encoded.
    """
    source = open_source(domain, config)
    limit, asked = limit_of(source, config), len(asking(source)) if journal is None else 0
    if journal is not None:
        source = Answered.of(source, Path(journal))
    warm(domain)
    if not asked:
        _pictures(domain, config, _games(source, 0, min(source.units, 1)))  # first calls compile and load
    begin = time.perf_counter()
    count, episodes = _asked(source) if asked else _sampled(source, sample)
    drawn = time.perf_counter()
    if asked:
        _pictures(domain, config, episodes[:1])
    start = time.perf_counter()
    frames, size = _pictures(domain, config, episodes[:sample])
    end = time.perf_counter()
    measured = max(len(episodes[:sample]), 1)
    clips = round(source.units * len(episodes) / max(count, 1))
    clips = min(clips, limit or clips)
    shards = len(lay_out(_split(clips, config), config))
    parts = asked or len(Plan(config, {}, {}, source.units).parts)
    games = (drawn - begin) / max(count, 1) * (asked or source.units)
    pictures = clips * (end - start) / measured
    return Estimate(
        units=source.units,
        clips=clips,
        shards=shards,
        frames=round(clips * frames / measured),
        bytes=round(clips * size / measured),
        seconds=round(_shared(games, parts, workers) + _shared(pictures, shards, workers), 1),
        sampled=len(episodes),
        asked=asked,
    )


def _sampled(source: Source, sample: int) -> tuple[int, list[Episode]]:
    """How many units were made, and their episodes."""
    count = min(sample, source.units)
    units = [source.units * i // count for i in range(count)]
    return count, [item for unit in units for item in _games(source, unit, unit + 1)]


def _asked(source: Source) -> tuple[int, list[Episode]]:
    """The same of as few of the units that ask as give an episode."""
    try:
        for count, unit in enumerate(asking(source)[:TRIAL_UNITS], 1):
            if episodes := _games(source, unit, unit + 1):
                return count, episodes
    finally:
        let_go(source)
    return count, []


def _shared(seconds: float, pieces: int, workers: int) -> float:
    """Wall time of a stage: more workers than pieces do not help."""
    return seconds / max(min(workers, pieces), 1)


def _games(source: Source, start: int, stop: int) -> list[Episode]:
    return [item for unit in range(start, stop) for item in source.unit(unit) if isinstance(item, Episode)]


def _pictures(domain: Domain, config: BuildConfig, episodes: list[Episode]) -> tuple[int, int]:
    """Frames and bytes of these candidates as samples."""
    studio = Studio(domain, config)
    frames = size = 0
    for number, episode in enumerate(episodes):
        drawn = studio.sample(number, number, "train", episode.record)
        studio.codec.check_size(drawn.clip.height, drawn.clip.width)
        size += len(pack(drawn.key, {RECORD: dumps(drawn.record), **studio.encode(drawn)}))
        frames += drawn.clip.length
    return frames, size


def _split(clips: int, config: BuildConfig) -> dict[str, int]:
    """About how many clips each split gets; they add up to ``clips``."""
    counts = {name: math.floor(clips * part) for name, part in config.splits.items()}
    largest = max(counts, key=lambda name: counts[name])
    counts[largest] += clips - sum(counts.values())
    return counts
