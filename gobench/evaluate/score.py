"""From evidence to a result: no model, no engine, no frames. The same evidence gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench import atomic, evidence, results
from gobench.canonical import sha256_file
from gobench.errors import DataError, GobenchError
from gobench.evaluate.folder import read_run
from gobench.evaluate.protocol import SCORING, open_suite, protocol_hash
from gobench.results import Result
from gobench.statistics import Weights, estimate
from gobench.tasks import Metric, Suite, Table, Task
from gobench.types import Json, Record

NOT_RUN = "not asked for in this run"
NOT_YET = "no sample was finished yet"


class Changed(NamedTuple):
    """A row that reads differently now."""

    task: str
    sample: str
    before: Record
    now: Record


class Again(NamedTuple):
    """What reading the kept frames again has shown."""

    samples: int
    changed: list[Changed]


def score(folder: Path | str, reread: bool = False, partial: bool = False) -> Result:
    """Derive ``result.json`` from the evidence in a folder, and write it.

    Args:
        reread: read the kept frames again first.
        partial: score what is there where samples are missing.

    Raises:
        DataError: evidence is missing, damaged, of another version, or (``reread``) reads differently now.
    """
    folder = Path(folder)
    if reread and (changed := read_again(folder).changed):
        first = changed[0]
        raise DataError(
            f"{len(changed)} rows of {folder} read differently now, such as {first.sample} of {first.task}."
        )
    run = read_run(folder)
    suite = suite_of(run)
    result = _result(folder, run, suite, partial)
    atomic.write(folder / results.FILE, results.to_bytes(result))
    return result


def suite_of(run: Mapping[str, Json]) -> Suite:
    """The suite that a run was made with."""
    return open_suite(run["suite"]["name"], run["suite"]["protocol"])


def _result(folder: Path, run: Record, suite: Suite, partial: bool) -> Result:
    scored = [_task(folder, run, task, partial) for task in suite.tasks]
    files = [
        {"task": t["name"], "path": path.relative_to(folder).as_posix(), "sha256": sha, "rows": t["n"]}
        for t, path, sha in (
            (t, path, sha256_file(path))
            for t in scored
            if not t["missing"]
            for path in [evidence.path_of(folder, t["name"])]
        )
    ]
    table = {
        "schema_version": results.SCHEMA,
        "suite": run["suite"],
        "model": run["model"],
        "tasks": scored,
        "environment": run["environment"],
        "scoring": SCORING,
        "oracle": {task.name: dict(task.oracle) for task in suite.tasks},
        "trained_on": run["trained_on"],
        "evidence": files,
        "status": "complete" if all(t["complete"] for t in scored) else "partial",
    }
    return results.from_plain(table, f"the result of {folder}")


def _task(folder: Path, run: Record, task: Task, partial: bool) -> Record:
    """One task, from its evidence."""
    begun = run["tasks"].get(task.name)
    reason = NOT_RUN if begun is None else begun.get("missing")
    if reason:
        return _facts(task) | _nothing(task, reason)
    rows = read_rows(folder, task, begun["samples"], partial)
    if not rows:
        return _facts(task) | _nothing(task, NOT_YET)
    known = run["known"].get(task.name)
    novel = None if known is None else {i: i not in set(known) for i in task.ids}
    table = task.table(rows, novel)
    return (
        _facts(task)
        | _numbers(task, table)
        | {
            "n": len(rows),
            "complete": len(rows) == len(task.ids),
            "missing": None,
            "audit": _audit(task, table),
            "batch_check": run["batch_check"].get(task.name),
        }
    )


def _facts(task: Task) -> Record:
    return {
        "name": task.name,
        "version": task.version,
        "protocol_hash": protocol_hash(task),
        "headline": task.headline,
        "of": len(task.ids),
    }


def _nothing(task: Task, reason: str) -> Record:
    """The fields of a task that was not run: null, never 0."""
    nothing = dict.fromkeys(task.metrics)
    return {
        "n": 0, "complete": False, "missing": reason, "metrics": nothing, "clean": nothing, "slices": {}, "audit": {},
    }  # fmt: skip


def read_rows(folder: Path, task: Task, wanted: int, partial: bool = False) -> list[Record]:
    """A task's rows, as many as the run has samples. Raises DataError if it is other evidence, or not finished."""
    path = evidence.path_of(folder, task.name)
    header, rows = evidence.read(folder, task.name, torn=True)
    for key, now in (("version", task.version), ("protocol_hash", protocol_hash(task))):
        if header.get(key) != now:
            raise DataError(
                f"{path} was made under {key} {header.get(key)}, and {task.name} has {now} now. "
                "Score it with the version that made it, or evaluate again."
            )
    if len(rows) < wanted and not partial:
        raise DataError(
            f"{path} holds {len(rows)} of {wanted} samples. Run the same `gobench evaluate` again to finish it, "
            "or score what is there with --partial."
        )
    return rows


def _audit(task: Task, table: Table) -> dict[str, int]:
    """Every kind of the task -> how many answers."""
    counts = dict.fromkeys(task.kinds, 0)
    for kind in table.kinds:
        if kind not in counts:
            raise DataError(f"{task.name}: a row of kind {kind!r}; known are {', '.join(counts)}.")
        counts[kind] += 1
    return counts


def _numbers(task: Task, table: Table) -> Record:
    """Metrics over all samples, over those read cleanly, and over each slice."""
    weights = Weights(table.clusters, draws=SCORING["draws"], seed=SCORING["seed"])
    everything = np.ones(len(table.ids), np.bool_)

    def over(mask: npt.NDArray[np.bool_]) -> Record:
        return {
            name: _number(table.columns[name], mask, table.clusters, weights, metric)
            for name, metric in task.metrics.items()
        }

    return {
        "metrics": over(everything),
        "clean": over(table.clean),
        "slices": {
            name: {"n": int(mask.sum()), "metrics": over(mask)} for name, mask in sorted(table.slices.items())
        },
    }


def _number(
    column: npt.NDArray[np.float64],
    mask: npt.NDArray[np.bool_],
    clusters: npt.NDArray[np.int64],
    weights: Weights,
    metric: Metric,
) -> Record | None:
    """One metric over a part of the samples, with its interval; None where it is defined nowhere."""
    found = estimate(
        np.where(mask, column, np.nan),
        clusters,
        weights,
        proportion=metric.unit == "proportion",
        level=SCORING["level"],
    )
    if found is None:
        return None
    return results.number(found.value, found.interval, found.n, found.method, metric.better, metric.unit)


def read_again(folder: Path | str) -> Again:
    """Read all kept frames again: which rows come out differently. Tasks without ``reread`` are passed over.

    Raises:
        DataError: evidence or kept frames are missing or damaged.
    """
    folder = Path(folder)
    run = read_run(folder)
    samples, changed = 0, []
    for task in suite_of(run).tasks:
        begun = run["tasks"].get(task.name)
        if begun is None or begun.get("missing") or not hasattr(task, "reread"):
            continue
        rows = {row["id"]: row for row in read_rows(folder, task, begun["samples"], partial=True)}
        kept = evidence.all_frames(folder, task.name)
        for sample in sorted(kept.keys() & rows.keys()):
            samples += 1
            now = _read_again(task, rows[sample], kept[sample])
            if now != rows[sample]:
                changed.append(Changed(task.name, sample, rows[sample], now))
    return Again(samples, changed)


def _read_again(task: Task, row: Record, files: Mapping[str, bytes]) -> Record:
    """The row that the task makes of kept frames."""
    from gobench.codec.pictures import decode

    frames = {name: decode(data) for name, data in files.items()}
    try:
        again: Record = task.reread(row["id"], row, frames)  # type: ignore[attr-defined]
    except GobenchError as error:
        raise type(error)(f"{task.name}, {row['id']}: {error}") from error
    return {**again, "id": row["id"], "frames": row["frames"]}
