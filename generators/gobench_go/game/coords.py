"""Where a point is, in every notation; the only file that knows them.

A board has ``rows`` x ``cols`` points, row 0 at the top. A move is an int: ``row * cols + col``, and
``rows * cols`` is the pass. The notations of three points of a 9x9 board, and of the pass:

=============  ========  =======  ============  =====  ==========================================
notation       top left  centre   bottom right  pass   counts
=============  ========  =======  ============  =====  ==========================================
index          0         40       80            81     from the top left, row by row
row, col       0, 0      4, 4     8, 8          --     from the top left
``gtp``        ``A9``    ``E5``   ``J1``        pass   column letter without I, row from below
``sgf``        ``aa``    ``ee``   ``ii``        empty  column, row, both from the top left
=============  ========  =======  ============  =====  ==========================================

Symmetry ``k`` of a board first transposes (``k & 4``), then turns it upside down (``k & 2``), then
mirrors it left to right (``k & 1``); pictures follow with the same three operations. Squares have all
8, other boards the first 4.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError

MAX_SIDE = 19
COLUMNS = "ABCDEFGHJKLMNOPQRST"

_VERTEX = re.compile(r"([A-HJ-T])([1-9][0-9]?)", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,3})(?:[x×X]([0-9]{1,3}))?", re.ASCII)


def size(text: str) -> tuple[int, int]:
    """``"9x9"``, ``"3x4"`` or ``"9"`` as (rows, cols)."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{text!r} is no board size; write rows x columns, as in 9x9 or 3x4.")
    rows = int(found[1])
    return checked_size(rows, int(found[2]) if found[2] else rows)


def checked_size(rows: int, cols: int) -> tuple[int, int]:
    """The same pair, or UsageError when a side is not in 1..19."""
    if not (1 <= rows <= MAX_SIDE and 1 <= cols <= MAX_SIDE):
        raise UsageError(f"a board of {rows}x{cols} is not possible; sides go from 1 to {MAX_SIDE}.")
    return rows, cols


def gtp(move: int, rows: int, cols: int) -> str:
    """``"E5"`` or ``"pass"``."""
    if _is_pass(move, rows, cols):
        return "pass"
    row, col = divmod(move, cols)
    return f"{COLUMNS[col]}{rows - row}"


def index_of_gtp(text: str, rows: int, cols: int) -> int:
    """The move that ``"E5"`` or ``"pass"`` (any case) names; UsageError for anything else."""
    word = text.strip().upper()
    if word == "PASS":
        return rows * cols
    found = _VERTEX.fullmatch(word)
    last = f"{COLUMNS[cols - 1]}{rows}"
    if not found:
        raise UsageError(f"{text!r} is no move; write A1 to {last} (columns have no I) or pass.")
    row, col = rows - int(found[2]), COLUMNS.index(found[1])
    if not (0 <= row < rows and 0 <= col < cols):
        raise UsageError(f"{text!r} is off the {rows}x{cols} board; points go from A1 to {last}.")
    return row * cols + col


def sgf(move: int, rows: int, cols: int) -> str:
    """``"ee"``, or the empty string for a pass."""
    if _is_pass(move, rows, cols):
        return ""
    row, col = divmod(move, cols)
    return chr(97 + col) + chr(97 + row)


def index_of_sgf(text: str, rows: int, cols: int) -> int:
    """The move of an SGF property value; empty and ``tt`` (boards up to 19x19) are passes.

    Raises UsageError for anything else that is no point of the board.
    """
    word = text.strip()
    if word in ("", "tt"):
        return rows * cols
    if len(word) == 2:
        col, row = ord(word[0]) - 97, ord(word[1]) - 97
        if 0 <= row < rows and 0 <= col < cols:
            return row * cols + col
    last = chr(96 + cols) + chr(96 + rows)
    raise UsageError(f"{text!r} is no SGF point of a {rows}x{cols} board; aa to {last}, or empty for a pass.")


@lru_cache(maxsize=64)
def symmetries(rows: int, cols: int) -> npt.NDArray[np.int64]:
    """Where each move goes: int64 [8, R*C+1] on squares, [4, R*C+1] elsewhere, row ``k`` for symmetry ``k``.

    Row 0 is the identity and the pass stays the pass. A board follows by ``new[table[k, :-1]] = old`` on flat
    boards. The array is shared and read-only.
    """
    row, col = np.divmod(np.arange(rows * cols), cols)
    table = np.empty((8 if rows == cols else 4, rows * cols + 1), np.int64)
    for k in range(len(table)):
        r, c = (col, row) if k & 4 else (row, col)
        r = rows - 1 - r if k & 2 else r
        c = cols - 1 - c if k & 1 else c
        table[k] = np.append(r * cols + c, rows * cols)
    table.flags.writeable = False
    return table


_STARS = {5: (2,), 7: (3,), 11: (3, 5, 7), 15: (3, 7, 11), 17: (3, 8, 13), 19: (3, 9, 15)}
_STARS |= {9: (2, 4, 6), 13: (3, 6, 9)}
_FIVE = (9, 11, 13)  # sides of the squares whose edges have no star


@lru_cache(maxsize=64)
def stars(rows: int, cols: int) -> tuple[tuple[int, int], ...]:
    """The (row, col) of the star points, from the top left.

    Squares of 5 and 7 have the centre, of 9, 11 and 13 the corners and the centre, of 15, 17 and 19 nine points.
    On other boards every star row crosses every star column; a side that is not in the table has none.
    """
    points = [(row, col) for row in _STARS.get(rows, ()) for col in _STARS.get(cols, ())]
    if rows == cols and rows in _FIVE:
        points = points[::2]
    return tuple(points)


def _is_pass(move: int, rows: int, cols: int) -> bool:
    if not 0 <= move <= rows * cols:
        raise UsageError(
            f"move {move} is off the {rows}x{cols} board; moves go from 0 to {rows * cols}, the pass."
        )
    return move == rows * cols
