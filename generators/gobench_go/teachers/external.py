"""Self-play of a teacher that is a program of others: one judgement a ply, drawn as the embedded teachers draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from gobench.seeds import seed64, stream
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.base import REGION, GameRecord, Judgement, Opening, Temperature

Judge = Callable[[Position, int], Judgement]


def self_play(
    judge: Judge, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
) -> GameRecord:
    """A game to two passes or ``max_plies``; see ``Teacher.game``. Targets and values also of drawn plies."""
    rng, position = stream(seed, "external"), Position.start(rules)
    moves, targets, values = list[int](), list[int](), list[float]()
    table = opening if isinstance(opening, Mapping) else {"plies": opening}
    plies, middle = int(table.get("plies", 0)), _middle(rules, int(table.get("region", REGION)))
    while not position.over and position.plies < max_plies:
        found = judge(position, seed64(seed, position.plies))
        free = [move for move in middle if position.is_legal(move)] if position.plies < plies else []
        move = int(rng.choice(free)) if free else drawn(found, _heat(temperature, position.plies), rng)
        moves.append(move)
        targets.append(found.best)
        values.append(round(found.value, 4))
        position = position.play(move)
    return GameRecord(moves, targets, values)


def drawn(found: Judgement, heat: float, rng: np.random.Generator) -> int:
    """A move in proportion to visits ** (1 / heat), or to the policy where nothing was searched; 0 takes the best."""
    weights: npt.NDArray[np.float64] = (found.visits if found.visits.any() else found.policy).astype(
        np.float64
    )
    if heat <= 0 or not weights.any():
        return int(found.best)
    with np.errstate(divide="ignore"):
        chances = np.exp((np.log(weights) - np.log(weights.max())) / heat)  # no overflow however cold
    return int(rng.choice(len(chances), p=chances / chances.sum()))


def _heat(temperature: Temperature, ply: int) -> float:
    """Each row holds for the plies before its own, the last one also for all after."""
    rows = temperature or [(1, 0.0)]
    return next((heat for until, heat in rows if ply < until), rows[-1][1])


def _middle(rules: Rules, region: int) -> list[int]:
    top, left = (max(0, (side - region) // 2) for side in (rules.rows, rules.cols))
    rows, cols = range(top, min(rules.rows, top + region)), range(left, min(rules.cols, left + region))
    return [row * rules.cols + col for row in rows for col in cols]
