"""A game that a model plays alone, frame by frame, and what became of it.

Two boards are kept: the one of the rules, and the one that was shown last. A move is a stone that appeared on the shown
board; whether it is legal, and what it takes, is a question of the rules' board. So a capture that was not drawn
spoils the picture, not the game; stones that vanish without having been taken end it, whatever else was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gobench.errors import DataError
from gobench.types import Array, Json, Record
from gobench_go.game.kernels import legal_mask
from gobench_go.game.rules import Rules
from gobench_go.judged import JudgedGame
from gobench_go.tasks import reading

STOPS: dict[str, str] = {
    "cap": "legal to the last ply that was asked",
    "end": "two passes ended the game",
    "illegal-move": "one stone was drawn where the rules do not allow it",
    **{kind: reading.KINDS[kind] for kind in ("several-stones", "wrong-colour", "vanished-stones")},
    **{kind: reading.KINDS[kind] for kind in ("unreadable", "missing")},
}
"""Why a rollout stopped: the decode audit of rollouts."""
LEGAL_STOPS = ("cap", "end")


class Line:
    """A game continued from a position of a judged one, for at most ``most`` plies."""

    def __init__(self, rules: Rules, game: JudgedGame, ply: int, most: int) -> None:
        self.rules, self.most, self.setup = rules, most, game.boards[0]
        self.moves, self.colors = list(game.moves[:ply]), list(game.colors[:ply])
        self.color = int(game.colors[ply])
        self.board = game.boards[ply].reshape(-1).copy()
        self.shown = self.board
        self.plies = 0  # legal ones so far, passes among them
        self.stones = 0  # stones among them
        self.frames = 0  # frames seen so far
        self.consistent = 0  # frames whose board is that of the rules
        self.captures = self.drawn = 0  # plies that captured, and those whose stones are gone in the frame
        self.clean = True  # every frame was read cleanly: a pass, or one move as it should be drawn
        self.stopped = ""

    def step(self, answer: Mapping[str, Json], where: str) -> bool:
        """Go on by one answer, as it stands in evidence; returns whether it was read cleanly.

        Raises:
            DataError: the answer is none, or comes after the end.
        """
        if self.stopped:
            raise DataError(f"{where}: the evidence goes on after its rollout stopped ({self.stopped}).")
        answers = reading.parse([answer], self.rules.points, [where])
        color = np.array([self.color], np.int64)
        found = reading.changes(self.rules, self.shown[None], answers, color, self.board[None])
        kind, move = reading.NAMES[int(found.kinds[0])], int(found.moves[0])
        self.frames += kind != "missing"
        clean = kind in (*reading.CLEAN, "no-change")
        self.clean &= clean
        if move < 0 and kind != "no-change":
            self.stopped = kind
        elif not legal_mask(self.rules, self.setup, self.moves, self.colors, self.color)[move]:
            self.stopped = "illegal-move"
        else:
            self._play(move, found.taken[0], answers.boards[0])
        return clean

    @property
    def legal(self) -> bool:
        """Whether it got to the cap or to two passes, with a stone at least: a picture that stands still shows nothing."""
        return self.stones > 0 and self.stopped in LEGAL_STOPS

    @property
    def credited(self) -> int:
        """The plies that count: 0 without a stone; all asked where two passes ended it, for nothing illegal was to come."""
        if not self.stones:
            return 0
        return self.most if self.stopped == "end" else self.plies

    def _play(self, move: int, taken: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], read: Array) -> None:
        """Make a legal move, -1 for a pass, that takes ``taken``; ``read`` is the board in its frame."""
        points = self.rules.points
        self.moves.append(move if move >= 0 else points)
        self.colors.append(self.color)
        if move >= 0:
            self.board = np.where(taken, 0, self.board).astype(np.uint8)
            self.board[move] = self.color
            self.stones += 1
        self.shown, self.color = read, 3 - self.color
        self.plies += 1
        self.consistent += bool((read == self.board).all())
        if taken.any():
            self.captures += 1
            self.drawn += not read[taken].any()
        if self.moves[-2:] == [points, points]:
            self.stopped = "end"
        elif self.plies == self.most:
            self.stopped = "cap"


def follow(line: Line, answers: Sequence[Record], where: str) -> Line:
    """A whole rollout as it stands in evidence.

    Raises:
        DataError: it does not end where its rollout stopped.
    """
    for answer in answers:
        line.step(answer, where)
    if not line.stopped:
        raise DataError(
            f"{where}: the evidence ends after {line.plies} legal plies of {line.most}: it was cut, or its frames "
            "now read better than they did. Run the sample again."
        )
    return line
