"""From evidence to a result: no model, no engine, no frames. The same evidence gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gobench import atomic, evidence, results
from gobench.canonical import sha256_file
from gobench.errors import DataError
from gobench.evaluate import matches
from gobench.evaluate.again import Again, read_again
from gobench.evaluate.folder import read_run
from gobench.evaluate.protocol import SCORING, protocol_hash
from gobench.evaluate.rows import begun, read_rows, suite_of
from gobench.results import Result
from gobench.statistics import Weights, estimate, macro
from gobench.tasks import Metric, Suite, Table, Task
from gobench.types import Record

NOT_RUN = "not asked for in this run"
NOT_YET = "no sample was finished yet"


def score(
    folder: Path | str,
    reread: bool = False,
    partial: bool = False,
    notice: Callable[[str], None] | None = None,
) -> Result:
    """Derive ``result.json`` from the evidence in a folder, and write it.

    Args:
        reread: read the kept frames again first; nothing is written unless all of them agree.
        partial: score what is there where samples are missing.
        notice: called with a line on what reading again has shown.

    Raises:
        DataError: evidence is missing, damaged, of another run or version, or (``reread``) reads differently now, or
            cannot be read again.
    """
    folder = Path(folder)
    if reread:
        _agree(read_again(folder, partial), folder, notice)
    run = read_run(folder)
    suite = suite_of(run)
    played = matches.played(folder, run, suite, partial)
    result = _result(folder, run, suite, partial, played)
    atomic.write(folder / results.FILE, results.to_bytes(result))
    return result


def _agree(again: Again, folder: Path, notice: Callable[[str], None] | None) -> None:
    if notice is not None:
        for line in again.faults():
            notice(line)
    if not again.agrees:
        raise DataError(f"{folder}: {next(again.faults())}. {again.summary()} Nothing was written.")
    if notice is not None:
        notice(again.summary())


def _result(
    folder: Path, run: Record, suite: Suite, partial: bool, played: Sequence[matches.Played]
) -> Result:
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
        "matches": matches.against(played),
        "standing": matches.standing(played),
        "environment": run["environment"],
        "scoring": SCORING,
        "oracle": {task.name: dict(task.oracle) for task in suite.tasks},
        "trained_on": run["trained_on"],
        "evidence": files,
        "status": "complete" if all(map(_done, suite.tasks, scored)) else "partial",
    }
    return results.from_plain(table, f"the result of {folder}")


def _done(task: Task, scored: Record) -> bool:
    """Whether all of a task was played, or it need not be."""
    needless = bool(getattr(task, "optional", False)) and scored["missing"] is not None
    return bool(scored["complete"]) or needless


def _task(folder: Path, run: Record, task: Task, partial: bool) -> Record:
    """One task, from its evidence."""
    if not begun(run, task):
        return _facts(task) | _nothing(task, run["tasks"].get(task.name, {}).get("missing") or NOT_RUN)
    rows = read_rows(folder, run, task, partial)
    if not rows:
        return _facts(task) | _nothing(task, NOT_YET)
    table = task.table(rows, _novel(run, task))
    counts = {"n": len(rows), "complete": len(rows) == len(task.ids), "missing": None}
    return (
        _facts(task) | _numbers(task, table) | counts | {"audit": _audit(task, table)} | _checked(run, task)
    )


def _novel(run: Record, task: Task) -> dict[str, bool] | None:
    """Sample -> whether its position is in none of the training sets; None where that was not looked up."""
    if task.name not in run["known"]:
        return None
    known = set(run["known"][task.name])
    return {sample: sample not in known for sample in task.ids}


def _checked(run: Record, task: Task) -> Record:
    """What came of asking some samples alone: counts, or why there are none."""
    check = run["batch_check"].get(task.name)
    failed = check.get("failed") if check else None
    return {"batch_check": None if failed else check, "batch_check_failed": failed}


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
            name: _number(table.columns[name], mask, table, weights, metric)
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
    table: Table,
    weights: Weights,
    metric: Metric,
) -> Record | None:
    """One metric over a part of the samples, with its interval; None where it is defined nowhere."""
    values, bounded = np.where(mask, column, np.nan), metric.unit == "proportion"
    if len({name for name, there in zip(table.strata, mask, strict=False) if there}) > 1:
        found = macro(values, table.strata, bounded, SCORING["draws"], SCORING["level"], SCORING["seed"])
    else:
        found = estimate(values, table.clusters, weights, proportion=bounded, level=SCORING["level"])
    if found is None:
        return None
    return results.number(found.value, found.interval, found.n, found.method, metric.better, metric.unit)
