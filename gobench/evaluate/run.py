"""Run a model on a suite: evidence, group by group, resumable; then the score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gobench import evidence, results
from gobench.build.engine import engine, interruptible
from gobench.errors import GobenchError, StoppedError, UsageError
from gobench.evaluate import folder as places
from gobench.evaluate.begin import Plan, askable, begin, covered, looked_up, model_facts
from gobench.evaluate.groups import batch_check, play
from gobench.evaluate.protocol import default_suite, fully_kept, open_suite
from gobench.evaluate.rows import begun
from gobench.evaluate.score import score
from gobench.tasks import Task, View
from gobench.types import Record

if TYPE_CHECKING:
    from gobench.models import Loaded

Progress = Callable[[str, int, int], None]
Notice = Callable[[str], None]
DEVICE, DTYPE, TIMEOUT = "cpu", "float32", 600.0
BATCH = 32


@dataclass(frozen=True, slots=True)
class How:
    """How a model is loaded: the same in every process."""

    text: str
    device: str = DEVICE
    dtype: str = DTYPE
    timeout: float = TIMEOUT

    def load(self) -> Loaded:
        from gobench.models import load

        return load(self.text, self.device, self.dtype, self.timeout)


@dataclass(frozen=True)
class GroupsJob:
    """Groups of a run as pieces for an engine: piece i is (task, group, its samples)."""

    out: Path
    suite: tuple[str, str]  # name, protocol: each process opens it for itself
    how: How
    view: View
    seed: int
    kept: Mapping[str, frozenset[str]]  # task -> samples of which all frames are kept
    pieces: Sequence[tuple[str, int, list[str]]]

    @cached_property
    def model(self) -> Loaded:
        return self.how.load()

    @cached_property
    def tasks(self) -> dict[str, Task]:
        return {task.name: task for task in open_suite(*self.suite).tasks}

    @cached_property
    def writers(self) -> dict[str, evidence.Writer]:
        return {name: evidence.Writer(self.out, name) for name in self.tasks}

    def __getstate__(self) -> Record:
        own = ("model", "tasks", "writers", "begun")  # each process has its own
        return {key: value for key, value in self.__dict__.items() if key not in own}

    def name(self, index: int) -> str:
        task, group, _ = self.pieces[index]
        return f"group {group} of {task}"

    def __call__(self, index: int) -> None:
        name, group, samples = self.pieces[index]
        task = self.tasks[name]
        self._begin(task)
        played = play(task, samples, self.model, self.view, self.seed, self.kept[name])
        rows = [one.row for one in played]
        frames = {one.row["id"]: one.kept for one in played if one.kept}
        self.writers[name].append(group, rows, frames)

    def _begin(self, task: Task) -> None:
        """Tell the model of a task before its first sample in this process."""
        if self.__dict__.get("begun") != task.name:
            self.model.begin(task.public)
            self.__dict__["begun"] = task.name


def evaluate(
    model_text: str,
    suite: str | None = None,
    out: Path | str | None = None,
    protocol: str = "standard",
    seed: int = 0,
    batch: int = BATCH,
    workers: int = 1,
    limit: int | None = None,
    tasks: Sequence[str] | None = None,
    device: str = DEVICE,
    dtype: str = DTYPE,
    timeout: float = TIMEOUT,
    trained_on: Sequence[Path | str] = (),
    overwrite: bool = False,
    org: str | None = None,
    attempts: int | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> Path:
    """Score a model on a suite; returns the folder with ``result.json``. The same call goes on after any end.

    Args:
        model_text: how the model is named (``gobench.models.load``).
        suite: its name; by default the first of the model's domain.
        out: folder; by default ``runs/eval/MODEL-SUITE``, with the protocol and the limit where they are not usual.
        batch: samples a group, at least 1: part of what a torch model's answers depend on.
        workers: processes; nothing depends on it.
        limit: the first so many samples of each task's mixed order.
        tasks: names of tasks to run; by default all.
        timeout: seconds that one answer may take.
        trained_on: datasets whose positions are looked up, for the slices of novel positions.
        overwrite: throw away what an earlier run left in the folder, once everything asked for is known to be possible.
        org, attempts: who made the model, and how many results of it were looked at before, as declared.
        progress: called with (suite, samples done, samples in all).
        notice: called with a line that is worth telling.

    Raises:
        UsageError: an unknown model, suite, protocol or task, a number out of range, or a model that says of itself
            what a result cannot hold.
        DataError: a training set without a sketch, or ready-made answers to nothing that is asked.
        BuildError: the folder belongs to another run, or cannot be written.
        GobenchError: the model failed; the evidence so far is kept.
    """
    _check_counts(batch=batch, workers=workers, limit=1 if limit is None else limit)
    how = How(model_text, device, dtype, timeout)
    told = notice or _unheard
    model = how.load()
    try:
        name = suite or default_suite(getattr(model.model, "domain", None))
        declared = (org, attempts)
        plan = Plan(open_suite(name, protocol), protocol, model, seed, batch, limit, device, dtype, *declared)
        results.check_model(model_facts(plan), model.who)
        asked, trained = plan.chosen(tasks), looked_up(plan, trained_on)
        covered(plan, asked, told)
        askable(plan, asked)
        folder = Path(out) if out is not None else places.default_out(model, name, protocol, limit)
        with interruptible(), places.occupied(folder):
            if overwrite:
                places.clear(folder)
            run = begin(folder, plan, asked, trained)
            _play(folder, plan, run, how, workers, progress or _silent)
            _check_batches(plan, run, told)
            places.write_run(folder, run)
            score(folder)
    finally:
        model.close()
    return folder


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise UsageError(f"{name} is {count}; allowed is a whole number of at least 1.")


def _silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


def _unheard(line: str) -> None:
    """Nobody listens."""


def _play(folder: Path, plan: Plan, run: Record, how: How, workers: int, progress: Progress) -> None:
    """Play what is left of the tasks that this run has begun."""
    open_tasks = _begun(plan, run)
    pieces, total = [], 0
    for task in open_tasks:
        groups = plan.groups(task)
        left = evidence.Writer(folder, task.name).start(plan.fingerprint(task), groups)
        pieces += [(task.name, index, groups[index]) for index in left]
        total += sum(map(len, groups))
    kept = {t.name: fully_kept(t, plan.samples(t), plan.seed) for t in open_tasks}
    suite = (plan.suite.name, plan.protocol)
    job = GroupsJob(folder, suite, how, plan.view, plan.seed, kept, pieces)
    if workers == 1:
        job.__dict__["model"] = plan.model
    _schedule(job, workers, total, progress)
    for task in open_tasks:
        evidence.Writer(folder, task.name).finish(plan.fingerprint(task), plan.samples(task))


def _begun(plan: Plan, run: Record) -> list[Task]:
    return [task for task in plan.suite.tasks if begun(run, task)]


def _check_batches(plan: Plan, run: Record, told: Notice) -> None:
    """Ask some samples of each task alone. A model that cannot be asked so keeps its result, and the reason is told."""
    for task in _begun(plan, run):
        if task.name in run["batch_check"] or plan.ready_made:
            continue
        try:
            plan.model.begin(task.public)
            first = plan.groups(task)[0]
            found = batch_check(task, first, plan.model, plan.view, plan.seed)
        except GobenchError as error:
            found = {"failed": str(error)}
            told(f"{task.name}: it is not known whether answers depend on the batch: {error}")
        run["batch_check"][task.name] = found
        if different := found.get("different"):
            told(
                f"{task.name}: {different} of {found['asked']} answers differ when asked again, one at a time: scores of "
                "this model may not repeat. `gobench smoke` says whether the batch or the seeds are not kept to."
            )


def _schedule(job: GroupsJob, workers: int, total: int, progress: Progress) -> None:
    """Hand the pieces to an engine; whatever ends it says how much is kept and how to go on."""
    done = total - sum(len(samples) for _, _, samples in job.pieces)
    progress(job.suite[0], done, total)

    def count(index: int) -> None:
        nonlocal done
        done += len(job.pieces[index][2])
        progress(job.suite[0], done, total)

    try:
        engine(workers).run(job, range(len(job.pieces)), count)
    except KeyboardInterrupt:
        raise StoppedError(f"stopped. {_kept(job.out, done, total)}") from None
    except GobenchError as error:
        failure = type(error)(f"{error} {_kept(job.out, done, total)}")
        raise failure from error


def _kept(out: Path, done: int, total: int) -> str:
    if not done:
        return "No sample was finished."
    return f"The answers to {done} of {total} samples are kept in {out}: the same command goes on from there."
