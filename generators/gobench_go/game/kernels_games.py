"""Compiled games on one board: set up, replay, random games and playouts.

The functions that take arrays are called from Python or from other compiled code with everything allocated;
they hand pointers on to those that take a board ``b`` and a history ``seen``.
"""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench_go.game import kernels_board as kb
from gobench_go.game import kernels_rules as kr
from gobench_go.game.compiled import compiled, pointer
from gobench_go.game.kernels_board import AT, EMPTIES, HASH, KO, LIST, TAKEN, TAKES, Ints
from gobench_go.game.kernels_rules import SIMPLE

Bytes = npt.NDArray[np.uint8]
Moves = npt.NDArray[np.int16]
Random = npt.NDArray[np.uint64]

DEAD_SETUP = -2  # instead of a ply: the setup has a chain without liberties
NO_SCORE = -1000


class Code(NamedTuple):
    """Rules as compiled code reads them; ``ko`` is the place in ``rules.KO``."""

    rows: int
    cols: int
    ko: int
    suicide: bool


@compiled
def seeded(seed: int) -> np.uint64:
    """The first state of the generator for an int64 seed (a splitmix64 step: near seeds give far states)."""
    z = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) | np.uint64(1)


@compiled
def below(state: Random, n: int) -> int:
    """A random number in [0, n), n < 2**31, from xorshift64*; ``state[0]`` is never 0."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return (np.int64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)) * n) >> 31


@compiled
def set_up(b: Ints, seen: Ints, code: Code, setup: Bytes, to_move: int) -> bool:
    """Make ``b`` the board ``setup`` (uint8 [R*C]) and ``seen`` the history that holds it alone.

    Returns False, leaving both unfinished, when a chain of ``setup`` has no liberties.
    """
    kb.clear(b, code.rows, code.cols)
    seen[0] = 0
    for move in range(code.rows * code.cols):
        if setup[move] != 0:
            kb.play(b, kb.point(b, move), np.int64(setup[move]))
            if b[TAKES] != 0:
                return False
    b[KO] = 0
    kr.remember(seen, kr.key_of(b[HASH], to_move, code.ko))
    return True


@compiled
def replay(
    code: Code,
    setup: Bytes,
    moves: Moves,
    colors: Bytes,
    boards: Bytes,
    captures: Moves,
    work: Ints,
    history: Ints,
) -> int:
    """Play ``moves`` from ``setup`` and write every board.

    Args:
        setup: uint8 [R*C]; moves: int16 [n]; colors: uint8 [n].
        boards: uint8 [n+1, R, C], filled here. captures: int16 [n], zero.
        work: int64 [LENGTH]; history: int64 [n+2]; afterwards the board and history at the end.

    Returns:
        The first illegal ply, or -1, or DEAD_SETUP. After an illegal ply the board stays as it was.
    """
    b, seen, out = pointer(work), pointer(history), pointer(boards)
    points, n = code.rows * code.cols, moves.size
    for i in range(points):
        out[i] = setup[i]
    if not set_up(b, seen, code, pointer(setup), min(np.int64(colors[0]), 2) if n else 1):
        return DEAD_SETUP
    illegal, passes = -1, 0
    for ply in range(n):
        if illegal < 0 and passes < 2 and _step(b, seen, code, np.int64(moves[ply]), np.int64(colors[ply])):
            passes = passes + 1 if moves[ply] == points else 0
            captures[ply] = b[TAKES]
        elif illegal < 0:
            illegal, b[TAKES] = ply, 0
        _draw(b, out, ply + 1, points, np.int64(moves[ply]) if illegal < 0 else points, colors[ply])
    return illegal


@compiled
def _step(b: Ints, seen: Ints, code: Code, move: int, c: int) -> bool:
    """Play a move if it is legal; returns whether it was."""
    if not (0 <= move <= code.rows * code.cols and 1 <= c <= 2):
        return False
    p = kb.point(b, move)
    if p != 0 and not kr.legal(b, seen, p, c, code.ko, code.suicide):
        return False
    kr.advance(b, seen, p, c, code.ko)
    return True


@compiled
def _draw(b: Ints, out: Bytes, ply: int, points: int, move: int, c: int) -> None:
    """Board ``ply`` is the one before with the stone that was played and without those that were taken."""
    new = ply * points
    for i in range(points):
        out[new + i] = out[new - points + i]
    if move < points:
        out[new + move] = c
        for i in range(b[TAKES]):
            out[new + kb.move_of(b, b[TAKEN + i])] = 0


@compiled
def legal_after(
    code: Code,
    setup: Bytes,
    moves: Moves,
    colors: Bytes,
    boards: Bytes,
    captures: Moves,
    work: Ints,
    history: Ints,
    to_move: int,
    mask: npt.NDArray[np.bool_],
) -> int:
    """``replay``, then set ``mask`` (bool [R*C+1], all False) where ``to_move`` may play."""
    illegal = replay(code, setup, moves, colors, boards, captures, work, history)
    n, points = moves.size, code.rows * code.cols
    b, seen = pointer(work), pointer(history)
    if n == 0:  # the history of a start knows whose turn it is
        seen[1] = kr.key_of(b[HASH], to_move, code.ko)
    if illegal != -1 or (n > 1 and moves[n - 1] == points and moves[n - 2] == points):
        return illegal
    mask[points] = True
    for i in range(b[EMPTIES]):
        p = b[LIST + i]
        mask[kb.move_of(b, p)] = kr.legal(b, seen, p, to_move, code.ko, code.suicide)
    return illegal


@compiled
def random_play(b: Ints, seen: Ints, c: int, ko: int, suicide: bool, state: Random) -> int:
    """A random legal point that is no own eye, each with the same chance; 0 (pass) when there is none."""
    n = b[EMPTIES]
    while n > 0:
        i = below(state, n)
        p = b[LIST + i]
        if not kr.own_eye(b, p, c) and kr.legal(b, seen, p, c, ko, suicide):
            return p
        n -= 1
        swap_empties(b, i, n)
    return 0


@compiled
def swap_empties(b: Ints, i: int, j: int) -> None:
    """Exchange two places of the list of empty points."""
    p, q = b[LIST + i], b[LIST + j]
    b[LIST + i], b[LIST + j] = q, p
    b[AT + p], b[AT + q] = j, i


@compiled
def random_game(code: Code, seed: int, moves: Moves, work: Ints, history: Ints) -> int:
    """Fill ``moves`` (int16 [max_plies]) with a random legal game; returns its plies.

    ``work`` is int64 [LENGTH], ``history`` int64 [max_plies + 2].
    """
    random = np.empty(1, np.uint64)
    random[0] = seeded(seed)
    plies = _random_moves(pointer(work), pointer(history), code, pointer(random), pointer(moves), moves.size)
    random[0] = 0  # keeps the array alive until here
    return plies


@compiled
def _random_moves(b: Ints, seen: Ints, code: Code, state: Random, moves: Moves, limit: int) -> int:
    kb.clear(b, code.rows, code.cols)
    seen[0] = 0
    kr.remember(seen, kr.key_of(b[HASH], 1, code.ko))
    passes, c = 0, 1
    for ply in range(limit):
        p = random_play(b, seen, c, code.ko, code.suicide, state)
        moves[ply] = kb.move_of(b, p)
        kr.advance(b, seen, p, c, code.ko)
        c = 3 - c
        passes = passes + 1 if p == 0 else 0
        if passes == 2:
            return ply + 1
    return limit


@compiled
def random_playout(b: Ints, c: int, state: Random, limit: int) -> int:
    """Play ``b`` on at random (simple ko, no suicide) to two passes or ``limit`` plies; returns the plies."""
    passes = 0
    for ply in range(limit):
        p = random_play(b, b, c, SIMPLE, False, state)
        kb.play(b, p, c)
        c = 3 - c
        passes = passes + 1 if p == 0 else 0
        if passes == 2:
            return ply + 1
    return limit


@compiled
def playouts(code: Code, seed: int, count: int, root: Ints, work: Ints) -> tuple[int, int]:
    """Plies and black-minus-white points, both summed over ``count`` playouts from the empty board."""
    random = np.empty(1, np.uint64)
    random[0] = seeded(seed)
    start, b, state = pointer(root), pointer(work), pointer(random)
    kb.clear(start, code.rows, code.cols)
    plies = total = 0
    for _ in range(count):
        kb.copy(start, b)
        plies += random_playout(b, 1, state, 3 * code.rows * code.cols)
        total += kr.playout_score(b)
    random[0] = 0  # keeps the array alive until here
    return plies, total


@compiled
def score(code: Code, setup: Bytes, work: Ints, scratch: Ints) -> int:
    """Black minus white by area of a board uint8 [R*C], or NO_SCORE; ``scratch`` is int64 [2 * CAP], zero."""
    b, seen = pointer(work), pointer(scratch)
    if not set_up(b, seen, code, pointer(setup), 1):
        return NO_SCORE
    return kr.area_score(b, seen)
