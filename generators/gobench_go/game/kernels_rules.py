"""What may be played on a compiled board, what comes again, and who owns what.

Legality is exactly that of ``gobench_go.game.position.Position``. Boards and histories come as pointers; the
first number of a history says how many keys follow.
"""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import (
    CODE,
    COLOR,
    COLS,
    HASH,
    HEAD,
    KO,
    KO_COLOR,
    NEXT,
    ROWS,
    STRIDE,
    Ints,
    in_atari,
    play,
)
from gobench_go.game.kernels_tables import AREA, CAP, EYE, FLAGS, LIBERTY, SIDE, ZOBRIST

SIMPLE, POSITIONAL, SITUATIONAL = 0, 1, 2  # the order of rules.KO


@compiled
def _breathes(b: Ints, q: int, c: int, suicide: bool) -> bool:
    v = b[COLOR + q]
    if v == c:
        return suicide or not in_atari(b, b[HEAD + q])
    return v == 3 - c and in_atari(b, b[HEAD + q])


@compiled
def playable(b: Ints, p: int, c: int, suicide: bool) -> bool:
    """Whether ``c`` may play at ``p`` but for superko: empty, no ko taken back, no forbidden suicide."""
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
    """Whether the empty ``p`` is an eye of ``c``: own stones around, at most one bad corner (edge: none)."""
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
    for q in (p - s, p - 1, p + 1, p + s):  # noqa: SIM110
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
    for i in range(seen[0], 0, -1):  # noqa: SIM110
        if seen[i] == key:
            return True
    return False


@compiled
def remember(seen: Ints, key: int) -> None:
    """Add a key to the history."""
    seen[0] += 1
    seen[seen[0]] = key


@compiled
def advance(b: Ints, seen: Ints, p: int, c: int, ko: int) -> None:
    """Play the legal ``p`` (0 passes) and note the new board in the history ``seen``."""
    play(b, p, c)
    if ko == SITUATIONAL:  # the history alone decides: whose turn it was may make a ko legal to take back
        b[KO] = 0
    remember(seen, key_of(b[HASH], 3 - c, ko))


@compiled
def legal(b: Ints, seen: Ints, p: int, c: int, ko: int, suicide: bool) -> bool:
    """Whether colour ``c`` may play at point ``p`` under all the rules."""
    if not playable(b, p, c, suicide):
        return False
    if ko == SIMPLE:  # with suicide a stone can also vanish again without having been taken by the other side
        return not suicide or seen[0] < 2 or seen[seen[0] - 1] != hash_after(b, p, c)
    return not repeats(seen, key_of(hash_after(b, p, c), 3 - c, ko))


@compiled
def side_of(b: Ints, p: int) -> int:
    """1 where Black has a stone or a point with only black neighbours, -1 for White, else 0."""
    v = b[COLOR + p]
    if v == 0:
        v = (FLAGS[b[CODE + p]] // AREA) & 3
    return (v & 1) - (v >> 1)


@compiled
def playout_score(b: Ints) -> int:
    """Black minus white by area, for a board played until only eyes are empty (exact there, quick always)."""
    score = 0
    for row in range(1, b[ROWS] + 1):
        start = row * b[STRIDE] + 1
        for p in range(start, start + b[COLS]):
            score += side_of(b, p)
    return score


@compiled
def area_score(b: Ints, stack: Ints) -> int:
    """Black minus white by area, exact: empty regions are flooded. ``stack`` is int64 [2 * CAP], zero."""
    s = b[STRIDE]
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
