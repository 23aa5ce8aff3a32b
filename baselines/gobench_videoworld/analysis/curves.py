"""Figure 2 of the paper: how good models are against how much they were trained, from what their files tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gobench.errors import UsageError, unknown
from gobench_videoworld.analysis.loading import Told, labels, the_task
from gobench_videoworld.config import one_of
from gobench_videoworld.options import STAGES

AXES: Mapping[str, str] = {
    "seconds": "seconds of updates, all stages",
    "steps": "steps of the transformer",
    "samples": "windows that the transformer saw",
    "tokens": "tokens, all stages",
    "flops": "floating point operations, all stages",
}
"""What training can be measured in."""
WHOLE = ("seconds", "tokens", "flops")  # of all stages, so that models with fewer stages are compared fairly
TOLD = ("step", "seconds", "tokens")  # of a row, and no metric
DECISIVE = "transformer"


class Point(NamedTuple):
    """A number after so much training."""

    x: float
    y: float


class Curve(NamedTuple):
    """One training."""

    label: str
    seed: int
    weights: str
    points: Sequence[Point]


class Mean(NamedTuple):
    """Several trainings of a label at one place: only where all of them are."""

    x: float
    mean: float
    low: float
    high: float


class Mark(NamedTuple):
    """What an evaluation found after all of a training."""

    label: str
    seed: int
    x: float
    value: float
    low: float | None
    high: float | None
    n: int


def metrics(models: Sequence[Told], stage: str = DECISIVE) -> list[str]:
    """What was measured while these models were trained, the commonest first."""
    names = [key for one in models for row in one.curve(stage) for key in row if key not in TOLD]
    return sorted(set(names), key=lambda name: (-names.count(name), name))


def curves(models: Sequence[Told], metric: str, axis: str, stage: str = DECISIVE) -> list[Curve]:
    """A curve for each model that measured the metric in a stage.

    Raises:
        UsageError: an unknown axis or stage, or a metric that none of them has.
    """
    one_of("axis", axis, AXES)
    one_of("stage", stage, STAGES)
    found = []
    for label, one in zip(labels(models), models, strict=True):
        scale = _scale(one, axis, stage)
        rows = [row for row in one.curve(stage) if isinstance(row.get(metric), int | float)]
        points = [Point(scale(row), float(row[metric])) for row in rows]
        if points:
            found.append(Curve(label, one.seed, one.weights_sha256, points))
    if not found:
        raise unknown(f"metric of the stage {stage}", metric, metrics(models, stage))
    return found


def averaged(found: Sequence[Sequence[Point]]) -> list[Mean]:
    """The mean of several trainings at all their places between the latest start and the earliest end, interpolated."""
    low = max(points[0].x for points in found)
    high = min(points[-1].x for points in found)
    places = sorted({p.x for points in found for p in points if low <= p.x <= high})
    values = np.array(
        [np.interp(places, [p.x for p in points], [p.y for p in points]) for points in found]
    ).reshape(len(found), -1)
    return [
        Mean(x, *row)
        for x, row in zip(
            places, np.stack([values.mean(0), values.min(0), values.max(0)], 1).tolist(), strict=True
        )
    ]


def means(found: Sequence[Curve]) -> dict[str, list[Mean]]:
    """Label -> its mean curve, over all its seeds."""
    names = list(dict.fromkeys(curve.label for curve in found))
    return {name: averaged([curve.points for curve in found if curve.label == name]) for name in names}


def ends(found: Sequence[Curve], metric: str, axis: str) -> list[dict[str, Any]]:
    """A row a label: the last place that all its trainings reached."""
    return [
        {"label": label, "seeds": sum(c.label == label for c in found), axis: line[-1].x, metric: line[-1].mean,
         "least": line[-1].low, "greatest": line[-1].high}
        for label, line in means(found).items() if line
    ]  # fmt: skip


def marks(models: Sequence[Told], metric: str, axis: str, task: str = "") -> list[Mark]:
    """What the results among the models say, at the end of each training.

    Raises:
        UsageError: a training whose length is not told. DataError: a result without that metric.
    """
    found = []
    for label, one in zip(labels(models), models, strict=True):
        if one.result is None:
            continue
        last = one.curve(DECISIVE)[-1:]
        if not last:
            raise UsageError(f"{one.place} does not tell how long it was trained.")
        number = the_task(one.result, metric, task).metrics[metric]
        assert number is not None
        low, high = number.interval or (None, None)
        x = _scale(one, axis, DECISIVE)(last[0])
        found.append(Mark(label, one.seed, x, number.value, low, high, number.n))
    return found


def rows(
    found: Sequence[Curve], marked: Sequence[Mark], metric: str, measured: str, axis: str
) -> list[dict[str, Any]]:
    """All numbers of the picture, one a row: kind "training", "mean" (with low and high) or "evaluated" (with its interval)."""
    lines: list[dict[str, Any]] = [
        {"kind": "training", "label": c.label, "seed": c.seed, "metric": metric, axis: p.x, "value": p.y}
        for c in found
        for p in c.points
    ]
    for label, line in means(found).items():
        seeds = sum(c.label == label for c in found)
        lines += [
            {"kind": "mean", "label": label, "metric": metric, axis: m.x, "value": m.mean, "low": m.low, "high": m.high,
             "seeds": seeds}
            for m in line
        ]  # fmt: skip
    lines += [
        {"kind": "evaluated", "label": m.label, "seed": m.seed, "metric": measured, axis: m.x, "value": m.value,
         "low": m.low, "high": m.high, "n": m.n}
        for m in marked
    ]  # fmt: skip
    return lines


def _scale(one: Told, axis: str, stage: str) -> Any:
    """From a row of a stage to its place on an axis."""
    before = (
        sum(_last(one, earlier, axis) for earlier in STAGES[: STAGES.index(stage)]) if axis in WHOLE else 0.0
    )
    if axis in ("seconds", "tokens"):
        return lambda row: before + float(row.get(axis, 0))
    if axis == "steps":
        return lambda row: float(row["step"])
    if axis == "samples":
        batch = _batch(one)
        return lambda row: float(row["step"] * batch)
    whole, steps = _operations(one)
    if stage != DECISIVE:
        raise UsageError(
            f"operations are told of whole trainings: choose another axis for the stage {stage}."
        )
    a_step = _operations_a_step(one)
    return lambda row: whole - a_step * (steps - float(row["step"]))


def _last(one: Told, stage: str, axis: str) -> float:
    """What a stage took in all."""
    rows = one.curve(stage)
    return float(rows[-1].get(axis, 0)) if rows and axis != "flops" else 0.0


def _batch(one: Told) -> int:
    from gobench_videoworld.train.recipes import RECIPES

    return int(one.options.get("batch") or RECIPES[str(one.options.get("size", "tiny"))].batch)


def _operations(one: Told) -> tuple[float, int]:
    """Floating point operations of the whole training, and steps of the transformer."""
    steps = one.provenance.get("steps", {}).get(DECISIVE)
    if not one.provenance.get("flops") or not steps:
        raise UsageError(f"{one.place} does not tell its operations: choose another axis, such as seconds.")
    return float(one.provenance["flops"]), int(steps)


def _operations_a_step(one: Told) -> float:
    """Of the transformer; from the model's shape, for which its file is needed."""
    import torch

    from gobench_videoworld.flops import step_flops
    from gobench_videoworld.networks import networks
    from gobench_videoworld.train.recipes import RECIPES

    if one.config is None:
        return 0.0  # a result alone has its last place only
    every = RECIPES[str(one.options.get("size", "tiny"))].frame_every
    with torch.device("meta"):  # shapes without memory
        made = networks(one.config, every)
    return step_flops(made.transformer, _batch(one), made.latent)
