"""Reading ahead where a chain has one or two liberties: does it get away, does the hunt succeed? Compiled.

A hunt is followed move by move on a board of its own. The chain runs out of each atari, or is saved by a chain
beside it that it can take; the hunter plays the liberty from which the other one leads nowhere.
"""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import CODE, COLOR, HEAD, NEXT, STRIDE, Ints, copy, liberty, play
from gobench_go.game.kernels_rules import playable
from gobench_go.game.kernels_tables import FLAGS, LIBERTY
from gobench_go.teachers.tactics import in_atari_of, self_atari

LONGEST = 40  # steps after which a hunted chain counts as safe
FREE = 3  # liberties that end a hunt


@compiled
def liberties(b: Ints, h: int) -> tuple[int, int, int]:
    """How many liberties the chain ``h`` has, counted up to FREE, and the first two of them (0: none)."""
    s = b[STRIDE]
    found = one = two = 0
    p = h
    while True:
        if FLAGS[b[CODE + p]] & LIBERTY:
            for q in (p - s, p - 1, p + 1, p + s):
                if b[COLOR + q] == 0 and q != one and q != two:
                    found += 1
                    if found == FREE:
                        return found, one, two
                    one, two = (q, 0) if found == 1 else (one, q)
        p = b[NEXT + p]
        if p == h:
            return found, one, two


@compiled
def taker(b: Ints, h: int) -> int:
    """A point at which the owner of the chain ``h`` takes a chain beside it; 0 for none."""
    c, s = b[COLOR + h], b[STRIDE]
    p = h
    while True:
        for q in (p - s, p - 1, p + 1, p + s):
            if in_atari_of(b, q, 3 - c):
                out = liberty(b, b[HEAD + q])
                if playable(b, out, c, False):
                    return out
        p = b[NEXT + p]
        if p == h:
            return 0


@compiled
def runs_free(b: Ints, w: Ints, h: int) -> bool:
    """Whether the chain ``h``, in atari and to move, gets away by running. ``w`` is a board to read on."""
    copy(b, w)
    return not _caught(w, h, False)


@compiled
def falls(b: Ints, w: Ints, h: int, p: int) -> bool:
    """Whether the chain ``h`` of two liberties is lost once its enemy plays at ``p``, one of them."""
    c = 3 - b[COLOR + h]
    if not playable(b, p, c, False) or self_atari(b, p, c) != 0:
        return False
    copy(b, w)
    play(w, p, c)
    return _caught(w, h, True)


@compiled
def _caught(w: Ints, stone: int, takes: bool) -> bool:
    """Whether the chain of ``stone``, in atari and to move, is lost; with ``takes`` it may take first."""
    c = w[COLOR + stone]
    for _ in range(LONGEST):
        h = w[HEAD + stone]
        if takes and taker(w, h) != 0:
            return False
        takes = True
        out = liberty(w, h)
        if not playable(w, out, c, False):
            return True
        play(w, out, c)
        found, one, two = liberties(w, w[HEAD + stone])
        if found != 2:
            return found < 2
        p = _drive(w, one, two, c)
        if p == 0:
            return False
        play(w, p, 3 - c)
    return False


@compiled
def _drive(w: Ints, one: int, two: int, c: int) -> int:
    """Which of the two liberties of a chain of ``c`` the hunter plays; 0 when it runs free from both."""
    ways_one, ways_two = _ways(w, two, one, c), _ways(w, one, two, c)
    if ways_two < ways_one:
        one, two, ways_one, ways_two = two, one, ways_two, ways_one
    if ways_one < FREE and _drivable(w, one, c):
        return one
    if ways_two < FREE and _drivable(w, two, c):
        return two
    return 0


@compiled
def _drivable(w: Ints, p: int, c: int) -> bool:
    return playable(w, p, 3 - c, False) and self_atari(w, p, 3 - c) == 0


@compiled
def _ways(w: Ints, p: int, other: int, c: int) -> int:
    """Empty points beside ``p`` but ``other``: what the chain gets there, friends not counted."""
    s = w[STRIDE]
    ways = 0
    for q in (p - s, p - 1, p + 1, p + s):
        ways += w[COLOR + q] == 0 and q != other
    return ways
