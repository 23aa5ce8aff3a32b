"""What a stone would do to the chains around it: captures and self-atari. Compiled."""

# mypy: disable-error-code="no-any-return,return-value"
from __future__ import annotations

from gobench_go.game.compiled import compiled
from gobench_go.game.kernels_board import (
    CODE,
    COLOR,
    HEAD,
    LIBS,
    SIZE,
    STRIDE,
    Ints,
    in_atari,
    is_one,
    mark,
)
from gobench_go.game.kernels_tables import FLAGS, ROOM


@compiled
def in_atari_of(b: Ints, q: int, c: int) -> bool:
    """Whether a chain of colour ``c`` stands at ``q`` with one liberty."""
    return b[COLOR + q] == c and in_atari(b, b[HEAD + q])


@compiled
def captured_by(b: Ints, p: int, c: int) -> int:
    """Stones of the largest chain that ``c`` takes by playing ``p``; 0 for none."""
    s = b[STRIDE]
    most = 0
    for q in (p - s, p - 1, p + 1, p + s):
        if in_atari_of(b, q, 3 - c):
            most = max(most, b[SIZE + b[HEAD + q]])
    return most


@compiled
def self_atari(b: Ints, p: int, c: int) -> int:
    """Stones of the chain that ``c`` puts in atari (or kills) by playing ``p``; 0 when it is not so."""
    if FLAGS[b[CODE + p]] & ROOM:
        return 0
    s = b[STRIDE]
    libs, size = 0, 1
    h1 = h2 = h3 = -1
    for q in (p - s, p - 1, p + 1, p + s):
        v, h = b[COLOR + q], b[HEAD + q]
        if v == 0:
            libs += mark(q)
        elif v == c:
            libs -= mark(p)
            if h != h1 and h != h2 and h != h3:
                libs += b[LIBS + h]
                size += b[SIZE + h]
                h1, h2, h3 = h, h1, h2
        elif v == 3 - c and in_atari(b, h):
            return 0
    return size if is_one(libs) else 0
