"""Judged games made by hand on 5x5, and answers drawn as frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gobench.tasks import Suite, Task, Trial, View
from gobench.types import Array, Record
from gobench_go.benchmark import SuiteRow
from gobench_go.game.kernels import legal_mask, replay
from gobench_go.game.rules import Rules, named
from gobench_go.judged import Judged, JudgedGame, JudgedSet
from gobench_go.video import render
from gobench_go.video.themes import look

VIEW = View(80, 80, 4)
GAMES = {"g000": [12, 0, 1, 24, 5], "g001": [12, 0, 1, 24, 6, 20]}
"""Black 5 of g000 takes the white stone at 0; g001 begins as g000 does."""
BEST = {0: 12, 1: 25, 2: 1, 3: 24, 4: 5, 5: 20}  # ply -> best move; 25 is the pass


def _judged(rules: Rules, moves: list[int], ply: int) -> Judged:
    """V is 0.3 but for what is said here; leads are ten times V."""
    legal = legal_mask(rules, None, moves[:ply])
    value, policy = np.full(26, 0.3), np.full(26, 0.01)
    best = BEST[ply]
    value[best], policy[best] = 0.6, 0.25
    if ply == 3:
        value[:] = 0.01
        value[best] = 0.04
    if ply == 4:
        value[[6, 7, 8, 9, 10]] = 0.595, 0.59, 0.589, 0.8, 0.1
        policy[[6, 25]] = 0.125, 0.5
        value[25] = 0.0
    value[~legal] = np.nan
    policy[~legal] = 0
    visits = np.zeros(26, np.int64)
    return Judged(policy, legal, value, value * 10, visits, best, float(value[best]), float(value[best] * 10))


def _game(rules: Rules, name: str, moves: list[int]) -> JudgedGame:
    colors = [1 + ply % 2 for ply in range(len(moves))]
    boards = replay(rules, None, moves).boards
    positions = [_judged(rules, moves, ply) for ply in range(len(moves))]
    return JudgedGame(name, moves, colors, 1, boards, positions, 0.0)


@pytest.fixture(scope="session")
def judged() -> JudgedSet:
    rules = named("benchmark", 5, komi=25.0)
    oracle: Record = {"name": "hand", "version": "1", "visits": 1}
    games = [_game(rules, name, moves) for name, moves in GAMES.items()]
    return JudgedSet("hand-made", "1", rules, oracle, "", "CC0", games, "0" * 64)


@pytest.fixture
def open_made(judged: JudgedSet, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Suite]:
    """Protocol -> a suite on the games made by hand."""
    from gobench_go import benchmark

    row = SuiteRow("made by hand", "hand-made", "hand", "score_loss", 6, 1, (0.5, 2.0))
    monkeypatch.setattr(benchmark, "SUITES", {"hand": row})
    monkeypatch.setattr(benchmark, "open_set", lambda name: judged)
    return lambda protocol: benchmark.open_suite.__wrapped__("hand", protocol)


@pytest.fixture(scope="session")
def draw() -> Callable[..., Array]:
    """Boards [n, R, C] (or one [R, C]) -> frames uint8 [n, 80, 80, 3]."""

    def drawn(boards: Array) -> Array:
        table = np.asarray(boards, np.uint8)
        table = table if table.ndim == 3 else table[None]
        return render.frames(look("videoworld", VIEW.height, *table.shape[1:]), table)

    return drawn


@pytest.fixture(scope="session")
def play() -> Callable[[Trial, Sequence[Array]], int]:
    """Plays a trial with ready answers, the last one again and again; returns how many were asked for."""

    def played(trial: Trial, answers: Sequence[Array]) -> int:
        asked = 0
        while trial.ask() is not None:
            trial.tell(answers[min(asked, len(answers) - 1)])
            asked += 1
        return asked

    return played


@pytest.fixture(scope="session")
def answer(play: Callable[[Trial, Sequence[Array]], int]) -> Callable[..., Record]:
    """Task, sample and answers -> the row of evidence, as the core writes it."""

    def row(task: Task, sample: str, *answers: Array) -> Record:
        trial = task.trial(sample, VIEW)
        play(trial, answers)
        return {"id": sample, **trial.evidence()}

    return row
