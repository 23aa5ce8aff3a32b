"""Any player as a Go engine: GTP 2 on two streams, so that every Go program can play against a video model.

    bytes --lines--> line --parse--> command --gtp_commands--> answer --wire--> bytes

The benchmark's rules are in force: an illegal move is refused, repetition included, whoever tries it. Whatever comes in,
an answer goes out, and nothing but answers.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, NamedTuple

from gobench.errors import GobenchError
from gobench.seeds import seed64
from gobench_go.arena.gtp_game import GtpGame
from gobench_go.arena.player import NOTHING, RESIGN, Player, Reply
from gobench_go.engines.faults import EngineError
from gobench_go.game import coords
from gobench_go.game.position import BLACK, REASONS, WHITE, Position
from gobench_go.teachers import Teacher

LONGEST = 1 << 16  # bytes of a line
OnFailure = Literal["resign", "pass", "error"]
ON_FAILURE: Mapping[str, str] = {
    "resign": "it gives up",
    "pass": "it passes",
    "error": "the command fails",
}
"""What genmove answers when the player shows no legal move as often as it may."""

COLORS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}
_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127)) | {9: " "}
_LINE = re.compile(r"(?:([0-9]+)(?: +|$))?(.*)", re.ASCII | re.DOTALL)


class GtpError(Exception):
    """The command fails; the text stands behind the question mark."""


class Answer(NamedTuple):
    """What is said to one line."""

    text: str = ""
    quit: bool = False
    open: bool = False  # it ends when the next line comes
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """How a session behaves."""

    rules: str = "benchmark"
    seed: int = 0
    on_failure: OnFailure = "resign"


class Session:
    """One controller and its game. ``say`` gets lines for people, which are no part of the protocol."""

    def __init__(self, player: Player, options: Options, say: Callable[[str], None]) -> None:
        """Starts the player on the rules' own board; raises UsageError or EngineError where that fails."""
        self.player, self.options, self.say = player, options, say
        self.game = GtpGame(options.rules)
        self.seed, self.games = options.seed, 0
        self._begun = False
        self.begin()

    @property
    def teacher(self) -> Teacher | None:
        """Who can say more than a move: the teacher behind the player, if there is one."""
        found: Teacher | None = getattr(self.player, "teacher", None)
        return found

    def answer(self, line: bytes) -> Answer | None:
        """What is said to a line; None to an empty one or a comment."""
        number, words = parse(line)
        if not words:
            return None if not number else _wire(number, Answer("unknown command", failed=True))
        try:
            found = self._run(words)
        except GtpError as error:
            found = Answer(str(error), failed=True)
        except GobenchError as error:
            found = Answer(str(error), failed=True)
            self._begun = self._begun and not isinstance(error, EngineError)
        except Exception as error:  # an error of ours: the game goes on all the same
            self.say(traceback.format_exc())
            found = Answer(f"internal error: {type(error).__name__}: {error}", failed=True)
        return _wire(number, found)

    def begin(self) -> None:
        """Tell the player of a new game, or of other rules. Raises UsageError for what it cannot play."""
        self._begun = False
        self.player.begin(self.game.rules, seed64(self.seed, "gtp", self.games))
        self._begun = True

    def new_game(self) -> None:
        """Other seeds from now on."""
        self.games += 1
        self.begin_again()

    def begin_again(self) -> None:
        """Tell the player anew before its next move."""
        self._begun = False

    def ask(self, position: Position) -> Reply:
        """The player's reply, begun afresh where it broke down. Raises as ``Player.reply`` does."""
        if not self._begun:
            self.begin()
        return self.player.reply(position, self.seed_of(position))

    def seed_of(self, position: Position) -> int:
        """The seed of a move: the same session gives the same game."""
        return seed64(self.seed, "gtp", self.games, position.plies)

    def move(self, position: Position) -> int:
        """A legal move of the player, or RESIGN; raises GtpError where it has none and the options say so."""
        reply = self.ask(position)
        if reply.illegal:
            self.say(f"{reply.tries} tries; not legal: {', '.join(reply.illegal)}")
        if reply.move == RESIGN or (reply.move >= 0 and position.is_legal(reply.move)):
            return reply.move
        why = _why(position, reply)
        self.say(f"no legal move: {why}")
        if self.options.on_failure == "error":
            raise GtpError(f"cannot move: {why}")
        return RESIGN if self.options.on_failure == "resign" else position.rules.points

    def made(self, color: int, move: int) -> str:
        """Make a move on the board, unless it gives up, and write it."""
        position = self.game.now
        if move != RESIGN:
            self.game.play(color, move)
        return vertex(move, position)

    def _run(self, words: Sequence[str]) -> Answer:
        from gobench_go.arena.gtp_commands import COMMANDS, offered

        name, args = words[0], words[1:]
        if name not in offered(self):
            raise GtpError("unknown command")
        command = COMMANDS[name]
        if not command.least <= len(args) <= command.most:
            raise GtpError(f"syntax error: {name} {command.usage}".rstrip())
        found = command.run(self, args)
        return found if isinstance(found, Answer) else Answer(found)


def serve(session: Session, source: BinaryIO, write: Callable[[bytes], None]) -> None:
    """Answer every line of ``source`` until it ends, "quit" comes, or nobody listens any more."""
    waiting = False
    try:
        for line in lines(source):
            if waiting:
                write(b"\n")
            answer = TOO_LONG if line is None else session.answer(line)
            waiting = answer is not None and answer.open
            if answer is not None:
                write(answer.text.encode() + (b"\n" if waiting else b"\n\n"))
                if answer.quit:
                    return
        if waiting:
            write(b"\n")
    except BrokenPipeError:
        session.say("whoever asked has gone.")


def lines(source: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a stream; None for one that is too long, which is read to its end and forgotten."""
    while line := source.readline(LONGEST):
        if len(line) < LONGEST or line.endswith(b"\n"):
            yield line
            continue
        while (more := source.readline(LONGEST)) and not more.endswith(b"\n"):
            pass
        yield None


def parse(line: bytes) -> tuple[str, list[str]]:
    """The id of a line, empty without one, and its words: controls and comments left out, as GTP says."""
    text = line.decode("utf-8", "replace").translate(_CONTROLS).partition("#")[0].strip()
    found = _LINE.fullmatch(text)
    assert found is not None
    return found[1] or "", found[2].split()


def vertex(move: int, position: Position) -> str:
    """A move as GTP writes it: ``E5``, ``pass``, ``resign``."""
    return "resign" if move == RESIGN else coords.gtp(move, position.rules.rows, position.rules.cols)


def _why(position: Position, reply: Reply) -> str:
    words = reply.said or "no move"
    if reply.move != NOTHING:
        reason = position.why_illegal(reply.move) or ""
        where = vertex(reply.move, position) if 0 <= reply.move <= position.rules.points else "its move"
        words = f"{where}: {REASONS.get(reason, reason)}"
    return f"{words} ({reply.tries} tries)" if reply.tries > 1 else words


def _wire(number: str, answer: Answer) -> Answer:
    """With sign and id, and no empty line inside."""
    kept = [line.translate(_CONTROLS).rstrip() for line in answer.text.split("\n")]
    text = "\n".join([kept[0], *(line for line in kept[1:] if line)])
    sign = "?" if answer.failed else "="
    if answer.failed:
        text = " ".join(text.split())
    return answer._replace(text=f"{sign}{number}{' ' * bool(kept[0])}{text}")


TOO_LONG = _wire("", Answer(f"line too long: at most {LONGEST} bytes", failed=True))
