"""A model, or the model changed in one thing, on a suite's own tasks: the suite's prompts, reader, judge and statistics."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gobench import registry
from gobench.dataset import Dataset
from gobench.errors import DataError, GobenchError, UsageError, unknown
from gobench.evaluate import open_suite
from gobench.evaluate.groups import play
from gobench.evaluate.protocol import SCORING, grouped, order
from gobench.models import wrap
from gobench.statistics import Estimate, Weights, estimate, paired
from gobench.tasks import Metric, Table, Task, View
from gobench.types import Array, Json, VideoModel
from gobench_videoworld.answers import Answers, Seeds
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.model import VideoWorld
from gobench_videoworld.options import TrainOptions

Progress = Callable[[str, int, int], None]
RETRIED = ("legal_within_k",)  # metrics of later tries


class Asked(NamedTuple):
    """Samples of a task that are asked."""

    suite: str
    task: Task
    samples: Sequence[str]
    seed: int  # root of the model's randomness
    batch: int  # samples asked at once

    @property
    def once(self) -> bool:
        """Whether all but ``RETRIED`` is of each sample's first try, so that no second one need be asked."""
        return self.task.settings.get("scored_try") == "first"

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those that are told, the headline first."""
        told = {key: row for key, row in self.task.metrics.items() if not (self.once and key in RETRIED)}
        return {self.task.headline: told[self.task.headline], **told}


def fitting(model: VideoWorld, suite: str = "", task: str = "") -> tuple[str, Task]:
    """The suite and the task to ask: those named, else the first ones of the model's domain that show its world.

    Raises:
        UsageError: no such suite or task, or one that the model cannot answer. DataError: a test set that is missing.
    """
    if suite:
        found = _chosen(suite, task)
        model.begin(found.public)
        return suite, found
    for name in _offered(model.domain):
        try:
            found = _chosen(name, task)
            model.begin(found.public)
        except GobenchError:
            continue
        return name, found
    raise UsageError(f"no suite of {model.domain!r} shows what this model watched: name one with --suite.")


def fitting_data(asked: TrainOptions, data: Dataset, suite: str = "", task: str = "") -> tuple[str, Task]:
    """The same for the model that a training would make; raises the same, before anything is trained."""
    made = VideoWorld.__new__(VideoWorld)
    made.config = configured(asked, scene(data))
    return fitting(made, suite, task)


def _offered(domain: str) -> list[str]:
    return list(getattr(registry.domain(domain), "suites", dict)())


def _chosen(suite: str, task: str) -> Task:
    """A task whose answers are single frames and not chained."""
    tasks = {t.name: t for t in open_suite(suite).tasks if not t.chained}
    short = {name.rpartition("/")[2]: t for name, t in tasks.items()}
    if not tasks:
        raise UsageError(f"the suite {suite!r} asks no single next frames: take another one.")
    if task and task not in tasks and task not in short:
        raise unknown(f"task of single frames in {suite}", task, tasks)
    return tasks.get(task) or short.get(task) or next(iter(tasks.values()))


def asked(suite: str, task: Task, limit: int | None, seed: int, batch: int) -> Asked:
    """The first ``limit`` samples of a task's mixed order, as ``gobench evaluate --limit`` takes them."""
    return Asked(suite, task, order(suite, task, limit), seed, batch)


def changed(model: VideoWorld, answers: Answers) -> VideoWorld:
    """The model with other ``answers``; its networks are shared."""
    made = copy.copy(model)
    made.answers = answers
    return made


class Once:
    """A model that answers each sample's first question; to later ones it says the same again, without thinking."""

    context_keys = ("ask", "id")

    def __init__(self, model: VideoModel) -> None:
        own: Any = model
        self.model, self.frame_size, self.max_frames = model, own.frame_size, own.max_frames
        self._given: dict[str, Array] = {}

    def generate(
        self, frames: Array, n: int, seeds: Seeds, context: Sequence[Mapping[str, Json]] | None = None
    ) -> Array:
        """See ``gobench.types.VideoModel``."""
        assert context is not None
        ids = [str(row["id"]) for row in context]
        new = [place for place, row in enumerate(context) if row["ask"] == 0]
        if new:
            asked = [context[place] for place in new]
            answers = self.model.generate(frames[new], n, seeds[new], asked)
            self._given |= {ids[place]: answer for place, answer in zip(new, answers, strict=True)}
        return np.stack([self._given[sample] for sample in ids])


def table(model: VideoModel, what: Asked, name: str, progress: Progress | None = None) -> Table:
    """What a model's answers are worth, by the task itself.

    Raises:
        GobenchError: the model failed.
    """
    loaded = wrap(Once(model) if what.once else model, name)
    view = View(*loaded.info.frame_size, loaded.info.max_frames)
    rows = []
    try:
        for group in grouped(what.samples, what.batch):
            rows += [done.row for done in play(what.task, group, loaded, view, what.seed)]
            if progress:
                progress(name, len(rows), len(what.samples))
    finally:
        loaded.close()
    return what.task.table(rows)


def weights(made: Table) -> Weights:
    """Bootstrap draws as ``gobench evaluate`` makes them."""
    return Weights(made.clusters, draws=SCORING["draws"], seed=SCORING["seed"])


def scored(what: Asked, made: Table, drawn: Weights) -> dict[str, Estimate]:
    """Metric -> its mean with an interval over games, as a result has it; without those defined nowhere."""
    found = {
        name: estimate(
            made.columns[name], made.clusters, drawn, metric.unit == "proportion", SCORING["level"]
        )
        for name, metric in what.metrics.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def differences(what: Asked, before: Table, after: Table, drawn: Weights) -> dict[str, Estimate]:
    """Metric -> the mean of after - before, sample by sample, with an interval over games."""
    if list(before.ids) != list(after.ids):
        raise DataError("two tables are paired sample by sample: these have other samples.")
    found = {
        name: paired(before.columns[name], after.columns[name], before.clusters, drawn, metric.unit == "proportion",
                     SCORING["level"])
        for name, metric in what.metrics.items()
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def interval(found: Estimate) -> tuple[float | None, float | None]:
    """(low, high), or Nones."""
    return found.interval or (None, None)
