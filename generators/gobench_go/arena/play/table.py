"""A game, whoever plays it, and the oracle: three threads that may not wait for each other.

A thread asks the players (and has made them, for programs end with the thread that starts them), another one the oracle,
and those of the server change the game and look at it. What they share is behind one lock; a player's answer counts
only if the game is still where it was when the player was asked.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from gobench.errors import GobenchError, UsageError
from gobench.seeds import seed64
from gobench.types import Array, Json
from gobench_go.arena.model_player import ModelPlayer
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.play.game import MODEL, OPPONENT, YOU, Game, Setup
from gobench_go.arena.player import Player
from gobench_go.game.position import BLACK, WHITE, Position

PACE = 0.7  # seconds a ply takes at least when nobody plays
LEAVING = 1.5  # seconds that a player at work gets to end


class StaleError(Exception):
    """The page shows an earlier state than the one that is."""


class Seats(NamedTuple):
    """Who sits at a table, as texts for ``open_player``; the oracle is a teacher. Empty: nobody."""

    model: str
    opponent: str = ""
    oracle: str = ""


class Task(NamedTuple):
    """A question to a player, and when it was asked."""

    game: Game
    stamp: int
    seat: str
    position: Position
    seed: int


class Table:
    """Every method may be called from any thread; ``open`` comes first, ``close`` last."""

    def __init__(self, seats: Seats, setup: Setup, conditions: Conditions, seed: int = 0) -> None:
        self.seats, self.conditions, self.seed = seats, conditions, seed
        self.game = Game(1, setup)
        self.version = 1
        self.paused = False
        self.oracle_on = bool(seats.oracle)
        self.oracle_error = ""
        self.names: Mapping[str, str] = {}
        self.video = True  # whether the model generates frames
        self.closed = False
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []

    # --- life ---

    def open(self) -> None:
        """Start the players; raises what they raise, UsageError above all."""
        self._check(self.game.setup)
        if self.seats.oracle:
            self._start(self._judge)
        self._start(self._play)

    def close(self) -> None:
        """End the players; one that is at work gets a moment."""
        with self._news:
            self.closed = True
            self._tell()
        until = time.monotonic() + LEAVING
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start(self, work: Callable[[Callable[[], None]], None]) -> None:
        """Run ``work`` in a thread and wait until it calls what it is given; raises what it raises before that."""
        ready, failed = threading.Event(), list[BaseException]()

        def run() -> None:
            try:
                work(ready.set)
            except BaseException as error:
                failed.append(error)
                if ready.is_set():
                    raise
                ready.set()

        thread = threading.Thread(target=run, name="gobench-play", daemon=True)
        self._threads.append(thread)
        thread.start()
        ready.wait()
        if failed:
            raise failed[0]

    # --- looking ---

    def wait(self, version: int, seconds: float) -> None:
        """Until something is newer than ``version``."""
        with self._news:
            self._news.wait_for(lambda: self.closed or self.version != version, seconds)

    def look(self, at: Callable[[Table], Json]) -> Json:
        """What ``at`` makes of the table while nothing changes."""
        with self._news:
            return at(self)

    def sgf(self) -> bytes:
        """The game as it stands."""
        with self._news:
            return self.game.to_sgf(*(self.name(seat) for seat in self.game.setup.seats))

    def frame(self, game: int, ply: int, number: int) -> Array | None:
        """See ``Game.frame``; None for another game."""
        with self._news:
            return self.game.frame(ply, number) if game == self.game.number else None

    def name(self, seat: str) -> str:
        """Who sits there, for people."""
        return self.names.get(seat, seat)

    @property
    def thinking(self) -> bool:
        """Whether a player is asked, or about to be."""
        game = self.game
        return not (game.over or game.error or self.paused or game.turn == YOU)

    # --- doing ---

    def act(self, wish: Mapping[str, Json]) -> None:
        """Do what a page asks for: {"act": name, "game": number, "ply": number, ...}.

        Raises:
            StaleError: the page is not up to date, so the wish may mean something else by now.
            UsageError: it cannot be done.
        """
        name = wish.get("act")
        if not isinstance(name, str) or name not in ACTS:
            raise UsageError(f"{str(name)[:40]!r} is nothing to do here; there is {', '.join(ACTS)}.")
        with self._news:
            now = {"game": self.game.number, "ply": len(self.game.plies)}
            if any(wish.get(key) != now[key] for key in MEANT.get(name, ())):
                raise StaleError
            ACTS[name](self, wish)
            self._tell()

    def do_play(self, wish: Mapping[str, Json]) -> None:
        """A person's move; the pass is R*C."""
        move = wish.get("move")
        if type(move) is not int:
            raise UsageError(f"a move is a number of a point, not {str(move)[:40]!r}.")
        if self.game.turn != YOU and not self.game.over:
            raise UsageError(f"it is {self.name(self.game.turn)} to move.")
        self.game.play(move, YOU)

    def do_undo(self, wish: Mapping[str, Json]) -> None:
        """Take back; a game that plays itself pauses."""
        self.game.undo()
        self.paused = not self.game.human

    def do_resign(self, wish: Mapping[str, Json]) -> None:
        """A person gives up, whoever is to move."""
        if not self.game.human:
            raise UsageError("nobody plays here: there is nothing to give up.")
        self.game.resign(BLACK if self.game.setup.seats[0] == YOU else WHITE)

    def do_retry(self, wish: Mapping[str, Json]) -> None:
        """Ask again who did not answer."""
        self.game.retry()

    def do_pause(self, wish: Mapping[str, Json]) -> None:
        """Stop a game that plays itself, or go on."""
        self.paused = not self.paused and not self.game.human
        self.game.stamp += 1  # who is asked now is asked again when it goes on

    def do_oracle(self, wish: Mapping[str, Json]) -> None:
        """Whether the oracle looks on."""
        self.oracle_on = bool(wish.get("on")) and bool(self.seats.oracle)

    def do_new(self, wish: Mapping[str, Json]) -> None:
        """A new game: {"you": "black" | "white" | "", "rows": R, "cols": C}."""
        rows, cols, old = wish.get("rows"), wish.get("cols"), self.game
        if type(rows) is not int or type(cols) is not int:
            raise UsageError("a new game needs rows and cols as numbers.")
        rules = old.setup.rules
        komi = rules.komi if (rows, cols) == (rules.rows, rules.cols) else None
        setup = Setup.of(self._seated(wish.get("you")), rules.name, rows, cols, komi)
        self._check(setup)
        self.game = Game(old.number + 1, setup, stamp=old.stamp + 1)
        self.paused = False

    def _seated(self, you: Json) -> tuple[str, str]:
        seats = {"black": (YOU, MODEL), "white": (MODEL, YOU), "": (MODEL, OPPONENT)}
        if not isinstance(you, str) or you not in seats:
            raise UsageError('you play "black" or "white", or "" to look on.')
        found = seats[you]
        if OPPONENT in found and self.game.setup.seats[0] == MODEL and not self.game.human:
            return OPPONENT, MODEL  # colours in turn
        return found

    def _check(self, setup: Setup) -> None:
        if OPPONENT in setup.seats and not self.seats.opponent:
            raise UsageError("nobody is there to play against the model: start with --opponent mcts:200.")

    def _tell(self) -> None:
        self.version += 1
        self._news.notify_all()

    # --- the players' thread ---

    def _play(self, ready: Callable[[], None]) -> None:
        texts = {MODEL: self.seats.model, OPPONENT: self.seats.opponent}
        players = {seat: open_player(text, self.conditions) for seat, text in texts.items() if text}
        try:
            begun = {seat: self._begin(player, self.game, seat) for seat, player in players.items()}
            names = {seat: player.name for seat, player in players.items()}
            self.video = isinstance(players[MODEL], ModelPlayer)
            self.names = {**self.names, YOU: "you", **names}
            ready()
            while (task := self._next()) is not None:
                self._ask(players, begun, task)
        finally:
            for player in players.values():
                player.close()

    def _begin(self, player: Player, game: Game, seat: str) -> int:
        player.begin(game.setup.rules, seed64(self.seed, "play", game.number, seat))
        return game.number

    def _next(self) -> Task | None:
        """The next question, once there is one; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self.closed or self.thinking)
            if self.closed:
                return None
            game = self.game
            seed = seed64(self.seed, "play", game.number, len(game.plies), game.attempt)
            return Task(game, game.stamp, game.turn, game.now, seed)

    def _ask(self, players: Mapping[str, Player], begun: dict[str, int], task: Task) -> None:
        began, player = time.monotonic(), players[task.seat]
        try:
            if begun[task.seat] != task.game.number:
                begun[task.seat] = self._begin(player, task.game, task.seat)
            reply = player.reply(task.position, task.seed)
        except GobenchError as error:
            begun[task.seat] = 0
            return self._settle(task, partial(task.game.fail, str(error)))
        except Exception as error:  # an error of ours: told on the page too, and the table lives on
            traceback.print_exc()
            return self._settle(task, partial(task.game.fail, f"internal error: {error!r}"))
        shown = player.last if isinstance(player, ModelPlayer) else None
        if not task.game.human:
            self._linger(task, began + PACE)
        return self._settle(task, partial(task.game.answer, reply, task.seat, shown))

    def _settle(self, task: Task, change: Callable[[], None]) -> None:
        with self._news:
            if self._current(task):
                change()
                self._tell()

    def _linger(self, task: Task, until: float) -> None:
        with self._news:
            left = until - time.monotonic()
            self._news.wait_for(lambda: self.closed or not self._current(task), max(0.0, left))

    def _current(self, task: Task) -> bool:
        return self.game is task.game and task.game.stamp == task.stamp and not self.closed

    # --- the oracle's thread ---

    def _judge(self, ready: Callable[[], None]) -> None:
        from gobench_go.teachers import teacher

        oracle = teacher(self.seats.oracle)
        self.names = {**self.names, "oracle": oracle.name}
        ready()
        try:
            while (task := self._unjudged()) is not None:
                game, ply, position = task
                try:
                    found = oracle.judge(position, seed64(self.seed, "oracle", ply))
                except GobenchError as error:
                    self._silence(str(error))
                    continue
                except (
                    Exception
                ) as error:  # an error of ours: told on the page too, and the oracle can be asked again
                    traceback.print_exc()
                    self._silence(f"internal error: {error!r}")
                    continue
                with self._news:
                    self.oracle_error = ""
                    game.judged[ply] = (position, found)
                    self._tell()
        finally:
            close = getattr(oracle, "close", None)
            if close is not None:
                close()

    def _silence(self, why: str) -> None:
        """The oracle looks on no more, until a person wants it to."""
        with self._news:
            self.oracle_on, self.oracle_error = False, why
            self._tell()

    def _unjudged(self) -> tuple[Game, int, Position] | None:
        """The next position that the oracle has not seen; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self.closed or self._open_question())
            if self.closed:
                return None
            return self.game, len(self.game.plies), self.game.now

    def _open_question(self) -> bool:
        game = self.game
        known = game.judged.get(len(game.plies))
        return self.oracle_on and not game.now.over and (known is None or known[0] is not game.now)


ACTS: Mapping[str, Callable[[Table, Mapping[str, Json]], None]] = {
    "play": Table.do_play,
    "undo": Table.do_undo,
    "resign": Table.do_resign,
    "retry": Table.do_retry,
    "pause": Table.do_pause,
    "oracle": Table.do_oracle,
    "new": Table.do_new,
}
"""What a page can ask for."""
MEANT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("play", "undo", "retry"), ("game", "ply")),
    **dict.fromkeys(("resign", "pause"), ("game",)),
}
"""What a wish was meant for: it says so, and does not count for anything else."""
