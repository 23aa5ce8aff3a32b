"""Counting the tree of games: the sharpest known test of the rules.

A leaf at depth n is a way to play exactly n plies from the empty board, passes included; a game that two
passes have ended goes no further. The walk keeps the boards of the line it is on, and so decides repetition
by comparing whole boards: no hashes, and nothing shared with the referee or the fast boards that it checks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError, unknown
from gobench_go.game import coords
from gobench_go.game.census import legal_positions
from gobench_go.game.compiled import compiled
from gobench_go.game.rules import KO

DEEPEST = 1000
COMPLETE_POINTS = 3  # beyond it the games take minutes to list
LONG_POINTS = 4  # and beyond this, years
KO_RULES = (*KO, "none")  # counting, unlike playing, can do without any
SLICE = 1 << 20  # moves tried between two looks at Python, so that Ctrl-C is heard within a second

Board = npt.NDArray[np.int8]
Boards = npt.NDArray[np.int8]
Points = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]


class Tree(NamedTuple):
    """Entry ``n - 1`` belongs to depth n."""

    leaves: tuple[int, ...]  # games of exactly n plies
    ended: tuple[int, ...]  # those of them whose last two plies are passes


def tree(rows: int, cols: int, depth: int, ko: str = "positional", suicide: bool = False) -> Tree:
    """Count the games of 1 to ``depth`` plies from the empty board, millions a second.

    ``ko`` is one of ``KO_RULES``; "none" lets every board come back. Raises UsageError for bad values.
    """
    coords.checked_size(rows, cols)
    if ko not in KO_RULES:
        raise unknown("ko rule", ko, KO_RULES)
    if not 1 <= depth <= DEEPEST:
        raise UsageError(f"depth {depth} is not possible; it goes from 1 to {DEEPEST}.")
    neighbours, line = _neighbours(rows, cols), _Line.empty(rows * cols, depth)
    counts = np.zeros((2, depth + 1), np.int64)
    ply = 0
    while ply >= 0:
        ply = int(_walk(neighbours, line, ply, KO_RULES.index(ko), suicide, SLICE, counts))
    leaves, ended = (tuple(int(count) for count in row[1:]) for row in counts)
    return Tree(leaves, ended)


def complete_games(
    rows: int, cols: int, ko: str = "positional", suicide: bool = False, long: bool = False
) -> int:
    """The number of games from the empty board to two passes in a row.

    Raises UsageError without superko, where games need not end, and on boards of more than
    ``COMPLETE_POINTS`` points; with ``long``, of more than ``LONG_POINTS``: 1x4 takes minutes, 2x2 hours.
    """
    if ko in ("simple", "none"):
        raise UsageError(
            "games need not end without superko; to count them choose positional or situational."
        )
    most = LONG_POINTS if long else COMPLETE_POINTS
    if rows * cols > most:
        hint = "1x4 and 2x2 want --long. " if rows * cols <= LONG_POINTS else ""
        raise UsageError(
            f"complete games of {rows}x{cols} are too many to count; {hint}"
            f"Boards have at most {most} points, such as 1x3."
        )
    # every play makes a new situation, at most one pass follows it, and two passes end the game
    return sum(tree(rows, cols, 4 * legal_positions(rows, cols) + 2, ko, suicide).ended)


class _Line(NamedTuple):
    """The line of play that the walk is on; entry n belongs to the position after n plies."""

    boards: Boards  # [depth + 1, R*C]
    passes: npt.NDArray[np.int64]  # [depth + 1], passes in a row
    tried: npt.NDArray[np.int64]  # [depth + 1], the next move to try

    @classmethod
    def empty(cls, points: int, depth: int) -> _Line:
        """The empty board, from which nothing was tried."""
        return cls(
            np.zeros((depth + 1, points), np.int8),
            np.zeros(depth + 1, np.int64),
            np.zeros(depth + 1, np.int64),
        )


def _neighbours(rows: int, cols: int) -> Points:
    """Int16 [R*C, 4]: the points next to each point, -1 where the board ends."""
    padded = np.full((rows + 2, cols + 2), -1, np.int16)
    padded[1:-1, 1:-1] = np.arange(rows * cols).reshape(rows, cols)
    sides = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    return np.stack([side.ravel() for side in sides], axis=1)


@compiled
def _walk(
    neighbours: Points,
    line: _Line,
    ply: int,
    ko: int,
    suicide: bool,
    tries: int,
    counts: npt.NDArray[np.int64],
) -> int:
    """Walk on from ``ply``, depth first, for at most ``tries`` moves; the ply to go on from, -1 at the end.

    ``counts`` int64 [2, depth + 1] grows by the leaves and the ended games of each length.
    """
    points, depth = len(neighbours), len(line.tried) - 1
    boards, passes, tried = line.boards, line.passes, line.tried
    chain, seen = np.empty(points, np.int16), np.empty(points, np.bool_)
    for _ in range(tries):
        move = tried[ply]
        if ply == depth or passes[ply] == 2 or move > points:
            ply -= 1
            if ply < 0:
                break
            continue
        tried[ply] += 1
        if move == points:
            boards[ply + 1] = boards[ply]
        elif not _play(boards, ply, move, neighbours, suicide, chain, seen) or _repeats(boards, ply, ko):
            continue
        passes[ply + 1] = passes[ply] + 1 if move == points else 0
        ply += 1
        tried[ply] = 0
        counts[0, ply] += 1
        counts[1, ply] += passes[ply] == 2
    return ply


@compiled
def _play(
    boards: Boards, ply: int, move: int, neighbours: Points, suicide: bool, chain: Points, seen: Flags
) -> bool:
    """Write the board after ``move`` into ``boards[ply + 1]``; False when it is occupied or a suicide."""
    if boards[ply, move] != 0:
        return False
    color = 1 + ply % 2
    boards[ply + 1] = boards[ply]
    board = boards[ply + 1]
    board[move] = color
    taken = 0
    for near in neighbours[move]:
        if near >= 0 and board[near] == 3 - color:
            taken += _take(board, near, neighbours, chain, seen)
    if taken > 0:
        return True
    lost = _take(board, move, neighbours, chain, seen)
    return lost == 0 or (suicide and lost > 1)


@compiled
def _take(board: Board, point: int, neighbours: Points, chain: Points, seen: Flags) -> int:
    """Take the chain of ``point`` off the board if it has no liberty; how many stones went."""
    seen[:] = False
    seen[point] = True
    chain[0] = point
    size, at = 1, 0
    while at < size:
        for near in neighbours[chain[at]]:
            if near < 0 or seen[near]:
                continue
            if board[near] == 0:
                return 0
            if board[near] == board[point]:
                seen[near] = True
                chain[size] = near
                size += 1
        at += 1
    for i in range(size):
        board[chain[i]] = 0
    return size


@compiled
def _repeats(boards: Boards, ply: int, ko: int) -> bool:
    """Whether ``boards[ply + 1]`` stands earlier on the line, where the ko rule looks (see ``KO_RULES``)."""
    if ko == 3:
        return False
    earliest = max(ply - 1, 0) if ko == 0 else 0
    step = 1 if ko == 1 else 2
    for before in range(ply + 1 - step, earliest - 1, -step):
        same = True
        for point in range(boards.shape[1]):
            if boards[before, point] != boards[ply + 1, point]:
                same = False
                break
        if same:
            return True
    return False
