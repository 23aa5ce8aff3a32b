"""The moves that led to a position, read back from its boards: what engines that keep a game of their own are told."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gobench.types import Array
from gobench_go.game.position import BLACK, Position


class Plies(NamedTuple):
    """A start and what was played since."""

    setup: Array  # uint8 [R, C], the first board
    moves: tuple[int, ...]  # row * C + col, R*C is the pass
    colors: tuple[int, ...]  # 1 black, 2 white


def plies_of(position: Position) -> Plies:
    """The plies of a position since its first board. Passes are of whoever was then to move."""
    boards = position.boards()
    flat = boards.reshape(len(boards), -1)
    last = len(flat) - 2
    moves, colors = [0] * (last + 1), [0] * (last + 1)
    mover = position.to_move
    for ply in range(last, -1, -1):
        move, color = _played(position, flat[ply], flat[ply + 1], 3 - mover)
        moves[ply], colors[ply] = move, color
        mover = color
    return Plies(boards[0], tuple(moves), tuple(colors))


def _played(position: Position, before: Array, after: Array, expected: int) -> tuple[int, int]:
    new = np.flatnonzero((before == 0) & (after != 0))
    if len(new):
        return int(new[0]), int(after[new[0]])
    gone = np.flatnonzero((before != 0) & (after == 0))
    if not len(gone):
        return position.rules.points, expected
    color = int(before[gone[0]])
    return _suicide(position, before, after, color), color


def _suicide(position: Position, before: Array, after: Array, color: int) -> int:
    """The point at which ``color`` took its own chain off."""
    rules = position.rules
    start = Position.of_board(rules, before.reshape(rules.rows, rules.cols), color)
    for move in np.flatnonzero(before == 0).tolist():
        if start.is_legal(move) and np.array_equal(start.play(move).board.reshape(-1), after):
            return int(move)
    raise AssertionError("two boards in a row that no ply connects")


def first_to_move(plies: Plies) -> int:
    """Who made the first ply; Black where there is none."""
    return plies.colors[0] if plies.colors else BLACK
