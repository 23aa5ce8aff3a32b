"""Pairs two results sample by sample and says in what they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gobench.compare.differences import (
    Columns,
    Difference,
    Flips,
    SliceDifference,
    difference,
    flips,
    moved,
    slice_differences,
)
from gobench.compare.sides import (
    Read,
    Side,
    common_tasks,
    open_side,
    read,
    refuse_unlike,
    refused,
    unlike_models,
    unlike_rows,
)
from gobench.errors import DataError, unknown
from gobench.evaluate.protocol import SCORING
from gobench.statistics import Weights
from gobench.tasks import Metric
from gobench.types import Record

CLEAN = "answer: read cleanly by both"
"""The slice that separates knowledge from drawing: samples that neither side drew badly."""


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task of both."""

    name: str
    metric: str  # the one that slices and flips are about
    a: Read
    b: Read
    n: int  # common samples
    clusters: int
    about: Mapping[str, Metric]
    metrics: Mapping[str, Difference | None]  # None: defined nowhere
    slices: Sequence[SliceDifference]  # of ``metric``
    flips: Flips
    kinds: Mapping[
        str, tuple[int, int]
    ]  # decode audit: kind -> how many in A and in B, of the common samples

    @property
    def moved(self) -> list[SliceDifference]:
        """The slices whose interval excludes 0, largest difference first."""
        return moved(self.slices)

    def plain(self) -> Record:
        return {
            "n": self.n,
            "clusters": self.clusters,
            "metric": self.metric,
            "metrics": {name: d and d.plain() for name, d in self.metrics.items()},
            "slices": [s.plain() for s in self.slices],
            "moved": [s.name for s in self.moved],
            "flips": self.flips.plain(),
            "audit": {kind: list(counts) for kind, counts in self.kinds.items()},
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results, B against A: differences are B minus A."""

    a: Side
    b: Side
    level: float
    notes: Sequence[str]  # what was left out or forced, and how the models differ in what they were told
    tasks: Sequence[TaskComparison]

    def plain(self) -> Record:
        """As JSON data."""
        return {
            "a": _side(self.a),
            "b": _side(self.b),
            "level": self.level,
            "notes": list(self.notes),
            "tasks": {task.name: task.plain() for task in self.tasks},
        }


def _side(side: Side) -> Record:
    return {"path": str(side.path), "model": side.name, "suite": side.result.suite.model_dump()}


def compare(a: Path | str, b: Path | str, force: bool = False, metric: str | None = None) -> Comparison:
    """Compare two results through the evidence beside them.

    Args:
        a: a result file or the folder of a run; so ``b``. Differences are b minus a.
        force: compare results of unlike suites, protocols or versions, on the samples that both have.
        metric: what slices and flips are about; each task's headline if not given.

    Raises:
        UsageError: the results are not comparable, or have no such metric.
        DataError: a result or its evidence is missing, broken or foreign.
    """
    sides = open_side("A", Path(a)), open_side("B", Path(b))
    notes = refuse_unlike(sides[0].result, sides[1].result, force)
    notes += unlike_models(sides[0].result, sides[1].result)
    names, left_out = common_tasks(sides[0].result, sides[1].result)
    _check_metric(metric, sides[0], names)
    tasks = [_task(*sides, name, force, metric) for name in names]
    notes += refused([line for task in tasks for line in unlike_rows(task.a, task.b)], force)
    notes += left_out + [line for task in tasks for line in _unpaired(task)]
    return Comparison(*sides, SCORING["level"], notes, tasks)


def _check_metric(metric: str | None, side: Side, tasks: Sequence[str]) -> None:
    known = {name for task in tasks for name in side.result.task(task).metrics}
    if metric is not None and metric not in known:
        raise unknown("metric", metric, known)


def _unpaired(task: TaskComparison) -> list[str]:
    beside = len(task.a.rows) - task.n, len(task.b.rows) - task.n
    return [
        f"{task.name}: {count:,} samples are left out, which only {letter} has answered."
        for letter, count in zip("AB", beside, strict=True)
        if count
    ]


def _task(a: Side, b: Side, name: str, force: bool, metric: str | None) -> TaskComparison:
    known = _known(a, b, name)
    reads = read(a, name, known, force), read(b, name, known, force)
    columns, kinds = _aligned(name, *reads)
    about = {m: row for m, row in reads[0].task.metrics.items() if m in columns.a and m in columns.b}
    chosen = metric if metric in about else reads[0].task.headline
    assert chosen is not None
    return TaskComparison(
        name=name,
        metric=chosen,
        a=reads[0],
        b=reads[1],
        n=len(columns.ids),
        clusters=len(columns.weights.labels),
        about=about,
        metrics={m: difference(columns, m, row) for m, row in about.items()},
        slices=slice_differences(columns, chosen, about[chosen]),
        flips=flips(columns, chosen, about),
        kinds=kinds,
    )


def _known(a: Side, b: Side, task: str) -> frozenset[str] | None:
    """Samples known to either, where both have looked."""
    known = a.known(task), b.known(task)
    return None if known[0] is None or known[1] is None else known[0] | known[1]


def _aligned(name: str, a: Read, b: Read) -> tuple[Columns, dict[str, tuple[int, int]]]:
    """Columns over the samples of both, in A's order, and the decode audit of these."""
    places = {sample: i for i, sample in enumerate(b.table.ids)}
    ids = [sample for sample in a.table.ids if sample in places]
    if not ids:
        raise DataError(f"{name}: the two results have no sample in common.")
    own = {sample: i for i, sample in enumerate(a.table.ids)}
    left = np.array([own[sample] for sample in ids])
    right = np.array([places[sample] for sample in ids])
    slices = {
        s: mask[left] & b.table.slices[s][right] for s, mask in a.table.slices.items() if s in b.table.slices
    }
    slices[CLEAN] = a.table.clean[left] & b.table.clean[right]
    clusters = a.table.clusters[left]
    columns = Columns(
        ids=ids,
        clusters=clusters,
        a={m: column[left] for m, column in a.table.columns.items()},
        b={m: column[right] for m, column in b.table.columns.items()},
        slices=slices,
        weights=Weights(clusters, draws=SCORING["draws"], seed=SCORING["seed"]),
        level=SCORING["level"],
    )
    return columns, _kinds(a, [a.table.kinds[i] for i in left], [b.table.kinds[i] for i in right])


def _kinds(read: Read, ours: Sequence[str], theirs: Sequence[str]) -> dict[str, tuple[int, int]]:
    kinds = [*read.task.kinds, *sorted({*ours, *theirs} - set(read.task.kinds))]
    return {kind: (ours.count(kind), theirs.count(kind)) for kind in kinds if kind in {*ours, *theirs}}
