"""An ablation from trainings to one table. Finished rows are kept: the same command goes on, or adds rows and seeds.

OUT/ablation.json                 what all rows share
    shared/CONTENT-KIND-seed-N/   the tokenizer, and frames as tokens, of a dataset: made once, the same for all rows of a seed
    AXIS/ROW/seed-N/              model.pt, train/ (its training), eval/ (its result)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gobench import atomic, canonical
from gobench.errors import BuildError
from gobench.evaluate import evaluate
from gobench.results import Result, read_result
from gobench_videoworld.analysis import paper
from gobench_videoworld.analysis.ablations import Plan, Variant, paper_row
from gobench_videoworld.analysis.curves import TOLD
from gobench_videoworld.analysis.loading import told
from gobench_videoworld.train.parallel import choose_device
from gobench_videoworld.train.run import prepare, train

PLAN, RESULT = "ablation.json", "result.json"
LINKED = ("tokenizer", "tokens")
HEADINGS = {"row": "row", "legal_first_try": "legal, first try", "accuracy": "accuracy", "policy_ratio": "policy ratio",
            "paper_policy_ratio": "the paper's ratio", "paper_accuracy": "the paper's accuracy", "seeds": "seeds",
            "about": "what it is"}  # fmt: skip

Progress = Callable[[str, int, int], None]
Notice = Callable[[str], None]


def run(plan: Plan, progress: Progress | None = None, notice: Notice | None = None) -> list[dict[str, Any]]:
    """Train and evaluate what is missing, seed by seed; a row of numbers for each row and seed.

    Raises:
        BuildError: the folder holds an ablation of other trainings. StoppedError: the user ended it; finished rows are kept.
        UsageError, DataError: what trainings and evaluations raise.
    """
    remember(plan)
    found, jobs = [], [(seed, variant) for seed in range(plan.seeds) for variant in plan.rows]
    for number, (seed, variant) in enumerate(jobs):
        if notice:
            notice(f"{plan.axis} {variant.name}, seed {seed} ({number + 1} of {len(jobs)})")
        _train(plan, variant, seed, progress is not None)
        _evaluate(plan, variant, seed, progress)
        found.append(row(plan, variant, seed))
    return found


def remember(plan: Plan) -> None:
    """Note what all rows share, or check that it is what was asked for before."""
    path, now = plan.out / PLAN, plan.decisive()
    if not path.exists():
        atomic.write(path, canonical.pretty(now))
        return
    before = canonical.read_json(path)
    for key, value in now.items():
        if before.get(key) != value:
            what = "data of the content" if key == "content" else key
            raise BuildError(
                f"{plan.out} holds an ablation with {what} {before.get(key)!r}; now it is {value!r}. Choose another --out, or "
                "ask for the same to add rows and seeds."
            )


def _train(plan: Plan, variant: Variant, seed: int, shown: bool) -> None:
    asked = plan.options(variant, seed)
    if asked.out.exists():
        return
    home = plan.home(variant, seed)
    prepare(plan.shared(variant, seed), progress=shown)
    for name in LINKED:
        if (home / name).is_dir():
            link(asked.work / name, home / name)
    train(asked, progress=shown)


def link(place: Path, target: Path) -> None:
    """A relative link, so that the whole folder may be moved; one that is there stays."""
    if place.is_symlink() or place.exists():
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(target, place.parent), target_is_directory=True)
    except OSError as error:
        raise atomic.explain(error, place) from error


def _evaluate(plan: Plan, variant: Variant, seed: int, progress: Progress | None) -> None:
    folder = plan.folder(variant, seed)
    if (folder / "eval" / RESULT).exists():
        return
    device = str(choose_device(plan.base.device))
    evaluate(str(folder / "model.pt"), plan.suite, folder / "eval", limit=plan.limit, tasks=[plan.task], device=device,
             progress=progress)  # fmt: skip


def row(plan: Plan, variant: Variant, seed: int) -> dict[str, Any]:
    """The numbers of one model: what its training came to, and every metric of the task with its interval."""
    folder = plan.folder(variant, seed)
    model, result = told(folder / "model.pt"), read_result(folder / "eval")
    found: dict[str, Any] = {
        "axis": plan.axis,
        "row": variant.name,
        "data": plan.facts[variant.data]["name"],
        "content": plan.facts[variant.data]["content"],
        "seed": seed,
        "parameters": model.parameters,
        "steps": model.provenance["steps"].get("transformer"),
        "seconds": model.provenance["seconds"],
        "flops": model.provenance["flops"],
        "weights_sha256": model.weights_sha256,
    }
    last = (model.curve("transformer") or [{}])[-1]
    found |= {f"held_out_{key}": value for key, value in last.items() if key not in TOLD}
    return found | _metrics(result, plan.task)


def _metrics(result: Result, name: str) -> dict[str, Any]:
    task = result.task(name)
    found: dict[str, Any] = {"n": task.n}
    for metric, number in task.metrics.items():
        if number is not None:
            low, high = number.interval or (None, None)
            found |= {metric: number.value, f"{metric}_low": low, f"{metric}_high": high}
    return found


def summary(plan: Plan, rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each variant and metric: mean, least and greatest over seeds, of one seed its interval; the paper's beside."""
    found = []
    for variant in plan.rows:
        own = [line for line in rows if line["row"] == variant.name]
        for metric in metrics:
            values = [float(line[metric]) for line in own if line.get(metric) is not None]
            if values:
                found.append({"row": variant.name, "metric": metric, **_spread(own, metric, values),
                              "paper": paper.of(paper_row(plan.axis, variant), metric)})  # fmt: skip
    return found


def _spread(own: Sequence[Mapping[str, Any]], metric: str, values: Sequence[float]) -> dict[str, Any]:
    ends: tuple[Any, Any] = (min(values), max(values))
    kind = "least and greatest"
    if len(values) == 1:
        ends, kind = (own[0].get(f"{metric}_low"), own[0].get(f"{metric}_high")), "95% interval"
    return {
        "value": float(np.mean(values)),
        "low": ends[0],
        "high": ends[1],
        "between": kind,
        "seeds": len(values),
    }


def people(plan: Plan, table: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The summary for people: a row of texts for each row of the axis, under the keys of ``HEADINGS``."""
    found = []
    for variant in plan.rows:
        own = {str(line["metric"]): line for line in table if line["row"] == variant.name}
        if not own:
            continue
        line: dict[str, Any] = {
            "row": variant.name,
            "about": variant.about,
            "seeds": max(r["seeds"] for r in own.values()),
        }
        line |= {metric: _words(own[metric]) for metric in HEADINGS if metric in own}
        theirs = {metric: paper.of(paper_row(plan.axis, variant), metric) for metric in paper.METRICS}
        found.append(
            line | {f"paper_{metric}": None if v is None else f"{v:.1%}" for metric, v in theirs.items()}
        )
    return found


def _words(line: Mapping[str, Any]) -> str:
    value = f"{line['value']:.1%}"
    return value if line["low"] is None else f"{value} ({line['low']:.1%} to {line['high']:.1%})"
