"""Playouts that answer the last move: take, escape, 3x3 shapes beside it, else anywhere. Compiled."""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import CODE, COLOR, EMPTIES, HEAD, LIST, STRIDE, Ints, liberty, play
from gobench_go.game.kernels_games import Random, below, swap_empties
from gobench_go.game.kernels_rules import own_eye, playable
from gobench_go.teachers.ladders import runs_free, taker
from gobench_go.teachers.patterns import SHAPED
from gobench_go.teachers.tactics import in_atari_of, self_atari

# how often, of 256, a playout looks for each kind of move, and lets a chain put itself in atari
TAKE, ESCAPE, SHAPE, SELF_ATARI = 230, 230, 242, 64


@compiled
def playout(b: Ints, w: Ints, first: Ints, c: int, last: int, passes: int, state: Random, limit: int) -> None:
    """Play ``b`` on (simple ko, no suicide) to two passes or ``limit`` plies.

    ``first[p]`` becomes the colour that first played at ``p``, where it is still 0; ``w`` is a board to read on.
    """
    for _ in range(limit):
        p = _answer(b, w, c, last, state) if last != 0 else 0
        if p == 0:
            p = _anywhere(b, c, state)
        play(b, p, c)
        if p == 0:
            passes += 1
            if passes == 2:
                return
        else:
            passes = 0
            if first[p] == 0:
                first[p] = c
        last = p
        c = 3 - c


@compiled
def _answer(b: Ints, w: Ints, c: int, last: int, state: Random) -> int:
    """A move that the last one calls for, or 0."""
    dice = below(state, 1 << 24)
    if (dice & 255) < TAKE and in_atari_of(b, last, 3 - c):
        p = liberty(b, b[HEAD + last])
        if playable(b, p, c, False):
            return p
    if ((dice >> 8) & 255) < ESCAPE:
        p = _escape(b, w, c, last)
        if p != 0:
            return p
    return _shape(b, c, last, state) if (dice >> 16) < SHAPE else 0


@compiled
def _escape(b: Ints, w: Ints, c: int, last: int) -> int:
    """A move that saves an own chain which the last stone put in atari, or 0."""
    s = b[STRIDE]
    for q in (last - s, last - 1, last + 1, last + s):
        if in_atari_of(b, q, c):
            p = taker(b, b[HEAD + q])
            if p != 0:
                return p
            p = liberty(b, b[HEAD + q])
            if playable(b, p, c, False) and self_atari(b, p, c) == 0 and runs_free(b, w, b[HEAD + q]):
                return p
    return 0


@compiled
def _shape(b: Ints, c: int, last: int, state: Random) -> int:
    """One of the good shapes around the last stone, each with the same chance, or 0."""
    s = b[STRIDE]
    found = chosen = 0
    for p in (last - s - 1, last - s, last - s + 1, last - 1, last + 1, last + s - 1, last + s, last + s + 1):
        if (
            b[COLOR + p] == 0
            and SHAPED[b[CODE + p]]
            and playable(b, p, c, False)
            and self_atari(b, p, c) == 0
        ):
            found += 1
            if below(state, found) == 0:
                chosen = p
    return chosen


@compiled
def _anywhere(b: Ints, c: int, state: Random) -> int:
    """A random point that is no own eye and seldom a self-atari; 0 (pass) when there is none."""
    n = b[EMPTIES]
    while n > 0:
        i = below(state, n)
        p = b[LIST + i]
        if (
            not own_eye(b, p, c)
            and playable(b, p, c, False)
            and (self_atari(b, p, c) < 2 or below(state, 256) < SELF_ATARI)
        ):
            return p
        n -= 1
        swap_empties(b, i, n)
    return 0
