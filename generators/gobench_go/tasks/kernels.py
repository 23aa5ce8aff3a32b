"""Compiled loops over many boards: what a move takes, and what is special about a position."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game import kernels_board as kb
from gobench_go.game import kernels_games as kg
from gobench_go.game import kernels_rules as kr
from gobench_go.game.compiled import compiled, pointer
from gobench_go.game.kernels_board import COLOR, EMPTIES, HEAD, KO, LENGTH, LIST, TAKEN, TAKES, Ints

U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

KO_FIGHT, ATARI = 0, 1  # columns of ``facts``


@compiled
def taken(
    code: kg.Code, boards: U8, moves: npt.NDArray[np.int64], colors: npt.NDArray[np.int64], out: Bools
) -> None:
    """The stones that each move captures.

    Args:
        code: the size counts, not the ko rule.
        boards: uint8 [N, R*C] without dead chains. moves: int64 [N]; a move that is no empty point takes nothing.
        colors: int64 [N], 1 or 2. out: bool [N, R*C], False; filled here.
    """
    work, after, seen = np.zeros(LENGTH, np.int64), np.zeros(LENGTH, np.int64), np.zeros(4, np.int64)
    b, c = pointer(work), pointer(after)
    for n in range(len(moves)):
        move = moves[n]
        if not 0 <= move < boards.shape[1] or boards[n, move] != 0:
            continue
        kg.set_up(b, pointer(seen), code, boards[n], 1)
        kb.copy(b, c)
        kb.play(c, kb.point(c, move), colors[n])
        for i in range(c[TAKES]):
            point = kb.move_of(c, c[TAKEN + i])
            out[n, point] = boards[n, point] == 3 - colors[n]
    seen[0] = work[0] + after[0]  # keeps the arrays alive until here


@compiled
def _takes_ko(b: Ints, c: Ints, p: int, color: int) -> bool:
    """Whether ``color`` at ``p`` takes one stone so that the other side could take back at once."""
    if not kr.playable(b, p, color, False):
        return False
    kb.copy(b, c)
    kb.play(c, p, color)
    return c[KO] != 0


@compiled
def _next_to_weak(b: Ints, p: int, color: int) -> bool:
    """Whether a chain of ``color`` in atari lies beside the empty ``p``."""
    s = b[kb.STRIDE]
    for q in (p - s, p - 1, p + 1, p + s):  # noqa: SIM110
        if b[COLOR + q] == color and kb.in_atari(b, b[HEAD + q]):
            return True
    return False


@compiled
def capturing(code: kg.Code, boards: U8, colors: npt.NDArray[np.int64], out: Bools) -> None:
    """The empty points where the side to move would capture, legal or not: ``out`` bool [N, R*C], all False, is filled.

    ``boards`` is uint8 [N, R*C] without dead chains, ``colors`` int64 [N] who is to move.
    """
    work, seen = np.zeros(LENGTH, np.int64), np.zeros(4, np.int64)
    b = pointer(work)
    for n in range(len(boards)):
        kg.set_up(b, pointer(seen), code, boards[n], 1)
        for i in range(b[EMPTIES]):
            p = b[LIST + i]
            out[n, kb.move_of(b, p)] = _next_to_weak(b, p, 3 - colors[n])
    seen[0] = work[0]  # keeps the arrays alive until here


@compiled
def facts(code: kg.Code, boards: U8, out: Bools) -> None:
    """What is special about boards uint8 [N, R*C] without dead chains: ``out`` bool [N, 2], all False, is filled.

    KO_FIGHT: some side could take a ko, ban or not. ATARI: some chain has one liberty.
    """
    work, after, seen = np.zeros(LENGTH, np.int64), np.zeros(LENGTH, np.int64), np.zeros(4, np.int64)
    b, c = pointer(work), pointer(after)
    for n in range(len(boards)):
        kg.set_up(b, pointer(seen), code, boards[n], 1)
        for i in range(b[EMPTIES]):
            p = b[LIST + i]
            for victim in range(1, 3):
                if _next_to_weak(b, p, victim):
                    out[n, ATARI] = True
                    if _takes_ko(b, c, p, 3 - victim):
                        out[n, KO_FIGHT] = True
    seen[0] = work[0] + after[0]  # keeps the arrays alive until here
