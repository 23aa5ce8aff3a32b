"""The game that a GTP controller sets up: any order of colours, undo, handicap stones, games from SGF files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from gobench.errors import DataError, UsageError
from gobench_go.game import coords
from gobench_go.game.position import BLACK, WHITE, Position
from gobench_go.game.rules import Rules, named

LARGEST_FILE = 1 << 20  # bytes of an SGF file
LEAST_SIDE = 7  # of boards with handicap stones
CORNERS, SIDES = 4, 9  # most handicap stones: on small and even boards, on others


class Kept(NamedTuple):
    """A game as it was."""

    positions: tuple[Position, ...]
    komi: float | None


class GtpGame:
    """Positions since the start, the last one being now."""

    def __init__(self, rules: str) -> None:
        self._name = rules
        self._komi: float | None = None  # as the controller said; without a word the board's own
        self._positions = [Position.start(named(rules))]

    @property
    def now(self) -> Position:
        """The position on the board."""
        return self._positions[-1]

    @property
    def rules(self) -> Rules:
        """Of the game, with its board and komi."""
        return self.now.rules

    def rules_on(self, rows: int, cols: int) -> Rules:
        """The same rules on another board. Raises UsageError for a size that cannot be."""
        return named(self._name, rows, cols, self._komi)

    def clear(self, rules: Rules | None = None) -> None:
        """The empty board, perhaps another one."""
        self._positions = [Position.start(rules or self.rules)]

    def komi(self, komi: float) -> None:
        """From now on, and in the games after. Raises UsageError for what is no multiple of 0.5."""
        rules = replace(self.rules, komi=komi)
        self._komi = rules.komi
        self._positions = [replace(position, rules=rules) for position in self._positions]

    def kept(self) -> Kept:
        """All of it, to come back to."""
        return Kept(tuple(self._positions), self._komi)

    def restore(self, kept: Kept) -> None:
        """Come back to what was kept."""
        self._positions, self._komi = list(kept.positions), kept.komi

    def turn(self, color: int) -> Position:
        """The position with ``color`` to move."""
        return self.now if self.now.to_move == color else self.now.turned(color)

    def play(self, color: int, move: int) -> None:
        """Make a ply. A game that two passes ended goes on. Raises UsageError for an illegal move."""
        position = going_on(self.turn(color))
        self._positions.append(position.play(move))

    def undo(self) -> bool:
        """Take the last ply back; False where there is none."""
        if len(self._positions) == 1:
            return False
        self._positions.pop()
        return True

    def handicap(self, points: Sequence[int]) -> None:
        """Start with black stones, White to move. Raises UsageError for points that cannot be."""
        self._positions = [Position.setup(self.rules, points, (), WHITE)]

    def load(self, path: Path, before: int | None) -> Rules:
        """Take over a game of a file, up to the ply before move number ``before``; the rules with its board and komi.

        Raises:
            DataError: no such file, no game in it, or an illegal move; the game is as it was.
            UsageError: a board or komi that cannot be.
        """
        from gobench_go.game.sgf import SgfError, read

        found = next(iter(read(_bytes(path))))
        if isinstance(found, SgfError):
            raise found
        rules = named(self._name, found.rows, found.cols, self._komi if found.komi is None else found.komi)
        plies = list(zip(found.moves, found.colors, strict=True))[: None if before is None else before - 1]
        first = found.colors[0] if found.colors else WHITE if found.handicap else BLACK
        position = Position.of_text(rules, found.setup or "." * rules.points, first)
        positions = [position]
        for move, color in plies:
            position = position.turned(color).play(move)
            positions.append(position)
        self._positions = positions
        self._komi = rules.komi
        return rules


def going_on(position: Position) -> Position:
    """The same, but open again where two passes had ended the game."""
    return replace(position, passes=0) if position.over else position


def fixed_points(rules: Rules, stones: int) -> list[int]:
    """The usual points of so many handicap stones, as GTP lists them; raises UsageError for too few or many."""
    most = most_stones(rules)
    if not 2 <= stones <= most:
        allowed = f"2 to {most}" if most else "none"
        raise UsageError(f"{stones} handicap stones; {allowed} on {rules.rows}x{rules.cols}.")
    side = rules.rows
    low, middle = (3 if side > 12 else 2), side // 2
    high = side - 1 - low
    corners = [(high, low), (low, high), (low, low), (high, high)]
    sides = [(middle, low), (middle, high), (high, middle), (low, middle)]
    points = corners[:stones] + (sides[:2] if stones >= 6 else []) + (sides[2:] if stones >= 8 else [])
    if stones >= 5 and stones % 2:
        points.append((middle, middle))
    return [row * side + col for row, col in points]


def most_stones(rules: Rules) -> int:
    """How many handicap stones have a usual point; 0 where none does."""
    if rules.rows != rules.cols or rules.rows < LEAST_SIDE:
        return 0
    return SIDES if rules.rows % 2 and rules.rows > LEAST_SIDE else CORNERS


def chains(position: Position) -> list[list[int]]:
    """The chains on the board, each in ascending order."""
    rows, cols = position.rules.rows, position.rules.cols
    board = position.board.reshape(-1).tolist()
    left = {point for point, color in enumerate(board) if color}
    found = []
    while left:
        chain, edge = set[int](), [min(left)]
        while edge:
            point = edge.pop()
            chain.add(point)
            edge += [p for p in _around(point, rows, cols) if board[p] == board[point] and p not in chain]
        left -= chain
        found.append(sorted(chain))
    return found


def _around(point: int, rows: int, cols: int) -> list[int]:
    row, col = divmod(point, cols)
    near = ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1))
    return [r * cols + c for r, c in near if 0 <= r < rows and 0 <= c < cols]


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():  # a device or a pipe may never end
            raise DataError(f"{path} is no file.")
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(f"{path} is larger than {LARGEST_FILE >> 20} MiB: no game is.")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def diagram(position: Position) -> str:
    """The board with its coordinates, for people."""
    rows, cols = position.rules.rows, position.rules.cols
    letters = " ".join(coords.COLUMNS[:cols])
    lines = [f"   {letters}"]
    for row, text in enumerate(str(position).split("\n")):
        lines.append(f"{rows - row:2} {' '.join(text)} {rows - row}")
    side = "Black" if position.to_move == BLACK else "White"
    return "\n".join(
        [*lines, f"   {letters}", f"{side} to move, ply {position.plies}, komi {position.rules.komi:g}"]
    )
