"""The released Video-GoBench tars -> games with moves and targets, by reading their pictures.

An outer tar holds one inner tar a game; its PNGs, in a folder or not, are named by ply:

==================  ==========================================================================================
``<n>.png``         the board after ply n; plies count from 0
``i_<n>.png``       the same, for a ply that the original does not learn from (a repeated opening)
``extra_<n>.png``   the board after the move that the annotator wanted at ply n, in place of ply n
==================  ==========================================================================================

Passes have no picture, games may begin anywhere, and numbers may be missing. So numbers only give the order,
and what was played is read off the boards:

- The game starts on the empty board when the first picture shows no more than one stone, or two when its
  number is not 0; else with the first picture as its setup. (Which plies came before is unknown then: the ko
  rule knows nothing of them.)
- Two boards in a row differ by one move, captures included; or by two moves of opposite colours if only one
  pair of moves explains them (a picture is missing; colours alternate, Black's plies are the even ones); or
  not at all (a pass that was drawn). A colour that moves twice in a row across a missing number means a pass.
  Anything else rejects the game as "not-a-move".
- A target is known at plies with an ``extra_`` picture and -1 elsewhere. An ``extra_`` that is one move away
  from the board after ply n, not before it, is taken as the target of the next ply. One after the last ply
  has no place.
- How a game ended is not drawn: ``over`` is false and ``result`` is ``?``, but after two drawn passes. The original
  learns Black's moves only; here all plies and targets are kept.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gobench.errors import UsageError
from gobench.types import Array, Episode, Rejection
from gobench_go.game import kernels
from gobench_go.game.position import text_of
from gobench_go.game.rules import Rules
from gobench_go.game.sgf_text import clean
from gobench_go.sources import archives, record
from gobench_go.sources.archives import MemberError
from gobench_go.sources.members import Listing, list_members

SUFFIXES = (".tar",)
THEME = "videoworld"
MOST_PICTURES = 1500
MOST_PIXELS = 1024
BATCH = 64
LEAST_CONFIDENCE = 0.3
REASONS: Mapping[str, str] = {
    **archives.REASONS,
    **record.REASONS,
    "no-pictures": "an inner tar without pictures named by ply",
    "too-long": f"more than {MOST_PICTURES} pictures",
    "bad-picture": "a picture that is broken, not square, or of another size than its neighbours",
    "unclear-picture": "a picture that shows no clear board",
    "not-a-move": "boards in a row that no move explains",
    "bad-extra": "an extra_ picture that is no move away from its state",
}
"""Every reason for which this source rejects."""

_NAME = re.compile(r"(?:.*/)?(i_|extra_)?([0-9]{1,6})\.png", re.ASCII)
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error, zlib.error)


class RefusedError(Exception):
    """A game that cannot be recovered; turned into a Rejection by the source."""

    def __init__(self, reason: str, detail: str, ply: int = -1) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.ply = reason, detail, ply


@dataclass(frozen=True)
class VideoworldSource:
    """The released tars as ``gobench.types.Source``; a unit is a game."""

    listing: Listing
    rules: Rules
    teacher: str
    max_bytes: int

    @classmethod
    def of(cls, paths: Sequence[str], options: Mapping[str, Any], rules: Rules) -> VideoworldSource:
        """List the outer tars below ``paths``. Raises UsageError for a path that holds none."""
        listing = list_members(paths, SUFFIXES, "videoworld-tars")
        return cls(listing, rules, options["teacher"], options["max_bytes"])

    @property
    def units(self) -> int:
        """Inner tars."""
        return len(self.listing)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Label -> sha256 of each outer tar."""
        return self.listing.hashes()

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The game of inner tar ``index``."""
        container, member = self.listing.find(index)
        origin = container.origin(member)
        try:
            states, extras = pictures(container.read(member, self.max_bytes))
            boards = read(states | {n + _EXTRA: data for n, data in extras.items()}, self.rules)
            game = recover(
                {n: boards[n] for n in states}, {n: boards[n + _EXTRA] for n in extras}, self.rules
            )
        except (MemberError, RefusedError) as error:
            yield Rejection(origin, error.reason, error.detail, getattr(error, "ply", -1))
            return
        yield record.episode(
            record.Game(
                rules=self.rules,
                moves=game.moves,
                colors=game.colors,
                source="videoworld",
                origin=origin,
                setup=game.setup,
                teacher=self.teacher if game.targets else "",
                targets=game.targets,
            )
        )


_EXTRA = 1 << 32
"""Added to the number of an ``extra_`` picture while all are read together."""


def pictures(data: bytes) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """PNG bytes by number of an inner tar: (states, extras). Raises RefusedError."""
    states: dict[int, bytes] = {}
    extras: dict[int, bytes] = {}
    for prefix, number, content in _pictures(data):
        if prefix == "extra_":
            extras[number] = content
        elif not prefix or number not in states:  # <n> beats i_<n>
            states[number] = content
        if len(states) + len(extras) > MOST_PICTURES:
            raise RefusedError("too-long", f"more than {MOST_PICTURES} pictures")
    if not states:
        raise RefusedError("no-pictures", "no pictures named <n>.png")
    return states, extras


def _pictures(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Prefix, number and content of each picture, none larger than the tar that holds it."""
    try:
        for entry in archives.tar_entries(archives.Headers(io.BytesIO(data))):
            found = _NAME.fullmatch(entry.name)
            if not found or entry.isdir() or archives.tar_problem(entry):
                continue
            content = data[entry.offset_data : entry.offset_data + entry.size]
            if len(content) < entry.size:
                raise RefusedError("unreadable", f"the tar ends inside {clean(entry.name)}")
            yield found[1] or "", int(found[2]), content
    except tarfile.TarError as error:
        raise RefusedError("unreadable", clean(str(error), 200)) from None


def read(files: Mapping[int, bytes], rules: Rules) -> dict[int, Array]:
    """PNG bytes by number -> boards uint8 [R, C] by number. Raises RefusedError."""
    from gobench_go.video.read import boards
    from gobench_go.video.themes import look

    found: dict[int, Array] = {}
    numbers = sorted(files)
    for start in range(0, len(numbers), BATCH):
        part = numbers[start : start + BATCH]
        drawn = np.stack(_same_size([_decoded(files[n], n) for n in part]))
        points, confidence = boards(look(THEME, drawn.shape[1], rules.rows, rules.cols), drawn)
        for n, board, sure in zip(part, points, confidence.reshape(len(part), -1).min(axis=1), strict=True):
            if sure < LEAST_CONFIDENCE:
                raise RefusedError("unclear-picture", f"picture {_shown(n)} shows no clear board")
            found[n] = board
    return found


def _shown(number: int) -> str:
    return f"extra_{number - _EXTRA}" if number >= _EXTRA else str(number)


def _decoded(data: bytes, number: int) -> Array:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            width, height = image.size
            if width != height or not 36 <= width <= MOST_PIXELS:
                raise RefusedError("bad-picture", f"picture {_shown(number)} has {width}x{height} pixels")
            return np.asarray(image.convert("RGB"))
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise RefusedError("bad-picture", f"picture {_shown(number)}: {archives.why(error)}") from None


def _same_size(drawn: list[Array]) -> list[Array]:
    if len({picture.shape for picture in drawn}) > 1:
        raise RefusedError("bad-picture", "pictures of different sizes in one game")
    return drawn


@dataclass
class Recovered:
    """A game as far as it was followed. ``boards`` holds the start and the board after each ply."""

    rules: Rules
    boards: list[Array]
    mover: int  # who moved last
    moves: list[int] = field(default_factory=list)
    colors: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)

    @property
    def setup(self) -> str:
        """The start as R*C characters, or empty."""
        start = self.boards[0]
        return text_of(start) if start.any() else ""

    def add(self, move: int, color: int, board: Array) -> None:
        """One ply that leaves ``board``."""
        self.moves.append(move)
        self.colors.append(color)
        self.boards.append(board)
        self.mover = color


def recover(states: Mapping[int, Array], extras: Mapping[int, Array], rules: Rules) -> Recovered:
    """Boards by number -> the game. Raises RefusedError."""
    numbers = sorted(states)
    first = states[numbers[0]]
    fresh = bool(np.count_nonzero(first) <= min(numbers[0] + 1, 2))
    start = np.zeros_like(first) if fresh else first
    _check_start(rules, start)
    game = Recovered(rules, [start], mover=2 if fresh else 1 + numbers[0] % 2)
    ply_after = {numbers[0] - fresh: 0}
    before = numbers[0] - 1
    for number in numbers if fresh else numbers[1:]:
        _follow(game, states[number], missing=number - before > 1, number=number)
        ply_after[number] = len(game.moves)
        before = number
    if extras:
        _aim(game, extras, ply_after)
    return game


def _check_start(rules: Rules, start: Array) -> None:
    """Raise RefusedError for a chain without liberties; later boards come from legal moves alone."""
    try:
        kernels.replay(rules, start, [], [])
    except UsageError as error:
        raise RefusedError("setup-dead", str(error), 0) from None


def _follow(game: Recovered, board: Array, missing: bool, number: int) -> None:
    """Add the ply or plies that lead to ``board``."""
    rules, last, mover = game.rules, game.boards[-1], game.mover
    if np.array_equal(last, board):
        if game.moves:  # a drawn pass; before the first move it is a picture of the start
            game.add(rules.points, 3 - mover, board)
        return
    if (single := _one_move(rules, last, board)) is not None:
        if missing and game.moves and single[1] == mover:
            game.add(rules.points, 3 - mover, last)
        game.add(*single, board)
        return
    pairs = list(_two_moves(rules, last, board, 3 - mover)) or list(_two_moves(rules, last, board, mover))
    if len(pairs) != 1:
        detail = (
            f"no move leads to picture {number}"
            if not pairs
            else f"several moves could lead to picture {number}"
        )
        raise RefusedError("not-a-move", detail, len(game.moves))
    for move, color, after in pairs[0]:
        game.add(move, color, after)


def _one_move(rules: Rules, before: Array, after: Array) -> tuple[int, int] | None:
    """The (move, color) that turns one board into the other, or None."""
    added = np.flatnonzero((before == 0) & (after != 0))
    if len(added) != 1:
        return None
    move, color = int(added[0]), int(after.flat[added[0]])
    played = _played(rules, before, move, color)
    return (move, color) if played is not None and np.array_equal(played, after) else None


def _two_moves(
    rules: Rules, before: Array, after: Array, color: int
) -> Iterator[tuple[tuple[int, int, Array], tuple[int, int, Array]]]:
    """Every pair of moves, ``color`` first, that turns one board into the other."""
    if np.count_nonzero((before == 0) & (after != 0)) > 2:
        return
    for move in np.flatnonzero(before == 0):
        middle = _played(rules, before, int(move), color)
        second = None if middle is None else _one_move(rules, middle, after)
        if middle is not None and second is not None and second[1] != color:
            yield (int(move), color, middle), (*second, after)


def _played(rules: Rules, board: Array, move: int, color: int) -> Array | None:
    """The board after one move, or None when it is illegal on that board alone."""
    replay = kernels.replay(rules, board, [move], [color])
    return None if replay.first_illegal >= 0 else replay.boards[1]


def _aim(game: Recovered, extras: Mapping[int, Array], ply_after: Mapping[int, int]) -> None:
    """Set the targets from the ``extra_`` pictures."""
    game.targets = [record.NO_TARGET] * len(game.moves)
    for number, board in extras.items():
        if number in ply_after:
            tries = [ply_after[number] - 1, ply_after[number]]
        else:
            tries = [ply_after[number - 1]] if number - 1 in ply_after else []
        found = [(ply, target) for ply in tries if (target := _target(game, ply, board)) is not None]
        if not found:
            raise RefusedError(
                "bad-extra", f"extra_{number} is no move away from its state", max([0, *tries[:1]])
            )
        ply, target = found[0]
        if ply < len(game.moves):
            game.targets[ply] = target


def _target(game: Recovered, ply: int, board: Array) -> int | None:
    """The move that leads from the board before ``ply`` to ``board``; unchanged is a pass."""
    if ply < 0:
        return None
    before = game.boards[ply]
    if np.array_equal(before, board):
        return game.rules.points
    found = _one_move(game.rules, before, board)
    wrong = found is None or (ply < len(game.colors) and found[1] != game.colors[ply])
    return None if wrong or found is None else found[0]
