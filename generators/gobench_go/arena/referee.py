"""One game between two players: asks each for its moves, checks every one, and says how the game ended.

>>> from gobench_go.arena.names import open_player
>>> from gobench_go.game.rules import named
>>> players = open_player("random"), open_player("random")
>>> fixture = Fixture("g00000", "a/b/o000", "a", "b", opening=(), seeds=(1, 2))
>>> play(fixture, named("benchmark", 5, 5), players).end
'passes'
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from gobench.errors import UsageError
from gobench.seeds import seed64
from gobench_go.arena.player import NOTHING, RESIGN, Player, Reply
from gobench_go.arena.result import DRAW, GameResult, Voided, other
from gobench_go.engines.faults import EngineError
from gobench_go.game import coords
from gobench_go.game.position import BLACK, REASONS, WHITE, Position
from gobench_go.game.rules import Rules

REPLAYS = 3
PLIES_PER_POINT = 3
COLORS = {BLACK: "Black", WHITE: "White"}

VERDICTS: Mapping[str, str] = MappingProxyType(
    {"crash": "void", "late": "forfeit", "malformed": "forfeit", "refused": "forfeit"}
)
"""What an engine's fault makes of the game: ``forfeit`` loses it, ``void`` undoes it, so that it is played again."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """A game that is to be played. Names and ids as in ``GameResult``."""

    game: str
    pair: str
    black: str
    white: str
    opening: tuple[int, ...]
    seeds: tuple[int, int]  # of Black and White: unsigned 64-bit numbers


@dataclass(frozen=True, slots=True)
class Limits:
    """When a game is cut, and when a crash counts. Raises UsageError for numbers out of range."""

    max_plies: int = 0  # those of the opening included; 0 is three times the points of the board
    replays: int = REPLAYS  # of a game that an engine's crash undid, until it is lost

    def __post_init__(self) -> None:
        if self.max_plies < 0 or self.replays < 0:
            raise UsageError(
                f"limits of {self.max_plies} plies and {self.replays} replays: give 0 or more of each."
            )

    def plies(self, rules: Rules) -> int:
        """The most plies of a game on this board."""
        return self.max_plies or PLIES_PER_POINT * rules.points


class Moment(NamedTuple):
    """What just happened, for whoever looks on."""

    fixture: Fixture
    position: Position  # after it
    color: int  # who was asked; 0 at the start
    reply: Reply | None  # None at the start of the game


Watch = Callable[[Moment], None]


def play(
    fixture: Fixture,
    rules: Rules,
    players: tuple[Player, Player],
    limits: Limits | None = None,
    *,
    watch: Watch | None = None,
    clock: list[float] | None = None,
) -> GameResult:
    """Play a game to its end. One that a crash undid is played again, with the same opening and seeds and the crashed
    player started anew; after ``limits.replays`` of them the next crash loses the game.

    Args:
        players: Black and White; two players, even where they are equally named.
        watch: called at the start and after every legal move.
        clock: two numbers to which the seconds are added that Black and White took.

    Raises:
        UsageError: a player that cannot play this board or komi, or an opening that is not legal on it.
    """
    limits = limits or Limits()
    start = _after_opening(fixture, rules)
    voided: tuple[Voided, ...] = ()
    while True:
        table = _Table(fixture, start, players, limits.plies(rules), watch, clock or [0.0, 0.0])
        result = replace(table.played(), voided=voided)
        if VERDICTS.get(result.end) != "void" or len(voided) >= limits.replays:
            return result
        loser = other(result.winner)
        players[loser - 1].close()
        voided += (Voided(loser, len(result.moves), result.message),)


def drawn(fixture: Fixture) -> GameResult:
    """The fixture as a draw after its opening, as if nobody had played."""
    game, pair, black, white, opening, seeds = (getattr(fixture, key) for key in Fixture.__slots__)
    return GameResult(game, pair, black, white, opening, opening, seeds, DRAW, "move-limit", 0.0)


def winner_by_area(position: Position) -> int:
    """Who has more by the area as it stands: 1 black, 2 white, 0 for a draw."""
    score = position.score()
    return DRAW if score == 0 else BLACK if score > 0 else WHITE


def move_seed(game: int, position: Position) -> int:
    """The seed of a move: of the player's seed for the game, and where in it."""
    return seed64(game, "move", position.plies, position.to_move)


def _after_opening(fixture: Fixture, rules: Rules) -> Position:
    position = Position.start(rules)
    for move in fixture.opening:
        position = position.play(move)
    return position


class _Table:
    """One attempt at a game."""

    def __init__(
        self, fixture: Fixture, start: Position, players: tuple[Player, Player], most: int, watch: Watch | None,
        clock: list[float],
    ) -> None:  # fmt: skip
        self.fixture, self.players, self.most = fixture, players, most
        self.watch, self.clock = watch, clock
        self.position = start
        self.moves = list(fixture.opening)
        self.illegal, self.asked = [0, 0], [0, 0]

    def played(self) -> GameResult:
        """Play it; a crash is an end here."""
        rules = self.position.rules
        for color in (BLACK, WHITE):
            try:
                self.players[color - 1].begin(rules, self.fixture.seeds[color - 1])
            except EngineError as error:
                return self._lost(color, error.fault, str(error))
        self._show(0, None)
        while not self.position.over and len(self.moves) < self.most:
            if (result := self._ply()) is not None:
                return result
        return self._by_area("passes" if self.position.over else "move-limit")

    def _ply(self) -> GameResult | None:
        color = self.position.to_move
        self.asked[color - 1] += 1
        try:
            reply = self._timed(color)
        except EngineError as error:
            return self._lost(color, error.fault, str(error))
        self.illegal[color - 1] += len(reply.illegal)
        move = int(reply.move)  # a number of numpy is no JSON
        if move == RESIGN:
            return self._lost(color, "resign", "")
        if (why := self._against(move)) is not None:
            self.illegal[color - 1] += 1
            return self._lost(color, "illegal", why)
        self.position = self.position.play(move)
        self.moves.append(move)
        self._show(color, reply)
        return None

    def _timed(self, color: int) -> Reply:
        seed = move_seed(self.fixture.seeds[color - 1], self.position)
        began = time.monotonic()
        try:
            return self.players[color - 1].reply(self.position, seed)
        finally:
            self.clock[color - 1] += time.monotonic() - began

    def _against(self, move: int) -> str | None:
        """What is wrong with a move, in words."""
        rules = self.position.rules
        if move == NOTHING:
            return "no move was answered"
        if (why := self.position.why_illegal(move)) is None:
            return None
        on_board = 0 <= move <= rules.points
        name = coords.gtp(move, rules.rows, rules.cols) if on_board else f"move {move}"
        return f"{name} at ply {self.position.plies}: {REASONS[why]} ({why})"

    def _show(self, color: int, reply: Reply | None) -> None:
        if self.watch is not None:
            self.watch(Moment(self.fixture, self.position, color, reply))

    def _by_area(self, end: str) -> GameResult:
        return self._ended(winner_by_area(self.position), end, "")

    def _lost(self, color: int, end: str, message: str) -> GameResult:
        return self._ended(other(color), end, message)

    def _ended(self, winner: int, end: str, message: str) -> GameResult:
        fixture = self.fixture
        return GameResult(
            game=fixture.game,
            pair=fixture.pair,
            black=fixture.black,
            white=fixture.white,
            opening=fixture.opening,
            moves=tuple(self.moves),
            seeds=fixture.seeds,
            winner=winner,
            end=end,
            score=self.position.score(),
            illegal=(self.illegal[0], self.illegal[1]),
            asked=(self.asked[0], self.asked[1]),
            message=message,
        )
