"""What a uniform legal mover scores in a next-move task: exactly, from the judgements alone.

Such a mover chooses each legal stone with the same chance, never passes, and draws the board after it without fault.
``random-legal`` is one, up to repetitions that its prompt does not show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gobench_go.judged import Judged

if TYPE_CHECKING:
    from gobench_go.tasks.next_move import NextMove

NAME = "uniform legal mover, exact"
TIE = 0.01  # V this near to the best is as good
LEAST_VALUE = 0.05  # V(best) from which value_ratio is defined
ALWAYS = ("legal_first_try", "legal_within_k", "exact_frame", "exact_capture")
Floats = npt.NDArray[np.float64]


def uniform_expectation(task: NextMove) -> dict[str, float]:
    """The expectation of each metric of a next-move task, over its samples.

    Written down from the definitions and not from the code that scores, which it is there to check. Legal points are the
    judge's, the task's whole history known.
    """
    rows = _columns(task, np.mean)
    return {**dict.fromkeys(ALWAYS, 1.0), **{name: float(np.nanmean(row)) for name, row in rows.items()}}


def uniform_error(task: NextMove) -> dict[str, float]:
    """The standard deviation of each metric's mean over the task's samples when each sample is one draw of its own.

    It is the spread of such a mover over its seeds, the positions being what they are.
    """
    errors = dict.fromkeys(ALWAYS, 0.0)
    for name, row in _columns(task, np.var).items():
        errors[name] = float(np.sqrt(np.nansum(row)) / np.isfinite(row).sum())
    return errors


def _columns(task: NextMove, of: Callable[[Floats], Any]) -> dict[str, Floats]:
    """A number ``of`` each metric's values over the legal stones, for every sample; NaN where it is not defined."""
    found = [_stones(game.positions[ply]) for game, ply in map(task.position, task.ids)]
    return {name: np.array([of(values[name]) for values in found]) for name in found[0]}


def _stones(position: Judged) -> dict[str, Floats]:
    """Every metric of every legal stone in one position."""
    stones = np.flatnonzero(position.legal[:-1])
    value, lead = position.value[stones], position.lead[stones]
    best_value, best_lead = position.value[position.best], position.lead[position.best]
    return {
        "accuracy": (stones == position.best).astype(np.float64),
        "accuracy_with_ties": (value >= best_value - TIE - 1e-9).astype(np.float64),
        "policy_ratio": position.policy[stones] / position.policy.max(),
        "value_ratio": value / best_value if best_value >= LEAST_VALUE else np.full(len(stones), np.nan),
        "winrate_loss": np.maximum(best_value - value, 0),
        "score_loss": np.maximum(best_lead - lead, 0),
    }
