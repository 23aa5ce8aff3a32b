"""Boards as symbols and moves as actions: (point, colour), or (R*C, 0) where nobody puts a stone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.types import Array, Json
from gobench_go.game.kernels import coded
from gobench_go.game.rules import Rules, named
from gobench_go.video import read, render
from gobench_go.video.moves import SURE
from gobench_go.video.themes import Look, look

SYMBOLS = 3  # empty, black, white

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def grid(options: Mapping[str, Json]) -> tuple[int, int]:
    """(rows, columns) of points."""
    return int(options["rows"]), int(options["cols"])


def look_for(options: Mapping[str, Json], frames: Array) -> Look:
    """How a recipe draws pictures of the size of ``frames`` uint8 [N, H, W, 3].

    Where every game has an appearance of its own, it is the plain one of the theme. Raises UsageError for a size
    that is too small, DataError for pictures that are not square.
    """
    if frames.ndim != 4 or frames.shape[1] != frames.shape[2]:
        raise DataError(f"boards are read from square pictures uint8 [N, H, H, 3], not {list(frames.shape)}.")
    marks = options["coordinates"], options["last_move"]
    return look(options["theme"], frames.shape[1], *grid(options), *marks)


def states(options: Mapping[str, Json], frames: Array) -> Array:
    """What is read in pictures uint8 [N, H, H, 3]: uint8 [N, R*C] of 0 empty, 1 black, 2 white."""
    return read.boards(look_for(options, frames), frames)[0].reshape(len(frames), -1)


def readable(options: Mapping[str, Json], frames: Array) -> Bools:
    """Whether pictures uint8 [N, H, H, 3] can be read: bool [N].

    Every point can be told, and the picture is like the board that is read in it. Noise and plain colours may look surely like
    one state at every point, and are no board.
    """
    drawn = look_for(options, frames)
    points, confidence = read.boards(drawn, frames)
    sure: Bools = confidence.min(axis=(1, 2)) >= SURE
    again = render.frames(drawn, points)
    alike = [read.likeness(*pair) >= read.LIKELY for pair in zip(again, frames, strict=True)]
    return sure & np.array(alike, np.bool_)


def labels(record: Mapping[str, Json]) -> Ints:
    """The moves between the frames of a record, int64 [T - 1, 2]: (point, colour); (R*C, 0) for a pass."""
    points = record["rows"] * record["cols"]
    shown = slice(record["first_ply"], record["first_ply"] + record["frames"] - 1)
    moves, colors = (np.array(record[key][shown], np.int64) for key in ("moves", "colors"))
    return np.stack([moves, np.where(moves < points, colors, 0)], axis=1)


def act(options: Mapping[str, Json], frames: Array, actions: npt.ArrayLike) -> Array:
    """The pictures after actions, drawn anew; those in which an action cannot be stay as they are.

    Args:
        frames: uint8 [N, H, H, 3], read first.
        actions: ints [N, 2] as ``labels`` has them; a pass changes nothing.

    Returns:
        uint8 [N, H, H, 3]. Of the game only the board is known: superko forbids nothing but a stone that would
        vanish at once. A picture that shows a chain without liberties is no position, and stays too.

    Raises:
        DataError: pictures that are not square, or not as many actions.
    """
    given = np.asarray(actions, np.int64)
    if given.shape != (len(frames), 2):
        raise DataError(f"{len(frames)} pictures need actions [{len(frames)}, 2], not {list(given.shape)}.")
    drawn, out = look_for(options, frames), frames.copy()
    boards = read.boards(drawn, frames)[0].reshape(len(frames), -1)
    done = np.flatnonzero(_played(_rules(options), boards, given))
    if len(done):
        after = boards[done].reshape(-1, drawn.rows, drawn.cols)
        out[done] = render.frames(drawn, after, given[done, 0])
    return out


def _played(rules: Rules, boards: Array, actions: Ints) -> Bools:
    """Which of the actions could be; boards uint8 [N, R*C] are changed in place."""
    from gobench_go.lessons import kernels

    done = np.zeros(len(boards), np.bool_)
    moves, colors = (np.ascontiguousarray(actions[:, n]) for n in (0, 1))
    kernels.act(coded(rules), boards, moves, colors, done)
    return done


def _rules(options: Mapping[str, Json]) -> Rules:
    return named(options["rules"], *grid(options), options["komi"])
