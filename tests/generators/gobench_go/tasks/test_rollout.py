"""Rollouts: what ends them, what is counted, and that evidence alone says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError
from gobench.tasks import Suite, Task, View
from gobench.types import Array, Record
from gobench_go.benchmark import open_suite
from gobench_go.game.position import Position
from gobench_go.judged import JudgedSet
from gobench_go.tasks.line import STOPS

VIEW = View(80, 80, 3)
START = "g000-p001"  # after Black 12; White to move

Draw = Callable[[Array], Array]
Answer = Callable[..., Record]


@pytest.fixture
def task(open_made: Callable[[str], Suite]) -> Task:
    """Six plies at most; both games start at their opening, so that everything is at hand."""
    task: Any = open_made("standard").tasks[1]
    task.samples = [
        sample._replace(id=f"g00{n}-p001", ply=1, color=2) for n, sample in enumerate(task.samples)
    ]
    return task  # type: ignore[no-any-return]


def boards(judged: JudgedSet, *moves: int) -> list[Array]:
    """The boards after moves that follow Black 12; 25 is a pass."""
    position, found = Position.start(judged.rules).play(12), []
    for move in moves:
        position = position.play(move)
        found.append(position.board)
    return found


def column(task: Task, row: Record) -> dict[str, float]:
    return {name: float(values[0]) for name, values in task.table([row]).columns.items()}


def test_a_legal_line_goes_on_to_the_last_ply(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer
) -> None:
    row = answer(task, START, *(draw(b) for b in boards(judged, 0, 1, 24, 5, 20, 3)))
    assert row["stopped"] == "cap" and len(row["plies"]) == 6
    assert column(task, row) == {
        "plies_legal": 6, "legal_rollout": 1, "board_consistency": 1, "captures_drawn": 1, "ended": 0
    }  # fmt: skip
    assert task.table([row]).kinds == ["cap"] and task.table([row]).clean[0]


def test_an_unchanged_frame_is_a_pass_and_two_end_the_game(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer
) -> None:
    row = answer(task, START, *(draw(b) for b in boards(judged, 0, 25, 7, 25, 25)))
    assert row["stopped"] == "end"
    found = column(task, row)
    assert (found["plies_legal"], found["ended"], found["legal_rollout"]) == (6, 1, 1)  # the cap: 6
    assert np.isnan(found["captures_drawn"])


def test_a_capture_that_was_not_drawn_spoils_the_picture_and_not_the_game(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer
) -> None:
    line = boards(judged, 0, 1, 24, 5, 20, 3)
    for board in (shown := [b.copy() for b in line])[3:]:
        board.flat[0] = 2  # taken by Black 5, and still standing
    row = answer(task, START, *(draw(b) for b in shown))
    found = column(task, row)
    assert (row["stopped"], found["plies_legal"], found["captures_drawn"]) == ("cap", 6, 0)
    assert found["board_consistency"] == 0.5 and not task.table([row]).clean[0]


@pytest.mark.parametrize(
    ("points", "stopped"),
    [
        ({6: 2, 7: 2}, "several-stones"),
        ({6: 1}, "wrong-colour"),
        ({12: 0}, "vanished-stones"),
    ],
)
def test_a_frame_without_a_move_stops_it(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer, points: dict[int, int], stopped: str
) -> None:
    good = boards(judged, 0, 1)
    bad = good[-1].copy()
    for point, value in points.items():
        bad.flat[point] = value
    row = answer(task, START, *(draw(b) for b in (*good, bad)))
    found = column(task, row)
    assert row["stopped"] == stopped == task.table([row]).kinds[0]
    assert (found["plies_legal"], found["legal_rollout"]) == (2, 0)
    assert found["board_consistency"] == pytest.approx(2 / 3)


def test_a_stone_against_the_rules_stops_it(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer
) -> None:
    good = boards(judged, 0, 1, 24, 5)
    suicide = good[-1].copy()
    suicide.flat[0] = 2  # between Black 1 and 5
    row = answer(task, START, *(draw(b) for b in (*good, suicide)))
    assert row["stopped"] == "illegal-move" and column(task, row)["plies_legal"] == 4


def test_noise_and_nothing_stop_it(task: Task, answer: Answer) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 80, 80, 3)).astype(np.uint8)
    assert answer(task, START, noise)["stopped"] == "unreadable"
    row = answer(task, START, noise[:0])
    assert row["stopped"] == "missing" and column(task, row)["board_consistency"] == 0


def test_the_prompt_slides_over_the_models_own_frames(task: Task, judged: JudgedSet, draw: Draw) -> None:
    trial = task.trial(START, VIEW)
    drawn = [draw(b) for b in boards(judged, 0, 1, 24, 5)]
    shown = [*draw(judged.games[0].boards[:2])]
    for ply, frame in enumerate(drawn):
        asked = trial.ask()
        assert asked is not None and asked.n == 1 and asked.context["ask"] == ply
        assert asked.context["to_move"] == ("white", "black")[ply % 2]
        assert np.array_equal(asked.frames, np.stack(shown[-3:]))
        worn = np.clip(frame.astype(int) + 3, 0, 255).astype(np.uint8)  # the model's own, not what it meant
        trial.tell(worn)
        shown.append(worn[0])


def test_frames_are_kept_and_read_again_alike(
    task: Task, judged: JudgedSet, draw: Draw, play: Callable[..., int]
) -> None:
    good = boards(judged, 0, 1)
    bad = good[-1].copy()
    bad.flat[[6, 7]] = 2
    trial = task.trial(START, VIEW)
    play(trial, [draw(b) for b in (*good, bad)])
    row = {"id": START, **trial.evidence()}
    assert set(trial.kept(False)) == {"ply02"} and set(trial.kept(True)) == {"ply00", "ply01", "ply02"}
    assert task.reread(START, row, trial.kept(True)) == row  # type: ignore[attr-defined]
    early = task.reread(START, row, {"ply00": draw(bad)[0]})  # type: ignore[attr-defined]
    assert early["stopped"] == "several-stones" and len(early["plies"]) == 1


def test_evidence_that_goes_on_or_ends_early_is_refused(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer
) -> None:
    row = answer(task, START, *(draw(b) for b in boards(judged, 0, 25, 25)))
    for bad, message in (
        (row | {"plies": row["plies"] * 2}, "goes on"),
        (row | {"plies": row["plies"][:2]}, "ends after 2 legal plies"),
        ({"id": START, "tries": []}, "no list of plies"),
        (row | {"plies": [7]}, "an answer is a record"),
        ({"plies": row["plies"]}, "no sample"),
    ):
        with pytest.raises(DataError, match=message):
            task.table([bad])
        with pytest.raises(DataError, match=message):
            task.reread(START, bad, {})  # type: ignore[attr-defined]


def test_the_games_own_continuation_is_legal_consistent_and_ends() -> None:
    task = open_suite("go9-lite").tasks[1]
    rows: list[Record] = []
    for sample in task.ids[::10]:
        truth, trial = task.truth(sample, VIEW), task.trial(sample, VIEW)
        for frame in truth:
            assert trial.ask() is not None
            trial.tell(frame[None])
        while (asked := trial.ask()) is not None:  # the record ended before two passes
            trial.tell(asked.frames[-1:])
        rows.append({"id": sample, **trial.evidence()})
    table = task.table(rows)
    assert (table.columns["legal_rollout"] == 1).all() and (table.columns["board_consistency"] == 1).all()
    assert (table.columns["captures_drawn"] == 1).all() and set(table.kinds) == {"cap", "end"}


def test_stones_that_vanish_end_it_whatever_else_was_drawn(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer
) -> None:
    good = boards(judged, 0, 1)
    bad = good[-1].copy()
    bad.flat[[6, 12]] = 2, 0  # White's stone, and a black one that nobody took
    row = answer(task, START, *(draw(b) for b in (*good, bad)))
    assert row["stopped"] == "vanished-stones" and column(task, row)["plies_legal"] == 2


@pytest.mark.parametrize("passes", [1, 2])
def test_without_a_stone_a_rollout_counts_nothing(
    task: Task, judged: JudgedSet, draw: Draw, answer: Answer, passes: int
) -> None:
    still = draw(judged.games[0].boards[1])
    noise = np.random.default_rng(0).integers(0, 256, (1, 80, 80, 3)).astype(np.uint8)
    row = answer(task, START, *[still] * passes, noise)
    assert row["stopped"] == ("end" if passes == 2 else "unreadable")
    found = column(task, row)
    assert (found["plies_legal"], found["legal_rollout"]) == (0, 0)


def test_a_still_picture_passes_twice() -> None:
    task = open_suite("go9-lite").tasks[1]
    trial = task.trial(task.ids[0], VIEW)
    for _ in range(2):
        asked = trial.ask()
        assert asked is not None
        trial.tell(asked.frames[-1:])
    assert trial.ask() is None and trial.evidence()["stopped"] == "end"


@pytest.mark.parametrize(("suite", "a_game"), [("go9-lite", 1), ("go7-lite", 2)])
def test_starts_are_at_the_opening_and_in_the_middle_and_no_question_twice(suite: str, a_game: int) -> None:
    task: Any = open_suite(suite).tasks[1]
    games = task.judged.games
    assert len(task.samples) == len(set(task.ids)) == a_game * len(games)
    early = [s.ply <= games[s.game].opening + 4 for s in task.samples]
    assert 0.45 <= np.mean(early) < 0.6
    assert all(games[s.game].opening <= s.ply < len(games[s.game].moves) for s in task.samples)
    prompts = set[bytes]()
    for sample in task.ids:
        asked = task.trial(sample, View(64, 64, 8)).ask()
        prompts.add(asked.context["to_move"].encode() + asked.frames.tobytes())
    assert len(prompts) == len(task.ids)


def test_every_stop_and_metric_is_explained(task: Task) -> None:
    assert task.kinds == STOPS and all(STOPS.values()) and task.chained
    assert all(metric.about for metric in task.metrics.values())
    assert list(task.table([]).columns) == list(task.metrics)
