"""The game that a page shows: plain state and the rules, no threads and no players."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gobench.errors import UsageError
from gobench.types import Array
from gobench_go.arena.model_player import Shown
from gobench_go.arena.player import NOTHING, RESIGN, Reply
from gobench_go.arena.referee import Limits
from gobench_go.arena.result import DRAW, ENDS, LETTERS, other
from gobench_go.game import coords, sgf
from gobench_go.game.position import BLACK, REASONS, WHITE, Position
from gobench_go.game.rules import Rules, named
from gobench_go.teachers import Judgement

YOU, MODEL, OPPONENT = "you", "model", "opponent"
FRAMED = 6  # plies whose frames are kept, the last ones: a model of large frames fills the memory otherwise


@dataclass(frozen=True, slots=True)
class Setup:
    """What a new game is. ``seats`` says who plays Black and White."""

    seats: tuple[str, str]
    rules: Rules

    @classmethod
    def of(cls, seats: tuple[str, str], rules: str, rows: int, cols: int, komi: float | None) -> Setup:
        """Raises UsageError for rules, a size or a komi that cannot be."""
        return cls(seats, named(rules, rows, cols, komi))


class Ply(NamedTuple):
    """One move and how it came about."""

    color: int
    move: int
    who: str  # YOU, MODEL or OPPONENT
    captured: int  # stones it took
    reply: Reply | None  # None for a person's
    shown: Shown | None  # the frames, where a video model was asked


@dataclass(eq=False)
class Game:
    """``stamp`` grows with every change, so that an answer to an earlier question is known as such."""

    number: int
    setup: Setup
    stamp: int = 0
    attempt: int = 0  # how often something was taken back: other seeds then
    plies: list[Ply] = field(default_factory=list)
    end: str = ""  # a key of ENDS
    winner: int = DRAW
    message: str = ""  # what a forfeit was for
    error: str = ""  # why the player to move did not answer; it is asked again when a person says so
    unread: Shown | None = None  # the frames of a reply that showed no legal move
    judged: dict[int, tuple[Position, Judgement]] = field(
        default_factory=dict
    )  # ply -> what the oracle thinks
    positions: list[Position] = field(init=False)

    def __post_init__(self) -> None:
        self.positions = [Position.start(self.setup.rules)]

    @property
    def now(self) -> Position:
        """The position on the board."""
        return self.positions[-1]

    @property
    def over(self) -> bool:
        return bool(self.end)

    @property
    def turn(self) -> str:
        """Who is to move."""
        return self.setup.seats[self.now.to_move - 1]

    @property
    def human(self) -> bool:
        """Whether a person plays."""
        return YOU in self.setup.seats

    @property
    def score(self) -> float:
        """Black's area minus White's minus komi, all stones alive."""
        return self.now.score()

    @property
    def result(self) -> str:
        """As in SGF; ``?`` while it goes on."""
        if not self.end:
            return "?"
        if self.winner == DRAW:
            return "0"
        return f"{'B' if self.winner == BLACK else 'W'}+{LETTERS.get(self.end) or f'{abs(self.score):g}'}"

    def play(self, move: int, who: str, reply: Reply | None = None, shown: Shown | None = None) -> None:
        """Make a move for the side to move. Raises UsageError for an illegal one, or after the end."""
        self._check_going()
        before = self.now
        after = before.play(move)
        self.positions.append(after)
        self.plies.append(Ply(before.to_move, move, who, len(after.captured), reply, shown))
        self._forget()
        self._changed()
        if after.over or after.plies >= Limits().plies(self.setup.rules):
            self.end = "passes" if after.over else "move-limit"
            self.winner = DRAW if self.score == 0 else BLACK if self.score > 0 else WHITE

    def answer(self, reply: Reply, who: str, shown: Shown | None) -> None:
        """Take a player's reply: a move, giving up, or what loses the game."""
        color = self.now.to_move
        if reply.move == RESIGN:
            return self.resign(color)
        why = reply.said or "no move" if reply.move == NOTHING else self.now.why_illegal(reply.move)
        if why is None:
            return self.play(reply.move, who, reply, shown)
        self.unread = shown
        words = f"{self.name_of(reply.move)}: {REASONS[why]}" if why in REASONS and reply.move >= 0 else why
        self._lost(color, "illegal", f"{words} ({reply.tries} {'try' if reply.tries == 1 else 'tries'})")
        return None

    def resign(self, color: int) -> None:
        """``color`` gives up. Raises UsageError after the end."""
        self._check_going()
        self._lost(color, "resign", "")

    def fail(self, message: str) -> None:
        """The player to move broke down; the game waits."""
        self.error = message
        self.stamp += 1

    def retry(self) -> None:
        """Ask the player to move again, with other seeds."""
        self.attempt += 1
        self._changed()

    def undo(self) -> None:
        """Take back to a person's last turn, one ply where nobody plays; a resignation, or a game that was lost before
        its first move, alone first.

        Raises UsageError where there is nothing to take back.
        """
        if self.end == "resign" or (self.over and not self.plies):
            self.end, self.winner, self.message = "", DRAW, ""
            return self.retry()
        if not self.plies:
            raise UsageError("there is no move to take back.")
        self._pop()
        while self.human and self.plies and self.turn != YOU:
            self._pop()
        self.end, self.winner, self.message = "", DRAW, ""
        self.retry()
        return None

    def captures(self) -> tuple[int, int]:
        """Stones that Black and White have taken."""
        taken = [sum(p.captured for p in self.plies if p.color == color) for color in (BLACK, WHITE)]
        return taken[0], taken[1]

    def name_of(self, move: int) -> str:
        """``E5``, ``pass``."""
        rules = self.setup.rules
        return coords.gtp(move, rules.rows, rules.cols) if 0 <= move <= rules.points else f"move {move}"

    def shown(self) -> tuple[int, Shown] | None:
        """The frames of the last answer of a video model, and the ply that they were asked at."""
        if self.unread is not None:
            return len(self.plies), self.unread
        found = [(n, ply.shown) for n, ply in enumerate(self.plies) if ply.shown is not None]
        return found[-1] if found else None

    def frame(self, ply: int, number: int) -> Array | None:
        """The frame of a try, counted from 0; -1 is the last frame that the model was shown."""
        last = self.unread if ply == len(self.plies) else None
        shown = self.plies[ply].shown if ply < len(self.plies) else last
        if shown is None or number >= len(shown.tries):
            return None
        return shown.prompt[-1] if number < 0 else shown.tries[number].frame

    def to_sgf(self, black: str, white: str) -> bytes:
        """FF[4] in UTF-8."""
        rules = self.setup.rules
        return sgf.write(
            {
                "rows": rules.rows,
                "cols": rules.cols,
                "komi": rules.komi,
                "rules": rules.name,
                "black": black,
                "white": white,
                "result": self.result,
                "moves": [ply.move for ply in self.plies],
                "colors": [ply.color for ply in self.plies],
            }
        )

    def _check_going(self) -> None:
        if self.over:
            raise UsageError(f"the game is over: {ENDS[self.end]}. Take a move back, or start a new game.")

    def _lost(self, color: int, end: str, message: str) -> None:
        self.end, self.winner, self.message = end, other(color), message
        self.stamp += 1

    def _forget(self) -> None:
        """Let the frames of early plies go."""
        framed = [number for number, ply in enumerate(self.plies) if ply.shown is not None]
        for number in framed[:-FRAMED]:
            self.plies[number] = self.plies[number]._replace(shown=None)

    def _pop(self) -> None:
        self.plies.pop()
        self.positions.pop()

    def _changed(self) -> None:
        self.error, self.unread = "", None
        self.stamp += 1
