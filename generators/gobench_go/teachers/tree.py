"""The search tree as plain arrays, and one simulation through it. Compiled.

A node is the position after its move. Its numbers are kept from the side of the player of that move:
``visits`` and ``wins`` count simulations, ``games`` and ``won`` the same with the prior on top,
``first_games`` and ``first_won`` the simulations in which that player was the first to play there later on
(RAVE). The children of a node are the ``count`` nodes from ``child`` on; ``child`` is 0 until it was opened.
"""

# mypy: disable-error-code="no-any-return,return-value,assignment"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import COLS, EMPTIES, LIST, ROWS, STRIDE, Ints, copy
from gobench_go.game.kernels_games import Code, Random, below
from gobench_go.game.kernels_rules import SIMPLE, advance, area_score, legal, own_eye, playable, side_of
from gobench_go.game.kernels_tables import CAP
from gobench_go.teachers.playouts import playout
from gobench_go.teachers.priors import PASS_GAMES, PASS_WINS, prior
from gobench_go.teachers.survey import fights, measure

OPEN_AT = 2  # visits at which a node gets children
RAVE = 3500.0  # the larger, the longer the first-play numbers outweigh the plain ones
MARGIN = 0.1  # how much of a result is by how many points, so that a won game is also played well
NOISE = 1e-3  # breaks ties of equal priors
NEVER = -1e9  # wins of a child that superko forbids


class Tree(NamedTuple):
    """Pointers (or arrays) of one number a node; ``used`` int64 [1] counts the nodes."""

    point: Any  # int32, the padded point of the move; 0 is the pass
    child: Any  # int32
    count: Any  # int32
    visits: Any  # int32
    wins: Any  # float32, and so are the following
    games: Any
    won: Any
    first_games: Any
    first_won: Any
    used: Any


class Scratch(NamedTuple):
    """What a simulation writes on: int64 pointers (or arrays); ``state`` is uint64 [1]."""

    root: Ints  # [LENGTH] the board at the root
    board: Ints  # [LENGTH]
    reading: Ints  # [LENGTH] a board to read ahead on
    seen: Ints  # history up to the root, with room for a path of the tree
    first: Ints  # [CAP] who first played at a point
    path: Ints  # [CAP] nodes from the root down
    flood: Ints  # [2 * CAP]
    owner: Ints  # [CAP] black minus white at the ends of the simulations
    score: Ints  # [CAP] for the first point played, black minus white over the whole board, added up
    good: Ints  # [CAP] virtual games that a node starts with, all won
    bad: Ints  # [CAP] the same, all lost
    steps: Ints  # [CAP] from the last stone
    state: Random


@compiled
def plant(t: Tree) -> None:
    """Make the tree a root alone (node 0)."""
    t.used[0] = 0
    _sprout(t, 0, 0.0, 0.0)


@compiled
def _sprout(t: Tree, point: int, games: float, won: float) -> None:
    i = t.used[0]
    t.point[i] = point
    t.child[i] = t.count[i] = t.visits[i] = 0
    t.wins[i] = t.first_games[i] = t.first_won[i] = 0.0
    t.games[i], t.won[i] = games, won
    t.used[0] = i + 1


@compiled
def open_node(t: Tree, s: Scratch, node: int, c: int, last: int, suicide: bool) -> None:
    """Give ``node`` its children: all plays of ``c`` but into own eyes (superko is asked later), the pass."""
    start, b = t.used[0], s.board
    fights(b, s.reading, c, s.good, s.bad)
    measure(b, last, s.steps, s.flood)
    for i in range(b[EMPTIES]):
        p = b[LIST + i]
        if playable(b, p, c, suicide) and not own_eye(b, p, c):
            games, won = prior(b, p, c, s.good[p], s.bad[p], s.steps[p])
            _sprout(t, p, games, won + NOISE * below(s.state, 1024) / 1024.0)
    _sprout(t, 0, PASS_GAMES, PASS_WINS)
    t.child[node], t.count[node] = start, t.used[0] - start


@compiled
def select(t: Tree, node: int) -> int:
    """The child with the best mix of its own results and its first-play results."""
    start = np.int64(t.child[node])
    best, most = start, -1e18
    for i in range(start, start + t.count[node]):
        k = 1.0 + t.first_games[i] / RAVE
        value = (t.first_won[i] + k * t.won[i]) / (t.first_games[i] + k * t.games[i])
        if value > most:
            best, most = i, value
    return best


@compiled
def simulate(t: Tree, s: Scratch, code: Code, komi2: int, c: int, last: int, passes: int, room: int) -> None:
    """One simulation from the root, where ``c`` is to move after ``last`` and ``passes`` passes in a row.

    ``komi2`` is twice the komi; ``room`` the number of nodes that fit into the tree.
    """
    b, history, points = s.board, s.seen[0], code.rows * code.cols
    copy(s.root, b)
    for p in range((code.rows + 2) * b[STRIDE] + 1):
        s.first[p] = 0
    node = depth = 0
    mover = c
    s.path[0] = 0
    while passes < 2 and depth < CAP - 2:
        if t.child[node] == 0:
            if (t.visits[node] < OPEN_AT and node != 0) or t.used[0] + points + 1 > room:
                break
            open_node(t, s, node, mover, last, code.suicide)
        node = _descend(t, node, b, s.seen, mover, code)
        last = np.int64(t.point[node])
        passes = passes + 1 if last == 0 else 0
        if last != 0 and s.first[last] == 0:
            s.first[last] = mover
        mover = 3 - mover
        depth += 1
        s.path[depth] = node
    s.seen[0] = history
    if passes < 2:
        playout(b, s.reading, s.first, mover, last, passes, s.state, 3 * points)
        black = _count(b, s.owner)
    else:
        black = exact_score(b, s.flood)
    s.score[t.point[s.path[1]]] += black
    margin = (2.0 * black - komi2) / (4.0 * points)  # half a board more or less at the most
    good = (1.0 - MARGIN) * result(black, komi2) + MARGIN * min(1.0, max(0.0, 0.5 + margin))
    _learn(t, s, c, depth, result(black, komi2), good)


@compiled
def exact_score(b: Ints, flood: Ints) -> int:
    """Black minus white of the board as it stands."""
    for i in range(2 * CAP):
        flood[i] = 0
    return area_score(b, flood)


@compiled
def result(black: int, komi2: int) -> float:
    """1.0 when Black wins, 0.5 for a draw, 0.0 when White wins, given points and twice the komi."""
    if 2 * black == komi2:
        return 0.5
    return 1.0 if 2 * black > komi2 else 0.0


@compiled
def _descend(t: Tree, node: int, b: Ints, seen: Ints, c: int, code: Code) -> int:
    """Play the best child that superko allows, and return it."""
    while True:
        child = select(t, node)
        p = np.int64(t.point[child])
        new = p != 0 and t.visits[child] == 0 and (code.ko != SIMPLE or code.suicide)
        if not new or legal(b, seen, p, c, code.ko, code.suicide):
            advance(b, seen, p, c, code.ko)
            return child
        t.won[child] = NEVER


@compiled
def _count(b: Ints, owner: Ints) -> int:
    """Black minus white points at the end of a playout, also added up point by point."""
    score = 0
    for row in range(1, b[ROWS] + 1):
        start = row * b[STRIDE] + 1
        for p in range(start, start + b[COLS]):
            side = side_of(b, p)
            owner[p] += side
            score += side
    owner[0] += 1
    return score


@compiled
def _learn(t: Tree, s: Scratch, c: int, depth: int, black: float, good: float) -> None:
    """Add a result to every node of the path, and to the children whose move came up later.

    ``black`` is Black's result, ``good`` the same with a share of the margin: what the search goes by.
    """
    for d in range(depth, -1, -1):
        node = s.path[d]
        mover = c if d & 1 == 0 else 3 - c  # whose turn it is at the node
        gain = good if mover == 1 else 1.0 - good
        t.visits[node] += 1
        t.wins[node] += 1.0 - black if mover == 1 else black
        t.games[node] += 1.0
        t.won[node] += 1.0 - gain
        start = np.int64(t.child[node])
        for i in range(start, start + t.count[node]):
            if s.first[t.point[i]] == mover:
                t.first_games[i] += 1.0
                t.first_won[i] += gain


@compiled
def keep_subtree(t: Tree, node: int, new: Tree) -> None:
    """Make ``new`` the part of ``t`` below ``node``, which becomes its root."""
    new.used[0] = 0
    _copy_node(t, node, new)
    done = 0
    while done < new.used[0]:  # new.child still names the children's place in t
        old, count = np.int64(new.child[done]), new.count[done]
        new.child[done] = new.used[0] if count != 0 else 0
        for i in range(old, old + count):
            _copy_node(t, i, new)
        done += 1


@compiled
def _copy_node(t: Tree, i: int, new: Tree) -> None:
    n = new.used[0]
    new.point[n], new.child[n], new.count[n], new.visits[n] = t.point[i], t.child[i], t.count[i], t.visits[i]
    new.wins[n], new.games[n], new.won[n] = t.wins[i], t.games[i], t.won[i]
    new.first_games[n], new.first_won[n] = t.first_games[i], t.first_won[i]
    new.used[0] = n + 1
