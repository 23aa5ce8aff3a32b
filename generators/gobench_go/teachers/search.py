"""From simulations to decisions: thinking about a position, when to pass, drawing a move. Compiled."""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import COLS, EMPTIES, ROWS, STRIDE, Ints
from gobench_go.game.kernels_games import Code, Random, below
from gobench_go.game.kernels_tables import CAP
from gobench_go.teachers.tree import Scratch, Tree, exact_score, result, simulate

SETTLED = 0.7  # a point is settled when one side owns it in this share of the playouts, on balance
HOPELESS = 0.1  # below this chance of winning a side passes once everything is settled
SAMPLES = 10  # fewer playouts settle nothing
LATE = 3  # it is late when no more than one point in this many is empty
CLOSE = 0.05  # how much worse a counted result may be than the expected one for a pass to be fine


class Turn(NamedTuple):
    """Who is to move, the last point played (0: none or a pass), and the passes in a row before it."""

    color: int
    last: int
    passes: int


@compiled
def think(t: Tree, s: Scratch, code: Code, komi2: int, turn: Turn, visits: int, room: int) -> None:
    """Search until the root has ``visits`` visits, but make at least half as many simulations."""
    for i in range(CAP):
        s.owner[i] = s.score[i] = 0
    missing = visits - np.int64(t.visits[0])
    least = (visits + 1) // 2
    for _ in range(missing if missing > least else least):
        simulate(t, s, code, komi2, turn.color, turn.last, turn.passes, room)


@compiled
def best_child(t: Tree, plays_only: bool) -> int:
    """The root's child with most visits, among equals the one with most wins; 0 for none."""
    best = 0
    start = np.int64(t.child[0])
    for i in range(start, start + t.count[0]):
        if t.visits[i] == 0 or (plays_only and t.point[i] == 0):
            continue
        more = best == 0 or t.visits[i] > t.visits[best]
        if more or (t.visits[i] == t.visits[best] and t.wins[i] > t.wins[best]):
            best = i
    return best


@compiled
def value_of(t: Tree, child: int) -> float:
    """The share of simulations through ``child`` that its player won; 0.5 without any."""
    return np.float64(t.wins[child]) / np.float64(t.visits[child]) if t.visits[child] > 0 else 0.5


@compiled
def root_value(t: Tree) -> float:
    """The share of all simulations from the root that the side to move won; 0.5 without any.

    Over all moves tried, not the best alone: that one's share is the largest of many noisy ones, so too high.
    """
    wins, visits = np.float64(0.0), np.int64(0)
    start = np.int64(t.child[0])
    for i in range(start, start + t.count[0]):
        if t.visits[i] > 0:
            wins += np.float64(t.wins[i])
            visits += np.int64(t.visits[i])
    return wins / visits if visits > 0 else 0.5


@compiled
def passes_now(t: Tree, s: Scratch, komi2: int, turn: Turn) -> bool:
    """Whether the side to move should pass: it has no play, or wins by ending the game, or all is settled.

    A side that is ahead does not pass first while much of the board is empty: a point may look settled only
    because the playouts take its answers for granted.
    """
    by_visits = best_child(t, False)
    if best_child(t, True) == 0:
        return True
    black = result(exact_score(s.root, s.flood), komi2)
    now = black if turn.color == 1 else 1.0 - black
    value = value_of(t, by_visits)
    fine = now >= value - CLOSE
    if turn.passes > 0 and fine and now > 0.0:
        return True
    quiet = settled(s.root, s.owner)
    if value < HOPELESS:
        return quiet
    late = s.root[EMPTIES] * LATE <= s.root[ROWS] * s.root[COLS]
    return late and fine and (quiet or t.point[by_visits] == 0)


@compiled
def settled(b: Ints, owner: Ints) -> bool:
    """Whether every point of the board nearly always ended with the same side."""
    least = SETTLED * owner[0]
    for row in range(1, b[ROWS] + 1):
        start = row * b[STRIDE] + 1
        for p in range(start, start + b[COLS]):
            if abs(owner[p]) < least:
                return False
    return owner[0] >= SAMPLES


@compiled
def sample_child(t: Tree, temperature: float, state: Random) -> int:
    """A play of the root drawn with chances as visits ** (1 / temperature); below 0.02 the best."""
    best = best_child(t, True)
    if temperature < 0.02:
        return best
    start, total = np.int64(t.child[0]), 0.0
    for i in range(start, start + t.count[0]):
        total += _chance(t, i, best, temperature)
    left = total * np.float64(below(state, 1 << 30)) / (1 << 30)
    for i in range(start, start + t.count[0]):
        left -= _chance(t, i, best, temperature)
        if left < 0.0:
            return i
    return best


@compiled
def _chance(t: Tree, i: int, best: int, temperature: float) -> float:
    if t.point[i] == 0 or t.visits[i] == 0:
        return 0.0
    return power(np.float64(t.visits[i]) / np.float64(t.visits[best]), 1.0 / temperature)


@compiled
def power(x: float, e: float) -> float:
    """``x ** e`` for 0 < x <= 1 and 0 <= e <= 50, from products and roots: the same on every machine."""
    whole = int(e)
    value, root, rest = 1.0, x, e - whole
    for _ in range(whole):
        value *= x
    for _ in range(20):
        root = np.sqrt(root)
        rest *= 2.0
        if rest >= 1.0:
            value *= root
            rest -= 1.0
    return value
