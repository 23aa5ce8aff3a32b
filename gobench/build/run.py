"""``build``: a domain and a config -> a folder with a dataset. Whoever stops it can start it again.

    1 games     parts of the source's units -> games/          (an engine's pieces)
    2 plan      fingerprints -> what is kept, splits, shards   (here, streaming)
    3 pictures  kept candidates -> data/                       (an engine's pieces)
    4 assemble  index, report, cards, sums, manifest           (here; the manifest last)

The same plan gives the same bytes with any number of workers, tasks and interruptions.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

from gobench import atomic
from gobench.build.assemble import MANIFEST, SUMS, Extra, assemble
from gobench.build.engine import Engine, engine, interruptible
from gobench.build.plan import DATA, GAMES, PLAN, SIDECARS, Part, Plan, Shard, begin, complete, read, versions
from gobench.build.recipes import BuildConfig
from gobench.build.stages import Drawn, GamesJob, Job, PicturesJob, Studio, limit_of, open_source, sidecar
from gobench.canonical import dumps, read_json, sha256_file
from gobench.codec import codec
from gobench.errors import BuildError, UsageError
from gobench.types import Domain, Episode, Record, Source

LOCKS = ".build"  # hidden: not part of the dataset
TRIAL_UNITS = 16

Progress: TypeAlias = Callable[[str, int, int], None]  # ("games" | "pictures", pieces done, pieces in all)


@dataclass(frozen=True)
class BuildReport:
    """What a call of ``build`` has done, and where the folder stands."""

    folder: str
    done: bool  # False only for a task of several whose fellows are not ready
    message: str
    samples: int = 0
    frames: int = 0
    bytes: int = 0
    shards: int = 0
    splits: Record = field(default_factory=dict)  # split -> samples, frames, bytes, shards
    rejected: Record = field(default_factory=dict)  # reason -> count
    made_parts: int = 0  # by this call; pieces that were there are not counted
    made_shards: int = 0
    seconds: Record = field(default_factory=dict)  # stage -> wall time of this call

    def to_json(self) -> Record:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Task:
    """Which share of the pieces a call makes: every ``count``-th, from ``index`` on."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise UsageError(
                f"task {self.index} of {self.count}: the index runs from 0 to one below the count. "
                "Give both --task-index and --task-count, or neither."
            )

    @property
    def alone(self) -> bool:
        return self.count == 1


def build(
    domain: Domain,
    config: BuildConfig,
    out: Path | str,
    *,
    workers: int = 1,
    overwrite: bool = False,
    task_index: int | None = None,
    task_count: int | None = None,
    progress: Progress | None = None,
    extras: Sequence[Extra] = (),
    scheduler: Engine | None = None,
) -> BuildReport:
    """Make a dataset in ``out``, or go on where an earlier call was stopped.

    Args:
        workers: processes on this machine; 1 works in this one.
        overwrite: throw away the build that is in ``out`` first.
        task_index, task_count: make only this share of the pieces (array jobs over one shared folder).
        extras: further files, see ``gobench.build.assemble.Extra``.
        scheduler: who makes the pieces, instead of ``workers`` processes here.

    A domain may have a ``warm()`` that compiles what it needs; it is called once before workers start.

    Raises:
        UsageError: the config cannot be built (checked on a first sample before any work).
        BuildError: another build is in the folder or at work in it, a worker died, the disk is full, ...
    """
    task = Task(task_index or 0, 1 if task_count is None else task_count)
    if task_index is not None and task_count is None:
        raise UsageError("--task-index needs --task-count: how many tasks there are in all.")
    if overwrite and not task.alone:
        raise UsageError(
            "--overwrite and --task-count do not go together: remove the folder before the tasks start."
        )
    folder = Path(out)
    work = _Build(domain, config, folder, scheduler or engine(workers), task, progress, tuple(extras))
    with interruptible(), _occupied(folder, task):
        if not (folder / PLAN).exists():
            _refuse_foreign(folder)
        elif overwrite:
            clear(folder)
        return work.run()


@dataclass(frozen=True)
class _Build:
    domain: Domain
    config: BuildConfig
    folder: Path
    engine: Engine
    task: Task
    progress: Progress | None
    extras: tuple[Extra, ...]
    seconds: Record = field(default_factory=dict)

    def run(self) -> BuildReport:
        self._tidy()
        plan = self._begin()
        made_parts = self._games(plan)
        if not self._all(plan.parts):
            return self._waiting(plan.parts, made_parts, 0)
        plan = self._plan(plan)
        made_shards = self._pictures(plan)
        if not self._all(plan.shards or ()):
            return self._waiting(plan.shards or (), made_parts, made_shards)
        manifest = self._assemble(plan)
        return BuildReport(
            folder=str(self.folder),
            done=True,
            message=f"{manifest['samples']} samples in {len(manifest['shards'])} shards.",
            shards=len(manifest["shards"]),
            **{key: manifest[key] for key in ("samples", "frames", "bytes", "splits", "rejected")},
            made_parts=made_parts,
            made_shards=made_shards,
            seconds=self.seconds,
        )

    def _tidy(self) -> None:
        """Remove what earlier calls left half written; not beside fellow tasks, whose files are that too."""
        if self.task.alone:
            atomic.remove_temporaries(self.folder, *(self.folder / name for name in (GAMES, DATA, SIDECARS)))

    def _begin(self) -> Plan:
        source = open_source(self.domain, self.config)
        fresh = Plan(
            self.config,
            versions(codec(self.config.codec).versions(), self.domain.versions()),
            dict(source.inputs),
            source.units,
            limit_of(source, self.config),
        )
        if not (self.folder / PLAN).exists():
            trial(self.domain, self.config, source)
        with self._exclusive():
            return begin(self.folder, fresh)

    def _games(self, plan: Plan) -> int:
        with self._timed("games"):
            made = self._run("games", GamesJob(self.folder, self.domain, plan), plan.parts)
        if plan.shards is not None:
            self._compare(plan)
        return made

    def _compare(self, plan: Plan) -> None:
        for part, digest in zip(plan.parts, plan.part_sha256, strict=True):
            table = sidecar(self.folder / part.sidecar, self.config.hash)
            if table is not None and table["sha256"] != digest:
                raise BuildError(
                    f"{self.folder / part.file} was made anew and differs from the plan: the source does not "
                    "repeat itself. Start anew with --overwrite."
                )

    def _plan(self, plan: Plan) -> Plan:
        if plan.shards is not None:
            return plan
        with self._timed("plan"), self._exclusive():
            current = read(self.folder)
            return (
                current
                if current.shards is not None
                else complete(self.folder, plan, lambda: self._tables(plan))
            )

    def _tables(self, plan: Plan) -> Iterator[Record]:
        for part in plan.parts:
            table = sidecar(self.folder / part.sidecar, self.config.hash)
            if table is None:
                raise BuildError(f"{self.folder / part.file} has vanished: run the same command again.")
            yield table

    def _pictures(self, plan: Plan) -> int:
        with self._timed("pictures"):
            return self._run("pictures", PicturesJob(self.folder, self.domain), plan.shards or ())

    def _assemble(self, plan: Plan) -> Record:
        with self._timed("assemble"), self._exclusive():
            if (self.folder / MANIFEST).exists():
                manifest: Record = read_json(self.folder / MANIFEST)
                return manifest
            return assemble(self.folder, self.domain, plan, self.extras)

    def _run(self, stage: str, job: Job, pieces: Sequence[Part] | Sequence[Shard]) -> int:
        """Make the pieces of this task that are missing; returns how many."""
        there = [self._has(piece) for piece in pieces]
        mine = [i for i in range(self.task.index, len(pieces), self.task.count) if not there[i]]
        count = sum(there)
        self._tell(stage, count, len(pieces))
        if not mine:
            return 0
        (self.folder / MANIFEST).unlink(missing_ok=True)  # what has lost a piece is not done

        def done(index: int) -> None:
            nonlocal count
            count += 1
            self._tell(stage, count, len(pieces))

        warm(self.domain)
        self.engine.run(job, mine, done)
        return len(mine)

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(stage, done, total)

    def _has(self, piece: Part | Shard) -> bool:
        return sidecar(self.folder / piece.sidecar, self.config.hash) is not None

    def _all(self, pieces: Sequence[Part] | Sequence[Shard]) -> bool:
        return self.task.alone or all(self._has(piece) for piece in pieces)

    def _waiting(self, pieces: Sequence[Part] | Sequence[Shard], parts: int, shards: int) -> BuildReport:
        missing = [piece.file for piece in pieces if not self._has(piece)]
        text = (
            f"task {self.task.index} of {self.task.count} is through; {len(missing)} of {len(pieces)} pieces "
            f"of other tasks are not there yet (the first is {missing[0] if missing else 'just made'}). "
            "Let them run, then run this command again."
        )
        return BuildReport(
            str(self.folder), False, text, made_parts=parts, made_shards=shards, seconds=self.seconds
        )

    def _exclusive(self) -> contextlib.AbstractContextManager[None]:
        return atomic.lock(self.folder / LOCKS / "plan.lock", "", wait=True)

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(time.perf_counter() - start, 3)


@contextlib.contextmanager
def _occupied(folder: Path, task: Task) -> Iterator[None]:
    """Keep other builds out; tasks of one build share the folder, but each task is there only once."""
    refusal = (
        f"another build is at work in {folder}. Wait until it ends, or choose another --out. "
        "(The lock ends with its process.)"
    )
    with contextlib.ExitStack() as held:
        held.enter_context(atomic.lock(folder / LOCKS / "lock", refusal, shared=not task.alone))
        if not task.alone:
            name = f"task-{task.index}.lock"
            held.enter_context(
                atomic.lock(folder / LOCKS / name, f"task {task.index} runs already: {refusal}")
            )
        yield


def _refuse_foreign(folder: Path) -> None:
    strangers = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if strangers:
        raise BuildError(
            f"{folder} is not empty and holds no build ({', '.join(strangers[:5])}): choose another --out, "
            "or empty the folder yourself."
        )


def clear(folder: Path) -> None:
    """Remove a build, finished or not, and nothing else; the plan goes last, so that this can be repeated."""
    (folder / MANIFEST).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
            name = line.partition("  ")[2]
            if name and name != PLAN and "/" not in name:
                (folder / name).unlink(missing_ok=True)
    for name in (GAMES, DATA, SIDECARS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("plan.kept.npy", "rejected.jsonl", "report.json", "index.parquet", SUMS, PLAN):
        (folder / name).unlink(missing_ok=True)


def warm(domain: Domain) -> None:
    """Let the domain compile what it needs, once and before workers start."""
    prepare = getattr(domain, "warm", None)
    if prepare is not None:
        prepare()


def trial(domain: Domain, config: BuildConfig, source: Source) -> Drawn | None:
    """Draw a first sample, so that what cannot be built is told before hours of work; None if there is none.

    Raises:
        UsageError: the codec cannot store pictures of this size.
        BuildError: the record is not plain data, or not what the domain declares.
    """
    units = range(min(source.units, TRIAL_UNITS))
    episodes = (item for unit in units for item in source.unit(unit) if isinstance(item, Episode))
    first = next(episodes, None)
    if first is None:
        return None
    studio = Studio(domain, config)
    drawn = studio.sample(0, 0, "train", first.record)
    studio.codec.check_size(drawn.clip.height, drawn.clip.width)
    try:
        dumps(drawn.record)
    except (TypeError, ValueError) as error:
        raise BuildError(f"the domain's records are not plain data: {error}.") from error
    odd = sorted(set(domain.features()) ^ set(drawn.record))
    if odd:
        raise BuildError(
            f"the domain's features and its records differ in the keys {odd}: a fault of the domain."
        )
    return drawn


def is_done(folder: Path | str) -> bool:
    """Whether a finished dataset lies there: its manifest is written last."""
    return (Path(folder) / MANIFEST).is_file()


def sums_hash(folder: Path | str) -> str:
    """sha256 of ``SHA256SUMS``: one number for a whole dataset."""
    return sha256_file(Path(folder) / SUMS)
