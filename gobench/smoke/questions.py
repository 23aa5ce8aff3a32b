"""A few questions of each task of a suite, or of made-up pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gobench.errors import DataError, UsageError
from gobench.evaluate.groups import bunched, shape
from gobench.models import Loaded
from gobench.seeds import seed64, stream
from gobench.smoke.report import Finding
from gobench.tasks import Ask, Suite, Task, View
from gobench.types import Json, Record

SYNTHETIC = "made-up pictures"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one sample, with the seed of its first ask."""

    ask: Ask
    seed: int


@dataclass(frozen=True, slots=True)
class Case:
    """One task: its public settings, a few questions, and how many a whole run asks at most, second tries aside."""

    name: str
    public: Mapping[str, Json]
    questions: Sequence[Question]
    total: int


def questions_of(
    loaded: Loaded, suite: str | None, protocol: str, samples: int
) -> tuple[str, list[Case], list[Finding]]:
    from gobench.evaluate import open_suite
    from gobench.evaluate.protocol import default_suite

    view = View(*loaded.info.frame_size, loaded.info.max_frames)
    try:
        name = suite or default_suite(getattr(loaded.model, "domain", None))
        opened: Suite = open_suite(name, protocol)
    except (UsageError, DataError) as error:
        if suite:
            raise
        return SYNTHETIC, [_made_up(view, samples)], [Finding("note", "suite", str(error), "Give --suite.")]
    ready_made = getattr(loaded.model, "ready_made", False)
    tasks = [
        t for t in opened.tasks if not (t.chained and ready_made) and not getattr(t, "unavailable", str)()
    ]
    return name, [_case(task, view, samples) for task in tasks], []


def _case(task: Task, view: View, samples: int) -> Case:
    picked = [task.ids[i] for i in np.unique(np.linspace(0, len(task.ids) - 1, samples).astype(int))]
    questions = []
    for sample in picked:
        if (ask := task.trial(sample, view).ask()) is not None:
            known = {"id": sample, "task": task.name, "ask": 0, **ask.context}
            questions.append(Question(ask._replace(context=known), seed64(0, task.name, sample, 0)))
    longest = int(task.settings.get("plies", 1)) if task.chained else 1
    return Case(task.name, task.public, questions, len(task.ids) * longest)


def _made_up(view: View, samples: int) -> Case:
    """Smooth random pictures: coarse noise made large."""
    found = []
    for k in range(samples):
        noise = stream(k, "smoke").integers(0, 256, (view.frames, 8, 8, 3), np.uint8)
        rows, cols = np.arange(view.height) * 8 // view.height, np.arange(view.width) * 8 // view.width
        context: Record = {"id": str(k), "task": SYNTHETIC, "ask": 0}
        found.append(Question(Ask(noise[:, rows][:, :, cols], 1, context), seed64(0, str(k))))
    return Case(SYNTHETIC, {"task": SYNTHETIC}, found, 0)


def bunches(questions: Sequence[Question]) -> list[list[Question]]:
    """Questions of equal shape together: one call of the model each."""
    return bunched(questions, lambda question: shape(question.ask))
