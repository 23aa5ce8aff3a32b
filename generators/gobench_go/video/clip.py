"""A shipped record as a clip: replay the moves, draw the boards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gobench.errors import DataError
from gobench.types import Array, Clip, Json
from gobench_go.game.kernels import replay
from gobench_go.game.rules import Rules
from gobench_go.video.render import GoClip
from gobench_go.video.themes import look


def rules_of(record: Mapping[str, Json]) -> Rules:
    """The rules that a record was played by."""
    return Rules(
        rows=record["rows"],
        cols=record["cols"],
        ko=record["ko"],
        suicide=record["suicide"],
        komi=record["komi"],
        name=record["rules"],
    )


def setup_of(record: Mapping[str, Json]) -> Array:
    """The board before ply 0, uint8 [R, C]."""
    shape = (record["rows"], record["cols"])
    if not record["setup"]:
        return np.zeros(shape, np.uint8)
    points = np.frombuffer(record["setup"].encode(), np.uint8)
    return ((points == ord("X")) + 2 * (points == ord("O"))).astype(np.uint8).reshape(shape)


def boards_of(record: Mapping[str, Json]) -> Array:
    """Every board of a record's game, uint8 [plies + 1, R, C]; raises DataError on an illegal move."""
    moves = np.asarray(record["moves"], np.int16)
    colors = np.asarray(record["colors"], np.uint8)
    boards, _, illegal = replay(rules_of(record), setup_of(record), moves, colors)
    if illegal >= 0:
        raise DataError(f"{record.get('key', 'a record')}: move {illegal + 1} ({moves[illegal]}) is illegal.")
    return boards


def draw(record: Mapping[str, Json]) -> Clip:
    """The clip of a shipped record."""
    variation = record["variation"]
    shown = look(
        record["theme"],
        record["size"],
        record["rows"],
        record["cols"],
        coordinates=record["coordinates"],
        last_move=record["last_move"],
        variation=None if variation < 0 else variation,
    )
    first, frames = record["first_ply"], record["frames"]
    boards = boards_of(record)[first : first + frames]
    last = np.asarray([-1, *record["moves"]], np.int16)[first : first + frames]
    return GoClip(shown, boards, last, fps=record["fps"])
