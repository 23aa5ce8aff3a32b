"""What a move looks like around its place: the line it stands on, what it touches, the 3x3 cells around it.

States are cells of symbols, 0 empty, as a domain's reader sees them. Patterns are seen by the one who moves ("o" own, "x" other,
"." empty, "#" off the board) and are equal under the 8 symmetries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

OFF = 255  # a cell outside
OWN, OTHER, EMPTY, OUTSIDE = "o", "x", ".", "#"
CAPTURE, BOTH, REST, NONE = "takes stones", "touches both", "other", "no move"
TOUCHES = {
    (False, False): "open",
    (True, False): "touches own",
    (False, True): "touches other",
    (True, True): BOTH,
}
SHOWN = 8  # patterns that get a colour
NEAR = (1, 3, 5, 7)  # of 9 cells around a place: those beside it

Ints = npt.NDArray[np.integer[Any]]


def around(states: Ints, cells: Ints, grid: tuple[int, int]) -> Ints:
    """The 3x3 cells around each cell of a state: ints [N, cells], [N] -> uint8 [N, 9], ``OFF`` outside."""
    rows, cols = grid
    padded = np.pad(np.asarray(states).reshape(-1, rows, cols), ((0, 0), (1, 1), (1, 1)), constant_values=OFF)
    row, col = np.divmod(np.asarray(cells, np.int64), cols)
    steps = np.arange(3)
    at = np.arange(len(padded))[:, None, None]
    found = padded[at, (row[:, None] + steps)[:, :, None], (col[:, None] + steps)[:, None, :]]
    return found.reshape(-1, 9).astype(np.uint8)


def pattern(cells: Sequence[int], symbol: int) -> str:
    """Nine cells around a move as a text of rows, "./.o./x.." for example, the same under all symmetries.

    Args:
        cells: before the move.
        symbol: what the move puts there; own cells have it too.
    """
    letters = {0: EMPTY, OFF: OUTSIDE, symbol: OWN}
    square = np.array([letters.get(int(cell), OTHER) for cell in cells]).reshape(3, 3)
    turned = [np.rot90(side, k) for side in (square, square.T) for k in range(4)]
    return min("/".join("".join(row) for row in one) for one in turned)


def touch(cells: Sequence[int], symbol: int, taken: int) -> str:
    """A value of ``TOUCHES``, or ``CAPTURE`` where the move takes something away."""
    if taken:
        return CAPTURE
    beside = [int(cells[n]) for n in NEAR]
    return TOUCHES[symbol in beside, any(cell not in (0, OFF, symbol) for cell in beside)]


def line(cell: int, grid: tuple[int, int]) -> int:
    """1 at the edge, 2 beside it, ..."""
    row, col = divmod(cell, grid[1])
    return 1 + min(row, col, grid[0] - 1 - row, grid[1] - 1 - col)


def region(cell: int, grid: tuple[int, int]) -> str:
    """ "corner", "side" or "centre": near two edges, one or none; near is the outer third."""
    row, col = divmod(cell, grid[1])
    near = [min(at, side - 1 - at) < side / 3 for at, side in ((row, grid[0]), (col, grid[1]))]
    return ("centre", "side", "corner")[sum(near)]


def taken(before: Ints, after: Ints) -> npt.NDArray[np.int64]:
    """How many cells became empty between states [N, cells]."""
    gone: npt.NDArray[np.int64] = np.count_nonzero(
        (np.asarray(before) != 0) & (np.asarray(after) == 0), axis=1
    )
    return gone


def described(before: Ints, after: Ints, actions: Ints, grid: tuple[int, int]) -> list[dict[str, Any]]:
    """A table row for each action [N, 2] between states [N, cells]; of an action that is none, only that."""
    cells = grid[0] * grid[1]
    near = around(before, np.minimum(np.asarray(actions)[:, 0], cells - 1), grid)
    gone = taken(before, after)
    found: list[dict[str, Any]] = []
    for n, (cell, symbol) in enumerate(np.asarray(actions).tolist()):
        if cell >= cells or not symbol:
            found.append({"touch": NONE, "pattern": NONE, "region": NONE})
            continue
        row, col = divmod(cell, grid[1])
        found.append({
            "cell": cell, "row": row, "col": col, "symbol": symbol, "line": line(cell, grid), "region": region(cell, grid),
            "taken": int(gone[n]), "touch": touch(near[n].tolist(), symbol, int(gone[n])),
            "pattern": pattern(near[n].tolist(), symbol),
        })  # fmt: skip
    return found


def commonest(values: Sequence[str], most: int = SHOWN) -> list[str]:
    """The most common values, most first and equally common ones by name; without ``NONE``."""
    counts = Counter(value for value in values if value != NONE)
    return [value for value, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]]
