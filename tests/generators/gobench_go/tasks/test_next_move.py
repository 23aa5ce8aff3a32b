"""The next-move task on judged positions made by hand: every metric and every kind as defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError, UsageError
from gobench.tasks import Suite, Task, View
from gobench.types import Array, Record
from gobench_go.game.position import board_of, text_of
from gobench_go.tasks.reading import KINDS

VIEW = View(80, 80, 4)
SAMPLE = "g000-p004"  # Black to move; 12, 1 are black, 0, 24 white; 5 is the best move and takes 0
BEFORE = "OX...", ".....", "..X..", ".....", "....O"

Open = Callable[[str], Suite]
Draw = Callable[[Array], Array]
Answer = Callable[..., Record]


@pytest.fixture
def task(open_made: Open) -> Task:
    return open_made("standard").tasks[0]


def board(**points: int) -> Array:
    """The board before with points changed: p7=1 puts a black stone on point 7."""
    changed = board_of("".join(BEFORE), 5, 5).copy()
    for name, value in points.items():
        changed.flat[int(name[1:])] = value
    return changed


def column(task: Task, row: Record) -> dict[str, float]:
    return {name: float(values[0]) for name, values in task.table([row]).columns.items()}


def test_positions_are_asked_once_from_the_opening_on_and_never_for_a_pass(task: Task) -> None:
    assert task.ids == ("g000-p002", "g000-p003", "g000-p004", "g001-p005")
    settings = task.settings
    assert (settings["samples"], settings["repeats"], settings["best_is_pass"]) == (4, 3, 2)


def test_the_prompt_is_the_last_frames_of_the_game(task: Task, draw: Draw) -> None:
    game, ply = task.position(SAMPLE)  # type: ignore[attr-defined]
    for frames in (1, 3, 8):
        asked = task.trial(SAMPLE, VIEW._replace(frames=frames)).ask()
        assert asked is not None and asked.n == 1
        assert (asked.context["to_move"], asked.context["id"], asked.context["ask"]) == ("black", SAMPLE, 0)
        assert np.array_equal(asked.frames, draw(game.boards[max(0, ply + 1 - frames) : ply + 1]))


# the best value is 0.6, its lead 6; the largest policy is the pass's, 0.5; the worst move is the pass: value 0, lead 0
@pytest.mark.parametrize(
    ("points", "want"),
    [
        pytest.param(
            {"p5": 1, "p0": 0},
            {"accuracy": 1, "accuracy_with_ties": 1, "policy_ratio": 0.5, "value_ratio": 1, "winrate_loss": 0,
             "score_loss": 0, "exact_frame": 1, "exact_capture": 1},
            id="best",
        ),
        pytest.param(
            {"p6": 1},
            {"accuracy": 0, "accuracy_with_ties": 1, "policy_ratio": 0.25, "value_ratio": 0.595 / 0.6,
             "winrate_loss": 0.005, "score_loss": 0.05, "exact_frame": 1, "exact_capture": np.nan},
            id="within the margin of ties",
        ),
        pytest.param({"p7": 1}, {"accuracy_with_ties": 1, "winrate_loss": 0.01}, id="on the margin of ties"),
        pytest.param({"p8": 1}, {"accuracy_with_ties": 0, "winrate_loss": 0.011}, id="beyond the margin of ties"),
        pytest.param(
            {"p9": 1},
            {"accuracy": 0, "accuracy_with_ties": 1, "value_ratio": 0.8 / 0.6, "winrate_loss": 0, "score_loss": 0},
            id="valued above the best",
        ),
        pytest.param(
            {"p5": 1},
            {"accuracy": 1, "winrate_loss": 0, "exact_frame": 0, "exact_capture": 0, "legal_first_try": 1},
            id="the best, capture not drawn",
        ),
    ],
)  # fmt: skip
def test_a_legal_move_is_worth_what_the_judge_says(
    task: Task, draw: Draw, answer: Answer, points: dict[str, int], want: dict[str, float]
) -> None:
    found = column(task, answer(task, SAMPLE, draw(board(**points))))
    assert found["legal_first_try"] == found["legal_within_k"] == 1
    assert {name: found[name] for name in want} == pytest.approx(want, nan_ok=True)


def test_an_answer_without_a_legal_move_counts_nothing_and_loses_as_the_worst_move_the_pass_included(
    task: Task, draw: Draw, answer: Answer
) -> None:
    found = column(task, answer(task, SAMPLE, draw(board())))
    zero = (
        "legal_first_try",
        "legal_within_k",
        "accuracy",
        "accuracy_with_ties",
        "policy_ratio",
        "value_ratio",
        "exact_frame",
    )
    assert {name: found[name] for name in zero} == dict.fromkeys(zero, 0.0)
    assert (found["winrate_loss"], found["score_loss"]) == pytest.approx((0.6, 6.0))
    assert np.isnan(found["exact_capture"])


def test_the_value_ratio_is_left_out_of_lost_positions_whatever_was_answered(
    task: Task, draw: Draw, answer: Answer
) -> None:
    lost = "g000-p003"  # V(best) = 0.04
    still = task.trial(lost, VIEW).ask()
    best = answer(task, lost, task.truth(lost, VIEW))
    assert still is not None and np.isnan(column(task, best)["value_ratio"])
    assert np.isnan(column(task, answer(task, lost, still.frames[-1:]))["value_ratio"])
    assert task.metrics["value_ratio"].conditional


@pytest.mark.parametrize(
    ("points", "kind", "legal"),
    [
        ({"p6": 1}, "clean", True),
        ({"p5": 1, "p0": 0}, "capture", True),
        ({}, "no-change", False),
        ({"p6": 1, "p7": 1}, "several-stones", False),
        ({"p6": 2}, "wrong-colour", False),
        ({"p0": 1}, "wrong-colour", False),
        ({"p6": 1, "p24": 0}, "vanished-stones", False),
        ({"p24": 0}, "vanished-stones", False),
        ({"p5": 1}, "capture-not-drawn", True),
    ],
)
def test_every_way_to_draw_has_its_kind(
    task: Task, draw: Draw, answer: Answer, points: dict[str, int], kind: str, legal: bool
) -> None:
    row = answer(task, SAMPLE, draw(board(**points)))
    table = task.table([row])
    assert (table.kinds[0], bool(table.columns["legal_first_try"][0])) == (kind, legal)
    assert table.clean[0] == (kind in ("clean", "capture"))
    assert len(row["tries"]) == (1 if legal else 10)


def test_a_constant_picture_with_one_stone_plays_nothing(open_made: Open, draw: Draw, answer: Answer) -> None:
    """Wherever other stones stood, they vanished: no move counts, under any number of tries."""
    lone = board_of("." * 7 + "X" + "." * 17, 5, 5)
    for protocol in ("standard", "paper"):
        task = open_made(protocol).tasks[0]
        table = task.table([answer(task, sample, draw(lone)) for sample in task.ids])
        assert (table.columns["legal_within_k"] == 0).all() and not table.clean.any()
        assert set(table.kinds) <= {"vanished-stones", "wrong-colour"}


def test_a_half_drawn_stone_is_ambiguous_and_its_move_counts(task: Task, draw: Draw, answer: Answer) -> None:
    frames = [draw(board(p6=1)).astype(int), draw(board()).astype(int)]
    for share in (0.5, 0.52, 0.54, 0.56, 0.58, 0.6):
        mixed = (share * frames[0] + (1 - share) * frames[1]).astype(np.uint8)
        row = answer(task, SAMPLE, mixed)
        table = task.table([row])
        if table.kinds[0] == "ambiguous":
            break
    assert table.kinds[0] == "ambiguous" and not table.clean[0]
    assert row["tries"][0]["unsure"] == [6] and row["tries"][0]["confidence"] < 0.15
    assert table.columns["legal_first_try"][0] == 1 and table.columns["exact_frame"][0] == 0


def test_noise_is_unreadable_and_nothing_is_missing(task: Task, answer: Answer) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 80, 80, 3)).astype(np.uint8)
    assert task.table([answer(task, SAMPLE, noise)]).kinds == ["unreadable"]
    row = answer(task, SAMPLE, noise[:0])
    assert row == {"id": SAMPLE, "tries": [{"missing": True}]}
    assert task.table([row]).kinds == ["missing"]


def test_tries_go_on_until_the_first_legal_move(task: Task, draw: Draw, answer: Answer) -> None:
    wrong, still, right = draw(board(p6=2)), draw(board()), draw(board(p5=1, p0=0))
    row = answer(task, SAMPLE, wrong, still, right)
    assert len(row["tries"]) == 3
    found = column(task, row)
    assert (found["legal_first_try"], found["legal_within_k"], found["accuracy"]) == (0, 1, 0)
    assert task.table([row]).kinds == ["wrong-colour"]


def test_under_the_papers_conditions_the_first_legal_try_counts(
    open_made: Open, draw: Draw, answer: Answer
) -> None:
    task = open_made("paper").tasks[0]
    assert task.ids == ("g000-p002", "g000-p004")
    row = answer(task, SAMPLE, draw(board(p6=2)), draw(board(p5=1, p0=0)))
    found = column(task, row)
    assert (found["legal_first_try"], found["accuracy"], found["exact_capture"]) == (0, 1, 1)
    assert task.table([row]).kinds == ["capture"]
    assert "first legal try" in task.metrics["accuracy"].about
    never = column(task, answer(task, SAMPLE, draw(board())))
    assert never["legal_within_k"] == 0 and never["winrate_loss"] == pytest.approx(0.6)


def test_rows_may_come_in_any_order_and_be_a_part(task: Task, draw: Draw, answer: Answer) -> None:
    rows = [answer(task, sample, task.truth(sample, VIEW)) for sample in reversed(task.ids)]
    table = task.table(rows)
    assert list(table.ids) == list(task.ids) and table.clusters.tolist() == [0, 0, 0, 1]
    assert table.columns["accuracy"].tolist() == [1, 1, 1, 1]
    assert list(task.table(rows[1:2]).ids) == [task.ids[2]]
    assert len(task.table([]).ids) == 0


def test_slices_are_parts_of_the_samples(task: Task, answer: Answer) -> None:
    rows = [answer(task, sample, task.truth(sample, VIEW)) for sample in task.ids]
    table = task.table(rows, {"g000-p002": True, "g000-p003": False, "g000-p004": True})
    assert all(len(mask) == 4 and mask.dtype == np.bool_ for mask in table.slices.values())
    for group in ("phase", "colour", "entropy"):
        masks = [mask for name, mask in table.slices.items() if name.startswith(f"{group}: ")]
        assert len(masks) > 1 and (np.sum(masks, axis=0) == 1).all()
    assert table.slices["colour: black"].tolist() == [True, False, True, False]
    assert table.slices["capture available"].tolist() == [False, False, True, False]
    assert table.slices["training: novel"].tolist() == [True, False, True, False]
    assert table.slices["training: seen"].tolist() == [False, True, False, False]
    assert "training: novel" not in task.table(rows).slices


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row | {"id": "g000-p001"}, "no sample 'g000-p001'"),
        (lambda row: row | {"tries": []}, "no 1 to 10 tries"),
        (lambda row: row | {"tries": row["tries"] * 2}, "does not stop"),
        (lambda row: row | {"tries": [row["tries"][0] | {"board": "." * 24}]}, "board of 25"),
        (lambda row: row | {"tries": [row["tries"][0] | {"board": "".join(BEFORE)}]}, "does not stop"),
        (lambda row: {"id": row["id"]}, "tries"),
        (lambda row: row | {"tries": [None]}, "an answer is a record"),
        (lambda row: row | {"id": [1]}, "no sample"),
        (lambda row: {}, "no sample"),
        (lambda row: "row", "no sample"),
    ],
)
def test_evidence_that_cannot_be_is_refused(
    task: Task, draw: Draw, answer: Answer, change: Callable[[Record], Record], message: str
) -> None:
    row = answer(task, SAMPLE, draw(board(p6=1)))
    with pytest.raises(DataError, match=message):
        task.table([change(row)])
    with pytest.raises(DataError, match=message):
        task.reread(SAMPLE, change(row), {})  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="two rows"):
        task.table([row, row])


def test_frames_that_were_not_read_cleanly_are_kept_and_read_again_alike(
    task: Task, draw: Draw, play: Callable[..., int]
) -> None:
    still, wrong, right = draw(board()), draw(board(p6=2)), draw(board(p5=1, p0=0))
    trial = task.trial(SAMPLE, VIEW)
    play(trial, [still, still, wrong, right])
    row = {"id": SAMPLE, **trial.evidence()}
    assert set(trial.kept(False)) == {"try0", "try2"}  # try1 is try0 again
    assert set(trial.kept(True)) == {"try0", "try2", "try3"}
    kept = trial.kept(True)
    assert task.reread(SAMPLE, row, kept) == row  # type: ignore[attr-defined]
    old = row | {"tries": [a | {"board": text_of(board(p7=2))} for a in row["tries"][:2]] + row["tries"][2:]}
    assert task.reread(SAMPLE, old, {"try0": kept["try0"]}) == row  # type: ignore[attr-defined]
    legal = task.reread(SAMPLE, row, {"try0": right[0]})  # type: ignore[attr-defined]
    assert len(legal["tries"]) == 1 and task.table([legal]).columns["legal_first_try"][0] == 1


def test_the_truth_is_the_board_after_the_best_move(task: Task, draw: Draw) -> None:
    assert np.array_equal(task.truth(SAMPLE, VIEW), draw(board(p5=1, p0=0)))


def test_a_view_that_cannot_be_drawn_is_an_error(task: Task) -> None:
    with pytest.raises(UsageError, match="square"):
        task.trial(SAMPLE, View(80, 100, 1))
    with pytest.raises(UsageError):
        task.trial(SAMPLE, View(8, 8, 1))
    with pytest.raises(DataError, match="no sample"):
        task.trial("g009-p001", VIEW)


def test_one_answer_of_any_size_and_length_is_read_by_the_zero_shot_protocol(
    open_made: Open, draw: Draw, answer: Answer
) -> None:
    task = open_made("zero-shot").tasks[0]
    asked = task.trial(SAMPLE, VIEW).ask()
    assert asked is not None and asked.n == 0 and task.settings["tries"] == 1
    video = np.repeat(draw(np.stack([board(), board(p6=1)])), 5, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    row = answer(task, SAMPLE, video)
    found: Any = row["tries"][0]
    assert (found["frames"], found["settled"], found["board"]) == (10, 9, text_of(board(p6=1)))
    assert found["boards"] == [text_of(board())] and found["registered"]["registered"]
    assert task.table([row]).kinds == ["clean"]
    noise = np.random.default_rng(0).integers(0, 256, (4, 50, 70, 3)).astype(np.uint8)
    row = answer(task, SAMPLE, noise)
    assert "unreadable" in row["tries"][0] and task.table([row]).kinds == ["unreadable"]
    assert answer(task, SAMPLE, video[:0])["tries"] == [{"missing": True}]


def test_every_kind_and_metric_is_explained(task: Task) -> None:
    assert task.kinds == KINDS and all(KINDS.values())
    assert all(metric.about and metric.better in ("higher", "lower") for metric in task.metrics.values())
    assert list(task.table([]).columns) == list(task.metrics)
