"""What Go offers to those who train: states, labels, moves drawn, answers judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError, UsageError
from gobench.loader.augment import transform
from gobench.seeds import stream
from gobench.types import Episode
from gobench_go.domain import GoDomain
from gobench_go.drawing import boards_of, look_of
from gobench_go.game.position import Position
from gobench_go.sources.record import Game, episode, rules_of
from gobench_go.tasks import asking, reading
from gobench_go.video import render

GO = GoDomain()
PASS = 25


def options(**changes: Any) -> dict[str, Any]:
    return GO.configure({**GO.recipes()["go5-tiny"]["options"], "size": 80, **changes})


def finished(
    moves: list[int],
    colors: list[int] | None = None,
    setup: str = "",
    rules: str = "benchmark",
    **changes: Any,
) -> dict[str, Any]:
    from gobench_go.game.rules import named

    chosen = options(**changes)
    given = colors or [1 + n % 2 for n in range(len(moves))]
    made = episode(Game(named(rules, chosen["rows"], chosen["cols"]), moves, given, "t", "t", setup=setup))
    assert isinstance(made, Episode), made
    return GO.finish(made, "go-0", chosen, 7).record


def random_record(n: int = 0, **changes: Any) -> dict[str, Any]:
    from gobench_go.game.kernels import random_game
    from gobench_go.game.rules import named

    chosen = options(**changes)
    moves = random_game(named("benchmark", chosen["rows"], chosen["cols"]), n, 60).tolist()
    return finished(moves, **changes)


LOOKS: list[dict[str, Any]] = [
    {},
    {"theme": "wood", "size": 96},
    {"last_move": True},
    {"coordinates": True, "size": 128},
    {"rows": 4, "cols": 6},
]


@pytest.mark.parametrize("changes", LOOKS)
def test_actions_lead_from_frame_to_frame(changes: dict[str, Any]) -> None:
    chosen, record = options(**changes), random_record(**changes)
    frames, cells = GO.clip(record).rgb(), chosen["rows"] * chosen["cols"]
    boards = boards_of(record).reshape(-1, cells)
    assert GO.grid(chosen) == (chosen["rows"], chosen["cols"]) and GO.symbols(chosen) == 3
    assert np.array_equal(GO.states(chosen, frames), boards)
    actions = GO.labels(record)
    after = GO.act(chosen, frames[:-1], actions)
    assert np.array_equal(GO.states(chosen, after), boards[1:])
    played = actions[:, 0] < cells
    assert np.array_equal(after[played], frames[1:][played])
    assert np.array_equal(after[~played], frames[:-1][~played])


def test_states_are_read_at_any_size_that_the_look_has() -> None:
    record = random_record()
    small = GO.clip({**record, "size": 50}).rgb()
    assert np.array_equal(GO.states(options(), small), boards_of(record).reshape(len(small), -1))


@pytest.mark.parametrize("changes", LOOKS)
def test_noise_and_plain_colours_are_no_board(changes: dict[str, Any]) -> None:
    chosen, record = options(**changes), random_record(**changes)
    frames = GO.clip(record).rgb()
    assert GO.readable(chosen, frames).all()
    soft = (0.7 * frames + 0.3 * np.roll(frames, 1, axis=1)).astype(np.uint8)
    assert GO.readable(chosen, soft).all()
    side = frames.shape[1]
    noise = np.random.default_rng(0).integers(0, 256, (8, side, side, 3)).astype(np.uint8)
    plain = np.stack([np.full_like(noise[0], grey) for grey in (0, 127, 255)])
    assert not GO.readable(chosen, np.concatenate([noise, plain])).any()
    assert GO.readable(chosen, frames[:0]).shape == (0,)


def test_labels_are_those_of_the_clip_and_turn_with_it() -> None:
    record = finished([0, 6, PASS, 12, 18], clip={"first_ply": 1, "max_frames": 4, "fps": 4})
    assert GO.labels(record).tolist() == [[6, 2], [PASS, 0], [12, 2]]
    assert GO.labels(record).dtype == np.int64
    for k in range(8):
        turned = GO.labels(GO.transform(record, k))
        frames = transform(GO.clip(finished([])).rgb(), k)
        marked = GO.states(options(), GO.act(options(), frames, [[6, 2]]).copy())
        assert turned[0, 0] == np.flatnonzero(transform(marked.reshape(1, 5, 5), k)[0].ravel())[0]


def test_one_frame_has_no_labels() -> None:
    record = finished([])
    assert GO.labels(record).shape == (0, 2)
    assert GO.verdicts(record, [], np.zeros((0, 80, 80, 3), np.uint8)) == []


SUICIDE = ".X..." + "X...." + "....." * 3  # White at 0 has no liberty
CAPTURE = "OX..." + "....." * 4  # Black at 5 takes 0
CHAIN = "O.X.." + "XX..." + "....." * 3  # White at 1 kills its own two


@pytest.mark.parametrize(
    ("setup", "rules", "action", "after"),
    [
        (CAPTURE, "benchmark", (5, 1), ".X..." + "X...." + "....." * 3),
        (CAPTURE, "benchmark", (12, 2), "OX..." + "....." + "..O.." + "....." * 2),
        *((CAPTURE, "benchmark", (cell, 1), None) for cell in (0, 1, 25, 26, -1)),
        *((CAPTURE, "benchmark", (12, color), None) for color in (0, 3, -1)),
        (SUICIDE, "benchmark", (0, 2), None),
        (SUICIDE, "tromp-taylor", (0, 2), None),
        (CHAIN, "benchmark", (1, 2), None),
        (CHAIN, "tromp-taylor", (1, 2), "..X.." + "XX..." + "....." * 3),
        ("OXX.." + "XX..." + "....." * 3, "benchmark", (12, 1), None),  # shows a chain without liberties
    ],
)
def test_an_action_is_played_by_the_rules_or_changes_nothing(
    setup: str, rules: str, action: tuple[int, int], after: str | None
) -> None:
    def drawn(text: str) -> Any:
        board = np.array([".XO".index(c) for c in text], np.uint8).reshape(1, 5, 5)
        return render.frames(look_of(finished([])), board)

    before = drawn(setup)
    found = GO.act(options(rules=rules), before, [action])
    assert np.array_equal(found, before if after is None else drawn(after))


def test_wrong_shapes_are_named() -> None:
    frames = np.zeros((2, 80, 80, 3), np.uint8)
    with pytest.raises(DataError, match=r"actions \[2, 2\]"):
        GO.act(options(), frames, [[1, 1]])
    with pytest.raises(DataError, match="square"):
        GO.states(options(), frames[:, :40])
    with pytest.raises(UsageError, match="0 to 0"):
        GO.verdicts(finished([]), [1, 0], frames)
    with pytest.raises(UsageError, match="one time"):
        GO.verdicts(finished([]), [0], frames)


def answer(record: dict[str, Any], board: Any, size: int = 80) -> Any:
    return render.frames(look_of({**record, "size": size}), np.asarray(board, np.uint8).reshape(1, 5, 5))


def test_verdicts_name_what_is_wrong() -> None:
    record = finished([12, 6, PASS], setup="")
    boards = boards_of(record)
    fourth = boards[3].copy()
    fourth[0, 0] = 2
    right = np.concatenate([answer(record, boards[1]), answer(record, fourth)])
    assert GO.verdicts(record, [0, 3], right) == [("clean", True), ("clean", True)]
    passed = np.concatenate([answer(record, boards[2]), answer(record, boards[0])])
    assert GO.verdicts(record, [2, 1], passed) == [("no-change", False), ("vanished-stones", False)]


def test_the_past_of_a_game_forbids() -> None:
    setup = ".XO.." + "XO.O." + ".XO.." + "....." * 2
    record = finished([7], setup=setup)  # Black takes 6 in a ko
    taken, back = boards_of(record)[1], boards_of(record)[0].copy()
    assert taken.ravel()[6] == 0
    assert GO.verdicts(record, [1], answer(record, back)) == [("ko", False)]
    later = finished([7, 24, 20], setup=setup)
    again = boards_of(later)[3].copy()
    again.ravel()[[6, 7]] = 2, 0
    assert GO.verdicts(later, [3], answer(later, again)) == [("capture", True)]
    suicide = finished([12], setup=SUICIDE)
    dead = boards_of(suicide)[1].copy()
    dead.ravel()[0] = 2
    assert GO.verdicts(suicide, [1], answer(suicide, dead)) == [("suicide", False)]
    over = finished([12, PASS, PASS])
    more = boards_of(over)[3].copy()
    more.ravel()[0] = 2
    assert GO.verdicts(over, [3], answer(over, more)) == [("over", False)]


def test_superko_is_seen() -> None:
    record = finished([0, 2], setup=".X.X." + "OOX.." + "....." * 3)  # Black sends two, White takes them
    board = boards_of(record)[2].copy()
    board.ravel()[[1, 2]] = 1, 0  # Black takes back: the board of the start
    assert GO.verdicts(record, [2], answer(record, board)) == [("superko", False)]


def test_colors_that_do_not_alternate_are_those_of_the_record() -> None:
    record = finished([0, 6, 12], colors=[1, 1, 2])
    boards = boards_of(record)
    told = GO.verdicts(record, [1, 2], np.concatenate([answer(record, boards[2]), answer(record, boards[3])]))
    assert told == [("clean", True), ("clean", True)]
    white = boards[1].copy()
    white.ravel()[6] = 2
    assert GO.verdicts(record, [1], answer(record, white)) == [("wrong-colour", False)]


def test_verdicts_are_those_of_the_benchmark() -> None:
    record = random_record(3)
    position, random = Position.start(rules_of(record)), stream(0, "changes")
    times, frames, wanted = [], [], []
    for time, (move, color) in enumerate(zip(record["moves"], record["colors"], strict=True)):
        for n in range(4):
            board = position.board.copy()
            board.ravel()[random.integers(25, size=n)] = random.integers(3, size=n)
            frames.append(answer(record, board))
            seen = reading.read(look_of(record), frames[-1][0]).record()
            judged = asking.judge(position, seen)
            legal = not judged.why and judged.kind != "no-change"
            times.append(time)
            wanted.append((judged.kind if legal else judged.why or judged.kind, legal))
        position = position.play(move, color)
    found = GO.verdicts(record, times, np.concatenate(frames))
    assert found == wanted
    assert {v.kind for v in found} >= {
        "no-change",
        "clean",
        "several-stones",
        "wrong-colour",
        "vanished-stones",
    }


def test_an_unreadable_answer_is_none_and_size_does_not_matter() -> None:
    record = random_record()
    noise = stream(0, "noise").integers(0, 256, (1, 80, 80, 3)).astype(np.uint8)
    assert not GO.verdicts(record, [0], noise)[0].legal
    small = answer(record, boards_of(record)[1], 50)
    assert GO.verdicts(record, [0], small) == [("clean", True)]
