"""Two boards, or two pictures, to the move between them and what is wrong with it.

All points are read and compared, so captures are seen as captures: the rules say which stones must have
vanished. Whether the move was legal (ko, suicide) is the rules' question, not the picture's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench_go.game.position import BLACK, WHITE, Position, grid
from gobench_go.game.rules import Rules
from gobench_go.video import read
from gobench_go.video.themes import Look

SURE = 0.15  # a point read with less confidence is unreadable

KINDS: dict[str, str] = {
    "clean": "one stone of the side to move appeared, nothing else changed",
    "capture": "one stone appeared, and exactly the stones that it captures vanished",
    "no-change": "nothing changed: a pass, or nothing drawn",
    "several-stones": "more than one stone appeared",
    "wrong-colour": "a stone of the other side appeared, or a stone changed its colour",
    "vanished-stones": "stones vanished that were not captured",
    "capture-not-drawn": "one stone appeared, but stones that it captures still stand",
    "unreadable": "a point could not be told",
}
MOVES = ("clean", "capture")  # the kinds that show a move as it should be


@dataclass(frozen=True, slots=True)
class Change:
    """What happened between two boards."""

    kind: str  # a key of KINDS
    move: int = -1  # index of the one stone of the side to move that appeared, -1 where there is none
    captured: tuple[int, ...] = ()  # stones that the move captures by the rules
    points: tuple[int, ...] = ()  # the points that make it this kind when something is wrong

    @property
    def ok(self) -> bool:
        """Whether a move was drawn as the rules want it."""
        return self.kind in MOVES


def change(before: npt.ArrayLike, after: npt.ArrayLike, to_move: int) -> Change:
    """Compare two boards uint8 [R, C]; ``to_move`` is 1 (black) or 2 (white)."""
    old, new = np.asarray(before, np.uint8), np.asarray(after, np.uint8)
    differ = np.flatnonzero(old != new)
    if not len(differ):
        return Change("no-change")
    was, now = old.ravel()[differ], new.ravel()[differ]
    added = differ[was == 0]
    own = differ[(was == 0) & (now == to_move)]
    move = int(own[0]) if len(own) == 1 else -1
    if len(added) > 1:
        return Change("several-stones", move, points=_ints(added))
    turned = differ[((was > 0) & (now > 0)) | ((was == 0) & (now == 3 - to_move))]
    if len(turned):
        return Change("wrong-colour", move, points=_ints(turned))
    gone = set(_ints(differ[now == 0]))
    captured = captures(old, move, to_move) if move >= 0 else ()
    if gone - set(captured):
        return Change("vanished-stones", move, captured, tuple(sorted(gone - set(captured))))
    if set(captured) - gone:
        return Change("capture-not-drawn", move, captured, tuple(sorted(set(captured) - gone)))
    return Change("capture" if captured else "clean", move, captured)


def between(look: Look, before: Array, after: Array, to_move: int, sure: float = SURE) -> Change:
    """Read two pictures uint8 [H, W, 3] of a known look and compare them."""
    points, confidence = read.boards(look, np.stack([before, after]))
    unsure = np.flatnonzero(confidence.min(axis=0) < sure)
    if len(unsure):
        return Change("unreadable", points=_ints(unsure))
    return change(points[0], points[1], to_move)


def captures(board: npt.NDArray[np.uint8], move: int, color: int) -> tuple[int, ...]:
    """The stones that ``color`` captures by playing ``move`` on a board uint8 [R, C], in ascending order.

    The referee says so. A board that was read may hold chains without liberties, which no start may: they stay.
    """
    rows, cols = board.shape
    rules = Rules(rows, cols, ko="simple", suicide=True)
    bits, flat = grid(rows, cols).bits, board.ravel()
    black, white = (sum(bits[p] for p in np.flatnonzero(flat == c).tolist()) for c in (BLACK, WHITE))
    before = Position(rules, black, white, color, history=())
    if not before.is_legal(move):
        return ()
    return tuple(point for point in before.play(move).captured if flat[point] == 3 - color)


def _ints(points: npt.NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(int(p) for p in points)
