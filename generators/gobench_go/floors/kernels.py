"""Compiled loops over many positions: what may be played by the boards that are shown, and the boards after."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game import kernels_board as kb
from gobench_go.game import kernels_games as kg
from gobench_go.game import kernels_rules as kr
from gobench_go.game.compiled import compiled, pointer
from gobench_go.game.kernels_board import LENGTH, TAKEN, TAKES, Ints
from gobench_go.game.kernels_rules import POSITIONAL, SIMPLE, SITUATIONAL
from gobench_go.game.kernels_tables import CAP, ZOBRIST

U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@compiled
def _key(b: Ints, board: U8) -> int:
    """The hash of a board uint8 [R*C], as ``b`` of that size would have it."""
    key = 0
    for move in range(len(board)):
        if board[move]:
            key ^= ZOBRIST[np.int64(board[move]) * CAP + kb.point(b, move)]
    return key


@compiled
def legal_points(code: kg.Code, boards: U8, colors: Ints, out: Bools) -> None:
    """Where each side may play.

    Args:
        boards: uint8 [N, T, R*C], the last boards of a game, the last one now; sides alternate.
        colors: int64 [N], who is to move now.
        out: bool [N, R*C], False; filled here. A board with a chain without liberties keeps no legal point.
    """
    n, shown, points = boards.shape
    work, history = np.zeros(LENGTH, np.int64), np.zeros(shown + 2, np.int64)
    b, seen = pointer(work), pointer(history)
    oldest = max(shown - 2, 0) if code.ko == SIMPLE else 0
    ko = SITUATIONAL if code.ko == SITUATIONAL else POSITIONAL
    for i in range(n):
        if not kg.set_up(b, seen, code, boards[i, shown - 1], colors[i]):
            continue
        seen[0] = 0
        for t in range(oldest, shown):
            turn = colors[i] if (shown - 1 - t) % 2 == 0 else 3 - colors[i]
            kr.remember(seen, kr.key_of(_key(b, boards[i, t]), turn, ko))
        for move in range(points):
            if boards[i, shown - 1, move] == 0:
                out[i, move] = kr.legal(b, seen, kb.point(b, move), colors[i], ko, code.suicide)
    history[0] = work[0]  # keeps the arrays alive until here


@compiled
def played(code: kg.Code, boards: U8, moves: Ints, colors: Ints) -> None:
    """Put stones on boards uint8 [N, R*C], in place: without the stones of the other side that each one takes.

    ``moves`` is int64 [N]; what is no empty point changes nothing. A stone without liberties that takes nothing stands.
    """
    work, history = np.zeros(LENGTH, np.int64), np.zeros(4, np.int64)
    b = pointer(work)
    for i in range(len(moves)):
        move = moves[i]
        if not 0 <= move < boards.shape[1] or boards[i, move] != 0:
            continue
        sound = kg.set_up(b, pointer(history), code, boards[i], 1)
        boards[i, move] = colors[i]
        if not sound:
            continue
        kb.play(b, kb.point(b, move), colors[i])
        for j in range(b[TAKES]):
            point = kb.move_of(b, b[TAKEN + j])
            if boards[i, point] == 3 - colors[i]:
                boards[i, point] = 0
    history[0] = work[0]  # keeps the arrays alive until here
