"""``build``: a domain and a config -> a folder with a dataset. Whoever stops it can start it again.

    0 journal   answers that do not repeat -> journal.jsonl    (an engine's pieces; only for an ``AskingSource``)
    1 games     parts of the source's units -> games/          (an engine's pieces)
    2 plan      fingerprints -> what is kept, splits, shards   (here, streaming)
    3 pictures  kept candidates -> data/                       (an engine's pieces)
    4 assemble  index, report, cards, sums, manifest           (here; the manifest last)

The same plan gives the same bytes with any number of workers, tasks and interruptions.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

from gobench import atomic
from gobench.build.asking import AskJob, Draft
from gobench.build.assemble import MANIFEST, SUMS, Extra, assemble, standing
from gobench.build.engine import Engine, Inline, Threads, engine, interruptible
from gobench.build.folder import LOCKS as LOCKS
from gobench.build.folder import PIECES, Task, clear, occupied, refuse_foreign
from gobench.build.journal import JOURNAL, asking
from gobench.build.plan import KEPT, PLAN, REJECTED, Part, Plan, Shard, begin, read, versions
from gobench.build.planning import complete
from gobench.build.recipes import BuildConfig
from gobench.build.stages import GamesJob, Job, PicturesJob, limit_of, made, open_source
from gobench.build.trial import trial, warm
from gobench.canonical import sha256_file
from gobench.codec import codec
from gobench.errors import BuildError, UsageError
from gobench.types import Domain, Record, Source

Pieces: TypeAlias = Sequence[Part] | Sequence[Shard]
Progress: TypeAlias = Callable[
    [str, int, int], None
]  # ("journal" | "games" | "pictures", pieces done, in all)


@dataclass(frozen=True)
class BuildReport:
    """What a call of ``build`` has done, and where the folder stands.

    ``done`` is False for a task of several that made its share while others are missing: no dataset lies
    there yet, ``message`` says what to do, and all counts but ``made_parts`` and ``made_shards`` are 0.
    """

    folder: str
    done: bool
    message: str
    samples: int = 0
    frames: int = 0
    bytes: int = 0
    shards: int = 0
    splits: Record = field(default_factory=dict)  # split -> samples, frames, bytes, shards
    rejected: Record = field(default_factory=dict)  # reason -> count
    made_parts: int = 0  # by this call; pieces that were there are not counted
    made_shards: int = 0
    made_answers: int = 0  # for the journal
    seconds: Record = field(default_factory=dict)  # stage -> wall time of this call

    def to_json(self) -> Record:
        """Plain data."""
        return asdict(self)


def build(
    domain: Domain,
    config: BuildConfig,
    out: Path | str,
    *,
    workers: int = 1,
    overwrite: bool = False,
    task_index: int | None = None,
    task_count: int | None = None,
    journal: Path | str | None = None,
    progress: Progress | None = None,
    extras: Sequence[Extra] = (),
    scheduler: Engine | None = None,
) -> BuildReport:
    """Make a dataset in ``out``, or go on where an earlier call was stopped.

    Args:
        workers: processes on this machine; 1 works in this one. A journal is written by as many threads.
        overwrite: throw away the build that is in ``out`` first.
        task_index, task_count: make only this share of the pieces (array jobs over one shared folder); both
            or neither. Run the whole array, which makes the games; the same array again, which makes the
            pictures; and then one plain call without these two, which makes what is left and ends the build. Where
            there is a journal to write, the first of all is one more run of the array.
        journal: a journal that exists (``gobench.build.journal``) of the same questions: nobody is asked again.
        extras: further files, see ``gobench.build.assemble.Extra``; the command line gives card and Croissant.
            Those that a finished folder lacks are added by the next call.
        scheduler: who makes the pieces, the journal's too, instead of ``workers`` processes here.

    A domain may have a ``warm()`` that compiles what it needs; it is called once before workers start.

    Raises:
        UsageError: the config cannot be built (checked on a first sample before any work).
        BuildError: another build is in the folder or at work in it, a worker died, the disk is full, ...
    """
    task = Task.of(task_index, task_count)
    if overwrite and not task.alone:
        raise UsageError(
            "--overwrite and --task-count do not go together: remove the folder before the tasks start."
        )
    folder = Path(out)
    given = Path(journal) if journal is not None else None
    makers = (scheduler or engine(workers), scheduler or (Inline() if workers == 1 else Threads(workers)))
    work = _Build(domain, config, folder, *makers, task, given, progress, tuple(extras))
    refuse_foreign(folder)  # before the lock, which makes a folder
    with interruptible(), occupied(folder, task):
        return work.run(overwrite)


@dataclass(frozen=True)
class _Build:
    domain: Domain
    config: BuildConfig
    folder: Path
    engine: Engine
    asker: Engine  # of the journal, whose pieces wait for programs of others
    task: Task
    journal: Path | None
    progress: Progress | None
    extras: tuple[Extra, ...]
    seconds: Record = field(default_factory=dict)

    def run(self, overwrite: bool) -> BuildReport:
        self._tidy()
        draft = Draft(self.folder, open_source(self.domain, self.config))
        with contextlib.closing(AskJob(self.folder, draft.source)) as job:
            self._prepare(draft, job, overwrite)
            counts: Record = {"made_answers": self._ask(draft, job)}
        if missing := len(draft.lost()):
            return self._waiting(missing, len(asking(draft.source)), "answers of the journal", counts)
        plan = self._begin(draft)
        counts["made_parts"] = self._games(plan)
        if missing := self._missing(plan, plan.parts):
            return self._waiting(missing, len(plan.parts), "parts", counts)
        plan = self._plan(plan)
        counts["made_shards"] = self._pictures(plan)
        if missing := self._missing(plan, plan.shards or ()):
            return self._waiting(missing, len(plan.shards or ()), "shards", counts)
        manifest = self._assemble(plan)
        return BuildReport(
            folder=str(self.folder),
            done=True,
            message=f"{manifest['samples']} samples in {len(manifest['shards'])} shards.",
            shards=len(manifest["shards"]),
            **{key: manifest[key] for key in ("samples", "frames", "bytes", "splits", "rejected")},
            **counts,
            seconds=self.seconds,
        )

    def _tidy(self) -> None:
        """Remove what earlier calls left half written; not beside fellow tasks, whose files are that too."""
        if self.task.alone:
            atomic.remove_temporaries(self.folder, *(self.folder / name for name in PIECES))

    def _prepare(self, draft: Draft, job: AskJob, overwrite: bool) -> None:
        """All that can be told before any work: what the folder holds, and a first sample."""
        asks = bool(asking(draft.source))
        with self._exclusive() if asks or self.journal else contextlib.nullcontext():
            if overwrite:
                draft.forget()
            draft.give(self.journal)
            begun = (self.folder / PLAN).exists() and not overwrite
            if begun and asks:
                there = read(self.folder).inputs.get(JOURNAL, "not there")
                begin(self.folder, self._fresh(draft.source, {**draft.source.inputs, JOURNAL: there}))
            if not overwrite and (asks or not begun):
                draft.check()
            with draft.begun(anew=overwrite):
                if not begun:
                    self._tell_of(draft)
                    trial(self.domain, self.config, draft.trial(job, anew=overwrite))
            if overwrite:
                clear(self.folder)  # only now that the new build is known to be possible
            draft.settle()

    def _tell_of(self, draft: Draft) -> None:
        """Show that somebody is asked: about the first unit alone that may take minutes."""
        if asking(draft.source):
            self._tell("journal", 0, len(asking(draft.source)))

    def _fresh(self, source: Source, inputs: Mapping[str, str]) -> Plan:
        known = versions(codec(self.config.codec).versions(), self.domain.versions())
        return Plan(self.config, known, dict(inputs), source.units, limit_of(source, self.config))

    def _ask(self, draft: Draft, job: AskJob) -> int:
        """Have this task's share of the journal answered; returns how many answers came."""
        total = len(asking(draft.source))
        if not total:
            return 0
        with self._timed("journal"):
            return self._make(job, "journal", draft.lost(), total, self.asker)

    def _begin(self, draft: Draft) -> Plan:
        with self._exclusive():
            source = draft.seal()
            return begin(self.folder, self._fresh(draft.source, source.inputs))

    def _games(self, plan: Plan) -> int:
        with self._timed("games"):
            count = self._run("games", GamesJob(self.folder, self.domain, plan), plan, plan.parts)
        if plan.shards is not None:
            self._compare(plan)
        return count

    def _compare(self, plan: Plan) -> None:
        for part, digest in zip(plan.parts, plan.part_sha256, strict=True):
            table = made(self.folder, part, plan)
            if table is not None and table["sha256"] != digest:
                raise BuildError(
                    f"{self.folder / part.file} was made anew and differs from the plan: the source does not "
                    "repeat itself. Start anew with --overwrite."
                )

    def _plan(self, plan: Plan) -> Plan:
        """The plan with what is kept; also makes again what the planning pass wrote and someone lost."""
        if self._planned(plan):
            return plan
        with self._timed("plan"), self._exclusive():
            current = read(self.folder)  # a fellow may have been quicker
            return (
                current if self._planned(current) else complete(self.folder, plan, lambda: self._tables(plan))
            )

    def _planned(self, plan: Plan) -> bool:
        return plan.shards is not None and all((self.folder / name).is_file() for name in (KEPT, REJECTED))

    def _tables(self, plan: Plan) -> Iterator[Record]:
        for part in plan.parts:
            table = made(self.folder, part, plan)
            if table is None:
                raise BuildError(f"{self.folder / part.file} has vanished: run the same command again.")
            yield table

    def _pictures(self, plan: Plan) -> int:
        with self._timed("pictures"):
            return self._run(
                "pictures", PicturesJob(self.folder, self.domain, self.config.local), plan, plan.shards or ()
            )

    def _assemble(self, plan: Plan) -> Record:
        with self._timed("assemble"), self._exclusive():
            atomic.remove_temporaries(*(self.folder / name for name in PIECES))  # of tasks that were killed
            manifest = standing(self.folder, self.domain, plan, self.extras)
            return manifest or assemble(self.folder, self.domain, plan, self.extras)

    def _run(self, stage: str, job: Job, plan: Plan, pieces: Pieces) -> int:
        """Make the pieces of this task that are missing; returns how many."""
        lost = [i for i in range(len(pieces)) if made(self.folder, pieces[i], plan) is None]
        return self._make(job, stage, lost, len(pieces), self.engine)

    def _make(self, job: Job, stage: str, lost: Sequence[int], total: int, maker: Engine) -> int:
        mine = [i for i in lost if i % self.task.count == self.task.index]
        count = total - len(lost)
        self._tell(stage, count, total)
        if not mine:
            return 0
        (self.folder / MANIFEST).unlink(missing_ok=True)  # what has lost a piece is not done

        def done(index: int) -> None:
            nonlocal count
            count += 1
            self._tell(stage, count, total)

        warm(self.domain)
        maker.run(job, mine, done)
        return len(mine)

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(stage, done, total)

    def _missing(self, plan: Plan, pieces: Pieces) -> int:
        """How many pieces of fellow tasks are not there yet; a call that works alone has made all."""
        if self.task.alone:
            return 0
        return len([piece for piece in pieces if made(self.folder, piece, plan) is None])

    def _waiting(self, missing: int, total: int, pieces: str, counts: Record) -> BuildReport:
        text = (
            f"task {self.task.index} of {self.task.count} is through; {missing} of {total} {pieces} are left to other "
            "tasks and not there yet. Let all tasks run, then run this command again: the whole array once for each "
            "of its stages (the journal, where there is one, the games, the pictures), then one call without tasks."
        )
        return BuildReport(str(self.folder), False, text, **counts, seconds=self.seconds)

    def _exclusive(self) -> contextlib.AbstractContextManager[None]:
        return atomic.lock(self.folder / LOCKS / "plan.lock", "", wait=True)

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(time.perf_counter() - start, 3)


def sums_hash(folder: Path | str) -> str:
    """sha256 of ``SHA256SUMS``: one number for a whole dataset."""
    return sha256_file(Path(folder) / SUMS)
