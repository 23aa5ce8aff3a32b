"""The rules of Go as an immutable value: the referee, and the reference for every faster board.

A board is held as two Python integers, one bit a point, with an empty column to the right of the last one:
point (row, col) is bit ``row * (cols + 1) + col``. So the four neighbours of a whole set of points are four
shifts, and a stone on the edge has its missing neighbour on a bit that is never set.

    >>> game = Position.start(named("benchmark"))
    >>> game = game.play(40).play(31)
    >>> game.why_illegal(40)
    'occupied'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_go.game import coords
from gobench_go.game.rules import Rules

EMPTY, BLACK, WHITE = 0, 1, 2
LETTERS = ".XO"
NAMES = ("empty", "Black", "White")

REASONS = {
    "over": "two passes in a row have ended the game",
    "outside": "it is off the board",
    "occupied": "a stone stands there",
    "suicide": "the stone would have no liberty",
    "ko": "it would take back at once in a ko",
    "superko": "it would repeat an earlier board of the game",
}


def text_of(board: npt.NDArray[np.uint8]) -> str:
    """A board uint8 [R, C] of 0, 1, 2 as R*C characters of ``.XO``, row by row from the top."""
    return board.tobytes().translate(_WRITE).decode("ascii")


def board_of(text: str, rows: int, cols: int) -> npt.NDArray[np.uint8]:
    """R*C characters of ``.XO`` as a board uint8 [R, C], the other way round. Raises UsageError."""
    if len(text) != rows * cols or set(text) - set(LETTERS):
        raise UsageError(f"a {rows}x{cols} board is {rows * cols} of {LETTERS!r}, not {text[:400]!r}.")
    return np.frombuffer(text.encode("ascii").translate(_READ), np.uint8).reshape(rows, cols)


_WRITE = bytes.maketrans(bytes(range(3)), LETTERS.encode())
_READ = bytes.maketrans(LETTERS.encode(), bytes(range(3)))


class Grid(NamedTuple):
    """What the size of a board decides: ``width`` in bits, all points as one set, the bit of each index."""

    width: int
    full: int
    bits: tuple[int, ...]


@lru_cache(maxsize=64)
def grid(rows: int, cols: int) -> Grid:
    """The bit layout of a board."""
    bits = tuple(1 << (row * (cols + 1) + col) for row in range(rows) for col in range(cols))
    return Grid(cols + 1, sum(bits), bits)


class Outcome(NamedTuple):
    """A play that was tried: the reason against it (or None), and the board that it leaves behind."""

    why: str | None
    black: int = 0
    white: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """A board, who is to move, and what the ko rule remembers. ``play`` makes a new one.

    ``history`` holds one exact key for the start and for the board after each ply, the last one being now.
    """

    rules: Rules
    black: int
    white: int
    to_move: int
    history: tuple[int, ...]
    last: int = -1  # the last move, -1 before the first
    passes: int = 0  # in a row, up to now
    removed: int = 0  # what the last move took off, as a set of bits

    # --- making one ---

    @classmethod
    def start(cls, rules: Rules) -> Position:
        """The empty board, Black to move."""
        return cls.setup(rules)

    @classmethod
    def setup(
        cls, rules: Rules, black: Iterable[int] = (), white: Iterable[int] = (), to_move: int = BLACK
    ) -> Position:
        """A start with stones on it, given as point indices.

        Raises UsageError for a point that is off the board or has both colours, and for a chain without
        liberties ("setup-dead").
        """
        sets = _bits(rules, black), _bits(rules, white)
        _check_setup(rules, *sets)
        _check_color(to_move)
        return cls(rules, *sets, to_move, (_key(rules, *sets, to_move),))

    @classmethod
    def of_board(cls, rules: Rules, board: npt.ArrayLike, to_move: int = BLACK) -> Position:
        """A start with the stones of a [R, C] or [R*C] array of 0, 1, 2."""
        flat = np.asarray(board).reshape(-1)
        if flat.size != rules.points or not np.isin(flat, (EMPTY, BLACK, WHITE)).all():
            raise UsageError(f"a board of {rules.rows}x{rules.cols} is that many values of 0, 1 or 2.")
        black, white = (np.flatnonzero(flat == color).tolist() for color in (BLACK, WHITE))
        return cls.setup(rules, black, white, to_move)

    @classmethod
    def of_text(cls, rules: Rules, text: str, to_move: int = BLACK) -> Position:
        """A start written row by row from the top in ``.`` ``X`` (Black) ``O`` (White), blanks skipped."""
        return cls.of_board(rules, board_of("".join(text.split()), rules.rows, rules.cols), to_move)

    # --- moving ---

    def play(self, move: int, color: int | None = None) -> Position:
        """The position after ``move`` (R*C is a pass) by ``color``, by default the one to move.

        Raises UsageError with the reason when the move is illegal.
        """
        mover = self.to_move if color is None else color
        why, black, white, removed = self._try(move, mover)
        if why is not None:
            raise self._illegal(move, mover, why)
        passes = self.passes + 1 if move == self.rules.points else 0
        history = (*self.history, _key(self.rules, black, white, 3 - mover))
        return Position(self.rules, black, white, 3 - mover, history, move, passes, removed)

    def turned(self, color: int) -> Position:
        """The same position with ``color`` to move, as in games whose colours do not alternate."""
        _check_color(color)
        now = _key(self.rules, self.black, self.white, color)
        return replace(self, to_move=color, history=(*self.history[:-1], now))

    def why_illegal(self, move: int, color: int | None = None) -> str | None:
        """One of the ``REASONS``, or None for a legal move."""
        return self._try(move, self.to_move if color is None else color).why

    def is_legal(self, move: int, color: int | None = None) -> bool:
        """Whether ``play`` would take the move."""
        return self.why_illegal(move, color) is None

    def legal_moves(self, color: int | None = None) -> tuple[int, ...]:
        """All legal moves in ascending order, the pass last; none when the game is over."""
        return tuple(move for move in range(self.rules.points + 1) if self.is_legal(move, color))

    # --- looking ---

    @property
    def over(self) -> bool:
        """Whether two passes in a row have ended the game."""
        return self.passes >= 2

    @property
    def plies(self) -> int:
        """How many moves were made since the start."""
        return len(self.history) - 1

    @property
    def captured(self) -> tuple[int, ...]:
        """The points that the last move emptied: enemy stones, or its own chain after a suicide."""
        bits = grid(self.rules.rows, self.rules.cols).bits
        return tuple(point for point, bit in enumerate(bits) if bit & self.removed) if self.removed else ()

    @property
    def board(self) -> npt.NDArray[np.uint8]:
        """The stones as a read-only uint8 [R, C] of 0 empty, 1 Black, 2 White."""
        board = _array(self.rules, self.black) + 2 * _array(self.rules, self.white)
        board.flags.writeable = False
        return board

    def boards(self) -> npt.NDArray[np.uint8]:
        """Every board so far as uint8 [plies + 1, R, C], the start first."""
        rows, width = self.rules.rows, self.rules.cols + 1
        size = 2 * rows * width
        bits = _unpacked([key >> self._turn_bits for key in self.history], size)
        sets = bits.reshape(-1, 2, rows, width)[..., : self.rules.cols]  # White's bits are the lower ones
        boards: npt.NDArray[np.uint8] = sets[:, 1] + 2 * sets[:, 0]
        return boards

    def turns(self) -> npt.NDArray[np.uint8]:
        """Who was to move on each of ``boards()``: uint8 [plies + 1].

        Only situational superko remembers that; by the other rules all are whose turn it is now.
        """
        turns = [(key & 1) + 1 if self._turn_bits else self.to_move for key in self.history]
        return np.array(turns, np.uint8)

    @property
    def _turn_bits(self) -> int:
        """How many low bits of a key say who is to move."""
        return int(self.rules.ko == "situational")

    def score(self) -> float:
        """Black's area minus White's minus komi, every stone counting as alive."""
        width, full, _ = grid(self.rules.rows, self.rules.cols)
        empty = full & ~(self.black | self.white)
        black, white = (_flood(stones, empty, width) for stones in (self.black, self.white))
        return (black & ~white).bit_count() - (white & ~black).bit_count() - self.rules.komi

    def __str__(self) -> str:
        """The board as rows of ``.`` ``X`` ``O``, readable by ``of_text``."""
        return "\n".join(text_of(row) for row in self.board)

    # --- the rules ---

    def _try(self, move: int, color: int) -> Outcome:
        """What ``move`` would do. The order of the checks is the order of ``REASONS``."""
        _check_color(color)
        if self.over:
            return Outcome("over")
        points = self.rules.points
        if not 0 <= move < points:
            return Outcome(None, self.black, self.white) if move == points else Outcome("outside")
        width, full, bits = grid(self.rules.rows, self.rules.cols)
        stone = bits[move]
        if stone & (self.black | self.white):
            return Outcome("occupied")
        own, other = (self.black, self.white) if color == BLACK else (self.white, self.black)
        own, other, removed = _place(own, other, stone, width, full)
        if removed & stone and (removed == stone or not self.rules.suicide):
            return Outcome("suicide")
        black, white = (own, other) if color == BLACK else (other, own)
        return Outcome(self._repeats(black, white, 3 - color), black, white, removed)

    def _repeats(self, black: int, white: int, to_move: int) -> str | None:
        """Which ko rule the board would break."""
        key = _key(self.rules, black, white, to_move)
        if key in self.history[-2:-1]:
            return "ko"
        return "superko" if self.rules.ko != "simple" and key in self.history else None

    def _illegal(self, move: int, color: int, why: str) -> UsageError:
        rows, cols = self.rules.rows, self.rules.cols
        name = coords.gtp(move, rows, cols) if 0 <= move <= self.rules.points else f"move {move}"
        return UsageError(
            f"{NAMES[color]} cannot play {name} at ply {self.plies} on {rows}x{cols}: {REASONS[why]} ({why})."
        )


def _place(own: int, other: int, stone: int, width: int, full: int) -> tuple[int, int, int]:
    """Put ``stone`` down for ``own``: both colours afterwards, and what was taken off."""
    own |= stone
    empty = full & ~(own | other)
    removed = 0
    near = _around(stone, width) & other
    while near:
        first = near & -near
        removed |= _without_liberty(first, other, empty, width)
        near &= ~(first | removed)
    if removed:
        return own, other ^ removed, removed
    removed = _without_liberty(stone, own, empty, width)
    return own ^ removed, other, removed


def _around(points: int, width: int) -> int:
    """All neighbours of a set of points, some of them perhaps off the board."""
    return points << 1 | points >> 1 | points << width | points >> width


def _without_liberty(stone: int, stones: int, empty: int, width: int) -> int:
    """The chain of ``stone`` if it has no liberty, else nothing."""
    chain = stone
    while True:
        around = chain << 1 | chain >> 1 | chain << width | chain >> width
        if around & empty:
            return 0
        grown = chain | (around & stones)
        if grown == chain:
            return chain
        chain = grown


def _flood(stones: int, empty: int, width: int) -> int:
    """``stones`` and every empty point that can be reached from them through empty points."""
    reached = stones
    while True:
        grown = reached | (_around(reached, width) & empty)
        if grown == reached:
            return reached
        reached = grown


def _key(rules: Rules, black: int, white: int, to_move: int) -> int:
    """What the ko rule compares: the board, and under situational superko who is to move. Exact, no hash."""
    board = black << (rules.rows * (rules.cols + 1)) | white
    return board << 1 | (to_move - 1) if rules.ko == "situational" else board


def _array(rules: Rules, points: int) -> npt.NDArray[np.uint8]:
    """A set of bits as uint8 [R, C] of 0 and 1."""
    width = rules.cols + 1
    return _unpacked([points], rules.rows * width).reshape(rules.rows, width)[:, : rules.cols]


def _unpacked(numbers: Sequence[int], size: int) -> npt.NDArray[np.uint8]:
    """The low ``size`` bits of each number, the lowest first: uint8 [N, size]."""
    length = (size + 7) // 8
    packed = np.frombuffer(b"".join(n.to_bytes(length, "little") for n in numbers), np.uint8)
    return np.unpackbits(packed.reshape(-1, length), axis=1, count=size, bitorder="little")


def _bits(rules: Rules, points: Iterable[int]) -> int:
    bits = grid(rules.rows, rules.cols).bits
    together = 0
    for point in points:
        if not 0 <= point < rules.points:
            raise UsageError(
                f"point {point} is off the {rules.rows}x{rules.cols} board; 0 to {rules.points - 1}."
            )
        together |= bits[point]
    return together


def _check_setup(rules: Rules, black: int, white: int) -> None:
    """Raise UsageError for a point of both colours or a chain without liberties."""
    width, full, bits = grid(rules.rows, rules.cols)
    empty = full & ~(black | white)
    for point, bit in enumerate(bits):
        name = coords.gtp(point, rules.rows, rules.cols)
        if bit & black & white:
            raise UsageError(f"{name} is set up with a stone of both colours; give each point one.")
        stones = black if bit & black else white
        if bit & stones and _without_liberty(bit, stones, empty, width):
            raise UsageError(f"the chain at {name} is set up without liberties (setup-dead); remove it.")


def _check_color(color: int) -> None:
    if color not in (BLACK, WHITE):
        raise UsageError(f"colour {color} is not possible; 1 is Black, 2 is White.")
