"""A benchmark small enough to see through: where does the dot go next? For tests of the core; processes import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gobench.errors import DataError, unknown
from gobench.tasks import Ask, Exhibit, Metric, Suite, Table, View
from gobench.types import Array, Record

STEP, DOT, SIZE = 3, 4, 24
SAMPLES, GAMES = 60, 12


def picture(x: int, size: int) -> Array:
    """A white dot at column ``x`` (mod the width) on grey, uint8 [size, size, 3]."""
    frame = np.full((size, size, 3), 90, np.uint8)
    frame[8 : 8 + DOT, [(x + i) % size for i in range(DOT)]] = 255
    return frame


def place(frame: Array) -> int:
    """Where the dot is, -1 if it cannot be read."""
    for x in range(frame.shape[1]):
        if np.array_equal(frame, picture(x, frame.shape[1])):
            return x
    return -1


@dataclass
class Guess:
    """One sample: up to ``tries`` answers, or a walk of ``steps``."""

    task: Quiz
    sample: str
    view: View
    answers: list[Array] = field(default_factory=list)

    def start(self) -> int:
        return int(self.sample[1:]) * 5

    def ask(self) -> Ask | None:
        done = len(self.answers)
        right = bool(done) and self.wanted(done - 1) == place(self.answers[-1])
        if done == self.task.most or (done and right != self.task.chained):
            return None
        shown = done if self.task.chained else 0
        now = self.start() + STEP * shown
        past = int(self.sample[1:]) % 2  # every other prompt is longer
        prompt = np.stack([picture(now - STEP * t, self.view.height) for t in range(past, -1, -1)])
        return Ask(prompt[-self.view.frames :], 1, {"id": self.sample, "task": self.task.name, "ask": done})

    def wanted(self, step: int) -> int:
        return (self.start() + STEP * (1 + (step if self.task.chained else 0))) % self.view.height

    def tell(self, frames: Array) -> None:
        self.answers.append(frames[0].copy())

    def evidence(self) -> Record:
        return {"size": self.view.height, "places": [place(answer) for answer in self.answers]}

    def kept(self, everything: bool) -> Mapping[str, Array]:
        return {f"try{i}": a for i, a in enumerate(self.answers) if everything or place(a) < 0}


@dataclass
class Quiz:
    """A task; ``chained`` walks on, the other tries again."""

    name: str
    chained: bool
    most: int
    version: str = "1"
    headline: str = "hit"
    oracle: Mapping[str, Any] = field(default_factory=dict)
    public: Mapping[str, Any] = field(default_factory=lambda: {"rules": "3 to the right"})
    kinds: Mapping[str, str] = field(default_factory=lambda: {"clean": "a dot", "unreadable": "none"})

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"most": self.most, "step": STEP, "samples": SAMPLES}

    metrics: ClassVar = {
        "hit": Metric("right at the first answer"),
        "answers": Metric("how many were given", unit="plies"),
        "off": Metric("columns beside the right place", better="lower", unit="points", conditional=True),
    }

    @cached_property
    def ids(self) -> Sequence[str]:
        return [f"d{i:03d}" for i in range(SAMPLES)]

    def trial(self, sample: str, view: View) -> Guess:
        return Guess(self, sample, view)

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        known = {row["id"]: row for row in rows}
        if strange := sorted(set(known) - set(self.ids)):
            raise DataError(f"{self.name} has no sample {strange[0]}.")
        ids = [i for i in self.ids if i in known]
        first = np.array([known[i]["places"][0] for i in ids])
        size = np.array([known[i]["size"] for i in ids])
        right = np.array([int(i[1:]) * 5 + STEP for i in ids]) % size
        off = np.where(first < 0, np.nan, np.minimum((first - right) % size, (right - first) % size))
        slices = {"half: left": right < size // 2, "half: none": np.zeros(len(ids), np.bool_)}
        if novel is not None:
            slices["novel"] = np.array([novel[i] for i in ids])
        return Table(
            ids,
            np.array([int(i[1:]) % GAMES for i in ids]),
            {
                "hit": (first == right).astype(np.float64),
                "answers": np.array([float(len(known[i]["places"])) for i in ids]),
                "off": off,
            },
            ["clean" if x >= 0 else "unreadable" for x in first],
            first >= 0,
            slices,
        )

    def reread(self, sample: str, row: Record, frames: Mapping[str, Array]) -> Record:
        places = list(row["places"])
        if strange := [frame.shape for frame in frames.values() if frame.shape[0] != frame.shape[1]]:
            raise ValueError(f"not square: {strange[0]}")
        for name, frame in frames.items():
            places[int(name.removeprefix("try"))] = place(frame)
        return {**row, "places": places}

    def positions(self) -> np.ndarray[Any, np.dtype[np.uint64]]:
        return np.arange(SAMPLES, dtype=np.uint64)

    def truth(self, sample: str, view: View) -> Array:
        return picture(int(sample[1:]) * 5 + STEP, view.height)[None]

    def wording(self, sample: str) -> Mapping[str, str]:
        return {}

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        return Exhibit(sample, list(frames.items()), {})


class QuizDomain:
    """The domain, as an entry point finds it."""

    name = "quiz"
    version = "1"

    def suites(self) -> Mapping[str, str]:
        return {"dots": "two tasks of dots", "dots-lost": "its test set is missing"}

    def protocols(self) -> Mapping[str, str]:
        return {"standard": "three tries", "strict": "one try"}

    def suite(self, name: str, protocol: str = "standard") -> Suite:
        if name == "dots-lost":
            raise DataError("the dots are lost. Draw them again.")
        if protocol not in self.protocols():
            raise unknown("protocol", protocol, self.protocols())
        tries = {"standard": 3, "strict": 1}[protocol]
        return Suite(name, "", [Quiz("dots/next", False, tries), Quiz("dots/walk", True, 4)])

    def versions(self) -> Mapping[str, str]:
        return {"quiz": "1"}


class Guesser:
    """Right or wrong as the seed says; sometimes it draws no dot. Environment variables slow it down or stop it."""

    domain = "quiz"
    kind = "state"
    frame_size = (SIZE, SIZE)
    max_frames = 2
    context_keys = ("id",)

    def __init__(self, argument: str = "") -> None: ...

    def begin(self, public: Mapping[str, Any]) -> None:
        assert public["rules"]

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Array:
        time.sleep(float(os.environ.get("DOTQUIZ_SLEEP", 0)))
        _trap([c["id"] for c in context])
        return np.stack([self.one(clip[-1], int(seed)) for clip, seed in zip(frames, seeds, strict=True)])

    def one(self, last: Array, seed: int) -> Array:
        if seed % 5 == 0:
            return np.zeros((1, SIZE, SIZE, 3), np.uint8)
        return picture(place(last) + STEP + (seed % 3 == 0), SIZE)[None]


class ReadyMade(Guesser):
    """Says that its answers were made beforehand."""

    ready_made = True


class Printing(Guesser):
    """Prints whenever it can."""

    def __init__(self, argument: str = "") -> None:
        print("made")

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Array:
        print("asked", flush=True)
        return super().generate(frames, n, seeds, context)


class Crowded(Guesser):
    """Cannot be asked for one answer alone."""

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Array:
        if len(frames) == 1 and os.environ.get("DOTQUIZ_ALONE") == "no":
            raise RuntimeError("too few")
        return super().generate(frames, n, seeds, context)


class Boastful(Guesser):
    """Names its weights in its own way."""

    weights_sha256 = "the second version"


class Covered(ReadyMade):
    """Knows beforehand how much it has: as many answers as its argument says."""

    def __init__(self, argument: str = "0") -> None:
        self.there = int(argument)

    def coverage(self, task: str, ids: Sequence[str]) -> Record:
        return {"found": min(self.there, len(ids)), "missing": list(ids[self.there :])}


def _trap(ids: Sequence[str]) -> None:
    """``DOTQUIZ_TRAP=d007:kill:MARK``: at this sample kill the process, interrupt or fail, while there is no MARK."""
    if "DOTQUIZ_TRAP" not in os.environ:
        return
    sample, what, mark = os.environ["DOTQUIZ_TRAP"].split(":")
    if sample not in ids or Path(mark).exists():
        return
    Path(mark).touch()
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    raise ZeroDivisionError("the trap")
