"""A shipped record as a clip: replay the moves, draw the boards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from gobench.errors import DataError, UsageError
from gobench.types import Array, Clip, Json, Record
from gobench_go.game.kernels import replay
from gobench_go.sources.record import rules_of, setup_board
from gobench_go.video.render import GoClip
from gobench_go.video.themes import Look, look


def boards_of(record: Mapping[str, Json]) -> Array:
    """Every board of a record's game, uint8 [plies + 1, R, C]; raises DataError for a game that cannot be."""
    name = record.get("key", "a record")
    try:
        rules = rules_of(cast(Record, record))
        played = replay(rules, setup_board(record["setup"], rules), record["moves"], record["colors"])
    except (UsageError, KeyError, TypeError, ValueError) as error:
        detail = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(f"{name} is no record of a Go game: {detail}") from None
    if played.first_illegal >= 0:
        ply = played.first_illegal
        raise DataError(f"{name}: ply {ply} (move {record['moves'][ply]}) is illegal by rules {rules.name}.")
    return played.boards


def look_of(record: Mapping[str, Json]) -> Look:
    """The look that a shipped record names."""
    return look(
        record["theme"],
        record["size"],
        record["rows"],
        record["cols"],
        coordinates=record["coordinates"],
        last_move=record["last_move"],
        variation=record["variation"],
    )


def draw(record: Mapping[str, Json]) -> Clip:
    """The clip of a shipped record: frame t shows the board after ``first_ply + t`` plies."""
    part = slice(record["first_ply"], record["first_ply"] + record["frames"])
    last = np.asarray([-1, *record["moves"]], np.int32)[part]
    return GoClip(look_of(record), boards_of(record)[part], last, fps=record["fps"])
