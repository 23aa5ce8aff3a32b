"""The teacher that searches: UCT with RAVE, answers in the playouts, priors in the tree, ladders read in both.

``mcts:50`` looks at every position until its root has 50 visits; at least half of them are made anew when a
part of the last tree is kept. Any edit to this package that changes a move raises VERSION.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.base import REGION, GameRecord, Judgement, Opening, Temperature

VERSION = 2
MOST_VISITS = 1_000_000
MOST_NODES = 2_000_000  # 72 MB; beyond it the tree grows no more, the search goes on


class MctsTeacher:
    """See the module. ``visits`` is 1 to MOST_VISITS."""

    external = False

    def __init__(self, visits: int) -> None:
        self.visits = visits
        self._trees: dict[int, tuple[Any, Any]] = {}

    @property
    def name(self) -> str:
        """With the version: ``mcts@2:50``."""
        return f"mcts@{VERSION}:{self.visits}"

    def judge(self, position: Position, seed: int) -> Judgement:
        """Search a position with its whole history. Policy and visits are those of the root's children."""
        from gobench_go.teachers import games

        if position.over:
            raise UsageError("the game is over: there is nothing to judge after two passes.")
        points = position.rules.points
        boards, movers = position.boards().reshape(-1, points), position.turns()
        visits, wins = np.zeros(points + 1, np.int32), np.zeros(points + 1, np.float32)
        task, (tree, _) = self._task(position.rules, seed), self._memory(points)
        scratch = _scratch(len(movers))
        best = int(
            games.judge(tree, scratch, task, boards, movers, position.last, position.passes, visits, wins)
        )
        policy = np.eye(1, points + 1, best, dtype=np.float32)[0]
        if visits.any():
            policy = (visits / visits.sum()).astype(np.float32)
        with np.errstate(invalid="ignore"):
            values = (wins / visits).astype(np.float32)
        value = float(wins[visits > 0].sum() / visits.sum()) if visits.any() else 0.5
        return Judgement(policy, values, visits, best, value, *_leads(scratch, visits, position))

    def game(
        self, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
    ) -> GameRecord:
        """A game against itself in one compiled call; see ``Teacher.game``."""
        from gobench_go.teachers import games

        moves, targets = np.empty(max_plies, np.int16), np.empty(max_plies, np.int16)
        values = np.empty(max_plies, np.float64)
        tree, other = self._memory(rules.points)
        task, plan = self._task(rules, seed), _plan(opening, temperature)
        plies = int(games.self_play(tree, other, _scratch(max_plies), task, plan, moves, targets, values))
        return GameRecord(moves[:plies].tolist(), targets[:plies].tolist(), values[:plies].round(4).tolist())

    def _task(self, rules: Rules, seed: int) -> Any:
        from gobench_go.game.kernels import coded, signed
        from gobench_go.teachers.games import Task

        room = self._room(rules.points)
        return Task(coded(rules), round(2 * rules.komi), signed(seed), self.visits, room)

    def _room(self, points: int) -> int:
        return min((2 * self.visits + 4) * (points + 1), max(MOST_NODES, 4 * (points + 1)))

    def _memory(self, points: int) -> tuple[Any, Any]:
        """Two trees of arrays, kept for the next call on a board of that size."""
        if points not in self._trees:
            self._trees = {points: (_tree(self._room(points)), _tree(self._room(points)))}
        return self._trees[points]


def _tree(room: int) -> Any:
    from gobench_go.teachers.tree import Tree

    kinds: list[Any] = [np.int32] * 4 + [np.float32] * 5
    return Tree._make([*(np.zeros(room, kind) for kind in kinds), np.zeros(1, np.int64)])


def _scratch(plies: int) -> Any:
    from gobench_go.game.kernels_board import LENGTH
    from gobench_go.game.kernels_tables import CAP
    from gobench_go.teachers.tree import Scratch

    lengths = (LENGTH, LENGTH, LENGTH, plies + CAP + 8, CAP, CAP, 2 * CAP, CAP, CAP, CAP, CAP, CAP)
    return Scratch._make([*(np.zeros(n, np.int64) for n in lengths), np.zeros(1, np.uint64)])


def _leads(
    scratch: Any, visits: npt.NDArray[np.int32], position: Position
) -> tuple[npt.NDArray[np.float32], float]:
    """Mean final score, komi included, of the simulations below each child and of all, for the side to move."""
    rules = position.rules
    row, col = np.divmod(np.arange(rules.points), rules.cols)
    padded = np.append((row + 1) * (rules.cols + 1) + col + 1, 0)
    sign = 1 if position.to_move == BLACK else -1
    score = scratch.score[padded]
    with np.errstate(invalid="ignore"):
        leads = (sign * (score / visits - rules.komi)).astype(np.float32)
        lead = float(sign * (score.sum() / np.int64(visits.sum()) - rules.komi))
    return leads, lead


def _plan(opening: Opening, temperature: Temperature) -> Any:
    from gobench_go.teachers.games import Plan

    table = opening if isinstance(opening, Mapping) else {"plies": opening}
    rows = temperature or [(1, 0.0)]
    until, heat = np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.float64)
    return Plan(int(table.get("plies", 0)), int(table.get("region", REGION)), until, heat)
