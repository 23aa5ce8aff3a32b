"""Judging many games: one piece a game in ``FILE.parts/``, in any number of processes, to be resumed at any time."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gobench import atomic
from gobench.build.engine import Threads, engine, interruptible
from gobench.canonical import dumps, read_json, sha256
from gobench.errors import BuildError, UsageError
from gobench.types import Record
from gobench_go.game.rules import Rules
from gobench_go.judged.files import FORMAT, rules_record, write
from gobench_go.judged.judging import AnyJudge, Game, judged_game
from gobench_go.judged.sets import JudgedSet

PLAN = "plan.json"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Text:
    """What a header says for people."""

    name: str
    version: str = "1"
    licence: str = "CC0-1.0"
    note: str = ""


@dataclass(frozen=True)
class JudgeJob:
    """One game, one file; travels to worker processes (``gobench.build.stages.Job``)."""

    folder: Path
    games: Sequence[Game]
    rules: Rules
    judge: AnyJudge

    def path(self, index: int) -> Path:
        """Where the piece lies."""
        return self.folder / f"g{index:05d}.json"

    def name(self, index: int) -> str:
        """What a message calls it."""
        return f"the judgements of game {index} ({self.games[index].origin or 'no origin'})"

    def __call__(self, index: int) -> None:
        record = judged_game(self.games[index], self.rules, self.judge, index)
        atomic.write(self.path(index), dumps(record) + b"\n")

    def close(self) -> None:
        """Let go of whoever judges."""
        self.judge.close()


def judge_games(
    games: Sequence[Game],
    rules: Rules,
    judge: AnyJudge,
    out: Path,
    text: Text,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> JudgedSet:
    """Judge every position of ``games`` and write them to ``out``; with an embedded teacher the same bytes for any
    number of workers. The judge is closed at the end.

    A call that was stopped goes on when it is made again: finished games lie in ``out`` + ".parts" until the end.

    Args:
        progress: called with ("judge", games done, games).

    Raises:
        UsageError: no games, or nothing legal about them.
        BuildError: the parts there are of another call, or another call is at work on them.
        ChildError: a judge that is a program of others broke down; what is finished is kept.
    """
    if not games:
        raise UsageError("there are no games to judge.")
    folder = out.with_name(out.name + ".parts")
    job = JudgeJob(folder, tuple(games), rules, judge.fresh())
    refusal = f"another process judges games in {folder}: wait for it."
    with interruptible(), atomic.lock(folder / ".lock", refusal), contextlib.closing(judge):
        _begin(job)
        _run(job, workers, progress)
        header: Record = {"rules": rules_record(rules), "oracle": judge.oracle, **vars(text)}
        found = write(out, header, [read_json(job.path(i)) for i in range(len(games))])
        shutil.rmtree(folder)
    return found


def _begin(job: JudgeJob) -> None:
    """Write down what is judged how, or compare it with what an earlier call wrote."""
    games = sha256(dumps([vars(game) for game in job.games]))
    plan = {
        "format": FORMAT,
        "games": games,
        "rules": rules_record(job.rules),
        "judge": job.judge.plan,
    }
    path = job.folder / PLAN
    atomic.remove_temporaries(job.folder)
    if not path.exists():
        atomic.write(path, dumps(plan) + b"\n")
    before = read_json(path)
    if differs := [key for key in plan if not isinstance(before, dict) or before.get(key) != plan[key]]:
        raise BuildError(
            f"{job.folder} holds judgements of another call: {', '.join(differs)} differ. Give the same arguments to go "
            "on, or remove the folder to start anew."
        )


def _run(job: JudgeJob, workers: int, progress: Progress | None) -> None:
    total = len(job.games)
    missing = [index for index in range(total) if not job.path(index).exists()]
    counted = total - len(missing)

    def done(index: int) -> None:
        nonlocal counted
        counted += 1
        if progress is not None:
            progress("judge", counted, total)

    if progress is not None:
        progress("judge", counted, total)
    if missing and job.judge.external:
        Threads(workers).run(job, missing, done)
    elif missing:
        from gobench_go.warm import warm

        warm()  # compile once, before workers start
        engine(workers).run(job, missing, done)
