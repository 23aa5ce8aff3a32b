"""Compiled loops of lessons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game import kernels_board as kb
from gobench_go.game import kernels_games as kg
from gobench_go.game import kernels_rules as kr
from gobench_go.game.compiled import compiled, pointer
from gobench_go.game.kernels_board import LENGTH, TAKEN, TAKES, Ints

U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@compiled
def act(code: kg.Code, boards: U8, moves: Ints, colors: Ints, out: Bools) -> None:
    """Play one move on each board, in place, where the board alone allows it.

    Args:
        code: the rules; of the game before nothing is known but the board.
        boards: uint8 [N, R*C]; one with a chain without liberties stays as it is.
        moves, colors: int64 [N]; what is no empty point, or no colour, changes nothing.
        out: bool [N], False; filled here: whether the move was played.
    """
    work, history = np.zeros(LENGTH, np.int64), np.zeros(4, np.int64)
    b, seen = pointer(work), pointer(history)
    for i in range(len(moves)):
        move, color = moves[i], colors[i]
        if not (0 <= move < boards.shape[1] and 1 <= color <= 2) or boards[i, move] != 0:
            continue
        if not kg.set_up(b, seen, code, boards[i], color):
            continue
        p = kb.point(b, move)
        if kr.legal(b, seen, p, color, code.ko, code.suicide):
            kb.play(b, p, color)
            boards[i, move], out[i] = color, True
            for j in range(b[TAKES]):
                boards[i, kb.move_of(b, b[TAKEN + j])] = 0
    history[0] = work[0]  # keeps the arrays alive until here
