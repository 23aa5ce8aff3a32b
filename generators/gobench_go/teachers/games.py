"""The calls from Python into the search: judge one position, or play a whole game. Compiled.

Arguments are arrays, allocated by the caller (see ``mcts``), so that nothing is freed while pointers to it
are in use.
"""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench_go.game.compiled import compiled, pointer
from gobench_go.game.kernels_board import HASH, Ints, clear, move_of, play, point
from gobench_go.game.kernels_games import Bytes, Code, Moves, below, seeded, set_up
from gobench_go.game.kernels_rules import advance, key_of, legal, own_eye, remember
from gobench_go.game.kernels_tables import CAP, ZOBRIST
from gobench_go.teachers.search import Turn, best_child, passes_now, root_value, sample_child, think
from gobench_go.teachers.tree import Scratch, Tree, keep_subtree, plant

Floats = npt.NDArray[np.float64]
TRIES = 100  # random points tried for an opening move before the search decides


class Task(NamedTuple):
    """What to search: rules, twice the komi, the seed, visits at the root, nodes that fit into a tree."""

    code: Code
    komi2: int
    seed: int
    visits: int
    room: int


class Plan(NamedTuple):
    """How a game varies: ``plies`` random moves in the middle square of side ``region``, then moves drawn
    with temperature ``heat[i]`` before ply ``until[i]``.
    """

    plies: int
    region: int
    until: Ints
    heat: Floats


@compiled
def _tree(t: Tree) -> Tree:
    return Tree(
        pointer(t.point),
        pointer(t.child),
        pointer(t.count),
        pointer(t.visits),
        pointer(t.wins),
        pointer(t.games),
        pointer(t.won),
        pointer(t.first_games),
        pointer(t.first_won),
        pointer(t.used),
    )


@compiled
def _scratch(s: Scratch) -> Scratch:
    return Scratch(
        pointer(s.root),
        pointer(s.board),
        pointer(s.reading),
        pointer(s.seen),
        pointer(s.first),
        pointer(s.path),
        pointer(s.flood),
        pointer(s.owner),
        pointer(s.score),
        pointer(s.good),
        pointer(s.bad),
        pointer(s.steps),
        pointer(s.state),
    )


@compiled
def judge(
    tree: Tree,
    scratch: Scratch,
    task: Task,
    boards: Bytes,
    movers: Bytes,
    last: int,
    passes: int,
    visits: npt.NDArray[np.int32],
    wins: npt.NDArray[np.float32],
) -> int:
    """Search the last of ``boards`` and return the best move.

    Args:
        boards: uint8 [H, R*C], every board of the game so far; movers: uint8 [H], who was to move on it.
        last: the move that led to the last board (R*C: pass), or -1. passes: in a row, up to now.
        visits, wins: [R*C + 1] by move, zero; filled here. ``scratch.score`` is left by padded point.
    """
    t, s = _tree(tree), _scratch(scratch)
    s.state[0] = seeded(task.seed)
    _recall(s, task.code, boards, movers, last)
    turn = Turn(movers[-1] + 0, point(s.root, last) if last >= 0 else 0, passes)
    plant(t)
    think(t, s, task.code, task.komi2, turn, task.visits, task.room)
    start = np.int64(t.child[0])
    for i in range(start, start + t.count[0]):
        move = move_of(s.root, np.int64(t.point[i]))
        visits[move], wins[move] = t.visits[i], t.wins[i]
    return move_of(s.root, _best_point(t, s, task.komi2, turn))


@compiled
def _best_point(t: Tree, s: Scratch, komi2: int, turn: Turn) -> int:
    """The point to play after a search, 0 to pass."""
    if passes_now(t, s, komi2, turn):
        return 0
    return np.int64(t.point[best_child(t, True)])


@compiled
def _recall(s: Scratch, code: Code, boards: Bytes, movers: Bytes, last: int) -> None:
    """Make the root the last of ``boards`` with its history; the last move is played, as a ko hangs on it."""
    n = boards.shape[0]
    before = max(n - 2, 0) if last >= 0 else n - 1
    mover = np.int64(movers[-1])
    set_up(s.root, s.seen, code, pointer(boards[before]), mover)
    if before < n - 1:
        play(s.root, point(s.root, last), _last_color(boards, last, mover))
    s.seen[0] = 0
    for i in range(n):
        key = np.int64(0)
        for move in range(boards.shape[1]):
            if boards[i, move] != 0:
                key ^= ZOBRIST[boards[i, move] * CAP + point(s.root, move)]
        remember(s.seen, key_of(key, np.int64(movers[i]), code.ko))


@compiled
def _last_color(boards: Bytes, last: int, mover: int) -> int:
    """Who made the move ``last``: whose stone stands there, else (suicide) whose stones vanished."""
    n, points = boards.shape
    if last < points and boards[n - 1, last] != 0:
        return np.int64(boards[n - 1, last])
    for i in range(points):
        if boards[n - 2, i] != 0 and boards[n - 1, i] == 0:
            return np.int64(boards[n - 2, i])
    return 3 - mover


@compiled
def self_play(
    tree: Tree,
    other: Tree,
    scratch: Scratch,
    task: Task,
    plan: Plan,
    moves: Moves,
    targets: Moves,
    values: Floats,
) -> int:
    """Play a game from the empty board; returns its plies.

    ``moves`` and ``targets`` (the best moves) are int16 [max_plies], ``values`` float64 [max_plies], the
    share of each root's simulations that the side to move won.
    """
    t, spare, s, code = _tree(tree), _tree(other), _scratch(scratch), task.code
    s.state[0] = seeded(task.seed)
    clear(s.root, code.rows, code.cols)
    s.seen[0] = 0
    remember(s.seen, key_of(s.root[HASH], 1, code.ko))
    plant(t)
    turn = Turn(1, 0, 0)
    for ply in range(moves.size):
        think(t, s, code, task.komi2, turn, task.visits, task.room)
        best = _best_point(t, s, task.komi2, turn)
        targets[ply] = move_of(s.root, best)
        values[ply] = root_value(t)
        p = _choose(t, s, code, plan, ply, turn.color, best)
        moves[ply] = move_of(s.root, p)
        advance(s.root, s.seen, p, turn.color, code.ko)
        turn = Turn(3 - turn.color, p, turn.passes + 1 if p == 0 else 0)
        if turn.passes == 2:
            return ply + 1
        child = _child_at(t, p)
        if child == 0:
            plant(t)
        else:
            keep_subtree(t, child, spare)
            t, spare = spare, t
    return moves.size


@compiled
def _choose(t: Tree, s: Scratch, code: Code, plan: Plan, ply: int, c: int, best: int) -> int:
    """The point to play: random in the opening, then as the best is a pass, or drawn by visits."""
    if ply < plan.plies:
        p = _opening_play(s, code, plan.region, c)
        if p != 0:
            return p
    if best == 0:
        return 0
    row = 0
    while row < plan.until.size - 1 and ply >= plan.until[row]:
        row += 1
    return np.int64(t.point[sample_child(t, plan.heat[row], s.state)])


@compiled
def _opening_play(s: Scratch, code: Code, region: int, c: int) -> int:
    """A random legal play in the middle of the board, or 0."""
    height, width = min(region, code.rows), min(region, code.cols)
    top, left = (code.rows - height) // 2, (code.cols - width) // 2
    for _ in range(TRIES):
        row, col = top + below(s.state, height), left + below(s.state, width)
        p = point(s.root, row * code.cols + col)
        if not own_eye(s.root, p, c) and legal(s.root, s.seen, p, c, code.ko, code.suicide):
            return p
    return 0


@compiled
def _child_at(t: Tree, p: int) -> int:
    """The root's child that plays ``p`` and was visited, or 0."""
    start = np.int64(t.child[0])
    for i in range(start, start + t.count[0]):
        if t.point[i] == p and t.visits[i] > 0:
            return i
    return 0
