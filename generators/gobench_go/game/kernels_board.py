"""A Go board for compiled code: one int64 array that holds everything, changed in place.

A point ``p`` of the padded board is ``(row + 1) * stride + col + 1`` with ``stride = cols + 1``: one border column
is shared by neighbouring rows, so neighbours are ``p - stride``, ``p - 1``, ``p + 1``, ``p + stride``. Point 0 is
border and stands for "pass" and "none".

The array is a header and one field of ``CAP`` numbers for each fact about a point or chain:

=========  ===================================================================================
COLOR      0 empty, 1 black, 2 white, 3 border
CODE       colours of the 8 points around, 2 bits each, from up-left to down-right
HEAD       the point that names the chain; NEXT: the next stone of the chain, in a circle
SIZE       at a head: stones of the chain
LIBS       at a head: pseudo-liberties (an empty point counts once for each stone that touches it)
SUM, SQR   at a head: sum of these points and of their squares; LIBS * SQR == SUM ** 2 only if they
           are all the same point, that is in atari
LIST, AT   the empty points in some order, and where a point stands in that list
TAKEN      stones that the last play removed
=========  ===================================================================================
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_tables import AREA, CAP, EYE, FLAGS, LIBERTY, SIDE, ZOBRIST

Ints = npt.NDArray[np.int64]

STRIDE, ROWS, COLS, KO, KO_COLOR, EMPTIES, TAKES, HASH = 0, 1, 2, 3, 4, 5, 6, 7
COLOR = 16
CODE = COLOR + CAP
HEAD = CODE + CAP
NEXT = HEAD + CAP
SIZE = NEXT + CAP
LIBS = SIZE + CAP
SUM = LIBS + CAP
SQR = SUM + CAP
LIST = SQR + CAP
AT = LIST + CAP
TAKEN = AT + CAP
LENGTH = TAKEN + CAP

SIMPLE, POSITIONAL, SITUATIONAL = 0, 1, 2
_MANY = 1 << 40  # pseudo-liberties of the border, which is never taken


@compiled
def clear(b: Ints, rows: int, cols: int) -> None:
    """Make ``b`` (int64 [LENGTH]) the empty board of this size."""
    s = cols + 1
    n = (rows + 2) * s + 1
    b[:COLOR] = 0
    b[STRIDE], b[ROWS], b[COLS] = s, rows, cols
    for p in range(n):
        b[COLOR + p] = 3
        b[CODE + p] = 0xFFFF
        b[HEAD + p] = 0
        b[TAKEN + p] = 0
    b[LIBS] = _MANY
    b[SUM] = b[SQR] = 0
    for row in range(1, rows + 1):
        for p in range(row * s + 1, row * s + 1 + cols):
            _toggle(b, p, 3)
            _set_empty(b, p)


@compiled
def copy(source: Ints, b: Ints) -> None:
    """Make ``b`` equal to ``source``, touching only what a board of that size uses."""
    n = (source[ROWS] + 2) * source[STRIDE] + 1
    b[:COLOR] = source[:COLOR]
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
    """A stone has come to ``p``: its neighbour ``q`` is a liberty of it, or a chain that loses one."""
    if b[COLOR + q] == 0:
        b[LIBS + p] += 1
        b[SUM + p] += q
        b[SQR + p] += q * q
    else:
        h = b[HEAD + q]
        b[LIBS + h] -= 1
        b[SUM + h] -= p
        b[SQR + h] -= p * p


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
    b[SUM + keep] += b[SUM + gone]
    b[SQR + keep] += b[SQR + gone]
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
        h = b[HEAD + q]
        b[LIBS + h] += 1
        b[SUM + h] += p
        b[SQR + h] += p * p


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
    b[LIBS + p] = b[SUM + p] = b[SQR + p] = 0
    _touch(b, p, p - s)
    _touch(b, p, p - 1)
    _touch(b, p, p + 1)
    _touch(b, p, p + s)
    _meet(b, p, p - s, c)
    _meet(b, p, p - 1, c)
    _meet(b, p, p + 1, c)
    _meet(b, p, p + s, c)
    h = b[HEAD + p]
    if b[TAKES] == 1 and b[SIZE + h] == 1 and b[LIBS + h] == 1:
        b[KO], b[KO_COLOR] = b[TAKEN], 3 - c
    elif b[LIBS + h] == 0:
        _take(b, h)


@compiled
def in_atari(b: Ints, h: int) -> bool:
    """Whether the chain with head ``h`` has exactly one liberty."""
    return b[LIBS + h] * b[SQR + h] == b[SUM + h] * b[SUM + h]


@compiled
def _breathes(b: Ints, q: int, c: int, suicide: bool) -> bool:
    v = b[COLOR + q]
    if v == c:
        return suicide or not in_atari(b, b[HEAD + q])
    return v == 3 - c and in_atari(b, b[HEAD + q])


@compiled
def playable(b: Ints, p: int, c: int, suicide: bool) -> bool:
    """Whether ``c`` may play at ``p`` but for superko: empty, no ko taken back at once, no forbidden suicide."""
    if b[COLOR + p] != 0 or (p == b[KO] and c == b[KO_COLOR]):
        return False
    if FLAGS[b[CODE + p]] & LIBERTY:
        return True
    s = b[STRIDE]
    return (
        _breathes(b, p - s, c, suicide)
        or _breathes(b, p - 1, c, suicide)
        or _breathes(b, p + 1, c, suicide)
        or _breathes(b, p + s, c, suicide)
    )


@compiled
def own_eye(b: Ints, p: int, c: int) -> bool:
    """Whether the empty point ``p`` is an eye of ``c``: own stones around, at most one bad corner, none at the edge."""
    return (FLAGS[b[CODE + p]] & (EYE << c)) != 0


@compiled
def _chain_hash(b: Ints, h: int) -> int:
    key = 0
    c = b[COLOR + h]
    p = h
    while True:
        key ^= ZOBRIST[c * CAP + p]
        p = b[NEXT + p]
        if p == h:
            return key


@compiled
def _hash_without(b: Ints, p: int, c: int, atari: bool) -> int:
    """XOR of the chains of colour ``c`` around ``p``, each once; with ``atari`` only those in atari."""
    s = b[STRIDE]
    key = 0
    h1 = h2 = h3 = -1
    for q in (p - s, p - 1, p + 1, p + s):
        h = b[HEAD + q]
        if b[COLOR + q] == c and h != h1 and h != h2 and h != h3 and (not atari or in_atari(b, h)):
            key ^= _chain_hash(b, h)
            h1, h2, h3 = h, h1, h2
    return key


@compiled
def hash_after(b: Ints, p: int, c: int) -> int:
    """The hash of the board after the playable play ``p`` of colour ``c``."""
    key = b[HASH] ^ ZOBRIST[c * CAP + p]
    if FLAGS[b[CODE + p]] & LIBERTY:
        return key ^ _hash_without(b, p, 3 - c, True)
    taken = _hash_without(b, p, 3 - c, True)
    if taken == 0 and _suffocates(b, p, c):
        return b[HASH] ^ _hash_without(b, p, c, False)
    return key ^ taken


@compiled
def _suffocates(b: Ints, p: int, c: int) -> bool:
    """Whether no own chain around ``p`` (which has no empty neighbour) keeps another liberty."""
    s = b[STRIDE]
    for q in (p - s, p - 1, p + 1, p + s):
        if b[COLOR + q] == c and not in_atari(b, b[HEAD + q]):
            return False
    return True


@compiled
def key_of(board_hash: int, to_move: int, ko: int) -> int:
    """What may not come again: the board, or with situational superko the board and who is to move."""
    if ko == SITUATIONAL:
        return board_hash ^ SIDE[to_move]
    return board_hash


@compiled
def repeats(seen: Ints, key: int) -> bool:
    """Whether ``key`` is among the ``seen[0]`` keys from ``seen[1]`` on."""
    for i in range(seen[0], 0, -1):
        if seen[i] == key:
            return True
    return False


@compiled
def remember(seen: Ints, key: int) -> None:
    """Add a key to the history."""
    seen[0] += 1
    seen[seen[0]] = key


@compiled
def legal(b: Ints, seen: Ints, p: int, c: int, ko: int, suicide: bool) -> bool:
    """Whether colour ``c`` may play at point ``p`` under all the rules."""
    if not playable(b, p, c, suicide):
        return False
    if ko == SIMPLE:  # with suicide a stone can also vanish again without having been taken by the other side
        return not suicide or seen[0] < 2 or seen[seen[0] - 1] != hash_after(b, p, c)
    return not repeats(seen, key_of(hash_after(b, p, c), 3 - c, ko))


@compiled
def playout_score(b: Ints) -> int:
    """Black minus white by area, for a board played until only eyes are empty (exact there, quick always)."""
    score = 0
    for row in range(1, b[ROWS] + 1):
        p = row * b[STRIDE] + 1
        for q in range(p, p + b[COLS]):
            v = b[COLOR + q]
            if v == 0:
                v = (FLAGS[b[CODE + q]] // AREA) & 3
            score += (v & 1) - (v >> 1)
    return score


@compiled
def area_score(b: Ints, stack: Ints) -> int:
    """Black minus white by area, exact: empty regions are flooded. ``stack`` is int64 [2 * CAP] of scratch."""
    s = b[STRIDE]
    stack[CAP:] = 0
    score = 0
    for start in range(s + 1, (b[ROWS] + 1) * s):
        v = b[COLOR + start]
        if v == 1 or v == 2:
            score += 3 - 2 * v
        elif v == 0 and stack[CAP + start] == 0:
            size, touched = _flood(b, start, stack)
            if touched == 1 or touched == 2:
                score += size * (3 - 2 * touched)
    return score


@compiled
def _flood(b: Ints, start: int, stack: Ints) -> tuple[int, int]:
    """Size of the empty region of ``start`` and the colours at its rim (bit 0 black, bit 1 white)."""
    s = b[STRIDE]
    stack[0] = start
    stack[CAP + start] = 1
    n, size, touched = 1, 0, 0
    while n > 0:
        n -= 1
        p = stack[n]
        size += 1
        for q in (p - s, p - 1, p + 1, p + s):
            v = b[COLOR + q]
            if v == 0 and stack[CAP + q] == 0:
                stack[CAP + q] = 1
                stack[n] = q
                n += 1
            elif v == 1 or v == 2:
                touched |= v
    return size, touched
