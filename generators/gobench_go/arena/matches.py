"""Matches in a folder: planned first, one file a game while they are played, tables and records at the end.

===================  =======================================================================================
``plan.json``        the players' identities, rules, openings, seed, limits; written first, compared on resume
``pieces/``          finished games, until the match is finished
``games.jsonl``      the games in the order of the plan: ``gobench_go.arena.games``
``sgf/*.sgf``        the same for people and programs
``times.jsonl``      seconds; the only file that differs between two runs of players that repeat themselves
``summary.json``     tables: ``gobench_go.arena.tables``
``index.html``       all of it, to be looked at
===================  =======================================================================================
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gobench import atomic
from gobench.build.engine import engine, interruptible
from gobench.canonical import dumps, loads, pretty, read_json
from gobench.errors import BuildError, DataError
from gobench.types import Record
from gobench_go.arena.another_match import differing
from gobench_go.arena.games import GAMES, read_games, write_games
from gobench_go.arena.pairs import pair_points
from gobench_go.arena.pieces import MatchJob, Piece
from gobench_go.arena.plan import Plan
from gobench_go.arena.referee import Watch, drawn
from gobench_go.arena.result import GameResult
from gobench_go.arena.sprt import Decision, decide

PLAN, PIECES, SGF, TIMES, SUMMARY, PAGE = (
    "plan.json", "pieces", "sgf", "times.jsonl", "summary.json", "index.html",
)  # fmt: skip
LOCK = ".lock"

Progress = Callable[[Sequence[GameResult], int], None]


@dataclass(frozen=True)
class Match:
    """A finished match."""

    folder: Path
    plan: Plan
    games: tuple[GameResult, ...]
    times: tuple[Record, ...]  # lines of ``times.jsonl``
    summary: Record


class _DecidedError(Exception):
    """Internal: the test is decided, no further game is needed."""


def play_match(
    plan: Plan,
    folder: Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Match:
    """Play all games of a plan into ``folder``, or what is left of them; the same bytes for any number of workers where
    the players repeat themselves.

    Args:
        progress: called with (finished games in the order in which they ended, games planned).
        watch: called at every move; needs one worker.

    Raises:
        UsageError: a player that cannot play this board.
        BuildError: the folder holds another match (more games of the same one may be asked for), or something else; or
            another call is at work in it.
    """
    refusal = f"another match is being played in {folder}: wait until it ends, or choose another --out."
    _refuse_foreign(folder)
    with interruptible(), atomic.lock(folder / LOCK, refusal):
        if overwrite:
            _clear(folder)
        job = _job(plan, folder, watch)
        _begin(plan, job)
        if (folder / GAMES).exists():
            return _finished(plan, folder)
        _rehearse(plan, folder, job)
        try:
            pieces = _play(plan, job, workers, progress)
        finally:
            job.close()
        return _assemble(plan, folder, pieces)


def _job(plan: Plan, folder: Path, watch: Watch | None) -> MatchJob:
    texts = {entry.name: entry.text for entry in plan.entries}
    fixtures = tuple(plan.fixtures)
    return MatchJob(folder / PIECES, fixtures, texts, plan.rules, plan.limits, plan.conditions, watch)


def _refuse_foreign(folder: Path) -> None:
    """Raise BuildError for a folder that holds other things than a match. Writes nothing."""
    if folder.exists() and not folder.is_dir():
        raise BuildError(f"{folder} is a file: give a folder for the match.")
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    strangers = [name for name in names if not name.startswith(".")]
    if strangers and not (folder / PLAN).exists():
        raise BuildError(
            f"{folder} is not empty and holds no match ({', '.join(strangers[:5])}): choose another --out."
        )


def _clear(folder: Path) -> None:
    """Remove a match and nothing else; the plan goes last, so that this can be repeated."""
    try:
        for name in (PIECES, SGF):
            if (folder / name).exists():
                shutil.rmtree(folder / name)
        for name in (GAMES, TIMES, SUMMARY, PAGE, PLAN):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise atomic.explain(error, Path(error.filename or folder)) from error


def _begin(plan: Plan, job: MatchJob) -> None:
    """Write the plan, or compare it with the one that is there: it may only have fewer games."""
    folder = job.folder.parent
    atomic.remove_temporaries(folder, job.folder)
    path, record = folder / PLAN, plan.record
    if not path.exists():
        atomic.write(path, pretty(record))
    before = read_json(path)
    if not isinstance(before, dict):
        raise DataError(f"{path} is no plan of a match: --overwrite starts anew.")
    if record == before | {"games": plan.games} and plan.games > before.get("games", plan.games):
        _reopen(folder, job)
        atomic.write(path, pretty(record))
    elif differs := differing(before, record):
        raise BuildError(
            f"{folder} holds another match: {'; '.join(differs)}. Give the same arguments to go on, another --out, or "
            "--overwrite to start anew."
        )


def _reopen(folder: Path, job: MatchJob) -> None:
    """Take a finished match apart again, so that it goes on; the games of a longer plan begin with those of a shorter."""
    if not (folder / GAMES).exists():
        return
    times = {line["game"]: line for line in _times(folder)}
    for index, game in enumerate(read_games(folder)):
        spent = times.get(game.game, {"black": 0.0, "white": 0.0, "wall": 0.0})
        job.write(index, Piece(game, (spent["black"], spent["white"]), spent["wall"]))
    (folder / GAMES).unlink()


def _times(folder: Path) -> list[Record]:
    path = folder / TIMES
    return [loads(line, str(path)) for line in path.read_bytes().splitlines()] if path.exists() else []


def _play(plan: Plan, job: MatchJob, workers: int, progress: Progress | None) -> list[Piece]:
    """Play what is missing; the pieces of the plan, up to the one that decided the test."""
    board = _Board(plan, job, progress)
    missing = [i for i in range(len(job.fixtures)) if i not in board.pieces]
    with contextlib.suppress(_DecidedError):
        board.check()
        if missing:
            _warm(plan)
            engine(workers).run(job, missing, board.done)
    return board.counted()


def _warm(plan: Plan) -> None:
    """Compile once, before workers start, what embedded teachers need."""
    if any(entry.identity["kind"] == "teacher" for entry in plan.entries):
        from gobench_go import teachers

        teachers.warm()


class _Board:
    """What is finished, and whether that is enough."""

    def __init__(self, plan: Plan, job: MatchJob, progress: Progress | None) -> None:
        self.plan, self.job, self.progress = plan, job, progress
        there = [index for index in range(len(job.fixtures)) if job.path(index).exists()]
        self.pieces = {index: job.read(index) for index in there}
        self.results = [piece.result for piece in self.pieces.values()]
        self._say()

    def done(self, index: int) -> None:
        """A game has ended. Raises _DecidedError when no other is needed."""
        self.pieces[index] = self.job.read(index)
        self.results.append(self.pieces[index].result)
        self._say()
        self.check()

    def check(self) -> None:
        """Raises _DecidedError."""
        if self.plan.sprt is not None and self._decided(self._in_order()):
            raise _DecidedError

    def counted(self) -> list[Piece]:
        """The finished games without a gap, up to the pair that decided."""
        pieces = self._in_order()
        return pieces[: self._decided(pieces) or len(pieces)]

    def _decided(self, pieces: Sequence[Piece]) -> int:
        """After how many games the test is decided; 0 while it is not."""
        found = decision(self.plan, [piece.result for piece in pieces])
        return 2 * found.pairs if found is not None and found.verdict != "undecided" else 0

    def _in_order(self) -> list[Piece]:
        """What is finished without a gap."""
        found: list[Piece] = []
        while (index := len(found)) in self.pieces:
            found.append(self.pieces[index])
        return found

    def _say(self) -> None:
        if self.progress is not None:
            self.progress(self.results, len(self.job.fixtures))


def decision(plan: Plan, games: Sequence[GameResult]) -> Decision | None:
    """How the plan's test stands after these games; None for a match without one."""
    if plan.sprt is None:
        return None
    return decide(plan.sprt, pair_points(games, plan.entries[0].name))


def _rehearse(plan: Plan, folder: Path, job: MatchJob) -> None:
    """Make tables and page of one game that nobody played and throw them away, so that what the end of a match needs is
    loaded, and known to work, before hours of play.
    """
    from gobench_go.arena.game_sgf import sgf_of
    from gobench_go.arena.report import page
    from gobench_go.arena.tables import summary

    game = drawn(job.fixtures[0])
    sgf_of(game, plan)
    page.render(Match(folder, plan, (game,), (), summary(plan, [game], decision(plan, [game]))))


def _assemble(plan: Plan, folder: Path, pieces: Sequence[Piece]) -> Match:
    """Write everything; ``games.jsonl`` last, for its presence means done."""
    from gobench_go.arena.game_sgf import sgf_of
    from gobench_go.arena.report import page
    from gobench_go.arena.tables import summary

    games = tuple(piece.result for piece in pieces)
    times = tuple(piece.times for piece in pieces)
    if (folder / SGF).exists():
        shutil.rmtree(folder / SGF)
    for game in games:
        atomic.write(folder / SGF / f"{game.game}.sgf", sgf_of(game, plan))
    atomic.write(folder / TIMES, b"".join(dumps(line) + b"\n" for line in times))
    match = Match(folder, plan, games, times, summary(plan, games, decision(plan, games)))
    atomic.write(folder / SUMMARY, pretty(match.summary))
    atomic.write(folder / PAGE, page.render(match).encode())
    write_games(folder / GAMES, games)
    shutil.rmtree(folder / PIECES)
    return match


def _finished(plan: Plan, folder: Path) -> Match:
    from gobench_go.arena.tables import summary

    shutil.rmtree(folder / PIECES, ignore_errors=True)  # left where the end of a match was cut short
    games = tuple(read_games(folder))
    return Match(folder, plan, games, tuple(_times(folder)), summary(plan, games, decision(plan, games)))
