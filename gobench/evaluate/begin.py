"""What a run is: its plan and fingerprint, and how it starts or goes on in a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gobench import evidence, registry
from gobench.canonical import sha256, sha256_file
from gobench.errors import BuildError, DataError, UsageError, unknown
from gobench.evaluate import folder as places
from gobench.evaluate.environment import environment, facts, later
from gobench.evaluate.groups import ready_made
from gobench.evaluate.protocol import benchmark_of, grouped, order, protocol_hash
from gobench.sketch import novel
from gobench.tasks import CEILING_KEYS, CONTEXT_KEYS, MOST_FRAMES, Suite, Task, View
from gobench.types import Record

if TYPE_CHECKING:
    from gobench.models import Loaded
    from gobench.models.describe import ModelInfo

CHAINED = "later asks depend on earlier answers, and this model's answers were made beforehand"


@dataclass(frozen=True)
class Plan:
    """Everything that decides the answers."""

    suite: Suite
    protocol: str
    model: Loaded
    seed: int
    batch: int
    limit: int | None
    device: str
    dtype: str
    org: str | None = None  # declared by whoever runs it
    attempts: int | None = None

    @property
    def view(self) -> View:
        info = self.model.info
        height, width = info.frame_size
        return View(height, width, min(info.max_frames, MOST_FRAMES))

    @property
    def ready_made(self) -> bool:
        """Whether the model's answers were made beforehand, so that they cannot follow each other."""
        return ready_made(self.model)

    def samples(self, task: Task) -> list[str]:
        """The samples to ask, in order."""
        return order(self.suite.name, task, self.limit)

    def groups(self, task: Task) -> list[list[str]]:
        """Samples that are played together: as many as the batch, and as the task allows."""
        most = int(getattr(task, "most_together", self.batch))
        return grouped(self.samples(task), min(self.batch, most))

    def barred(self, task: Task) -> str | None:
        """Why a task cannot be run with this model on this machine; None where it can."""
        if task.chained and self.ready_made:
            return CHAINED
        unavailable = getattr(task, "unavailable", None)
        return (unavailable() or None) if unavailable else None

    def chosen(self, names: Sequence[str] | None) -> list[Task]:
        """The tasks called so ("go9/next-move", or "next-move"), or all. Raises UsageError for an unknown name."""
        table = {task.name: task for task in self.suite.tasks}
        short = {task.name.rpartition("/")[2]: task for task in self.suite.tasks}
        for name in names or ():
            if name not in table and name not in short:
                raise unknown("task", name, table)
        wanted = {(table.get(name) or short[name]).name for name in names or table}
        return [task for task in self.suite.tasks if task.name in wanted]

    def facts(self) -> Record:
        """The part of a fingerprint that all tasks share."""
        info = self.model.info
        return {
            "model": info.name,
            "text_sha256": named(info),
            "weights": info.weights_sha256,
            "code": info.code_sha256,
            "context_keys": list(info.context_keys),
            "frame_size": list(info.frame_size),
            "max_frames": info.max_frames,
            "suite": self.suite.name,
            "protocol": self.protocol,
            "seed": self.seed,
            "batch": self.batch,
            "limit": self.limit,
            "device": self.device,
            "dtype": self.dtype,
        }

    def fingerprint(self, task: Task) -> Record:
        """What the evidence of a task is bound to."""
        own = {"task": task.name, "version": task.version, "protocol_hash": protocol_hash(task)}
        return self.facts() | own


def looked_up(plan: Plan, trained_on: Sequence[Path | str]) -> Record:
    """What ``run.json`` says of training sets; empty without any. Raises DataError for one without a sketch."""
    if not trained_on:
        return {}
    asked = [task for task in plan.suite.tasks if len(task.positions())]
    return {
        "known": {task.name: _known(task, trained_on) for task in asked},
        "trained_on": [_watched(Path(place)) for place in trained_on],
    }


def begin(folder: Path, plan: Plan, tasks: Sequence[Task], trained: Record) -> Record:
    """Write ``run.json``, or go on with the one that is there; returns it.

    Args:
        trained: of ``looked_up``.

    Raises:
        BuildError: it belongs to another run; names the fields that differ.
    """
    run = _fresh(plan)
    if (folder / places.RUN).exists():
        before = places.read_run(folder)
        if plan.ready_made and before["fingerprint"]["weights"] != run["fingerprint"]["weights"]:
            raise BuildError(
                f"the answers that {plan.model.who} holds have changed since {folder} was begun: start anew with --overwrite."
            )
        evidence.refuse_mixing(before["fingerprint"], run["fingerprint"], folder)
        evidence.refuse_mixing(facts(before["environment"]), facts(run["environment"]), folder)
        model = before["model"] | _declared(plan)
        run = before | {"environment": later(before["environment"], run["environment"]), "model": model}
    for task in tasks:
        known = run["tasks"].get(task.name)
        missing = None if known and known["missing"] is None else plan.barred(task)
        run["tasks"][task.name] = {"samples": len(plan.samples(task)), "missing": missing}
    run |= trained
    places.tidy(folder)
    places.write_run(folder, run)
    return run


def covered(plan: Plan, tasks: Sequence[Task], notice: Callable[[str], None]) -> None:
    """Say how many ready-made answers are there. Raises DataError where there are none at all."""
    coverage = getattr(plan.model.model, "coverage", None)
    if not plan.ready_made or coverage is None:
        return
    found = 0
    for task in tasks:
        if not task.chained:
            plan.model.begin(task.public)  # refuses answers to other questions
            samples = plan.samples(task)
            there = coverage(task.name, samples)["found"]
            notice(
                f"{task.name}: {there:,} of {len(samples):,} answers are there; the others count as missing."
            )
            found += there
    if not found:
        raise DataError(
            f"model {plan.model.info.text!r} holds no answer to any of {', '.join(task.name for task in tasks)}. "
            "Put them at TASK/ID.mp4 or .png, with TASK and ID as `gobench export-prompts` writes them."
        )


def askable(plan: Plan, tasks: Sequence[Task]) -> None:
    """Draw the first question of each task, before anything is written.

    Raises UsageError for frames that cannot be drawn so, for a context key that no task offers, and for one that only
    ceilings may read.
    """
    if plan.model.info.kind != "ceiling" and (told := set(plan.model.info.context_keys) & set(CEILING_KEYS)):
        raise UsageError(
            f"{plan.model.who} declares the context {sorted(told)[0]!r}, which only models of the kind ceiling may read: "
            "it tells what no video shows."
        )
    offered = set[str](CONTEXT_KEYS)
    for task in tasks:
        if plan.barred(task) not in (None, CHAINED):
            continue
        first = task.trial(plan.samples(task)[0], plan.view).ask()
        offered |= set(first.context if first else ())
    for key in plan.model.info.context_keys:
        if key not in offered:
            raise unknown(f"context key of {plan.model.who}", key, offered)


def _declared(plan: Plan) -> Record:
    return {
        key: value for key, value in (("org", plan.org), ("attempts", plan.attempts)) if value is not None
    }


def _fresh(plan: Plan) -> Record:
    domain = benchmark_of(plan.suite.name).name
    return {
        "format": places.FORMAT,
        "fingerprint": plan.facts(),
        "suite": {"name": plan.suite.name, "domain": domain, "protocol": plan.protocol},
        "model": model_facts(plan),
        "environment": environment(
            registry.domain(domain).versions(),
            device=plan.device, dtype=plan.dtype, batch=plan.batch, seed=plan.seed,
        ),
        "tasks": {},
        "known": {},
        "trained_on": [],
        "batch_check": {},
    }  # fmt: skip


def model_facts(plan: Plan) -> Record:
    """Plain data for ``gobench.results.ModelFacts``."""
    info = plan.model.info
    return {
        "name": info.name,
        "text": public_text(info.text),
        "form": info.form,
        "org": "",
        "kind": info.kind,
        "video_only": info.video_only,
        "frame_size": list(info.frame_size),
        "max_frames": info.max_frames,
        "context_keys": list(info.context_keys),
        "parameters": info.parameters,
        "weights_sha256": info.weights_sha256,
        "code_sha256": info.code_sha256,
        "provenance": dict(info.provenance),
        "attempts": None,
    } | _declared(plan)


def named(info: ModelInfo) -> str:
    """sha256 in hex of how a model was named, arguments and all; places of files are left to the hashes of contents."""
    text = info.text
    if info.form in ("file", "predictions"):
        text = info.form
    elif info.form == "python" and text.partition(":")[0].endswith(".py"):
        place, _, rest = text.partition(":")
        text = f"{Path(place).name}:{rest}"
    return sha256(text.encode())


def public_text(text: str) -> str:
    """How a model was named, with absolute places cut to their last part: they are nobody's business."""
    return re.sub(r"""(^|(?<=[\s:='"]))[~/][^\s'"]*/""", "", text)


def _known(task: Task, trained_on: Sequence[Path | str]) -> list[str]:
    """The samples whose position may lie in one of the training sets."""
    hashes = task.positions()
    fresh = np.ones(len(hashes), np.bool_)
    for place in trained_on:
        fresh &= novel(place, hashes)
    return [sample for sample, new in zip(task.ids, fresh, strict=True) if not new]


def _watched(place: Path) -> Record:
    return {"name": place.resolve().name, "manifest_sha256": sha256_file(place / "manifest.json")}
