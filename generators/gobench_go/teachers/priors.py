"""What a move is worth before it was tried: the virtual games and wins that a new node starts with."""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

import numpy as np

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import CODE, COLOR, COLS, ROWS, STRIDE, Ints
from gobench_go.teachers.patterns import SHAPED
from gobench_go.teachers.tactics import captured_by, self_atari

# virtual games; those of the first group are half won, of the second all lost, of the third all won
EVEN = 10.0
SELF_ATARI, FIRST_LINE, SECOND_LINE = 10.0, 10.0, 5.0
TAKE_ONE, TAKE_MORE, SHAPE, THIRD_LINE = 15.0, 30.0, 10.0, 5.0
NEAR = (0.0, 8.0, 7.0, 3.0)  # all won, by steps from the last stone, that stone being the first
PASS_GAMES, PASS_WINS = 10.0, 1.0
EMPTY_REACH = 3  # lines count where no stone is within this many steps


@compiled
def prior(b: Ints, p: int, c: int, good: int, bad: int, steps: int) -> tuple[float, float]:
    """Virtual games and wins of playing at ``p``, given the board before it and the survey of the point."""
    lost, won = np.float64(bad), np.float64(good)
    taken = captured_by(b, p, c)
    atari = self_atari(b, p, c) != 0
    if atari:
        lost += SELF_ATARI
    if taken != 0:
        won += TAKE_MORE if taken > 1 else TAKE_ONE
    if SHAPED[b[CODE + p]]:
        won += SHAPE
    if steps != 0:
        won += NEAR[steps - 1]
    if _alone(b, p):
        line = _line(b, p)
        lost += FIRST_LINE if line == 1 else SECOND_LINE if line == 2 else 0.0
        won += THIRD_LINE if line == 3 else 0.0
    return EVEN + lost + won, EVEN / 2 + won


@compiled
def _line(b: Ints, p: int) -> int:
    """Steps from the nearest edge, 1 on it."""
    row, col = p // b[STRIDE], p % b[STRIDE]
    return min(row, b[ROWS] + 1 - row, col, b[COLS] + 1 - col)


@compiled
def _alone(b: Ints, p: int) -> bool:
    """Whether no stone stands within EMPTY_REACH steps."""
    s = b[STRIDE]
    row, col = p // s, p % s
    for r in range(max(1, row - EMPTY_REACH), min(b[ROWS], row + EMPTY_REACH) + 1):
        reach = EMPTY_REACH - abs(r - row)
        for k in range(max(1, col - reach), min(b[COLS], col + reach) + 1):
            if b[COLOR + r * s + k] != 0:
                return False
    return True
