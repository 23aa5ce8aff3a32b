"""Whole games in compiled code: replay, legal moves, random games and playouts, on any board up to 19x19.

These functions take numpy arrays; the compiled ones below them are in ``kernels_games`` (games),
``kernels_rules`` (legality, score) and ``kernels_board`` (stones and chains). Legality is exactly that of
``gobench_go.game.position.Position``. Moves are ``row * cols + col``, the pass is ``rows * cols``; colours
are 1 black, 2 white.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_go.game import kernels_games as kg
from gobench_go.game.kernels_board import LENGTH
from gobench_go.game.kernels_tables import CAP
from gobench_go.game.rules import KO, Rules

Board = npt.NDArray[np.uint8]
Moves = npt.NDArray[np.int16]


class Replay(NamedTuple):
    """A game played again.

    ``boards`` is uint8 [T, R, C], T = plies + 1, row 0 at the top; ``captures`` int16 [T-1], the stones taken
    off by each ply (the own ones after a suicide); ``first_illegal`` the first ply against the rules or -1.
    From that ply on the boards stay as they were and the captures are 0.
    """

    boards: Board
    captures: Moves
    first_illegal: int


def signed(seed: int) -> int:
    """Any int as the int64 with the same low 64 bits."""
    return (seed + (1 << 63)) % (1 << 64) - (1 << 63)


def coded(rules: Rules) -> kg.Code:
    """The rules as numbers for compiled code."""
    return kg.Code(rules.rows, rules.cols, KO.index(rules.ko), rules.suicide)


def _game(
    rules: Rules, setup: npt.ArrayLike | None, moves: npt.ArrayLike, colors: npt.ArrayLike | None
) -> tuple[Board, Moves, Board]:
    points = rules.points
    board = np.zeros(points, np.uint8) if setup is None else _setup(rules, setup)
    plies = _narrow(moves, np.int16, points, "moves")
    who = alternating(plies.size) if colors is None else _narrow(colors, np.uint8, 2, "colours")
    if who.shape != plies.shape or plies.ndim != 1:
        raise UsageError(f"{plies.size} moves need as many colours, not {who.size}.")
    return board, plies, who


def _setup(rules: Rules, setup: npt.ArrayLike) -> Board:
    board = _narrow(setup, np.uint8, 2, "stones").reshape(-1)
    if board.size != rules.points or board.max() > 2:
        raise UsageError(
            f"the setup board must hold {rules.points} points of 0, 1 or 2 for {rules.rows}x{rules.cols}."
        )
    return board


def _narrow(values: npt.ArrayLike, kind: type[np.integer[Any]], most: int, what: str) -> npt.NDArray[Any]:
    """Whole numbers as a contiguous array of another type; what is not in 0 to ``most`` becomes the type's
    highest number, which is neither a move nor a colour.
    """
    array = np.asarray(values)
    if array.dtype == kind and array.flags.c_contiguous:
        return array
    if array.size and array.dtype.kind not in "iu":
        raise UsageError(f"{what} are whole numbers; got {str(values)[:80]}.")
    return np.where((array < 0) | (array > most), np.iinfo(kind).max, array).astype(kind)


def _check_setup(illegal: int) -> None:
    if illegal == kg.DEAD_SETUP:
        raise UsageError("the setup board has a chain without liberties (setup-dead); remove it.")


def alternating(plies: int, first: int = 1) -> Board:
    """uint8 [plies]: the colours of a game in which ``first`` begins and nobody moves twice."""
    colors = np.full(plies, first, np.uint8)
    colors[1::2] = 3 - first
    return colors


def replay(
    rules: Rules,
    setup: npt.ArrayLike | None,
    moves: npt.ArrayLike,
    colors: npt.ArrayLike | None = None,
) -> Replay:
    """Play a game again from the board ``setup`` (uint8 [R, C]; None is empty), checking every ply.

    ``colors`` gives the colour of each ply; None alternates from Black. A ply after two passes is illegal, as
    is a number that is no move or colour, however large. Raises UsageError for arrays that do not fit each
    other or hold no whole numbers, and for a setup with a chain without liberties.
    """
    board, plies, who = _game(rules, setup, moves, colors)
    boards = np.empty((plies.size + 1, rules.rows, rules.cols), np.uint8)
    captures, work = np.zeros(plies.size, np.int16), np.zeros(LENGTH, np.int64)
    seen = np.empty(plies.size + 2, np.int64)
    illegal = int(kg.replay(coded(rules), board, plies, who, boards, captures, work, seen))
    _check_setup(illegal)
    return Replay(boards, captures, illegal)


def legal_mask(
    rules: Rules,
    setup: npt.ArrayLike | None,
    moves: npt.ArrayLike,
    colors: npt.ArrayLike | None = None,
    to_move: int | None = None,
) -> npt.NDArray[np.bool_]:
    """Bool [R*C + 1]: what ``to_move`` (None: the one whose turn it is) may play; nothing after two passes.

    Raises UsageError when the game itself breaks the rules, and for a colour that is none.
    """
    if to_move not in (None, 1, 2):
        raise UsageError(f"colour {to_move} is not possible; 1 is Black, 2 is White.")
    board, plies, who = _game(rules, setup, moves, colors)
    color = to_move or (3 - int(who[-1]) if who.size else 1)
    boards = np.empty((plies.size + 1, rules.rows, rules.cols), np.uint8)
    captures, work = np.zeros(plies.size, np.int16), np.zeros(LENGTH, np.int64)
    seen, mask = np.empty(plies.size + 2, np.int64), np.zeros(rules.points + 1, np.bool_)
    game = (coded(rules), board, plies, who, boards, captures, work, seen)
    illegal = int(kg.legal_after(*game, color, mask))
    _check_setup(illegal)
    if illegal >= 0:
        raise UsageError(f"ply {illegal} (move {plies[illegal]}) is illegal; cut the game before it.")
    return mask


def random_game(rules: Rules, seed: int, max_plies: int) -> Moves:
    """int16 [n <= max_plies]: a legal game from the empty board, Black first, to two passes or ``max_plies``.

    Every legal play that fills no eye of its own colour has the same chance; without one the side passes.
    """
    work, seen, moves = (
        np.zeros(LENGTH, np.int64),
        np.empty(max_plies + 2, np.int64),
        np.empty(max_plies, np.int16),
    )
    plies = kg.random_game(coded(rules), signed(seed), moves, work, seen)
    return moves[:plies]


def playouts(rules: Rules, seed: int, count: int) -> tuple[int, float]:
    """``count`` random games from the empty board without superko: plies in all, and the mean area score."""
    root, work = np.zeros(LENGTH, np.int64), np.zeros(LENGTH, np.int64)
    plies, total = kg.playouts(coded(rules), signed(seed), count, root, work)
    return int(plies), int(total) / max(count, 1) - rules.komi


def score(rules: Rules, board: Board) -> float:
    """Black minus white by area, komi included, of a board uint8 [R, C]."""
    grid, _, _ = _game(rules, board, (), None)
    total = int(kg.score(coded(rules), grid, np.zeros(LENGTH, np.int64), np.zeros(2 * CAP, np.int64)))
    _check_setup(kg.DEAD_SETUP if total == kg.NO_SCORE else 0)
    return total - rules.komi


def warm() -> None:
    """Compile (or load from numba's cache) everything here; call once before workers start."""
    rules = Rules(3, 3)
    moves = random_game(rules, 1, 8)
    boards = replay(rules, None, moves).boards
    legal_mask(rules, None, moves)
    playouts(rules, 1, 1)
    score(rules, boards[-1])
