"""How many positions of a board are legal, exactly: no chain without liberties.

Counted without listing them. The board is filled point by point, row by row, and all fillings that look the
same from the points still to come are counted together. What can be seen is the **frontier**: the last point
filled in each column, as one code a column:

=========  ==========================================================================================
code       meaning
=========  ==========================================================================================
-1         no point yet: the edge above the first row
0          empty
1, 2       a black or white stone of a chain that has a liberty
3, 5, ...  a black stone of a chain without a liberty so far; equal codes are one chain
4, 6, ...  the same for White
=========  ==========================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeAlias

from gobench.errors import UsageError
from gobench_go.game import coords

Frontier: TypeAlias = tuple[int, ...]

EDGE, EMPTY = -1, 0
WIDEST = 9  # the number of frontiers grows about fivefold with each column


def legal_positions(rows: int, cols: int) -> int:
    """The number of legal positions of a board whose shorter side is at most ``WIDEST``.

    Raises UsageError for other sizes.
    """
    width, height = sorted(coords.checked_size(rows, cols))
    if width > WIDEST:
        raise UsageError(f"{rows}x{cols} is too wide to count; the shorter side may be at most {WIDEST}.")
    counts: dict[Frontier, int] = {(EDGE,) * width: 1}
    for _ in range(height):
        for col in range(width):
            counts = _fill(counts, col)
    return sum(count for frontier, count in counts.items() if max(frontier) < 3)


def _fill(counts: dict[Frontier, int], col: int) -> dict[Frontier, int]:
    """Fill the next point of a column in all three ways."""
    after: dict[Frontier, int] = defaultdict(int)
    for frontier, count in counts.items():
        for color in (EMPTY, 1, 2):
            codes = _place(frontier, col, color)
            if codes is not None:
                after[_canonical(codes)] += count
    return after


def _place(frontier: Frontier, col: int, color: int) -> list[int] | None:
    """The frontier with ``color`` put in column ``col``; None when that shuts in the chain above for good."""
    above, left = frontier[col], frontier[col - 1] if col else EDGE
    joined = {code for code in (above, left) if code >= 3 and color in (EMPTY, _color(code))}
    if above >= 3 and above not in joined and frontier.count(above) == 1:
        return None
    if color == EMPTY:
        codes = [_color(code) if code in joined else code for code in frontier]
        codes[col] = EMPTY
        return codes
    alive = EMPTY in (above, left) or color in (above, left)
    fresh = 2 * max(frontier) + 6 + color % 2  # above all codes in use, and of the colour's parity
    mine = color if alive else fresh
    codes = [mine if code in joined else code for code in frontier]
    codes[col] = mine
    return codes


def _color(code: int) -> int:
    return 2 - code % 2


def _swapped(code: int) -> int:
    return code if code <= EMPTY else code + 1 if code % 2 else code - 1


def _canonical(codes: list[int]) -> Frontier:
    """The smaller of the frontier and its colour swap, chains numbered from left to right."""
    return min(_numbered(codes), _numbered([_swapped(code) for code in codes]))


def _numbered(codes: list[int]) -> Frontier:
    names: dict[int, int] = {}
    for code in codes:
        if code >= 3 and code not in names:
            names[code] = 2 * len(names) + 4 - code % 2
    return tuple([names.get(code, code) for code in codes])
