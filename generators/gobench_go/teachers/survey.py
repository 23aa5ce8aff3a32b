"""What the whole board says about every point before a node is opened: the fights, and how near the last move is.

Compiled. A survey is made once for all children of a node.
"""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import COLOR, HEAD, NEXT, ROWS, SIZE, STRIDE, Ints
from gobench_go.game.kernels_rules import playable
from gobench_go.teachers.ladders import falls, liberties, runs_free, taker
from gobench_go.teachers.tactics import self_atari

SAVE_ONE, SAVE_MORE, HUNT_ONE, HUNT_MORE, GUARD_ONE, GUARD_MORE = (
    15,
    30,
    10,
    20,
    10,
    20,
)  # virtual games, all won
LOST = 10  # the same, all lost: running where the chain is caught anyway
REACH = 3  # steps from the last stone that are told apart


@compiled
def fights(b: Ints, w: Ints, c: int, won: Ints, lost: Ints) -> None:
    """Virtual games that ``c`` wins or loses at each point, by what happens to chains of one or two liberties."""
    s = b[STRIDE]
    last = (b[ROWS] + 1) * s
    for p in range(last):
        won[p] = lost[p] = 0
    for h in range(s + 1, last):
        v = b[COLOR + h]
        if (v != 1 and v != 2) or b[HEAD + h] != h:
            continue
        found, one, two = liberties(b, h)
        if found == 1 and v == c:
            _save(b, w, c, h, one, won, lost)
        elif found == 2 and v == c:
            if falls(b, w, h, one) or falls(b, w, h, two):
                _guard(b, w, c, h, one, two, won)
        elif found == 2:
            _hunt(b, w, h, one, won)
            _hunt(b, w, h, two, won)


@compiled
def _save(b: Ints, w: Ints, c: int, h: int, out: int, won: Ints, lost: Ints) -> None:
    games = SAVE_MORE if b[SIZE + h] > 1 else SAVE_ONE
    by_taking = taker(b, h)
    if by_taking != 0:
        won[by_taking] += games
    if by_taking == out or not playable(b, out, c, False) or self_atari(b, out, c) != 0:
        return
    if runs_free(b, w, h):
        won[out] += games
    else:
        lost[out] += LOST


@compiled
def _guard(b: Ints, w: Ints, c: int, h: int, one: int, two: int, won: Ints) -> None:
    games = GUARD_MORE if b[SIZE + h] > 1 else GUARD_ONE
    by_taking = taker(b, h)
    if by_taking != 0:
        won[by_taking] += games
    for p in (one, two):
        if p != by_taking and playable(b, p, c, False) and self_atari(b, p, c) == 0:
            won[p] += games


@compiled
def _hunt(b: Ints, w: Ints, h: int, p: int, won: Ints) -> None:
    if falls(b, w, h, p):
        won[p] += HUNT_MORE if b[SIZE + h] > 1 else HUNT_ONE


@compiled
def measure(b: Ints, last: int, steps: Ints, queue: Ints) -> None:
    """Fill ``steps`` with the way from the stone ``last``, where going along a chain is no step; 0 is too far."""
    s = b[STRIDE]
    for p in range((b[ROWS] + 2) * s + 1):
        steps[p] = 0
    if last == 0:
        return
    n = _reach(b, last, 1, steps, queue, 0)
    i = 0
    while i < n:
        p = queue[i]
        i += 1
        far = steps[p] + 1
        if far > REACH + 1:
            return
        for q in (p - s, p - 1, p + 1, p + s):
            if steps[q] == 0 and b[COLOR + q] != 3:
                n = _reach(b, q, far, steps, queue, n)


@compiled
def _reach(b: Ints, q: int, far: int, steps: Ints, queue: Ints, n: int) -> int:
    """Note the point ``q``, and its whole chain, as ``far`` away; returns the length of the queue."""
    if b[COLOR + q] == 0:
        steps[q] = far
        queue[n] = q
        return n + 1
    p = q
    while True:
        steps[p] = far
        queue[n] = p
        n += 1
        p = b[NEXT + p]
        if p == q:
            return n
