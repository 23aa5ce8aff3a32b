"""A ladder as places on an axis, for the page to draw without a script."""

from __future__ import annotations

from collections.abc import Sequence

from gobench.types import Record

ROOM = 0.08  # of the axis, on either side of the outermost number
STEPS = (10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
TICKS = 6


def rungs(ladder: Record) -> Record:
    """Rows with ``at``, ``left`` and ``right`` in percent of the axis, and its ticks. Ends without a bound reach the edge.

    ``ladder`` is ``gobench_go.arena.rating.Ladder.record()``.
    """
    rows = ladder["players"]
    low, high = _range([number for row in rows for number in _numbers(row) if number is not None])

    def place(elo: float | None, otherwise: float) -> float:
        return otherwise if elo is None else round(100 * (elo - low) / (high - low), 2)

    return {
        "rows": [row | {"at": place(row["elo"], 50), "left": place(_ends(row)[0], 0), "right": place(_ends(row)[1], 100)}
                 for row in rows],
        "ticks": [(elo, place(elo, 0)) for elo in _ticks(low, high)],
        "anchors": ladder["anchors"],
        "black": ladder["black"],
    }  # fmt: skip


def _ends(row: Record) -> Sequence[float | None]:
    if row["anchored"]:
        return row["elo"], row["elo"]
    return row["interval"] or (None, None)


def _numbers(row: Record) -> list[float | None]:
    return [row["elo"], *_ends(row)]


def _range(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    room = max(ROOM * (high - low), 25.0)
    return low - room, high + room


def _ticks(low: float, high: float) -> list[int]:
    step = next((step for step in STEPS if (high - low) / step <= TICKS), STEPS[-1])
    first = int(-(-low // step)) * step
    return list(range(first, int(high) + 1, step))
