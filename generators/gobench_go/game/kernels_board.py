"""A Go board for compiled code: one int64 array that holds everything, changed in place.

A point ``p`` of the padded board is ``(row + 1) * stride + col + 1`` with ``stride = cols + 1``: one border
column is shared by neighbouring rows, so neighbours are ``p - stride``, ``p - 1``, ``p + 1``, ``p + stride``.
Point 0 is border and stands for "pass" and "none".

Functions take the array as a pointer (see ``compiled``). It is a header and one field of ``CAP`` numbers for
each fact about a point or chain:

=========  ===================================================================================
COLOR      0 empty, 1 black, 2 white, 3 border
CODE       colours of the 8 points around, 2 bits each, from up-left to down-right
HEAD       the point that names the chain; NEXT: the next stone of the chain, in a circle
SIZE       at a head: stones of the chain
LIBS       at a head: the sum of ``mark(q)`` over its stones' empty neighbours q, so a liberty counts
           once for each stone that touches it; 0 only without liberties
LIST, AT   the empty points in some order, and where a point stands in that list
TAKEN      stones that the last play removed
=========  ===================================================================================
"""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_tables import CAP, ZOBRIST

Ints = npt.NDArray[np.int64]

STRIDE, ROWS, COLS, KO, KO_COLOR, EMPTIES, TAKES, HASH = 0, 1, 2, 3, 4, 5, 6, 7
COLOR = 16
CODE = COLOR + CAP
HEAD = CODE + CAP
NEXT = HEAD + CAP
SIZE = NEXT + CAP
LIBS = SIZE + CAP
LIST = LIBS + CAP
AT = LIST + CAP
TAKEN = AT + CAP
LENGTH = TAKEN + CAP

# mark(q) holds three numbers, 1, q and q * q, in fields wide enough for any chain of a 19x19 board
_SUM, _COUNT = 28, 48
_SQUARES = (1 << _SUM) - 1
_SUMS = (1 << (_COUNT - _SUM)) - 1


@compiled
def mark(q: int) -> int:
    """What the empty point ``q`` adds to the liberties of a chain for each stone beside it."""
    return (1 << _COUNT) + (q << _SUM) + q * q


@compiled
def is_one(libs: int) -> bool:
    """Whether a sum of marks is of one point (or none): only then is n * sum(q * q) = sum(q) ** 2."""
    total = (libs >> _SUM) & _SUMS
    return (libs >> _COUNT) * (libs & _SQUARES) == total * total


@compiled
def in_atari(b: Ints, h: int) -> bool:
    """Whether the chain with head ``h`` has exactly one liberty."""
    return is_one(b[LIBS + h])


@compiled
def liberty(b: Ints, h: int) -> int:
    """The liberty of a chain in atari."""
    libs = b[LIBS + h]
    return ((libs >> _SUM) & _SUMS) // (libs >> _COUNT)


@compiled
def clear(b: Ints, rows: int, cols: int) -> None:
    """Make ``b`` (int64 [LENGTH]) the empty board of this size."""
    s = cols + 1
    n = (rows + 2) * s + 1
    for i in range(COLOR):
        b[i] = 0
    b[STRIDE], b[ROWS], b[COLS] = s, rows, cols
    for p in range(n):
        b[COLOR + p] = 3
        b[CODE + p] = 0xFFFF
        b[HEAD + p] = 0
        b[LIBS + p] = 0
        b[TAKEN + p] = 0
    for row in range(1, rows + 1):
        for p in range(row * s + 1, row * s + 1 + cols):
            _toggle(b, p, 3)
            _set_empty(b, p)


@compiled
def copy(source: Ints, b: Ints) -> None:
    """Make ``b`` equal to ``source``, touching only what a board of that size uses."""
    n = (source[ROWS] + 2) * source[STRIDE] + 1
    for i in range(COLOR):
        b[i] = source[i]
    for field in range(COLOR, LENGTH, CAP):
        for p in range(field, field + n):
            b[p] = source[p]


@compiled
def point(b: Ints, move: int) -> int:
    """The padded point of a move (row * cols + col); 0 for the pass."""
    cols = b[COLS]
    if move >= b[ROWS] * cols:
        return 0
    row = move // cols
    return (row + 1) * b[STRIDE] + move - row * cols + 1


@compiled
def move_of(b: Ints, p: int) -> int:
    """The move (row * cols + col) of a padded point; the pass for 0."""
    if p == 0:
        return b[ROWS] * b[COLS]
    row = p // b[STRIDE]
    return (row - 1) * b[COLS] + p - row * b[STRIDE] - 1


@compiled
def _toggle(b: Ints, p: int, c: int) -> None:
    """Change the point between empty and colour ``c``, and the codes around it."""
    b[COLOR + p] ^= c
    s = b[STRIDE]
    q = CODE + p
    b[q - s - 1] ^= c << 14
    b[q - s] ^= c << 12
    b[q - s + 1] ^= c << 10
    b[q - 1] ^= c << 8
    b[q + 1] ^= c << 6
    b[q + s - 1] ^= c << 4
    b[q + s] ^= c << 2
    b[q + s + 1] ^= c


@compiled
def _set_empty(b: Ints, p: int) -> None:
    n = b[EMPTIES]
    b[LIST + n] = p
    b[AT + p] = n
    b[EMPTIES] = n + 1


@compiled
def _set_filled(b: Ints, p: int) -> None:
    n = b[EMPTIES] - 1
    last = b[LIST + n]
    at = b[AT + p]
    b[LIST + at] = last
    b[AT + last] = at
    b[EMPTIES] = n


@compiled
def _touch(b: Ints, p: int, q: int) -> None:
    """A stone has come to ``p``: its neighbour ``q`` is a liberty of it, or in a chain that loses one."""
    empty = b[COLOR + q] == 0
    h = p if empty else b[HEAD + q]
    b[LIBS + h] += mark(q) if empty else -mark(p)


@compiled
def _join(b: Ints, p: int, q: int) -> None:
    """Make one chain of the chains of ``p`` and ``q``; the larger one keeps its head."""
    keep, gone = b[HEAD + p], b[HEAD + q]
    if keep == gone:
        return
    if b[SIZE + keep] < b[SIZE + gone]:
        keep, gone = gone, keep
    b[SIZE + keep] += b[SIZE + gone]
    b[LIBS + keep] += b[LIBS + gone]
    stone = gone
    while True:
        b[HEAD + stone] = keep
        stone = b[NEXT + stone]
        if stone == gone:
            break
    b[NEXT + keep], b[NEXT + gone] = b[NEXT + gone], b[NEXT + keep]


@compiled
def _free(b: Ints, p: int, q: int, o: int) -> None:
    """The stone at ``p`` is gone: a chain of colour ``o`` at its neighbour ``q`` gains a liberty."""
    if b[COLOR + q] == o:
        b[LIBS + b[HEAD + q]] += mark(p)


@compiled
def _take(b: Ints, h: int) -> None:
    """Remove the chain with head ``h``."""
    c = b[COLOR + h]
    s = b[STRIDE]
    p = h
    while True:
        b[HASH] ^= ZOBRIST[c * CAP + p]
        _toggle(b, p, c)
        _set_empty(b, p)
        _free(b, p, p - s, 3 - c)
        _free(b, p, p - 1, 3 - c)
        _free(b, p, p + 1, 3 - c)
        _free(b, p, p + s, 3 - c)
        b[TAKEN + b[TAKES]] = p
        b[TAKES] += 1
        p = b[NEXT + p]
        if p == h:
            return


@compiled
def _meet(b: Ints, p: int, q: int, c: int) -> None:
    """A stone of ``c`` has come to ``p``: join or take what is at its neighbour ``q``."""
    v = b[COLOR + q]
    if v == c:
        _join(b, p, q)
    elif v == 3 - c and b[LIBS + b[HEAD + q]] == 0:
        _take(b, b[HEAD + q])


@compiled
def play(b: Ints, p: int, c: int) -> None:
    """Put a stone of colour ``c`` on the empty point ``p`` (a legal play), or pass with ``p = 0``.

    Afterwards ``b[TAKES]`` stones, listed from ``b[TAKEN]`` on, are off the board: the other colour's, or the
    own chain after a suicide.
    """
    b[KO] = b[TAKES] = 0
    if p == 0:
        return
    s = b[STRIDE]
    _set_filled(b, p)
    _toggle(b, p, c)
    b[HASH] ^= ZOBRIST[c * CAP + p]
    b[HEAD + p] = b[NEXT + p] = p
    b[SIZE + p] = 1
    b[LIBS + p] = 0
    _touch(b, p, p - s)
    _touch(b, p, p - 1)
    _touch(b, p, p + 1)
    _touch(b, p, p + s)
    _meet(b, p, p - s, c)
    _meet(b, p, p - 1, c)
    _meet(b, p, p + 1, c)
    _meet(b, p, p + s, c)
    h = b[HEAD + p]
    if b[TAKES] == 1 and b[SIZE + h] == 1 and b[LIBS + h] == mark(b[TAKEN]):
        b[KO], b[KO_COLOR] = b[TAKEN], 3 - c
    elif b[LIBS + h] == 0:
        _take(b, h)
