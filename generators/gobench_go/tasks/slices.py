"""Parts of a test by what is special about a position: the phase, captures, ko, atari, how open the choice is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench_go.game.kernels import coded
from gobench_go.game.rules import Rules

PHASES = (0.25, 0.5)  # in plies for each point of the board: until here opening, until here middle
COLOURS = ((1, "black"), (2, "white"))

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def phases(rules: Rules) -> list[int]:
    """The first ply of the middle and of the end on a board."""
    return [round(share * rules.points) for share in PHASES]


def by_place(rules: Rules, plies: Ints, colors: Ints) -> dict[str, Bools]:
    """Phase and colour: slice -> bool [n]."""
    middle, end = phases(rules)
    found: dict[str, Bools] = {
        "phase: opening": plies < middle,
        "phase: middle": (plies >= middle) & (plies < end),
        "phase: end": plies >= end,
        **{f"colour: {name}": colors == color for color, name in COLOURS},
    }
    return found


def by_board(rules: Rules, boards: Array, captures: Bools) -> dict[str, Bools]:
    """Capture, ko and atari of boards uint8 [n, R*C]; ``captures`` bool [n, R*C]: the legal moves that capture."""
    from gobench_go.tasks import kernels

    found = np.zeros((len(boards), 2), np.bool_)
    kernels.facts(coded(rules), np.ascontiguousarray(boards), found)
    return {
        "capture available": np.asarray(captures.any(axis=1), np.bool_),
        "ko on the board": found[:, kernels.KO_FIGHT],
        "atari on the board": found[:, kernels.ATARI],
    }


def by_entropy(policy: npt.NDArray[np.float64], bounds: tuple[float, float]) -> dict[str, Bools]:
    """How open the choice is to the judge: the entropy of its policy float64 [n, P+1], before any search, in nats."""
    h = entropy(policy)
    low, high = bounds
    return {"entropy: low": h < low, "entropy: middle": (h >= low) & (h < high), "entropy: high": h >= high}


def entropy(policy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """In nats, of each row, made to sum to 1."""
    share = policy / policy.sum(axis=1, keepdims=True)
    h: npt.NDArray[np.float64] = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
    return h


def by_training(ids: list[str], novel: Mapping[str, bool] | None) -> dict[str, Bools]:
    """Positions absent from the training data and the others, among those of which it is known."""
    if novel is None:
        return {}
    return {
        "training: novel": np.array([novel.get(name) is True for name in ids], np.bool_),
        "training: seen": np.array([novel.get(name) is False for name in ids], np.bool_),
    }
