"""Which share of test positions stands in a training set already, by how many moves were made before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gobench import sketch
from gobench.dataset import Dataset
from gobench.errors import UsageError
from gobench.statistics import Weights, estimate
from gobench.tasks import Suite, Task

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Progress = Callable[[str, int, int], None]


class Positions(NamedTuple):
    """Positions that are looked up."""

    source: str  # for tables
    hashes: Hashes  # [n]
    plies: Ints  # [n] moves made before
    games: Ints  # [n] equal numbers are of one game


def of_suite(suite: Suite) -> Iterator[Positions]:
    """The positions of each task of a suite that tells them, and how many moves were made before."""
    for task in suite.tasks:
        if task.chained:  # its later positions are the model's own
            continue
        hashes, plies = task.positions(), getattr(task, "starts", None)
        if len(hashes) and plies is not None:
            yield Positions(task.name, hashes, np.asarray(plies, np.int64), _games(task))


def _games(task: Task) -> Ints:
    """Which of a task's samples are of one game."""
    clusters = getattr(task, "clusters", None)
    return np.arange(len(task.ids)) if clusters is None else np.asarray(clusters, np.int64)


def of_split(data: Dataset, split: str, domain: Any, progress: Progress | None = None) -> Positions:
    """All positions of a split's episodes. Raises UsageError for a domain that knows no positions, or no such split."""
    if not hasattr(domain, "position_hashes"):
        raise UsageError(f"the domain {domain.name!r} knows no positions: nothing can be looked up.")
    hashes, plies, games = [], [], []
    many = len(data.splits.get(split, ()))
    for number, sample in enumerate(data.samples(split)):
        record = sample.record()
        own = np.asarray(domain.position_hashes(record), np.uint64)
        hashes.append(own)
        plies.append(int(record.get("first_ply", 0)) + np.arange(len(own)))
        games.append(np.full(len(own), number))
        if progress:
            progress(f"positions of {split}", number + 1, many)
    name = f"{data.folder.resolve().name}/{split}"
    return Positions(name, np.concatenate(hashes), np.concatenate(plies), np.concatenate(games))


def rows(data: Dataset, positions: Sequence[Positions]) -> list[dict[str, Any]]:
    """A row for each source and ply: how many positions, which share of them is in the training split; last, all plies.

    A share may be too high by the sketch's rate of false finds, never too low. Intervals: over games.

    Raises DataError for a dataset without a sketch.
    """
    found: list[dict[str, Any]] = []
    for source in positions:
        seen = (~sketch.novel(data.folder, source.hashes)).astype(np.float64)
        weights = Weights(source.games)
        found += [
            {"source": source.source, "ply": ply, **_share(seen, source, source.plies == ply, weights)}
            for ply in np.unique(source.plies).tolist()
        ]
        everything = np.ones(len(seen), np.bool_)
        found.append({"source": source.source, "ply": "all", **_share(seen, source, everything, weights)})
    return found


def _share(
    seen: npt.NDArray[np.float64], source: Positions, mask: npt.NDArray[np.bool_], weights: Weights
) -> dict[str, Any]:
    made = estimate(seen[mask], source.games[mask], weights, proportion=True)
    assert made is not None
    low, high = made.interval or (None, None)
    return {"positions": made.n, "games": made.clusters, "seen": made.value, "low": low, "high": high}


def last_seen(table: Sequence[dict[str, Any]], source: str, share: float = 0.05) -> int:
    """The last ply at which at least ``share`` of a source's positions were seen; -1 where none was."""
    plies = [
        row["ply"]
        for row in table
        if row["source"] == source and row["ply"] != "all" and row["seen"] >= share
    ]
    return max(plies, default=-1)
