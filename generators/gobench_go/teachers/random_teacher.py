"""The teacher that knows the rules and nothing else: any legal move but into its own eyes."""

from __future__ import annotations

import numpy as np

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.base import GameRecord, Judgement, Opening, Temperature

VERSION = 1


class RandomTeacher:
    """Every legal play that fills no own eye has the same chance; it passes when there is none."""

    name = f"random@{VERSION}"
    external = False

    def judge(self, position: Position, seed: int) -> Judgement:
        """A flat policy; ``best`` is drawn from it by the seed."""
        if position.over:
            raise UsageError("the game is over: there is nothing to judge after two passes.")
        legal = [move for move in position.legal_moves()[:-1] if not is_own_eye(position, move)]
        moves = legal or [position.rules.points]
        policy = np.zeros(position.rules.points + 1, np.float32)
        policy[moves] = 1.0 / len(moves)
        best = int(stream(seed, self.name).choice(moves))
        nothing = np.zeros(policy.size, np.int32)
        unknown = np.full(policy.size, np.nan, np.float32)
        return Judgement(policy, unknown, nothing, best, 0.5, unknown, float("nan"))

    def game(
        self, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
    ) -> GameRecord:
        """A random game. There is no best move and no value to record, and nothing that opening or
        temperature could change."""
        from gobench_go.game import kernels

        return GameRecord(kernels.random_game(rules, seed, max_plies).tolist(), [], [])


def is_own_eye(position: Position, move: int) -> bool:
    """Own stones on all sides, at most one foreign corner, none at the edge: as in compiled playouts."""
    board = np.pad(position.board, 1, constant_values=3)
    row, col = divmod(move, position.rules.cols)
    around = board[row : row + 3, col : col + 3]
    own, edge = position.to_move, (around == 3).any()
    direct, corners = around[(0, 1, 1, 2), (1, 0, 2, 1)], around[(0, 0, 2, 2), (0, 2, 0, 2)]
    return bool(np.isin(direct, (own, 3)).all() and (corners == 3 - own).sum() + edge < 2)
