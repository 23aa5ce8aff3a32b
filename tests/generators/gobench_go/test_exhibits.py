"""Samples of the Go tasks as pictures: what is drawn is what the judge and the evidence say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError
from gobench.tasks import View
from gobench_go import exhibits
from gobench_go.benchmark import open_suite
from gobench_go.video import read
from gobench_go.video.themes import look

SIDE = exhibits.SIDE
VIEW = View(SIDE, SIDE, 1)
SAMPLE = "g005-p040"


@pytest.fixture(scope="module")
def task() -> Any:
    return open_suite("go9-lite").tasks[0]


def play(task: Any, frames: list[np.ndarray]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The evidence of a sample that is answered with these frames, the last one again and again."""
    trial = task.trial(SAMPLE, VIEW)
    for number in range(task.tries):
        if trial.ask() is None:
            break
        trial.tell(frames[min(number, len(frames) - 1)])
    return {"id": SAMPLE, **trial.evidence()}, dict(trial.kept(True))


def boards(pictures: list[np.ndarray]) -> np.ndarray:
    return read.boards(look("videoworld", SIDE, 9, 9), np.stack(pictures))[0]


def with_stone(board: np.ndarray, point: int, color: int) -> np.ndarray:
    from gobench_go.video import render

    after = board.copy()
    after.flat[point] = color
    return render.frames(look("videoworld", SIDE, 9, 9), after[None])


def test_prompt_answer_truth_and_judgement_stand_side_by_side(task: Any) -> None:
    row, kept = play(task, [task.truth(SAMPLE, VIEW)])
    shown = task.exhibit(SAMPLE, row, kept)
    game, ply = task.position(SAMPLE)
    captions = [caption for caption, _ in shown.pictures]
    assert captions[:3] == ["prompt, Black to move", "answer, as generated", "truth: E4"]
    assert all(
        picture.dtype == np.uint8 and picture.shape == (SIDE, SIDE, 3) for _, picture in shown.pictures
    )
    prompt, answer, truth = boards([picture for _, picture in shown.pictures[:3]])
    assert (prompt == game.boards[ply]).all() and (answer == truth).all() and (answer != prompt).any()
    assert shown.facts["move played"] == shown.facts["best move"] and shown.facts["move played"].startswith(
        "E4 (policy"
    )
    assert shown.facts["it costs"].startswith("0.0 points of 100") and shown.facts["read as"].startswith(
        "clean: "
    )


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ({"missing": True}, {"no answer": "nothing was given for this sample"}),
        (
            {"unreadable": "never-still", "frames": 9, "settled": -1},
            {
                "frames": "9; none of them is the answer",
                "unreadable": "never-still: it never stands still, so no frame is the answer",
            },
        ),
        ({"unreadable": "lost", "frames": 2, "settled": -1}, {"unreadable": "lost"}),
    ],
)
def test_a_video_that_says_nothing_is_explained(answer: dict[str, Any], facts: dict[str, str]) -> None:
    task: Any = open_suite("go9-lite", "zero-shot").tasks[0]
    shown = task.exhibit(task.ids[0], {"id": task.ids[0], "tries": [answer]}, {})
    assert facts.items() <= shown.facts.items()
    assert shown.facts["move played"] == "none" and "frame 0" not in str(shown.facts)


def test_what_a_worse_move_costs(task: Any) -> None:
    game, ply = task.position(SAMPLE)
    judged = game.positions[ply]
    row, kept = play(task, [with_stone(game.boards[ply], 8, 1)])  # J9, the top right corner
    facts = task.exhibit(SAMPLE, row, kept).facts
    loss = 100 * (judged.value[judged.best] - judged.value[8])
    assert facts["move played"].startswith("J9 ") and facts["it costs"].startswith(
        f"{loss:.1f} points of 100"
    )


def test_an_illegal_answer_and_its_tries(task: Any) -> None:
    game, ply = task.position(SAMPLE)
    still = task.trial(SAMPLE, VIEW).ask().frames[-1:]
    white = with_stone(game.boards[ply], 8, 2)
    row, kept = play(task, [still, still, white])
    shown = task.exhibit(SAMPLE, row, kept)
    captions = [caption for caption, _ in shown.pictures]
    assert captions[1:3] == [
        "tries 1 to 2, all alike, as generated",
        "tries 3 to 10, all alike, as generated",
    ]
    assert shown.facts["move played"] == "none" and shown.facts["tries"] == "10; try 1 counts"
    stones = game.positions[ply].value[:-1]
    worst = 100 * (game.positions[ply].value[game.positions[ply].best] - np.nanmin(stones))
    assert shown.facts["counted as the worst legal move, it costs"].startswith(f"{worst:.1f} points of 100")
    assert shown.facts["read as"].startswith("no-change: ")


def test_under_the_paper_protocol_the_first_legal_try_counts() -> None:
    task = open_suite("go9-lite", "paper").tasks[0]
    still = task.trial(SAMPLE, VIEW).ask().frames[-1:]
    row, kept = play(task, [still, task.truth(SAMPLE, VIEW)])
    facts = task.exhibit(SAMPLE, row, kept).facts
    assert facts["tries"] == "2; try 2 counts" and facts["move played"].startswith("E4 ")


def test_frames_that_were_not_kept_are_drawn_again_and_say_so(task: Any) -> None:
    row, kept = play(task, [task.truth(SAMPLE, VIEW)])
    caption, picture = task.exhibit(SAMPLE, row, {}).pictures[1]
    assert caption == "answer, drawn again from what was read" and (picture == kept["try0"]).all()


def test_no_answer_and_no_evidence(task: Any) -> None:
    missing = {"id": SAMPLE, "tries": [{"missing": True}]}
    shown = task.exhibit(SAMPLE, missing, {})
    assert shown.facts["read as"] == "missing: there was no answer" and len(shown.pictures) == 3
    nothing = task.exhibit(SAMPLE, None, {})
    assert "move played" not in nothing.facts and len(nothing.pictures) == 3
    with pytest.raises(DataError):
        task.exhibit("g999-p000", None, {})


def test_the_heat_map_colours_moves_by_their_loss(task: Any) -> None:
    game, ply = task.position(SAMPLE)
    judged, drawn = game.positions[ply], look("videoworld", SIDE, 9, 9)
    picture = exhibits.heat_map(drawn, judged, game.boards[ply], 8).astype(int)

    def corner(point: int, way: int) -> np.ndarray:
        """A pixel of a square away from its number and its marks."""
        y, x = int(drawn.grid.ys[point // 9]), int(drawn.grid.xs[point % 9])
        return picture[min(y + way, SIDE - 1), max(0, x - way)]

    loss = judged.value[judged.best] - judged.value
    for point in np.flatnonzero(judged.legal[:-1]).tolist():
        if point not in (judged.best, 8):
            expected = exhibits.colour((max(0.0, loss[point]) / exhibits.MUCH["winrate"]) ** 0.5)
            assert tuple(corner(point, 9)) == expected
    plain = boards([exhibits._draw(drawn, game.boards[ply])])[0]
    stones = np.flatnonzero(plain)
    centres = [(int(drawn.grid.ys[p // 9]), int(drawn.grid.xs[p % 9])) for p in stones]
    assert all(picture[y, x].sum() in (0, 765) for y, x in centres), "stones stay as they are"
    marks = {tuple(c) for c in picture.reshape(-1, 3).tolist()}
    assert exhibits.BEST in marks and exhibits.PLAYED in marks


def test_colours_go_from_blue_over_white_to_red() -> None:
    assert [exhibits.colour(s) for s in (-1, 0, 0.5, 1, 7)] == [
        exhibits.COLD, exhibits.COLD, exhibits.EVEN, exhibits.HOT, exhibits.HOT,
    ]  # fmt: skip


def test_small_boards_are_drawn_in_points_of_score() -> None:
    task = open_suite("go5-lite").tasks[0]
    shown = task.exhibit(task.ids[0], None, {})
    assert "points of score" in shown.pictures[-1][0]
    assert shown.pictures[-1][1].shape == (SIDE, SIDE, 3)


def test_a_rollout_shows_its_last_frames_and_why_it_stopped() -> None:
    task: Any = open_suite("go9-lite").tasks[1]
    sample = task.ids[3]
    trial, frames = task.trial(sample, VIEW), task.truth(sample, VIEW)
    for number in range(9):
        assert trial.ask() is not None
        trial.tell(frames[number : number + 1] if number < 8 else 255 - frames[:1])
    assert trial.ask() is None
    row, kept = {"id": sample, **trial.evidence()}, trial.kept(False)
    shown = task.exhibit(sample, row, kept)
    captions = [caption for caption, _ in shown.pictures]
    assert captions[0].startswith("prompt, ") and len(captions) == 2 + exhibits.STRIP
    assert captions[-2] == "frame 9 of 9, as generated"
    assert captions[-3] == "frame 8 of 9, drawn again from what was read"
    assert shown.facts["read as"].split(":")[0] == row["stopped"] and shown.facts["plies legal"] == "8"
    assert len(task.exhibit(sample, None, {}).pictures) == 2
