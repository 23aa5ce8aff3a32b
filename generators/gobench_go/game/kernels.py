"""Whole games in compiled code: replay, legal moves, random games and playouts, on any board up to 19x19.

Legality is exactly that of ``gobench_go.game.position.Position``. Moves are ``row * cols + col``, the pass is
``rows * cols``; colours are 1 black, 2 white. The board itself is in ``kernels_board``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_go.game import kernels_board as kb
from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import EMPTIES, HASH, LENGTH, LIST, SIMPLE, SITUATIONAL, TAKEN, TAKES
from gobench_go.game.kernels_tables import CAP
from gobench_go.game.rules import KO, Rules

Board = npt.NDArray[np.uint8]
Moves = npt.NDArray[np.int16]
DEAD_SETUP = -2
NO_SCORE = -1000


class Replay(NamedTuple):
    """A game played again.

    ``boards`` is uint8 [T, R, C], T = plies + 1, row 0 at the top; ``captures`` int16 [T-1], the stones taken off
    by each ply (the own ones after a suicide); ``first_illegal`` the first ply against the rules or -1. From that
    ply on the boards stay as they were and the captures are 0.
    """

    boards: Board
    captures: Moves
    first_illegal: int


@compiled
def next_random(state: npt.NDArray[np.uint64]) -> int:
    """63 random bits (xorshift64*) as a non-negative int64; ``state`` is uint64 [1], never 0."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(1))


@compiled
def below(state: npt.NDArray[np.uint64], n: int) -> int:
    """A random number in [0, n), n < 2**31."""
    return ((next_random(state) >> 32) * n) >> 31


@compiled
def seeded(seed: int) -> npt.NDArray[np.uint64]:
    """The generator's state for an int64 seed (one splitmix64 step, so that near seeds differ much)."""
    z = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state = np.empty(1, np.uint64)
    state[0] = (z ^ (z >> np.uint64(31))) | np.uint64(1)
    return state


@compiled
def set_up(b: kb.Ints, seen: kb.Ints, rows: int, cols: int, setup: Board, to_move: int, ko: int) -> bool:
    """Make ``b`` the board ``setup`` (uint8 [R*C]) and ``seen`` the history that holds it alone.

    Returns False, leaving both unfinished, when a chain of ``setup`` has no liberties.
    """
    kb.clear(b, rows, cols)
    seen[0] = 0
    for move in range(rows * cols):
        if setup[move] != 0:
            kb.play(b, kb.point(b, move), np.int64(setup[move]))
            if b[TAKES] != 0:
                return False
    b[kb.KO] = 0
    kb.remember(seen, kb.key_of(b[HASH], to_move, ko))
    return True


@compiled
def advance(b: kb.Ints, seen: kb.Ints, p: int, c: int, ko: int) -> None:
    """Play the legal ``p`` (0 passes) and note the new board in the history ``seen``."""
    kb.play(b, p, c)
    if ko == SITUATIONAL:  # the history alone decides: whose turn it was may make a ko legal to take back
        b[kb.KO] = 0
    kb.remember(seen, kb.key_of(b[HASH], 3 - c, ko))


@compiled
def replay_into(
    b: kb.Ints,
    seen: kb.Ints,
    ko: int,
    suicide: bool,
    moves: Moves,
    colors: Board,
    boards: Board,
    captures: Moves,
) -> int:
    """Play ``moves`` on the prepared ``b`` and ``seen`` (int64 [plies + 2]) and write every board.

    ``moves`` int16 [n], ``colors`` uint8 [n], ``boards`` uint8 [n+1, R*C] whose row 0 is filled already,
    ``captures`` int16 [n], all zero. Returns the first illegal ply or -1; what comes after it is left alone.
    """
    passes = 0
    for ply in range(moves.size):
        move, c = np.int64(moves[ply]), np.int64(colors[ply])
        if passes == 2 or not (0 <= move <= boards.shape[1]) or not (1 <= c <= 2):
            return ply
        p = kb.point(b, move)
        if p != 0 and not kb.legal(b, seen, p, c, ko, suicide):
            return ply
        advance(b, seen, p, c, ko)
        passes = passes + 1 if p == 0 else 0
        boards[ply + 1] = boards[ply]
        if p != 0:
            boards[ply + 1, move] = c
            captures[ply] = b[TAKES]
            for i in range(b[TAKES]):
                boards[ply + 1, kb.move_of(b, b[TAKEN + i])] = 0
    return -1


@compiled
def _replay(
    rows: int, cols: int, ko: int, suicide: bool, setup: Board, moves: Moves, colors: Board
) -> tuple[Board, Moves, int]:
    n = moves.size
    b, seen = np.zeros(LENGTH, np.int64), np.empty(n + 2, np.int64)
    boards, captures = np.empty((n + 1, rows * cols), np.uint8), np.zeros(n, np.int16)
    boards[0] = setup
    if not set_up(b, seen, rows, cols, setup, np.int64(colors[0]) if n else 1, ko):
        return boards, captures, DEAD_SETUP
    illegal = replay_into(b, seen, ko, suicide, moves, colors, boards, captures)
    if illegal >= 0:
        boards[illegal + 1 :] = boards[illegal]
    return boards, captures, illegal


@compiled
def _legal_mask(
    rows: int, cols: int, ko: int, suicide: bool, setup: Board, moves: Moves, colors: Board, to_move: int
) -> tuple[npt.NDArray[np.bool_], int]:
    n = moves.size
    b, seen = np.zeros(LENGTH, np.int64), np.empty(n + 2, np.int64)
    boards, captures = np.zeros((n + 1, rows * cols), np.uint8), np.zeros(n, np.int16)
    mask = np.zeros(rows * cols + 1, np.bool_)
    if not set_up(b, seen, rows, cols, setup, np.int64(colors[0]) if n else to_move, ko):
        return mask, DEAD_SETUP
    illegal = replay_into(b, seen, ko, suicide, moves, colors, boards, captures)
    if illegal >= 0 or (n > 1 and moves[n - 1] == moves[n - 2] == rows * cols):
        return mask, illegal
    mask[rows * cols] = True
    for i in range(b[EMPTIES]):
        p = b[LIST + i]
        mask[kb.move_of(b, p)] = kb.legal(b, seen, p, to_move, ko, suicide)
    return mask, illegal


@compiled
def random_play(
    b: kb.Ints, seen: kb.Ints, c: int, ko: int, suicide: bool, state: npt.NDArray[np.uint64]
) -> int:
    """A random legal point that is no own eye, each with the same chance; 0 (pass) when there is none."""
    n = b[EMPTIES]
    while n > 0:
        i = below(state, n)
        p = b[LIST + i]
        if not kb.own_eye(b, p, c) and kb.legal(b, seen, p, c, ko, suicide):
            return p
        n -= 1
        swap_empties(b, i, n)
    return 0


@compiled
def swap_empties(b: kb.Ints, i: int, j: int) -> None:
    """Exchange two places of the list of empty points."""
    p, q = b[LIST + i], b[LIST + j]
    b[LIST + i], b[LIST + j] = q, p
    b[kb.AT + p], b[kb.AT + q] = j, i


@compiled
def _random_game(rows: int, cols: int, ko: int, suicide: bool, seed: int, max_plies: int) -> Moves:
    b, seen, state = np.zeros(LENGTH, np.int64), np.empty(max_plies + 2, np.int64), seeded(seed)
    moves = np.empty(max_plies, np.int16)
    set_up(b, seen, rows, cols, np.zeros(rows * cols, np.uint8), 1, ko)
    passes, c = 0, 1
    for ply in range(max_plies):
        p = random_play(b, seen, c, ko, suicide, state)
        moves[ply] = kb.move_of(b, p)
        advance(b, seen, p, c, ko)
        c = 3 - c
        passes = passes + 1 if p == 0 else 0
        if passes == 2:
            return moves[: ply + 1].copy()
    return moves


@compiled
def random_playout(b: kb.Ints, seen: kb.Ints, c: int, state: npt.NDArray[np.uint64], limit: int) -> int:
    """Play ``b`` on at random (simple ko, no suicide) to two passes or ``limit`` plies; returns the plies."""
    passes = 0
    for ply in range(limit):
        p = random_play(b, seen, c, SIMPLE, False, state)
        kb.play(b, p, c)
        c = 3 - c
        passes = passes + 1 if p == 0 else 0
        if passes == 2:
            return ply + 1
    return limit


@compiled
def _playouts(rows: int, cols: int, seed: int, count: int) -> tuple[int, int]:
    root, b = np.zeros(LENGTH, np.int64), np.zeros(LENGTH, np.int64)
    seen, state = np.zeros(2, np.int64), seeded(seed)
    kb.clear(root, rows, cols)
    plies = total = 0
    for _ in range(count):
        kb.copy(root, b)
        plies += random_playout(b, seen, 1, state, 3 * rows * cols)
        total += kb.playout_score(b)
    return plies, total


def _seed(seed: int) -> int:
    """Any int as the int64 with the same low 64 bits."""
    return (seed + (1 << 63)) % (1 << 64) - (1 << 63)


def _game(
    rules: Rules, setup: Board | None, moves: Sequence[int] | Moves, colors: Sequence[int] | Board | None
) -> tuple[Board, Moves, Board]:
    points = rules.points
    board = np.zeros(points, np.uint8) if setup is None else np.ascontiguousarray(setup, np.uint8).reshape(-1)
    plies = np.ascontiguousarray(moves, np.int16)
    who = alternating(plies.size) if colors is None else np.ascontiguousarray(colors, np.uint8)
    if board.size != points or (board.size and board.max() > 2):
        raise UsageError(
            f"the setup board must hold {points} points of 0, 1 or 2 for {rules.rows}x{rules.cols}."
        )
    if who.size != plies.size:
        raise UsageError(f"{plies.size} moves need as many colours, not {who.size}.")
    return board, plies, who


def _check_setup(illegal: int) -> None:
    if illegal == DEAD_SETUP:
        raise UsageError("the setup board has a chain without liberties (setup-dead); remove it.")


def alternating(plies: int, first: int = 1) -> Board:
    """uint8 [plies]: the colours of a game in which ``first`` begins and nobody moves twice."""
    colors = np.full(plies, first, np.uint8)
    colors[1::2] = 3 - first
    return colors


def replay(
    rules: Rules,
    setup: Board | None,
    moves: Sequence[int] | Moves,
    colors: Sequence[int] | Board | None = None,
) -> Replay:
    """Play a game again from the board ``setup`` (uint8 [R, C]; None is empty), checking every ply.

    ``colors`` gives the colour of each ply; None alternates from Black. A ply after two passes is illegal. Raises
    UsageError for arrays that do not fit each other, and for a setup with a chain without liberties.
    """
    board, plies, who = _game(rules, setup, moves, colors)
    boards, captures, illegal = _replay(
        rules.rows, rules.cols, KO.index(rules.ko), rules.suicide, board, plies, who
    )
    _check_setup(illegal)
    return Replay(boards.reshape(-1, rules.rows, rules.cols), captures, int(illegal))


def legal_mask(
    rules: Rules,
    setup: Board | None,
    moves: Sequence[int] | Moves,
    colors: Sequence[int] | Board | None = None,
    to_move: int | None = None,
) -> npt.NDArray[np.bool_]:
    """Bool [R*C + 1]: what ``to_move`` (None: the one whose turn it is) may play; nothing after two passes.

    Raises UsageError when the game itself breaks the rules.
    """
    board, plies, who = _game(rules, setup, moves, colors)
    color = to_move or (3 - int(who[-1]) if who.size else 1)
    mask, illegal = _legal_mask(
        rules.rows, rules.cols, KO.index(rules.ko), rules.suicide, board, plies, who, color
    )
    _check_setup(illegal)
    if illegal >= 0:
        raise UsageError(
            f"ply {illegal} (move {plies[illegal]}) is against the rules; cut the game before it."
        )
    return np.asarray(mask)


def random_game(rules: Rules, seed: int, max_plies: int) -> Moves:
    """int16 [n <= max_plies]: a legal game from the empty board, Black first, to two passes or ``max_plies``.

    Every legal play that fills no eye of its own colour has the same chance; without one the side passes.
    """
    ko = KO.index(rules.ko)
    return np.asarray(
        _random_game(rules.rows, rules.cols, ko, rules.suicide, _seed(seed), max_plies), np.int16
    )


def playouts(rules: Rules, seed: int, count: int) -> tuple[int, float]:
    """``count`` random games from the empty board without superko: plies in all, and the mean area score."""
    plies, total = _playouts(rules.rows, rules.cols, _seed(seed), count)
    return int(plies), int(total) / max(count, 1) - rules.komi


def score(rules: Rules, board: Board) -> float:
    """Black minus white by area, komi included, of a board uint8 [R, C]."""
    grid, _, _ = _game(rules, board, (), None)
    total = int(_score(rules.rows, rules.cols, grid))
    _check_setup(DEAD_SETUP if total == NO_SCORE else 0)
    return total - rules.komi


@compiled
def _score(rows: int, cols: int, setup: Board) -> int:
    b = np.zeros(LENGTH, np.int64)
    if not set_up(b, np.empty(2, np.int64), rows, cols, setup, 1, SIMPLE):
        return NO_SCORE
    return kb.area_score(b, np.empty(2 * CAP, np.int64))


def warm() -> None:
    """Compile (or load from numba's cache) everything here; call once before workers start."""
    rules = Rules(3, 3)
    moves = random_game(rules, 1, 8)
    boards = replay(rules, None, moves).boards
    legal_mask(rules, None, moves)
    playouts(rules, 1, 1)
    score(rules, boards[-1])
