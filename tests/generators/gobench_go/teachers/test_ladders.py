"""What the search reads ahead: ladders, hunts from two liberties, and how near the last stone is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from gobench_go.game.kernels import coded
from gobench_go.game.kernels_board import HEAD, LENGTH, move_of, point
from gobench_go.game.kernels_games import set_up
from gobench_go.game.kernels_tables import CAP
from gobench_go.game.position import BLACK, WHITE, Position, board_of
from gobench_go.game.rules import Rules
from gobench_go.teachers import ladders, playouts, survey, teacher

SIDE = 7
STONE, OUT, DOWN = 16, 17, 23  # White's stone, the point to its right and the one below it
ATARI = "....... ..XX... .XO.... ..X.... ....... ....... ......."  # in a ladder that works
BREAKER = "....... ..XX... .XO.... ..X.... ....... ....O.. ......."  # the same where a friend waits
TWO = "....... ..XX... .XO.... ....... ....... ....... ......."  # one move earlier
TWO_BREAKER = "....... ..XX... .XO.... ....... ....... ....O.. ......."
BESIDE = "..O.... .OX.... .XO.... ..X.... ....... ....... ......."  # White can take at the top right instead

Ints = npt.NDArray[np.int64]


def board(text: str) -> Ints:
    """int64 [LENGTH], as compiled code has it."""
    rules, b = Rules(SIDE, SIDE), np.zeros(LENGTH, np.int64)
    stones = board_of("".join(text.split()), SIDE, SIDE).reshape(-1)
    assert set_up(b, np.zeros(4, np.int64), coded(rules), stones, 1)
    return b


def chain(b: Ints, move: int) -> int:
    """The head of the chain at a point."""
    return int(b[HEAD + point(b, move)])


def policy(text: str, color: int, visits: int) -> npt.NDArray[np.float32]:
    position = Position.of_text(Rules(SIDE, SIDE, komi=9), text, color)
    return teacher(f"mcts:{visits}").judge(position, 1).policy


@pytest.mark.parametrize(("text", "free"), [(ATARI, False), (BREAKER, True)])
def test_a_chain_in_atari_runs_free_only_where_the_ladder_is_broken(text: str, free: bool) -> None:
    b, w = board(text), np.zeros(LENGTH, np.int64)
    before = b.copy()
    assert ladders.liberties(b, chain(b, STONE)) == (1, point(b, OUT), 0)
    assert ladders.runs_free(b, w, chain(b, STONE)) == free
    assert np.array_equal(b, before)


@pytest.mark.parametrize(("text", "falling"), [(TWO, [DOWN]), (TWO_BREAKER, [])])
def test_a_hunt_begins_at_the_liberty_that_leaves_no_way_out(text: str, falling: list[int]) -> None:
    b, w = board(text), np.zeros(LENGTH, np.int64)
    found, *points = ladders.liberties(b, chain(b, STONE))
    assert (found, [move_of(b, p) for p in points]) == (2, [OUT, DOWN])
    assert [move_of(b, p) for p in points if ladders.falls(b, w, chain(b, STONE), p)] == falling


@pytest.mark.parametrize(("text", "answer"), [(ATARI, SIDE * SIDE), (BREAKER, OUT), (BESIDE, 10)])
def test_a_playout_runs_where_it_gets_away_or_takes_instead(text: str, answer: int) -> None:
    b, w = board(text), np.zeros(LENGTH, np.int64)
    assert move_of(b, playouts._escape(b, w, WHITE, point(b, DOWN))) == answer


def test_the_search_does_not_run_in_a_ladder() -> None:
    assert policy(ATARI, WHITE, 50)[OUT] < 0.2
    assert policy(BREAKER, WHITE, 50)[OUT] > 0.4


def test_the_search_hunts_where_it_works_and_knows_it_at_once() -> None:
    assert policy(TWO, BLACK, 20)[DOWN] > 0.5
    assert policy(TWO_BREAKER, BLACK, 20)[DOWN] < 0.2


def test_a_chain_that_would_fall_is_guarded() -> None:
    good, bad = np.zeros(CAP, np.int64), np.zeros(CAP, np.int64)
    for text, games in ((TWO, survey.GUARD_ONE), (TWO_BREAKER, 0)):
        b = board(text)
        survey.fights(b, np.zeros(LENGTH, np.int64), WHITE, good, bad)
        assert [good[point(b, move)] for move in (OUT, DOWN)] == [games, games] and not bad.any()


def test_a_step_along_a_chain_is_none() -> None:
    b = board("....... .XXXXX. ....... ....... ....... ....... .......")
    steps, queue = np.zeros(CAP, np.int64), np.zeros(2 * CAP, np.int64)
    survey.measure(b, point(b, 8), steps, queue)
    assert [steps[point(b, move)] for move in (8, 12, 13, 20, 27, 34, 41)] == [1, 1, 2, 3, 4, 0, 0]
    survey.measure(b, 0, steps, queue)
    assert not steps.any()
