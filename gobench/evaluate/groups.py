"""A group of samples played in lockstep: what all want to ask next goes to the model in as few calls as shapes allow.

A group is a pure function of (model, task, seed, its samples): it is the unit of resuming, and of workers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.seeds import seed64
from gobench.tasks import Ask, Task, Trial, View
from gobench.types import Array, Json, Record

CHECKED = 16  # samples whose first answers are asked once more, alone


class Asked(Protocol):
    """What a group needs of a loaded model."""

    def ask(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None,
    ) -> Array:
        """uint8 [B, T, H, W, 3] -> uint8 [B, n, H, W, 3], checked; raises a GobenchError."""
        ...


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
    answers: list[bytes] = field(default_factory=list)

    def tell(self, frames: Array) -> None:
        self.answers.append(hashlib.sha256(np.ascontiguousarray(frames).data).digest())
        self.asked += 1
        self.trial.tell(frames)

    def digest(self) -> str:
        """sha256 in hex over the raw answers: of the one there is, or of the hashes of several."""
        if len(self.answers) == 1:
            return self.answers[0].hex()
        return hashlib.sha256(b"".join(self.answers)).hexdigest()


def play(
    task: Task,
    samples: Sequence[str],
    model: Asked,
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
        for bunch in _bunches(live):
            for (seat, _), answer in zip(bunch, _ask(task, bunch, model, seed), strict=True):
                seat.tell(answer)
        live = _asking([seat for seat, _ in live])
    return [_played(seat, seat.sample in everything) for seat in seats]


def _asking(seats: Sequence[_Seat]) -> list[tuple[_Seat, Ask]]:
    """Those that have a question, with it."""
    questions = [(seat, seat.trial.ask()) for seat in seats]
    return [(seat, ask) for seat, ask in questions if ask is not None]


def _bunches(live: Sequence[tuple[_Seat, Ask]]) -> list[list[tuple[_Seat, Ask]]]:
    """Questions of equal shape together; one whose answer may have any length goes alone."""
    table: dict[object, list[tuple[_Seat, Ask]]] = {}
    for seat, ask in live:
        key = (ask.frames.shape, ask.n) if ask.n else seat.sample
        table.setdefault(key, []).append((seat, ask))
    return list(table.values())


def _ask(task: Task, bunch: Sequence[tuple[_Seat, Ask]], model: Asked, seed: int) -> Array:
    seeds = [seed64(seed, task.name, seat.sample, seat.asked) for seat, _ in bunch]
    context = [
        {"id": seat.sample, "task": task.name, "ask": seat.asked, **ask.context} for seat, ask in bunch
    ]
    frames = np.stack([ask.frames for _, ask in bunch])
    return model.ask(frames, bunch[0][1].n, np.array(seeds, np.uint64), context)


def _played(seat: _Seat, everything: bool) -> Played:
    own = seat.trial.evidence()
    if taken := {"id", "frames"} & own.keys():
        raise DataError(f"{seat.sample}: a task's evidence has no key {sorted(taken)[0]!r} of its own.")
    row = {**own, "id": seat.sample, "frames": seat.digest()}
    return Played(row, seat.trial.kept(everything))


def batch_check(task: Task, samples: Sequence[str], model: Asked, view: View, seed: int) -> Record:
    """Ask a group's first questions in full batches, and ``CHECKED`` of them alone: how many answers differ."""
    seats = [_Seat(sample, task.trial(sample, view)) for sample in samples]
    bunches = [bunch for bunch in _bunches(_asking(seats)) if bunch[0][1].n]
    alone = {seat.sample for bunch in bunches for seat, _ in bunch if seat.sample in samples[:CHECKED]}
    different = 0
    for bunch in bunches:
        if not any(seat.sample in alone for seat, _ in bunch):
            continue
        together = _ask(task, bunch, model, seed)
        for item, answer in zip(bunch, together, strict=True):
            if item[0].sample in alone:
                different += not np.array_equal(_ask(task, [item], model, seed)[0], answer)
    return {"asked": len(alone), "different": different}
