"""The compiled board against the referee: legality, boards, captures and scores must be equal."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game import kernels
from gobench_go.game.position import Position
from gobench_go.game.rules import KO, Rules

VARIANTS = list(itertools.product(KO, (False, True)))


def wild_game(
    rules: Rules, rng: np.random.Generator, plies: int, alternate: bool
) -> tuple[list, list, Position]:
    """A random game of any legal moves (eyes are filled, so captures, kos and repetitions abound)."""
    first = 1 if alternate else int(rng.integers(1, 3))
    position, moves, colors = Position.setup(rules, to_move=first), [], []
    for ply in range(plies):
        color = position.to_move if alternate or ply == 0 else int(rng.integers(1, 3))
        legal = position.legal_moves(color)
        if not legal:
            break
        plays = legal[:-1] if len(legal) > 1 and rng.random() < 0.97 else legal[-1:]
        move = int(rng.choice(plays))
        position = position.play(move, color)
        moves.append(move)
        colors.append(color)
    return moves, colors, position


@pytest.mark.parametrize(("ko", "suicide"), VARIANTS)
@pytest.mark.parametrize("alternate", [True, False])
def test_legal_moves_boards_and_captures_equal_the_referee(ko: str, suicide: bool, alternate: bool) -> None:
    rng = np.random.default_rng(7)
    for rows, cols in [(1, 1), (1, 5), (6, 1), (2, 2), (2, 3), (3, 3), (4, 4), (3, 5), (5, 5), (7, 2)]:
        rules = Rules(rows, cols, ko, suicide, 0.5)
        moves, colors, last = wild_game(rules, rng, 40, alternate)
        replayed = kernels.replay(rules, None, moves, colors)
        assert replayed.first_illegal == -1
        position = Position.setup(rules, to_move=colors[0])
        for ply, (move, color) in enumerate(zip(moves, colors, strict=True)):
            for side in (1, 2):
                mask = kernels.legal_mask(rules, None, moves[:ply], colors[:ply], side)
                assert tuple(np.flatnonzero(mask)) == position.legal_moves(side)
            position = position.play(move, color)
            assert np.array_equal(replayed.boards[ply + 1], position.board)
            assert replayed.captures[ply] == len(position.captured)
        assert np.array_equal(replayed.boards[-1], last.board)
        assert kernels.score(rules, last.board) == last.score()


@pytest.mark.parametrize(("ko", "suicide"), VARIANTS)
def test_every_random_game_is_legal_by_the_referee(ko: str, suicide: bool) -> None:
    rules = Rules(5, 4, ko, suicide, 0.5)
    for seed in range(15):
        moves = kernels.random_game(rules, seed, 120)
        position = Position.start(rules)
        for move in moves.tolist():
            position = position.play(move)
        assert position.over or len(moves) == 120


def test_large_boards_agree_too() -> None:
    rng = np.random.default_rng(3)
    for rows, cols in [(9, 9), (19, 19), (13, 19), (19, 1)]:
        rules = Rules(rows, cols, "positional", False, 7)
        moves = kernels.random_game(rules, int(rng.integers(1 << 40)), 300)
        position = Position.start(rules)
        for move in moves.tolist():
            position = position.play(move)
        replayed = kernels.replay(rules, None, moves)
        assert np.array_equal(replayed.boards[-1], position.board)
        assert tuple(np.flatnonzero(kernels.legal_mask(rules, None, moves))) == position.legal_moves()
        assert kernels.score(rules, position.board) == position.score()


def test_replay_starts_from_a_setup_and_colours_need_not_alternate() -> None:
    rules = Rules(5, 5)
    setup = np.zeros((5, 5), np.uint8)
    setup[2, 2], setup[1, 2], setup[2, 1], setup[3, 2] = 2, 1, 1, 1
    replayed = kernels.replay(rules, setup, [0, 13], [1, 1])
    assert replayed.first_illegal == -1
    assert replayed.captures.tolist() == [0, 1]
    assert replayed.boards[2, 2, 2] == 0 and replayed.boards[1, 2, 2] == 2
    assert replayed.boards.dtype == np.uint8 and replayed.captures.dtype == np.int16


@pytest.mark.parametrize(
    ("moves", "ply"),
    [([4, 4], 1), ([9, 9, 0], 2), ([4, 10], 1), ([-1], 0), ([1, 5, 3, 9, 0], -1), ([1, 5, 3, 0], 3)],
)
def test_first_illegal_ply(moves: list[int], ply: int) -> None:
    replayed = kernels.replay(Rules(3, 3), None, moves)
    assert replayed.first_illegal == ply
    if ply >= 0:
        assert (replayed.boards[ply:] == replayed.boards[ply]).all()
        assert not replayed.captures[ply:].any()


def test_impossible_input_says_what_is_wrong() -> None:
    rules = Rules(3, 3)
    with pytest.raises(UsageError, match="9 points"):
        kernels.replay(rules, np.zeros(8, np.uint8), [])
    with pytest.raises(UsageError, match="2 moves"):
        kernels.replay(rules, None, [0, 1], [1])
    with pytest.raises(UsageError, match="setup-dead"):
        kernels.replay(rules, np.array([1, 2, 0, 2, 0, 0, 0, 0, 0], np.uint8), [])
    with pytest.raises(UsageError, match="ply 1"):
        kernels.legal_mask(rules, None, [4, 4])


@pytest.mark.parametrize("move", [65536, 65540, 70000, -65536, 2**40, 32767, -1, 10])
@pytest.mark.parametrize("of", [list, np.array])
def test_numbers_that_are_no_move_are_illegal_however_large(move: int, of: Any) -> None:
    assert kernels.replay(Rules(3, 3), None, of([4, move])).first_illegal == 1


@pytest.mark.parametrize("color", [0, 3, 255, 256, 257, 300, -1, 2**33])
@pytest.mark.parametrize("ko", KO)
def test_numbers_that_are_no_colour_are_illegal_too(color: int, ko: str) -> None:
    rules = Rules(3, 3, ko)
    for of in (list, np.array):
        assert kernels.replay(rules, None, [4, 5], of([1, color])).first_illegal == 1
        assert kernels.replay(rules, None, [4, 5], of([color, 1])).first_illegal == 0
    with pytest.raises(UsageError, match=f"colour {color}"):
        kernels.legal_mask(rules, None, [], to_move=color)


def test_what_are_no_whole_numbers() -> None:
    rules = Rules(3, 3)
    for strange in ([1.5], ["4"], [None], [2**70]):
        with pytest.raises(UsageError, match="moves are whole numbers"):
            kernels.replay(rules, None, strange)
    with pytest.raises(UsageError, match="0, 1 or 2"):
        kernels.replay(rules, np.full(9, 258), [])


def test_random_games_repeat_by_seed() -> None:
    rules = Rules()
    games = [kernels.random_game(rules, seed, 400).tolist() for seed in (5, 5, 6, -1, 2**64 - 1)]
    assert games[0] == games[1] != games[2]
    assert games[3] == games[4]
    assert games[0][-2:] == [81, 81]


def test_random_playouts_give_black_a_small_lead() -> None:
    plies, mean = kernels.playouts(Rules(komi=0), 1, 2000)
    assert 100 < plies / 2000 < 125
    assert 1.5 < mean < 3.5
