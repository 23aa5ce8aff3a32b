"""A generated frame as plain data, and boards that were read as moves with what is wrong with them.

Reading and judging are apart: evidence holds the most likely board and how sure it is; what kind of answer that is, and
which move, follows from evidence and the rules' board alone. The kinds are those of ``gobench_go.video.moves``, for many
boards at once, with "ambiguous" and "missing" beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.types import Array, Json, Record
from gobench_go.game.kernels import coded
from gobench_go.game.position import LETTERS, text_of
from gobench_go.game.rules import Rules
from gobench_go.video import moves
from gobench_go.video.moves import SURE
from gobench_go.video.themes import Look

READER = "1"
"""Of the code that turns frames into boards and kinds; raised when a frame may be read otherwise than before. Part of the
protocol hash, as is ``gobench_go.video.themes.DRAWN``."""
DIGITS = 4  # of confidences in evidence

KINDS: dict[str, str] = {
    "clean": moves.KINDS["clean"],
    "capture": moves.KINDS["capture"],
    "ambiguous": "some points could not be told, but the most likely reading is one move, drawn as it should be",
    "no-change": "nothing changed",
    "several-stones": moves.KINDS["several-stones"],
    "wrong-colour": moves.KINDS["wrong-colour"],
    "vanished-stones": moves.KINDS["vanished-stones"],
    "capture-not-drawn": moves.KINDS["capture-not-drawn"],
    "unreadable": "some points could not be told, and the most likely reading is not one move",
    "missing": "there was no answer",
}
NAMES = tuple(KINDS)
CODES = {name: code for code, name in enumerate(NAMES)}
CLEAN = ("clean", "capture")  # the answer was read cleanly
READ = (*CLEAN, "ambiguous", "capture-not-drawn")
"""Kinds whose move counts: one own stone appeared, no other one, and no stone went that it does not take."""

_VALUES = np.full(256, 255, np.uint8)
_VALUES[list(LETTERS.encode())] = range(3)


class Reading(NamedTuple):
    """A frame as read."""

    board: Array  # uint8 [R, C], the most likely one
    unsure: list[int]  # points read with less confidence than SURE
    confidence: float  # the least of all points

    def record(self) -> Record:
        """As it stands in evidence."""
        return {"board": text_of(self.board), "unsure": self.unsure, "confidence": self.confidence}


def read(look: Look, frame: Array) -> Reading:
    """Read a frame uint8 [H, W, 3] of a known look."""
    from gobench_go.video.read import boards

    points, confidence = boards(look, frame[None])
    flat = confidence.reshape(-1)
    least = float(flat.min())
    unsure = np.flatnonzero(flat < SURE).tolist() if least < SURE else []
    return Reading(points[0], unsure, round(least, DIGITS))


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Many answers as arrays, N of them."""

    boards: Array  # [N, R*C]
    unsure: npt.NDArray[np.bool_]  # [N] some point is unsure
    missing: npt.NDArray[np.bool_]  # [N] nothing was answered
    unread: npt.NDArray[np.bool_]  # [N] something was answered, but no board was found in it


def parse(records: Sequence[Mapping[str, Json]], points: int, where: Sequence[str]) -> Answers:
    """Answers as they stand in evidence. ``where`` names each one's sample.

    Raises:
        DataError: a board of another size or other letters, points off the board.
    """
    for record, name in zip(records, where, strict=True):
        _check(record, points, name)
    missing, unread, unsure = (
        np.fromiter((bool(r.get(key)) for r in records), np.bool_, len(records))
        for key in ("missing", "unreadable", "unsure")
    )
    empty = LETTERS[0] * points
    text = "".join(r.get("board", empty) for r in records).encode("ascii", "replace")
    boards = _VALUES[np.frombuffer(text, np.uint8)].reshape(len(records), points)
    if len(bad := np.flatnonzero(boards.max(axis=1, initial=0) > 2)):
        n = int(bad[0])
        raise DataError(f"{where[n]}: boards are written in {LETTERS!r}, not {records[n]['board']!r}.")
    return Answers(boards, unsure, missing, unread)


def _check(record: Mapping[str, Json], points: int, name: str) -> None:
    """DataError for an answer that no task can have written."""
    if not isinstance(record, Mapping):
        raise DataError(f"{name}: an answer is a record, not {str(record)[:100]!r}.")
    if record.get("missing") is True or isinstance(record.get("unreadable"), str):
        if "board" in record:
            raise DataError(f"{name}: an answer that is missing or unreadable has no board.")
        return
    board, unsure = record.get("board"), record.get("unsure")
    if not isinstance(board, str) or len(board) != points:
        raise DataError(f"{name}: an answer has no board of {points} points, but {str(board)[:100]!r}.")
    if not isinstance(unsure, list) or not all(type(p) is int and 0 <= p < points for p in unsure):
        raise DataError(f'{name}: "unsure" of an answer is a list of points, not {str(unsure)[:100]!r}.')


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What happened between many pairs of boards."""

    kinds: npt.NDArray[np.int8]  # [N] index into NAMES
    moves: npt.NDArray[np.int64]  # [N] the move that counts as read, -1 where there is none
    taken: npt.NDArray[np.bool_]  # [N, R*C] what that one stone captures by the rules

    def are(self, *names: str) -> npt.NDArray[np.bool_]:
        """Whether each is of one of these kinds: bool [N]."""
        found: npt.NDArray[np.bool_] = np.isin(self.kinds, [CODES[name] for name in names])
        return found


def changes(
    rules: Rules,
    before: Array,
    answers: Answers,
    colors: npt.NDArray[np.int64],
    truth: Array | None = None,
) -> Changes:
    """Compare answers with the boards before.

    Args:
        before: uint8 [N, R*C], what was shown.
        colors: int64 [N], who is to move.
        truth: uint8 [N, R*C], the boards of the rules, if they are others: they say what a move captures.
    """
    after, own = answers.boards, colors[:, None]
    empty, gone = before == 0, (before > 0) & (after == 0)
    added, mine = empty & (after > 0), empty & (after == own)
    turned = ((before > 0) & (after > 0) & (before != after)) | (empty & (after == 3 - own))
    one = mine.sum(axis=1) == 1
    move = np.where(one, mine.argmax(axis=1), -1).astype(np.int64)
    taken = captured(rules, before if truth is None else truth, move, colors)
    kinds = np.select(
        [
            answers.missing,
            ~(before != after).any(axis=1),
            added.sum(axis=1) > 1,
            turned.any(axis=1),
            (gone & ~taken).any(axis=1) | ~one,
            (taken & ~gone).any(axis=1),
            taken.any(axis=1),
        ],
        [CODES[k] for k in _ORDER],
        CODES["clean"],
    ).astype(np.int8)
    drawn = one & np.isin(kinds, [CODES[k] for k in CLEAN])
    doubtful = np.where(drawn & ~answers.unread, CODES["ambiguous"], CODES["unreadable"])
    kinds = np.where((answers.unsure & ~answers.missing) | answers.unread, doubtful, kinds).astype(np.int8)
    read = one & np.isin(kinds, [CODES[k] for k in READ])
    return Changes(kinds, np.where(read, move, -1), taken & read[:, None])


_ORDER = (
    "missing",
    "no-change",
    "several-stones",
    "wrong-colour",
    "vanished-stones",
    "capture-not-drawn",
    "capture",
)


def captured(
    rules: Rules, boards: Array, move: npt.NDArray[np.int64], colors: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """The stones that each move takes on boards uint8 [N, R*C] of the rules: bool [N, R*C]."""
    from gobench_go.tasks import kernels

    out = np.zeros(boards.shape, np.bool_)
    kernels.taken(coded(rules), np.ascontiguousarray(boards), move, colors, out)
    return out


def capturing(rules: Rules, boards: Array, colors: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The empty points of boards uint8 [N, R*C] where ``colors`` int64 [N] would capture: bool [N, R*C]."""
    from gobench_go.tasks import kernels

    out = np.zeros(boards.shape, np.bool_)
    kernels.capturing(coded(rules), np.ascontiguousarray(boards), colors, out)
    return out
