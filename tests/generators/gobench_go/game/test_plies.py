"""Moves read back from boards are the moves that were played."""

from __future__ import annotations

import numpy as np
import pytest

from gobench_go.game.kernels import random_game
from gobench_go.game.plies import first_to_move, plies_of
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("ko", ["simple", "positional", "situational"])
def test_random_games_are_read_back(ko: str, suicide: bool) -> None:
    rules = Rules(4, 3, ko, suicide, 0.0)
    for seed in range(25):
        moves = random_game(rules, seed, 60).tolist()
        position = Position.start(rules)
        for move in moves:
            position = position.play(move)
        found = plies_of(position)
        assert list(found.moves) == moves
        assert list(found.colors) == [1 + ply % 2 for ply in range(len(moves))]
        assert not found.setup.any()


def test_colours_that_do_not_alternate_and_a_setup() -> None:
    rules = Rules(3, 3)
    start = Position.of_text(rules, "X.. ... ..O", to_move=2)
    position = start.play(4).play(1, color=2).play(9).play(2)
    found = plies_of(position)
    assert (found.moves, found.colors) == ((4, 1, 9, 2), (2, 2, 1, 2))
    assert np.array_equal(found.setup, start.board) and first_to_move(found) == 2


def test_nothing_was_played() -> None:
    found = plies_of(Position.start(Rules(3, 3)))
    assert found.moves == () and first_to_move(found) == 1
