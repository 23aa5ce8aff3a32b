"""A game of a model against an opponent, as far as the rules go: who is to move, what answers mean, how it ends.

The same object is played by a trial and followed from evidence, so that everything but the opponent's choices follows from
what was read. The board that a model is shown is that of the rules, whatever it drew before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gobench.errors import DataError
from gobench.types import Json, Record
from gobench_go.arena.player import RESIGN
from gobench_go.arena.referee import Limits, winner_by_area
from gobench_go.arena.result import GameResult, other
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import Rules
from gobench_go.tasks import asking, reading

ENDS: dict[str, str] = {
    "passes": "two passes in a row ended the game; the area decided",
    "move-limit": "the limit of plies was reached; the area as it stood decided",
    "resign": "the opponent gave up",
    "illegal": "the model found no legal move in all its tries, and lost by that",
}
"""How a game ends: the decode audit of games."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed before a game."""

    rules: Rules
    opening: tuple[int, ...]  # plies made for both
    color: int  # of the model: 1 black, 2 white
    tries: int  # answers until a legal move


class Game:
    """One game on its way, or done when ``end`` is a key of ``ENDS``."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.position = Position.start(terms.rules)
        self.moves: list[int] = []
        self.answers: list[list[Record]] = []  # of the model: its turns, and the tries of each
        self.illegal = 0  # answers that were no legal move
        self.first = 0  # turns in which the first answer was legal
        self.clean = True  # every answer was read cleanly: a pass, or one move drawn as it should be
        self.tries = 0  # failed ones of this turn
        self.why = ""  # the last answer did not count
        self.end, self.winner = "", 0
        self.most = Limits().plies(terms.rules)
        for move in terms.opening:
            self._play(move)

    @property
    def models_turn(self) -> bool:
        """Whether the model is to move."""
        return not self.end and self.position.to_move == self.terms.color

    def answered(self, answer: Mapping[str, Json]) -> bool:
        """Take an answer of the model, as it stands in evidence; returns whether it was read cleanly.

        Raises DataError for one that no reading can be, or that nobody asked for.
        """
        if not self.models_turn:
            raise DataError(f"an answer where the model is not to move, after {len(self.moves)} plies")
        verdict = asking.judge(self.position, answer)
        if not self.tries:
            self.answers.append([])
        self.answers[-1].append(dict(answer))
        clean = verdict.kind in (*reading.CLEAN, "no-change")
        self.clean &= clean
        if not verdict.why:
            self.first += self.tries == 0
            self.tries = 0
            self._play(verdict.move)
        else:
            self._refuse(verdict.why)
        return clean

    def replied(self, move: int) -> None:
        """Take a move of the opponent. Raises DataError for one that is not legal, or out of turn."""
        if self.end or self.models_turn:
            raise DataError(f"a move of the opponent out of its turn, after {len(self.moves)} plies")
        if move == RESIGN:
            self._finish("resign", self.terms.color)
        elif self.position.why_illegal(move) is not None:
            raise DataError(f"the opponent's move {move} after {len(self.moves)} plies is not legal")
        else:
            self._play(move)

    @property
    def turns(self) -> int:
        """How often the model was to move."""
        return len(self.answers)

    @property
    def points(self) -> float:
        """Of the model: 1 for a win, 0.5 for a draw."""
        return 0.5 if not self.winner else float(self.winner == self.terms.color)

    @property
    def margin(self) -> float:
        """The model's area less the opponent's, komi included, on the last board."""
        score = float(self.position.score())
        return score if self.terms.color == BLACK else -score

    def result(self, game: str, pair: str, model: str, opponent: str, seed: int) -> GameResult:
        """As a match would have it; ``seed`` is the opponent's."""
        black = self.terms.color == BLACK
        theirs = [ply for ply in range(len(self.terms.opening), len(self.moves)) if (ply % 2 == 1) == black]
        asked = self.turns, len(theirs) + (self.end == "resign")
        return GameResult(
            game=game,
            pair=pair,
            black=model if black else opponent,
            white=opponent if black else model,
            opening=self.terms.opening,
            moves=tuple(self.moves),
            seeds=(0, seed) if black else (seed, 0),
            winner=self.winner,
            end=self.end,
            score=float(self.position.score()),
            illegal=(self.illegal, 0) if black else (0, self.illegal),
            asked=asked if black else asked[::-1],
            message=self.why if self.end == "illegal" else "",
        )

    def _play(self, move: int) -> None:
        self.position = self.position.play(move)
        self.moves.append(move)
        if self.position.over:
            self._finish("passes", winner_by_area(self.position))
        elif len(self.moves) >= self.most:
            self._finish("move-limit", winner_by_area(self.position))

    def _refuse(self, why: str) -> None:
        self.illegal += 1
        self.tries += 1
        self.why = why
        if self.tries >= self.terms.tries:
            self._finish("illegal", other(self.terms.color))

    def _finish(self, end: str, winner: int) -> None:
        self.end, self.winner = end, winner


def follow(terms: Terms, moves: Sequence[int], answers: Sequence[Sequence[Record]], resigned: bool) -> Game:
    """A game as it stands in evidence: every ply, and the model's answers turn by turn.

    Raises:
        DataError: they do not fit each other, or do not end the game.
    """
    game, turns = Game(terms), iter(answers)
    while not game.end:
        if game.models_turn:
            _turn(game, next(turns, ()))
        elif len(game.moves) < len(moves):
            game.replied(moves[len(game.moves)])
        elif resigned:
            game.replied(RESIGN)
        else:
            raise DataError(f"the evidence ends within the game, after {len(game.moves)} plies")
    if next(turns, None) is not None or list(moves) != game.moves:
        raise DataError(f"the moves and answers are not those of one game: it ended ({game.end}) otherwise")
    return game


def _turn(game: Game, answers: Sequence[Record]) -> None:
    plies = len(game.moves)
    for number, answer in enumerate(answers, 1):
        game.answered(answer)
        if len(game.moves) > plies or game.end:
            if number < len(answers):
                raise DataError(f"there are answers after the legal one at ply {plies}")
            return
    raise DataError(f"the evidence ends within the model's turn, after {plies} plies")
