"""A video model as a player: it is shown the last boards, generates the next frame, and the move is read off it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

import gobench
from gobench.children import GoneError, SilentError
from gobench.errors import ChildError, GobenchError, UsageError
from gobench.models import Loaded, ModelInfo, load
from gobench.models.deadline import LateError, LostError
from gobench.models.framing import GarbledError
from gobench.models.opening import form_of
from gobench.seeds import seed64
from gobench.tasks import View
from gobench.types import Array, Record
from gobench_go.arena.names import Conditions
from gobench_go.arena.player import NOTHING, Reply
from gobench_go.engines.faults import EngineError, Fault
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.tasks import asking, reading
from gobench_go.video.themes import DRAWN, Look

TASK = "go/match"  # what a model is told that it plays in
CAUSES: tuple[tuple[type[BaseException], Fault], ...] = (
    (LateError, "late"),
    (LostError, "late"),
    (SilentError, "late"),
    (GarbledError, "malformed"),
    (GoneError, "crash"),
)


class Try(NamedTuple):
    """One answer of a model."""

    frame: Array | None  # uint8 [H, W, 3], as it was generated; None where there was no answer
    reading: reading.Reading | None  # of the frame
    verdict: asking.Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """How the last move came about."""

    prompt: Array  # uint8 [T, H, W, 3], the last boards
    tries: tuple[Try, ...]  # in order; only the last one can be legal


@dataclass(eq=False)
class ModelPlayer:
    """Asks a model again, with another seed, until a frame shows a legal move or no try is left.

    An unchanged frame is a pass. ``conditions.seconds`` holds for one answer and for the whole move. ``last`` is what
    the last ``reply`` saw, for whoever shows it.
    """

    text: str
    conditions: Conditions
    last: Shown | None = field(default=None, init=False)
    _info: ModelInfo | None = field(default=None, init=False)
    _loaded: Loaded | None = field(default=None, init=False)
    _look: Look | None = field(default=None, init=False)

    @classmethod
    def of(cls, text: str, conditions: Conditions) -> ModelPlayer:
        """Raises UsageError for a text that can be no model, or one whose answers were made beforehand."""
        if form_of(text) == "predictions":
            raise UsageError(
                f"{text!r} holds answers that were made beforehand, and a game asks what nobody can know before: "
                "give the model itself."
            )
        return cls(text, conditions)

    @property
    def info(self) -> ModelInfo:
        """What the model says of itself; loads it the first time."""
        return self._info or self._ready().info

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def identity(self) -> Record:
        info = self.info
        version = (info.weights_sha256 or info.code_sha256 or "")[:12] or gobench.__version__
        return {
            "name": info.name,
            "kind": "model",
            "version": version,
            "model_kind": info.kind,
            "weights_sha256": info.weights_sha256,
            "code_sha256": info.code_sha256,
            "provenance": info.provenance,
            "frame_size": list(info.frame_size),
            "max_frames": info.max_frames,
            "context_keys": list(info.context_keys),
            "tries": self.conditions.tries,
            "dtype": self.conditions.dtype,
            "theme": asking.THEME,
            "drawn": DRAWN,
            "reader": reading.READER,
        }

    def begin(self, rules: Rules, seed: int) -> None:
        """Raises UsageError for a board that cannot be drawn in the model's frame size, or no such model."""
        with _Blame(self.text):
            model = self._ready()
            self._look = asking.square_look(model.who, asking.THEME, self._view(model), rules)
            model.begin(asking.public(rules, TASK))
            self._warm(rules)
        self.last = None

    def reply(self, position: Position, seed: int) -> Reply:
        """Its move; ``NOTHING`` or an illegal move after as many tries as it has."""
        with _Blame(self.text, playing=True):
            return self._reply(position, seed)

    def close(self) -> None:
        """Let the model go; ``begin`` loads it again."""
        if self._loaded is not None:
            self._loaded.close()
        self._loaded = self._look = None

    def _warm(self, rules: Rules) -> None:
        """Read an empty board: what is compiled for it takes none of a move's time."""
        assert self._look is not None
        start = Position.start(rules)
        frame = asking.prompt(self._look, start.boards(), 1)[0]
        asking.judge(start, reading.read(self._look, frame).record())

    def _ready(self) -> Loaded:
        """The model, loaded afresh if it hung or died."""
        if self._loaded is not None and self._loaded.lost:
            self.close()
        if self._loaded is None:
            given = self.conditions
            self._loaded = load(self.text, given.device, given.dtype, given.seconds)
            self._info = self._loaded.info
        return self._loaded

    def _view(self, model: Loaded) -> View:
        return View(*model.info.frame_size, model.info.max_frames)

    def _reply(self, position: Position, seed: int) -> Reply:
        if self._loaded is None or self._look is None:
            raise UsageError(f"model {self.text!r}: begin a game before asking for a move.")
        prompt = asking.prompt(self._look, position.boards(), self._loaded.info.max_frames)
        tries: list[Try] = []
        until = time.monotonic() + self.conditions.seconds
        for number in range(self.conditions.tries):
            tries.append(self._try(position, prompt, seed, number))
            self.last = Shown(prompt, tuple(tries))
            if number and time.monotonic() > until:  # the first answer alone is timed by whoever asks for it
                raise EngineError("late", self._late(len(tries)))
            if not tries[-1].verdict.why:
                break
        return _summed(tries)

    def _try(self, position: Position, prompt: Array, seed: int, number: int) -> Try:
        assert self._loaded is not None and self._look is not None
        context = asking.context(f"p{position.plies:03d}", TASK, number, position.to_move)
        seeds = np.array([seed64(seed, "model", number)], np.uint64)
        frames = self._loaded.ask(prompt[None].copy(), 1, seeds, [context])[0]
        if not len(frames):  # models that may leave answers out
            return Try(None, None, asking.judge(position, {"missing": True}))
        frame = np.array(frames[-1])
        found = reading.read(self._look, frame)
        return Try(frame, found, asking.judge(position, found.record()))

    def _late(self, tries: int) -> str:
        seconds = self.conditions.seconds
        return f"model {self.text!r} found no legal move in {tries} tries and {seconds:g} s, which is all it has for a move."


def _summed(tries: list[Try]) -> Reply:
    last = tries[-1].verdict
    failed = tuple(each.verdict.why for each in tries[:-1])
    move = NOTHING if last.move == asking.NO_MOVE else last.move
    return Reply(move, len(tries), failed, said=last.why)


class _Blame:
    """Turns what goes wrong with a model into an EngineError with its fault; ``playing``: in the middle of a game."""

    def __init__(self, text: str, playing: bool = False) -> None:
        self.text, self.playing = text, playing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EngineError) or not isinstance(error, GobenchError):
            return
        if isinstance(error, ChildError):
            raise EngineError(_fault(error), str(error)) from error
        if self.playing:
            raise EngineError("refused", f"model {self.text!r} cannot answer: {error}") from error


def _fault(error: ChildError) -> Fault:
    """By what lies behind the error; nothing does where an answer came that is none."""
    behind = error.__cause__ or error.__context__
    if behind is None:
        return "malformed"
    return next((fault for cause, fault in CAUSES if isinstance(behind, cause)), "crash")
