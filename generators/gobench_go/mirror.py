"""A record seen in one of the 8 symmetries of the square: the same game, mirrored or turned."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.types import Json, Record
from gobench_go.game import coords


def mirror(record: Mapping[str, Json], k: int) -> Record:
    """The record under symmetry ``k`` of ``coords.symmetries``: moves, targets and set-up stones moved alike.

    Raises UsageError for a symmetry that the board does not have (transposing needs a square).
    """
    tables = coords.symmetries(record["rows"], record["cols"])
    if not 0 <= k < len(tables):
        raise UsageError(
            f"symmetry {k}: a {record['rows']}x{record['cols']} board has 0 to {len(tables) - 1}."
        )
    goes_to = tables[k].tolist()
    return {
        **record,
        "moves": [goes_to[move] for move in record["moves"]],
        "targets": [goes_to[move] if move >= 0 else move for move in record["targets"]],
        "setup": _moved(record["setup"], tables[k][:-1]),
    }


def _moved(setup: str, goes_to: npt.NDArray[np.int64]) -> str:
    moved = np.array(list(setup))
    if setup:
        moved[goes_to] = list(setup)
    return "".join(moved)
