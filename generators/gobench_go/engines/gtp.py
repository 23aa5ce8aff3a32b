"""A client of GTP 2, the text protocol of Go engines.

An engine keeps a game of its own; ``set_up`` makes it the one that led to a position, with as few commands as it
takes. Whatever an engine does wrong becomes an ``EngineError``, and except after a refusal its process is ended then:
an answer that comes late is never taken for the answer to something else. The next ``begin`` or ``set_up`` starts a
new process.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import NamedTuple

import numpy as np

from gobench.children import Child, FloodError, GoneError, SilentError
from gobench.errors import UsageError
from gobench.types import Record
from gobench_go.engines.commands import EngineCommand, engine_seed
from gobench_go.engines.faults import EngineError, Fault
from gobench_go.engines.presets import ONE_THREAD
from gobench_go.game import coords
from gobench_go.game.plies import plies_of
from gobench_go.game.position import BLACK, WHITE, Position
from gobench_go.game.rules import Rules

RESIGN = -1
QUICK = 30.0  # seconds for every command but genmove
QUIT = 1.0  # seconds to leave after "quit", again after its stdin is closed, and again after SIGTERM
LONGEST_LINE = 1 << 16  # bytes
LONGEST_ANSWER = 1 << 20  # bytes of an answer and of the chatter before it
LETTERS = {BLACK: "b", WHITE: "w"}

_ANSWER = re.compile(r"([=?])([0-9]*)(?:\s+(.*))?", re.ASCII)
_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127)) | {9: " "}


class RefusedError(Exception):
    """The engine answered ``?``; the text is what it said."""


class GarbledError(Exception):
    """What came is no answer."""


class Game(NamedTuple):
    """What the engine's own game starts from."""

    rows: int
    cols: int
    komi: float
    setup: bytes


class GtpEngine:
    """An engine behind pipes. ``seconds`` is what it may take for one move."""

    def __init__(self, command: EngineCommand, seconds: float = 60.0) -> None:
        self.command = command
        self.seconds = seconds
        self.greeted = False  # whether it has ever been started, so that the next two are known
        self.program = ""  # as it names itself
        self.version = ""
        self._child: Child | None = None
        self._known: frozenset[str] = frozenset()
        self._ids = True
        self._id = 0
        self._seed = 0
        self._game: Game | None = None
        self._told: list[tuple[int, int]] = []  # (color, move) since the start of its game

    # --- its life ---

    @property
    def running(self) -> bool:
        """Whether it has a process."""
        return self._child is not None

    @property
    def pid(self) -> int | None:
        """Its process id, which is also that of its group."""
        return self._child.pid if self._child else None

    def start(self, seed: int = 0) -> None:
        """A new process, in place of the one it may have. Raises UsageError where it cannot be started, EngineError."""
        self.close()
        self._seed = seed
        argv = self.command.argv_for(seed)
        try:
            self._child = Child(argv, ONE_THREAD, QUIT)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"engine {self.command.name!r}: {argv[0]!r} cannot be started: {error}."
            ) from error
        self._ids, self._id, self._game, self._told = True, 0, None, []
        self._greet()

    def close(self) -> None:
        """Say quit, then make sure that it is gone with all that it started. May be called twice."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(GoneError, SilentError):
            child.write(b"quit\n", time.monotonic() + QUIT)
        child.end()

    def knows(self, command: str) -> bool:
        """Whether it lists a command."""
        return command in self._known

    # --- its game ---

    def begin(self, rules: Rules, seed: int, renew: bool = True) -> None:
        """A new game from the empty board; with ``renew`` by a new process where the seed stands in the command.

        Raises:
            UsageError: it does not play on that board or with that komi.
            EngineError: it broke down.
        """
        if not self.running or (renew and self.command.seeded):
            self.start(seed)
        self._seed = seed
        self._new_game(Game(rules.rows, rules.cols, rules.komi, bytes(rules.points)))

    def set_up(self, position: Position) -> None:
        """Make its game the one that led to ``position``: play what is missing, or begin again and play all.

        Raises UsageError and EngineError as ``begin`` does; an engine that refuses a legal ply is "refused".
        """
        plies, rules = plies_of(position), position.rules
        game = Game(rules.rows, rules.cols, rules.komi, plies.setup.tobytes())
        wanted = list(zip(plies.colors, plies.moves, strict=True))
        if not self.running:
            self.start(self._seed)
        if self._game != game or wanted[: len(self._told)] != self._told:
            self._new_game(game)
        for color, move in wanted[len(self._told) :]:
            self._play(color, move)

    def genmove(self, color: int) -> int:
        """The move that it makes for ``color``, also on its own board: a point, R*C for a pass, or ``RESIGN``.

        Raises EngineError. Whether the move is legal is for the referee to say.
        """
        assert self._game is not None, "set_up comes before genmove"
        command = f"genmove {LETTERS[color]}"
        move = self._vertex(self.ask(command, self.seconds), command)
        if move != RESIGN:
            self._told.append((color, move))
        return move

    # --- the protocol ---

    def ask(self, command: str, seconds: float = QUICK) -> str:
        """Send a command and return what it answers, lines joined by newlines.

        Raises EngineError with the fault crash, late, malformed or refused.
        """
        try:
            return self._ask(command, seconds)
        except RefusedError as refusal:
            raise self._error(
                self._child, "refused", f"refused it: {_quoted(str(refusal))}", command
            ) from None

    def _ask(self, command: str, seconds: float) -> str:
        """As ``ask``, but raises RefusedError for ``?``."""
        child = self._child  # ``close`` may be called by another thread
        if child is None:
            raise self._error(None, "crash", "has no process", command)
        self._id += 1
        line = f"{self._id} {command}\n" if self._ids else f"{command}\n"
        until = time.monotonic() + seconds
        try:
            child.write(line.encode("ascii"), until)
            return self._answer(child, until)
        except RefusedError:
            raise
        except SilentError:
            raise self._lost(child, "late", f"did not answer within {seconds:g} s", command) from None
        except GoneError as error:
            raise self._lost(child, "crash", str(error), command) from None
        except GarbledError as error:
            raise self._lost(child, "malformed", str(error), command) from None
        except FloodError:
            raise self._lost(child, "malformed", "sent more than any answer is long", command) from None
        except BaseException:  # Ctrl-C in the middle of an answer: nothing after it would make sense
            self._end(child)
            raise

    def _answer(self, child: Child, until: float) -> str:
        room = LONGEST_ANSWER
        found: list[str] = []
        sign = ""
        while True:
            raw = child.line(until, LONGEST_LINE)
            room -= len(raw) + 1
            if room < 0:
                raise FloodError
            line = raw.decode("utf-8", "replace").translate(_CONTROLS).rstrip()
            if sign and not line:
                break
            if sign:
                found.append(line)
            elif match := _ANSWER.fullmatch(line):  # all before it is chatter
                sign = match[1]
                self._check_id(match[2], line)
                found.append(match[3] or "")
        text = "\n".join(found).strip()
        if sign == "?":
            raise RefusedError(text)
        return text

    def _check_id(self, number: str, line: str) -> None:
        if self._ids and not number and self._id == 1:
            self._ids = False  # it does not repeat ids: do without
        elif number != (str(self._id) if self._ids else ""):
            raise GarbledError(f"answered another command: {_quoted(line)} came for number {self._id}")

    def _greet(self) -> None:
        """The first words: learn what it can do and who it is."""
        self._or_nothing("protocol_version", self.command.start)
        self._known = frozenset(self._or_nothing("list_commands").split())
        self.program = _line(self._or_nothing("name"))
        self.version = _line(self._or_nothing("version"))
        self.greeted = True

    def _or_nothing(self, command: str, seconds: float = QUICK) -> str:
        """What it answers; nothing where it does not know the command, which is its right."""
        try:
            return self._ask(command, seconds)
        except RefusedError:
            return ""

    def _new_game(self, game: Game) -> None:
        self._game, self._told = None, []
        self._size(game.rows, game.cols)
        self.ask("clear_board")
        self._try(f"komi {game.komi:g}", f"a komi of {game.komi:g}")
        if self.knows("set_random_seed"):
            self.ask(f"set_random_seed {engine_seed(self._seed)}")
        board = np.frombuffer(game.setup, np.uint8)
        for point in np.flatnonzero(board).tolist():
            self.ask(f"play {LETTERS[int(board[point])]} {coords.gtp(point, game.rows, game.cols)}")
        self._game = game

    def _size(self, rows: int, cols: int) -> None:
        if rows == cols:
            self._try(f"boardsize {rows}", f"a {rows}x{cols} board")
        elif self.knows("rectangular_boardsize"):
            self._try(f"rectangular_boardsize {cols} {rows}", f"a {rows}x{cols} board")
        else:
            raise UsageError(
                f"engine {self.command.name!r} plays on square boards only, and this one is {rows}x{cols}."
            )

    def _try(self, command: str, what: str) -> None:
        """A setting that an engine may rightly refuse, if it knows the command at all."""
        try:
            self._ask(command, QUICK)
        except RefusedError as refusal:
            if not self.knows(command.split()[0]):
                raise self._error(
                    self._child, "refused", f"refused it: {_quoted(str(refusal))}", command
                ) from None
            raise UsageError(
                f"engine {self.command.name!r} does not play with {what}: it answers {_quoted(str(refusal))}."
            ) from None

    def _play(self, color: int, move: int) -> None:
        assert self._game is not None
        self.ask(f"play {LETTERS[color]} {coords.gtp(move, self._game.rows, self._game.cols)}")
        self._told.append((color, move))

    def _vertex(self, text: str, command: str) -> int:
        assert self._game is not None
        word = text.strip()
        if word.lower() == "resign":
            return RESIGN
        try:
            return coords.index_of_gtp(word, self._game.rows, self._game.cols)
        except UsageError:
            size = f"{self._game.rows}x{self._game.cols}"
            what = f"answered {_quoted(text)}, which is no point of a {size} board"
            error = self._error(self._child, "malformed", what, command)
            if self._child is not None:
                self._end(self._child)
            raise error from None

    # --- its faults ---

    def _lost(self, child: Child, fault: Fault, did: str, command: str) -> EngineError:
        """End the process; the error that says what it did."""
        self._end(child)
        return self._error(child, fault, did, command)

    def _end(self, child: Child) -> None:
        child.kill()
        if self._child is child:
            self._child = None

    def _error(self, child: Child | None, fault: Fault, did: str, command: str) -> EngineError:
        words = child.last_words() if child else ""
        told = f" The last it wrote to stderr:\n  {words}" if words else " It wrote nothing to stderr."
        hint = "" if self.greeted or fault == "refused" else " Does it speak GTP, as 'gnugo --mode gtp' does?"
        if hint and self.command.get:
            hint = f" If it is another program: {self.command.get}."
        name = self.command.name
        return EngineError(fault, f"engine {name!r} {did}, when it was asked {command!r}.{hint}{told}")


def _line(text: str) -> str:
    """The first line, short enough for tables."""
    return "".join(c for c in text.partition("\n")[0] if c.isprintable()).strip()[:80]


def _quoted(text: str, most: int = 120) -> str:
    return repr(text if len(text) <= most else text[:most] + "…")


def identity_of(engine: GtpEngine) -> Record:
    """Who answers, as plain data without places of this machine. Starts the engine if it never was."""
    if not engine.greeted:
        try:
            engine.start()
        finally:
            engine.close()
    command = engine.command
    seeding = "a new process for each game, {seed} in its command" if command.seeded else "none"
    if not command.seeded and engine.knows("set_random_seed"):
        seeding = "set_random_seed at the start of each game"
    return {
        "name": command.name, "kind": "engine", "program": engine.program, "version": engine.version,
        "command": command.public, "seeding": seeding, "files": command.hashes(),
    }  # fmt: skip
