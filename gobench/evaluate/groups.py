"""A group of samples played in lockstep: what all want to ask next goes to the model in as few calls as shapes allow.

A group is a pure function of (model, task, seed, its samples): it is the unit of resuming, and of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from gobench import evidence
from gobench.canonical import sha256
from gobench.errors import DataError
from gobench.seeds import seed64
from gobench.tasks import Ask, Task, Trial, View
from gobench.types import Array, Record

if TYPE_CHECKING:
    from gobench.models import Loaded

T = TypeVar("T")
CHECKED = 16  # samples whose first answers are asked once more, alone


def ready_made(model: Loaded) -> bool:
    """Whether a model's answers were made beforehand: they are looked up one by one, and some may be missing."""
    return bool(getattr(model.model, "ready_made", False))


@dataclass(frozen=True, slots=True)
class Played:
    """One sample, done."""

    row: Record
    kept: Mapping[str, Array]  # name -> uint8 [H, W, 3]


@dataclass(slots=True)
class _Seat:
    """One sample on its way: its trial, how often it has asked, and a hash of each answer."""

    sample: str
    trial: Trial
    asked: int = 0
    answers: list[str] = field(default_factory=list)
    last: Array | None = None

    def tell(self, frames: Array) -> None:
        """Hand on an answer. Copied: a model may use its buffer again, and trials keep what they are told."""
        if self.last is not None and np.array_equal(self.last, frames):  # copied and hashed already
            self.answers.append(self.answers[-1])
        else:
            self.last = np.array(frames, order="C")
            self.answers.append(evidence.digest(self.last))
        self.asked += 1
        self.trial.tell(self.last)

    def act(self, actions: npt.NDArray[np.float64]) -> None:
        """Hand on actions in place of frames."""
        self.answers.append(sha256(np.ascontiguousarray(actions).tobytes()))
        self.asked += 1
        self.trial.act(actions)  # type: ignore[attr-defined]

    def digest(self, frame: Array) -> str:
        """The sha256 of a kept frame, which often is the last answer."""
        if self.last is not None and len(self.last) == 1 and np.array_equal(self.last[0], frame):
            return self.answers[-1]
        return evidence.digest(frame)


Question = tuple[_Seat, Ask]


def play(
    task: Task,
    samples: Sequence[str],
    model: Loaded,
    view: View,
    seed: int,
    everything: Set[str] = frozenset(),
) -> list[Played]:
    """Play samples to their end, in lockstep rounds.

    Args:
        everything: the samples of which all frames are kept, not only those that were not read cleanly.

    Raises:
        GobenchError: the model broke its side of the contract, or evidence is not plain data.
    """
    seats = [_Seat(sample, task.trial(sample, view)) for sample in samples]
    live = _asking(seats)
    while live:
        for bunch in bunched(live, _alone if ready_made(model) else _alike):
            _answer(task, bunch, model, seed)
        live = _asking([seat for seat, _ in live])
    return [_played(seat, seat.sample in everything) for seat in seats]


def _answer(task: Task, bunch: Sequence[Question], model: Loaded, seed: int) -> None:
    """Put a bunch of questions to the model and hand on its answers: actions where it and the task have them."""
    if acting(task, model):
        for (seat, _), actions in zip(bunch, _acts(task, bunch, model, seed), strict=True):
            seat.act(actions)
    else:
        for (seat, _), answer in zip(bunch, _ask(task, bunch, model, seed), strict=True):
            seat.tell(answer)


def acting(task: Task, model: Loaded) -> bool:
    """Whether a model is asked for actions."""
    return bool(getattr(task, "acts", False)) and model.acts


def _asking(seats: Sequence[_Seat]) -> list[Question]:
    """Those that have a question, with it."""
    questions = [(seat, seat.trial.ask()) for seat in seats]
    return [(seat, ask) for seat, ask in questions if ask is not None]


def bunched(items: Iterable[T], key: Callable[[T], object]) -> list[list[T]]:
    """Items with equal keys together, in the order in which they come."""
    table: dict[object, list[T]] = {}
    for item in items:
        table.setdefault(key(item), []).append(item)
    return list(table.values())


def shape(ask: Ask) -> object:
    """Questions of equal shape go into one call of the model."""
    return ask.frames.shape, ask.n


def _alike(question: Question) -> object:
    return shape(question[1])


def _alone(question: Question) -> object:
    return question[0].sample


def _question(
    task: Task, bunch: Sequence[Question], seed: int
) -> tuple[Array, int, npt.NDArray[np.uint64], list[Record]]:
    """Questions of equal shape as the arguments of one call: frames, n, seeds, context."""
    seeds = [seed64(seed, task.name, seat.sample, seat.asked) for seat, _ in bunch]
    context = [
        {"id": seat.sample, "task": task.name, "ask": seat.asked, **ask.context} for seat, ask in bunch
    ]
    frames = np.stack([ask.frames for _, ask in bunch])
    return frames, bunch[0][1].n, np.array(seeds, np.uint64), context


def _ask(task: Task, bunch: Sequence[Question], model: Loaded, seed: int) -> Sequence[Array]:
    """The answers to questions of equal shape, uint8 [n, H, W, 3] each."""
    frames, n, seeds, context = _question(task, bunch, seed)
    answers = list(model.ask(frames, 0 if ready_made(model) else n, seeds, context))
    if ready_made(model):
        for (seat, ask), answer in zip(bunch, answers, strict=True):
            _check_ready(answer, ask, seat.sample, model)
    return answers


def _acts(task: Task, bunch: Sequence[Question], model: Loaded, seed: int) -> Sequence[Any]:
    """The same as actions, float64 [n, A] each."""
    return list(model.act(*_question(task, bunch, seed)))


def _check_ready(answer: Array, ask: Ask, sample: str, model: Loaded) -> None:
    """Answers made beforehand may be missing; those that are there have the length and size asked for."""
    wanted = (ask.n, *ask.frames.shape[1:])
    if ask.n and len(answer) and answer.shape != wanted:
        raise DataError(
            f"model {model.info.text!r}: the answer of {sample} has the shape {list(answer.shape)}, not "
            f"{list(wanted)} (frames, height, width, colours). Answers of any size and length: --protocol zero-shot."
        )


def _played(seat: _Seat, everything: bool) -> Played:
    own = seat.trial.evidence()
    if taken := evidence.ROW.keys() & own.keys():
        raise DataError(f"{seat.sample}: a task's evidence has no key {sorted(taken)[0]!r} of its own.")
    kept = seat.trial.kept(everything)
    hashes = {name: seat.digest(frame) for name, frame in kept.items()}
    return Played({**own, "id": seat.sample, "frames": seat.answers, "kept": hashes}, kept)


def batch_check(task: Task, samples: Sequence[str], model: Loaded, view: View, seed: int) -> Record:
    """Ask a group's first questions in full batches, and ``CHECKED`` of them alone: how many answers differ."""
    seats = [_Seat(sample, task.trial(sample, view)) for sample in samples]
    bunches = bunched(_asking(seats), _alike)
    alone = {seat.sample for bunch in bunches for seat, _ in bunch if seat.sample in samples[:CHECKED]}
    different = 0
    for bunch in bunches:
        if not any(seat.sample in alone for seat, _ in bunch):
            continue
        ask = _acts if acting(task, model) else _ask
        together = ask(task, bunch, model, seed)
        for item, answer in zip(bunch, together, strict=True):
            if item[0].sample in alone:
                different += not np.array_equal(ask(task, [item], model, seed)[0], answer)
    return {"asked": len(alone), "different": different}
