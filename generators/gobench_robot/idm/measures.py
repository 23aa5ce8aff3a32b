"""How far actions are off: per number of an action, over all frames of episodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gobench.types import Record
from gobench_robot.envs.world import Floats

PLAIN = 0.1  # actions smaller than this have no sign worth telling
DIGITS = 4


def measures(names: Sequence[str], pairs: Sequence[tuple[Floats, Floats]]) -> Record:
    """Measures of (told, true) actions, float64 [T - 1, A] each of an episode.

    Returns:
        "episodes", "actions", and "each": for each number of an action its name as "action", "mae" (mean absolute error), "r2"
        (1 - mean squared error / variance) and "sign" (share with the right sign, of actions of at least ``PLAIN``). What is
        not defined is left out.
    """
    if not pairs:
        return {"episodes": 0, "actions": 0, "each": []}
    told, true = (np.concatenate(rows) for rows in zip(*pairs, strict=True))
    return {
        "episodes": len(pairs),
        "actions": len(true),
        "each": [{"action": name, **_each(told[:, i], true[:, i])} for i, name in enumerate(names)],
    }


def _each(told: Floats, true: Floats) -> Record:
    found = {"mae": np.abs(told - true).mean()}
    if true.var() > 0:
        found["r2"] = 1 - ((told - true) ** 2).mean() / true.var()
    plain = np.abs(true) >= PLAIN
    if plain.any():
        found["sign"] = (np.sign(told) == np.sign(true))[plain].mean()
    return {key: round(float(value), DIGITS) for key, value in found.items()}
