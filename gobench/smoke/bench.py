"""A model under test: asked with care for its prompts, its answers kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gobench.models import Loaded
from gobench.smoke.questions import Case, Question, bunches
from gobench.types import Array


@dataclass(slots=True)
class Bench:
    """A model under test, with what it has answered."""

    loaded: Loaded
    cases: Sequence[Case]
    answers: list[tuple[Question, Array]] = field(default_factory=list)
    seconds: float | None = None  # a frame, once measured
    written: int = 0  # calls in which the model changed its prompts

    @property
    def main(self) -> Sequence[Question]:
        """The largest bunch of questions of equal shape of the first task."""
        return max(bunches(self.cases[0].questions), key=len)

    def ask(self, questions: Sequence[Question], n: int | None = None) -> list[Array]:
        """One call for questions of equal shape: an array [n, H, W, 3] each."""
        frames = np.stack([q.ask.frames for q in questions])
        before = frames.copy()
        seeds = np.array([q.seed for q in questions], np.uint64)
        asked = questions[0].ask.n if n is None else n
        answer = self.loaded.ask(frames, asked, seeds, [q.ask.context for q in questions])
        self.written += not np.array_equal(frames, before)
        return [item.copy() for item in answer]
