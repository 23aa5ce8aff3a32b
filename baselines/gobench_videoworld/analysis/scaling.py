"""What more parameters, data and operations buy: one row a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis.curves import DECISIVE, TOLD
from gobench_videoworld.analysis.loading import Told, labels

AXES: Mapping[str, str] = {
    "parameters": "parameters",
    "episodes": "episodes watched",
    "frames": "frames watched, repetitions counted",
    "flops": "floating point operations of training",
}
MEASURES = ("loss", "legal", "as_played")  # of training, where there are such


def rows(models: Sequence[Told], task: str = "") -> list[dict[str, Any]]:
    """One row a model: what it is, what it watched, what that cost, how good it was; results as TASK/METRIC with interval."""
    return [_row(one, label, task) for one, label in zip(models, labels(models), strict=True)]


def _row(one: Told, label: str, task: str) -> dict[str, Any]:
    own, data = one.provenance, one.data
    row: dict[str, Any] = {
        "label": label,
        "model": one.place,
        "seed": one.seed,
        "size": one.options.get("size"),
        "parameters": one.parameters,
        **{f"parameters_{name}": many for name, many in one.parts.items()},
        "data": data.get("name"),
        "episodes": data.get("episodes"),
        "frames": own.get("frames_watched"),
        "steps": own.get("steps", {}).get(DECISIVE),
        "seconds": own.get("seconds"),
        "flops": own.get("flops"),
        "weights_sha256": one.weights_sha256,
    }
    last = one.curve(DECISIVE)[-1:]
    row |= {key: value for key, value in (last[0] if last else {}).items() if key not in TOLD}
    return row | _evaluated(one, task)


def _evaluated(one: Told, wanted: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for task in one.result.tasks if one.result else ():
        if wanted and wanted not in (task.name, task.name.rpartition("/")[2]):
            continue
        for name, number in task.metrics.items():
            if number is not None:
                low, high = number.interval or (None, None)
                found |= {f"{task.name}/{name}": number.value, f"{task.name}/{name}_low": low,
                          f"{task.name}/{name}_high": high}  # fmt: skip
    return found


def measures(table: Sequence[Mapping[str, Any]], wanted: str = "") -> list[str]:
    """The columns to draw: the one that is asked for, else what evaluations found of the paper's, else what training did."""
    known = list(dict.fromkeys(key for row in table for key in row))
    if wanted:
        return [key for key in known if key == wanted or key.endswith(f"/{wanted}")]
    paper = [key for key in known if key.endswith(("/policy_ratio", "/accuracy"))]
    return paper or [key for key in MEASURES if key in known]


def axes(table: Sequence[Mapping[str, Any]]) -> list[str]:
    """What differs between the models, and so can be drawn against."""
    return [key for key in AXES if len({row.get(key) for row in table} - {None}) > 1]
