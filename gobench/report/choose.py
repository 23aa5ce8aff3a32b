"""Which samples a report shows: the best, the worst and the strangest, by rules that a reader can check.

best       answers that are fully right by the task's headline, the hardest first (``Task.difficulty`` where a task
           has it: float64 [n], larger is harder)
worst      the largest loss: by the task's first metric that is better lower, else by the headline
strangest  kinds of answers that are rare (below 5% of all) and were not read cleanly, then the least confidence of
           reading

A task for which these rules do not suit has its own: see ``chosen`` in ``gobench.tasks.Task``.

In each list two samples of one cluster (positions of one game) stand only when there are no others left; no sample is
shown twice; ties go by the sample's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.tasks import Metric, Table, Task
from gobench.types import Json, Record

RARE = 0.05  # a kind with a smaller share of all answers is rare
UNSURE = "those that were read with the least confidence"
Numbers = npt.NDArray[np.float64]

RULES: Mapping[str, str] = {
    "best": "clean answers with the best possible {headline}, {order}",
    "worst": "answers with the largest loss by {loss}",
    "strangest": "{strange}",
}


class Group(NamedTuple):
    """One list of samples."""

    name: str  # a key of RULES
    rule: str  # how it was made, for the reader
    ids: Sequence[str]


def choose(task: Task, table: Table, rows: Sequence[Record], count: int) -> list[Group]:
    """At most ``count`` samples of each kind out of a task's table and its evidence."""
    order = {"best": best(task, table), "worst": worst(task, table), "strangest": strangest(table, rows)}
    words = {
        "headline": task.headline,
        "loss": loss_metric(task),
        "strange": f"answers of rare kinds (below {RARE:.0%}), then {UNSURE}"
        if any(rare_rows(table))
        else f"{UNSURE} (no kind is rare)",
        "order": "the hardest first" if hasattr(task, "difficulty") else "in the order of their names",
    }
    rules = {name: rule.format(**words) for name, rule in RULES.items()}
    for name, own in (task.chosen(table, rows) if hasattr(task, "chosen") else {}).items():
        rules[name], order[name] = own.rule, list(own.rows)
    taken: set[int] = set()
    groups = []
    for name, ranked in order.items():
        picked = _spread([n for n in ranked if n not in taken], table.clusters, count)
        taken |= set(picked)
        groups.append(Group(name, rules[name], [table.ids[n] for n in picked]))
    return groups


def best(task: Task, table: Table) -> list[int]:
    """Row numbers of answers with the best headline there is (1 for proportions), the hardest first."""
    values = table.columns[task.headline]
    metric = task.metrics[task.headline]
    target = _target(metric, values)
    right = np.flatnonzero(table.clean & (values == target)) if np.isfinite(target) else np.array([], int)
    hard = difficulty(task, table)
    return sorted(map(int, right), key=lambda n: (-hard[n], table.ids[n]))


def worst(task: Task, table: Table) -> list[int]:
    """Row numbers of answers that lost something, the largest loss first."""
    name = loss_metric(task)
    metric, values = task.metrics[name], table.columns[name]
    loss = values if metric.better == "lower" else -values
    target = _target(metric, values)
    lost = np.flatnonzero(np.isfinite(values) & (values != target))
    return sorted(map(int, lost), key=lambda n: (-loss[n], table.ids[n]))


def rare_rows(table: Table) -> list[bool]:
    """Of each row whether its answer is of a rare kind and was not read cleanly."""
    counts, most = Counter(table.kinds), RARE * len(table.kinds)
    return [not clean and counts[kind] < most for kind, clean in zip(table.kinds, table.clean, strict=True)]


def strangest(table: Table, rows: Sequence[Record]) -> list[int]:
    """Row numbers of answers, rare kinds of unclean ones first (the rarest of all), then the least sure ones."""
    counts, rare = Counter(table.kinds), rare_rows(table)
    sure = {str(row["id"]): confidence(row) for row in rows}

    def rank(n: int) -> tuple[int, float, str]:
        return counts[table.kinds[n]] if rare[n] else len(rare), sure.get(table.ids[n], np.inf), table.ids[n]

    return sorted(range(len(table.ids)), key=rank)


def loss_metric(task: Task) -> str:
    """The metric by which answers are bad: the first that is better lower and defined everywhere."""
    lower = [name for name, m in task.metrics.items() if m.better == "lower" and not m.conditional]
    return lower[0] if lower else task.headline


def difficulty(task: Task, table: Table) -> Numbers:
    """How hard each row's sample is, float64 [n]; zeros where the task does not say."""
    hook = getattr(task, "difficulty", None)
    if hook is None:
        return np.zeros(len(table.ids))
    known = dict(zip(task.ids, np.asarray(hook() if callable(hook) else hook, np.float64), strict=True))
    return np.array([known[name] for name in table.ids])


def confidence(value: Json) -> float:
    """The least "confidence" anywhere in a row of evidence, infinity where there is none."""
    return min(_confidences(value), default=float("inf"))


def _confidences(value: Json) -> Iterator[float]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "confidence" and isinstance(inner, (int, float)):
                yield float(inner)
            else:
                yield from _confidences(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _confidences(inner)


def _target(metric: Metric, values: Numbers) -> float:
    """The best value that a metric can have, or else that was reached."""
    if metric.better == "lower":
        return 0.0
    if metric.unit == "proportion":
        return 1.0
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")


def _spread(ranked: Sequence[int], clusters: npt.NDArray[np.int64], count: int) -> list[int]:
    """The first ``count``, of each cluster one before any second."""
    first: list[int] = []
    again: list[int] = []
    seen: set[int] = set()
    for n in ranked:
        (again if clusters[n] in seen else first).append(n)
        seen.add(int(clusters[n]))
    return [*first, *again][:count]
