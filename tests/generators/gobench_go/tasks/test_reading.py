"""Frames to plain data, and boards to kinds and moves."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.errors import DataError
from gobench_go.game.position import Position, board_of, text_of
from gobench_go.game.rules import Rules, named
from gobench_go.judged import open_set
from gobench_go.tasks import reading, slices
from gobench_go.video import moves, render
from gobench_go.video.themes import look

RULES = named("benchmark")


def some_boards(every: int) -> tuple[np.ndarray, np.ndarray]:
    """Boards of judged games uint8 [N, 81] and who is to move."""
    games = open_set("go9-lite").games
    found = [(g.boards[t].reshape(-1), g.colors[t]) for g in games for t in range(0, len(g.moves), every)]
    boards, colors = zip(*found, strict=True)
    return np.stack(boards), np.array(colors, np.int64)


def answers_of(boards: np.ndarray, unsure: bool = False) -> reading.Answers:
    no = np.zeros(len(boards), np.bool_)
    return reading.Answers(boards, no | unsure, no, no)


def test_a_drawn_board_is_read_as_it_was_drawn() -> None:
    boards, _ = some_boards(40)
    drawn = look("videoworld", 96, 9, 9)
    for board in boards[:20].reshape(-1, 9, 9):
        found = reading.read(drawn, render.board(drawn, board))
        assert found.record() == {"board": text_of(board), "unsure": [], "confidence": 1.0}


def test_what_cannot_be_told_is_listed() -> None:
    board = np.zeros((9, 9), np.uint8)
    drawn = look("videoworld", 96, 9, 9)
    empty, full = (render.board(drawn, board).astype(int) for board in (board, np.full((9, 9), 2)))
    found = reading.read(drawn, ((empty + full) // 2).astype(np.uint8))
    assert len(found.unsure) > 40 and found.confidence < moves.SURE


def test_kinds_and_moves_equal_those_of_single_comparisons() -> None:
    before, colors = some_boards(6)
    rng, after = np.random.default_rng(1), before.copy()
    for board, old, color in zip(after, before, colors, strict=True):
        empty, stones = np.flatnonzero(old == 0), np.flatnonzero(old)
        for _ in range(rng.choice(3, p=[0.1, 0.8, 0.1])):
            move = int(rng.choice(empty))
            board[move] = color if rng.random() < 0.9 else 3 - color
            if rng.random() < 0.8:
                board[list(moves.captures(old.reshape(9, 9), move, int(color)))] = 0
        if len(stones) and rng.random() < 0.15:
            board[rng.choice(stones)] = rng.integers(3)
    found = reading.changes(RULES, before, answers_of(after), colors)
    kinds = set()
    for n, (old, new) in enumerate(zip(before, after, strict=True)):
        want = moves.change(old.reshape(9, 9), new.reshape(9, 9), int(colors[n]))
        kind = reading.NAMES[found.kinds[n]]
        kinds.add(kind)
        assert kind == want.kind
        read = want.move if kind in reading.READ else -1
        assert found.moves[n] == read
        assert tuple(np.flatnonzero(found.taken[n])) == (want.captured if read >= 0 else ())
    assert kinds == set(moves.KINDS) - {"unreadable"}


@pytest.mark.parametrize(
    ("after", "kind", "move"),
    [
        ("XXO......", "ambiguous", 1),
        ("X.O......", "unreadable", -1),
        ("X..X.....", "unreadable", -1),
        ("XXOX.....", "unreadable", -1),
    ],
)
def test_unsure_points_leave_one_clean_move_or_nothing(after: str, kind: str, move: int) -> None:
    rules = Rules(3, 3)
    before, answers = (
        board_of("X.O......", 3, 3).reshape(1, 9),
        answers_of(board_of(after, 3, 3).reshape(1, 9), True),
    )
    found = reading.changes(rules, before, answers, np.array([1]))
    assert (reading.NAMES[found.kinds[0]], found.moves[0]) == (kind, move)
    assert not found.are(*reading.CLEAN)[0]


def test_missing_and_unreadable_answers_have_no_move() -> None:
    answers = reading.parse([{"missing": True}, {"unreadable": "never-still"}], 9, ["a", "b"])
    found = reading.changes(Rules(3, 3), np.zeros((2, 9), np.uint8), answers, np.array([1, 1]))
    assert [reading.NAMES[kind] for kind in found.kinds] == ["missing", "unreadable"]
    assert found.moves.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"board": "." * 8, "unsure": []}, "no board of 9 points"),
        ({"board": "?" * 9, "unsure": []}, "written in"),
        ({"board": "é" * 9, "unsure": []}, "written in"),
        ({"unsure": []}, "no board"),
        ({"board": "." * 9, "unsure": [9]}, "list of points"),
        ({"board": "." * 9}, "list of points"),
        ({"board": "." * 9, "missing": True}, "has no board"),
        ("." * 9, "is a record"),
    ],
)
def test_answers_that_nobody_wrote_are_refused(record: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        reading.parse([record], 9, ["g000-p001"])


def liberties(board: np.ndarray, point: int) -> int:
    side = len(board)
    color, chain, free, todo = board.flat[point], {point}, set[int](), [point]
    while todo:
        row, col = divmod(todo.pop(), side)
        for y, x in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
            if not (0 <= y < side and 0 <= x < side):
                continue
            q = y * side + x
            if board[y, x] == 0:
                free.add(q)
            elif board[y, x] == color and q not in chain:
                chain.add(q)
                todo.append(q)
    return len(free)


def is_ko(board: np.ndarray, point: int, color: int) -> bool:
    """By the referee: one stone is taken, and to take it back at once breaks the ko rule."""
    start = Position.of_board(Rules(9, 9, "simple"), board, color)
    if not start.is_legal(point):
        return False
    after = start.play(point)
    return len(after.captured) == 1 and after.why_illegal(after.captured[0]) == "ko"


def test_captures_ko_and_atari_equal_the_referees() -> None:
    boards, colors = some_boards(37)
    captures = reading.capturing(RULES, boards, colors)
    found = slices.by_board(RULES, boards, captures)
    assert 10 < found["ko on the board"].sum() < len(boards) - 10
    for n, (flat, color) in enumerate(zip(boards, colors.tolist(), strict=True)):
        board = flat.reshape(9, 9)
        empty = np.flatnonzero(flat == 0).tolist()
        takes = [p for p in empty if moves.captures(board, p, color)]
        assert np.flatnonzero(captures[n]).tolist() == takes
        assert found["capture available"][n] == bool(takes)
        assert found["atari on the board"][n] == any(
            liberties(board, p) == 1 for p in np.flatnonzero(flat).tolist()
        )
        near = [p for p in empty if any(is_ko(board, p, c) for c in (1, 2))]
        assert found["ko on the board"][n] == bool(near)


def test_a_move_that_is_no_empty_point_takes_nothing() -> None:
    board = board_of("XO.......", 3, 3).reshape(1, 9)
    for move in (-1, 0, 9):
        assert not reading.captured(Rules(3, 3), board, np.array([move]), np.array([1])).any()


def test_the_entropy_of_a_policy_needs_no_sum_of_one() -> None:
    policy = np.array([[1.0, 0, 0], [2, 2, 0], [0.1, 0.1, 0.1]])
    assert np.allclose(slices.entropy(policy), [0, np.log(2), np.log(3)])
