"""How a game ended, as data: what the referee writes, and what tables, ratings and SGF are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

from gobench.types import Json, Record
from gobench_go.game.position import BLACK, WHITE

DRAW = 0

ENDS: Mapping[str, str] = MappingProxyType(
    {
        "passes": "two passes in a row; the area decides",
        "move-limit": "the limit of plies was reached; the area as it stood decides",
        "resign": "the loser gave up",
        "illegal": "the loser answered with an illegal move, or with none, as often as it may",
        "late": "the loser did not answer in time",
        "malformed": "the loser answered with something that is no answer of the protocol",
        "refused": "the loser answered that it cannot move",
        "crash": "the loser broke down in this game and in all its replays",
    }
)
"""Why a game ended -> one line. All but the first three are forfeits."""

FORFEITS = tuple(ENDS)[3:]
LETTERS = {**dict.fromkeys(FORFEITS, "F"), "resign": "R", "late": "T"}
"""What SGF's RE has behind the colour where the area does not decide."""


@dataclass(frozen=True, slots=True)
class Voided:
    """A game that an engine's crash undid; it was played again."""

    by: int  # 1 black, 2 white
    ply: int
    message: str


@dataclass(frozen=True, slots=True)
class GameResult:
    """One finished game. Everything in it follows from players, rules, opening, seeds and limits alone (where the
    players repeat themselves): times and processes stand elsewhere.
    """

    game: str  # its id in the match: "g00012"
    pair: str  # games with one opening and exchanged colours: "mcts:50/mcts:200/o003"
    black: str  # the players' names in the match
    white: str
    opening: tuple[int, ...]  # plies made for both sides before the first one was asked
    moves: tuple[int, ...]  # every ply, those of the opening first
    seeds: tuple[int, int]  # of Black and White
    winner: int  # 1 black, 2 white, 0 a draw
    end: str  # a key of ENDS
    score: float  # Black's area minus White's minus komi on the last board
    illegal: tuple[int, int] = (0, 0)  # answers of Black and White that were no legal move
    asked: tuple[int, int] = (0, 0)  # moves that Black and White were asked for
    message: str = ""  # what a forfeit was for
    voided: tuple[Voided, ...] = field(default=())

    @property
    def result(self) -> str:
        """As in SGF: ``B+3.5``, ``W+R``, ``B+F``, ``0``."""
        if self.winner == DRAW:
            return "0"
        side = "B" if self.winner == BLACK else "W"
        return f"{side}+{LETTERS.get(self.end) or f'{abs(self.score):g}'}"

    def points(self, player: str) -> float:
        """1 for a win of ``player``, 0.5 for a draw, 0 for a loss."""
        if self.winner == DRAW:
            return 0.5
        return float((self.black if self.winner == BLACK else self.white) == player)

    def record(self) -> Record:
        """As a line of ``games.jsonl``."""
        return {**asdict(self), "result": self.result}

    @classmethod
    def of(cls, record: Mapping[str, Json]) -> GameResult:
        """The other way round; raises KeyError or TypeError for a record of something else."""
        own = {key: record[key] for key in cls.__slots__}
        for key in ("opening", "moves", "seeds", "illegal", "asked"):
            own[key] = tuple(own[key])
        own["voided"] = tuple(Voided(**each) for each in own["voided"])
        return cls(**own)


def other(color: int) -> int:
    """The other side."""
    return WHITE if color == BLACK else BLACK
