"""The referee on positions whose answers are known by hand."""

from __future__ import annotations

import dataclasses
import doctest
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game import coords, position
from gobench_go.game.position import BLACK, REASONS, WHITE, Position
from gobench_go.game.rules import KO, Rules, named

KO_FIGHT = """
    . X O .
    X . X O
    . X O .
    . . . .
"""  # White takes at row 1, column 1


def rules_for(text: str, **options: object) -> Rules:
    rows = text.split("\n") if "\n" in text else [text]
    rows = [row for row in rows if row.strip()]
    return dataclasses.replace(Rules(komi=0.0), rows=len(rows), cols=len(rows[0].split()), **options)


def placed(text: str, to_move: int = BLACK, **options: object) -> Position:
    return Position.of_text(rules_for(text, **options), text, to_move)


def moves(game: Position, text: str) -> Position:
    for word in text.split():
        game = game.play(coords.index_of_gtp(word, game.rules.rows, game.rules.cols))
    return game


def test_a_first_move() -> None:
    start = Position.start(named("benchmark"))
    game = start.play(40)
    assert start.board.sum() == 0 and start.to_move == BLACK and start.last == -1
    assert game.board[4, 4] == BLACK and game.board.sum() == 1
    assert (game.to_move, game.last, game.plies, game.captured, game.over) == (WHITE, 40, 1, (), False)
    assert game.score() == 81 - 7
    assert len(start.legal_moves()) == 82 and len(game.legal_moves()) == 81
    assert not game.board.flags.writeable and game.board.dtype == np.uint8


def test_positions_are_values() -> None:
    one, two = (moves(Position.start(named("benchmark")), "E5 C3 G7") for _ in range(2))
    assert one == two and hash(one) == hash(two) and pickle.loads(pickle.dumps(one)) == one
    assert one != moves(Position.start(named("benchmark")), "G7 C3 E5")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.to_move = BLACK  # type: ignore[misc]


def test_captures_of_one_and_of_many() -> None:
    game = placed(
        """
        X O . .
        . X . .
        """
    )
    game = game.play(2)
    assert game.captured == (1,)
    assert str(game) == "X.X.\n.X.."
    game = placed(
        """
        O O X .
        O X . O
        . X O O
        """
    ).play(8)
    assert game.captured == (0, 1, 4)
    assert str(game) == "..X.\n.X.O\nXXOO"


def test_two_chains_at_once_and_capture_before_suicide() -> None:
    game = placed(
        """
        . O X
        O X .
        X . .
        """
    ).play(0)
    assert game.captured == (1, 3)
    assert str(game) == "X.X\n.X.\nX.."


@pytest.mark.parametrize("suicide", [False, True])
def test_suicide_of_a_lone_stone_is_never_allowed(suicide: bool) -> None:
    for ko in KO:
        game = placed(
            """
            . O .
            O . .
            . . .
            """,
            ko=ko,
            suicide=suicide,
        )
        assert game.why_illegal(0) == "suicide"
        assert game.is_legal(0, WHITE)


def test_suicide_of_many_by_the_rules() -> None:
    text = """
        . X O
        X O .
        O . .
    """
    assert placed(text).why_illegal(0) == "suicide"
    game = placed(text, suicide=True).play(0)
    assert game.captured == (0, 1, 3)
    assert str(game) == "..O\n.O.\nO.."
    assert game.to_move == WHITE


def test_taking_back_in_a_ko() -> None:
    for ko in KO:
        game = placed(KO_FIGHT, WHITE, ko=ko).play(5)
        assert game.captured == (6,)
        assert game.why_illegal(6) == "ko"
        assert 6 not in game.legal_moves()
        assert game.is_legal(6, WHITE)  # White may fill it
        later = game.play(12).play(15)  # a threat and its answer
        assert later.is_legal(6)
        assert later.play(6).captured == (5,)


def reasons(text: str, to_move: int, plies: list[int], last: int) -> dict[str, str | None]:
    """What each ko rule says to ``last`` after ``plies``."""
    found = {}
    for ko in KO:
        game = placed(text, to_move, ko=ko)
        for move in plies:
            game = game.play(move)
        found[ko] = game.why_illegal(last)
    return found


def test_sending_two_and_returning_one_brings_a_board_back_with_the_other_to_move() -> None:
    text = """
        . X . X
        O O X .
        . . . .
    """
    assert reasons(text, BLACK, [0, 2], 1) == {"simple": None, "positional": "superko", "situational": None}
    assert str(placed(text, ko="simple").play(0).play(2).play(1)) == str(placed(text))
    # White passes, and sending two again would bring back a board with White to move
    again = placed(text, ko="situational").play(0).play(2).play(1).play(12)
    assert again.why_illegal(0) == "superko"
    assert placed(text, ko="simple").play(0).play(2).play(1).play(12).is_legal(0)


def test_a_triple_ko_goes_round_only_without_superko() -> None:
    text = """
        . X O .
        X . X O
        . X O .
        . X O .
        X . X O
        . X O .
        . X O .
        X O . O
        . X O .
    """
    found = reasons(text, WHITE, [5, 30, 17, 6, 29], 18)
    assert found == {"simple": None, "positional": "superko", "situational": "superko"}


def test_ko_when_one_colour_moves_twice() -> None:
    black_to_move = {ko: placed(KO_FIGHT, BLACK, ko=ko).play(5, WHITE) for ko in KO}
    assert {ko: game.why_illegal(6) for ko, game in black_to_move.items()} == {
        "simple": "ko",
        "positional": "ko",
        "situational": None,  # the set-up had Black to move, now White would be
    }
    passed = {ko: placed(KO_FIGHT, WHITE, ko=ko).play(5).play(16) for ko in KO}
    assert {ko: game.why_illegal(6, BLACK) for ko, game in passed.items()} == {
        "simple": None,
        "positional": "superko",
        "situational": "superko",
    }


def test_two_passes_end_the_game() -> None:
    game = Position.start(named("benchmark")).play(81)
    assert not game.over and game.passes == 1
    assert not game.play(40).play(81).over
    game = game.play(81)
    assert game.over and game.legal_moves() == () and game.why_illegal(81) == game.why_illegal(0) == "over"
    assert game.score() == -7
    with pytest.raises(UsageError, match="two passes in a row"):
        game.play(0)


def test_every_reason_is_said_in_words() -> None:
    game = placed(KO_FIGHT, WHITE).play(5)
    for move, why in ((5, "occupied"), (6, "ko"), (17, "outside"), (-1, "outside")):
        assert game.why_illegal(move) == why
        with pytest.raises(UsageError, match=f"{REASONS[why]} \\({why}\\)"):
            game.play(move)
    with pytest.raises(UsageError, match="Black cannot play C3 at ply 1 on 4x4"):
        game.play(6)
    for color in (0, 3, -1):
        with pytest.raises(UsageError, match="1 is Black, 2 is White"):
            game.play(0, color)


def test_colours_need_not_alternate() -> None:
    game = Position.start(named("chinese")).play(60, WHITE).play(61, WHITE).play(62, BLACK).play(63, BLACK)
    assert [game.board.flat[point] for point in range(60, 64)] == [2, 2, 1, 1]
    assert game.to_move == WHITE and game.plies == 4
    assert game.play(361, BLACK).to_move == WHITE


def test_score_by_area() -> None:
    game = placed(
        """
        . X . O .
        X X . O O
        . X . O .
        X X . O X
        """
    )
    black, white = (
        6 + 2 + 1,
        5 + 1,
    )  # the stone in White's corner counts as alive, the point above it as nobody's
    assert game.score() == black - white
    assert placed("X . .").score() == 3
    assert placed(". . .").score() == 0
    assert placed("X . O").score() == 0
    seven = dataclasses.replace(game.rules, komi=7.5)
    assert Position.of_board(seven, game.board).score() == black - white - 7.5


def test_set_up_positions() -> None:
    rules = named("benchmark", komi=0.5)
    game = Position.setup(rules, black=[0, 1], white=[80], to_move=WHITE)
    assert game.board[0, :2].tolist() == [1, 1] and game.board[8, 8] == 2
    assert game.to_move == WHITE and game.plies == 0 and game.last == -1
    assert Position.of_board(rules, game.board, WHITE) == game
    assert Position.of_text(rules, str(game), WHITE) == game


def test_boards_as_text_and_back() -> None:
    board = position.board_of("XO..O.", 2, 3)
    assert board.tolist() == [[1, 2, 0], [0, 2, 0]]
    assert position.text_of(board) == "XO..O."
    for text in ("XO..O", "XO..O.X", "XO..Oé", "XO..O#", ""):
        with pytest.raises(UsageError, match="2x3 board is 6 of"):
            position.board_of(text, 2, 3)


@pytest.mark.parametrize("ko", KO)
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (2, 3), (3, 5), (19, 19)])
def test_every_board_so_far(ko: str, rows: int, cols: int) -> None:
    rng = np.random.default_rng(5)
    game = Position.start(Rules(rows, cols, ko, True))
    boards, turns = [game.board], [game.to_move]
    for _ in range(25):
        if not (legal := game.legal_moves()):
            break
        game = game.play(int(rng.choice(legal)))
        boards.append(game.board)
        turns.append(game.to_move)
    assert game.boards().dtype == np.uint8
    assert np.array_equal(game.boards(), boards)
    assert game.turns().tolist() == (turns if ko == "situational" else [game.to_move] * len(turns))


@pytest.mark.parametrize("ko", KO)
def test_the_same_position_with_the_other_to_move(ko: str) -> None:
    game = Position.start(Rules(3, 3, ko)).play(4)
    turned = game.turned(BLACK)
    assert (turned.to_move, turned.last, turned.plies) == (BLACK, 4, 1)
    assert np.array_equal(turned.boards(), game.boards())
    assert turned.turned(WHITE) == game.turned(WHITE) == game
    assert (turned.history == game.history) == (ko != "situational")


def test_set_ups_that_cannot_be() -> None:
    rules = Rules(3, 3)
    with pytest.raises(UsageError, match="off the 3x3 board"):
        Position.setup(rules, black=[9])
    with pytest.raises(UsageError, match="A3 is set up with a stone of both colours"):
        Position.setup(rules, black=[0], white=[0])
    with pytest.raises(UsageError, match="setup-dead"):
        Position.of_text(rules, "XO. O.. ...")
    with pytest.raises(UsageError, match="setup-dead"):
        Position.of_text(rules, "XXX XXX XXX")
    with pytest.raises(UsageError, match="0, 1 or 2"):
        Position.of_board(rules, np.full((3, 3), 3))
    with pytest.raises(UsageError, match="9 of"):
        Position.of_text(rules, "XO")
    with pytest.raises(UsageError, match="1 is Black"):
        Position.setup(rules, to_move=0)


def test_the_start_counts_as_an_earlier_board() -> None:
    # White takes a stone out of the set-up; taking it back would bring the set-up back
    game = placed(KO_FIGHT, WHITE)
    assert game.play(5).why_illegal(6) == "ko"
    assert game.history == (game.history[0],)
    assert len(game.play(5).history) == 2


def test_the_smallest_boards() -> None:
    game = Position.start(Rules(1, 1, komi=0.0))
    assert game.legal_moves() == (1,) and game.why_illegal(0) == "suicide"
    game = Position.start(Rules(1, 2, komi=0.0)).play(0)
    assert game.play(1).captured == (0,)
    assert game.play(1).why_illegal(0) == "ko"
    column = Position.start(Rules(3, 1, komi=0.0)).play(0).play(1)
    assert str(column) == ".\nO\n."


def test_the_largest_board_has_no_seam() -> None:
    game = Position.setup(named("chinese"), black=[18], white=[17])
    assert game.play(37, WHITE).captured == (
        18,
    )  # point 19, on the other edge of the next row, is no liberty


def test_real_games_are_legal_to_the_end(data: Path) -> None:
    games = zipfile.ZipFile(data / "go9_katago_sgf.zip")
    names = [name for name in games.namelist() if name.endswith(".sgf")]
    assert len(names) >= 100
    for name in names:
        game = Position.start(named("benchmark"))
        for color, point in re.findall(r";([BW])\[([a-z]{0,2})\]", games.read(name).decode()):
            assert game.to_move == " BW".index(color), name
            game = game.play(coords.index_of_sgf(point, 9, 9))
        assert game.over and game.plies > 20, name


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(position, extraglobs={"named": named}).failed == 0
