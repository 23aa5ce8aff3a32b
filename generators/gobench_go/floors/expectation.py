"""What a uniform legal mover scores in a next-move task: exactly, from the judgements alone.

Such a mover chooses each legal stone with the same chance, never passes, and draws the board after it without fault.
``random-legal`` is one, up to repetitions that its prompt does not show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gobench_go.judged import Judged

if TYPE_CHECKING:
    from gobench_go.tasks.next_move import NextMove

TIE = 0.01  # V this near to the best is as good
LEAST_VALUE = 0.05  # V(best) from which value_ratio is defined
ALWAYS = ("legal_first_try", "legal_within_k", "exact_frame", "exact_capture")
Floats = npt.NDArray[np.float64]


def uniform_expectation(task: NextMove) -> dict[str, float]:
    """The expectation of each metric of a next-move task, over its samples.

    Written down from the definitions and not from the code that scores, which it is there to check. Legal points are the
    judge's, the task's whole history known.
    """
    rows = [_one(game.positions[ply]) for game, ply in map(task.position, task.ids)]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {**dict.fromkeys(ALWAYS, 1.0), **{name: float(np.nanmean(c)) for name, c in columns.items()}}


def _one(position: Judged) -> dict[str, float]:
    """The expectation in one position; NaN where a metric is not defined."""
    stones = np.flatnonzero(position.legal[:-1])
    value, lead = position.value[stones], position.lead[stones]
    best_value, best_lead = position.value[position.best], position.lead[position.best]
    ratio = float((value / best_value).mean()) if best_value >= LEAST_VALUE else np.nan
    return {
        "accuracy": float((stones == position.best).mean()),
        "accuracy_with_ties": float((value >= best_value - TIE - 1e-9).mean()),
        "policy_ratio": float((position.policy[stones] / position.policy.max()).mean()),
        "value_ratio": ratio,
        "winrate_loss": float(np.maximum(best_value - value, 0).mean()),
        "score_loss": float(np.maximum(best_lead - lead, 0).mean()),
    }
