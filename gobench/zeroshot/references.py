"""Answers whose scores are known beforehand: with them a user checks the set-up before a model is tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gobench import registry
from gobench.seeds import seed64
from gobench.tasks import Task
from gobench.types import Array
from gobench.zeroshot.prompts import Prompt, exact, reply, video

SEED = 0  # of the random answers: those that ``gobench evaluate`` gives at its own default

Answerer = Callable[[Prompt], Array]  # the answer, uint8 [n, H, W, 3], n >= 1


@dataclass(frozen=True, slots=True)
class Reference:
    """One set of reference answers."""

    about: str
    expect: str  # what they score
    start: Callable[[Task], Answerer]


def _true(task: Task) -> Answerer:
    return lambda p: task.truth(p.sample, p.view)


def _static(task: Task) -> Answerer:
    return lambda p: p.picture[None]


def _installed(name: str) -> Callable[[Task], Answerer]:
    """The answers of an installed model, with the seeds that an evaluation at seed 0 would give it."""

    def start(task: Task) -> Answerer:
        model: Any = registry.load("models", name)("")
        if hasattr(model, "begin"):
            model.begin(dict(task.public))
        keys: Sequence[str] = getattr(model, "context_keys", ())
        return lambda p: _asked(model, keys, p)

    return start


def _asked(model: Any, keys: Sequence[str], p: Prompt) -> Array:
    own = {"id": p.sample, "task": p.task.name, "ask": 0, **p.question.context}
    context = [{key: own[key] for key in keys if key in own}] if keys else None
    seeds = np.array([seed64(SEED, p.task.name, p.sample, 0)], np.uint64)
    answer = model.generate(np.asarray(p.question.frames)[None], max(1, p.question.n), seeds, context)
    own_answer: Array = np.asarray(answer)[0]
    return own_answer


REFERENCES: Mapping[str, Reference] = {
    "true": Reference(
        "the right answer to every sample",
        "accuracy 1 and legal 1, every answer read cleanly",
        _true,
    ),
    "static": Reference(
        "the prompt's last picture, unchanged",
        'every answer "no-change": accuracy 0 and legal 0 where a move is asked for',
        _static,
    ),
    "random-legal": Reference(
        f"a legal move at random, seed {SEED}",
        "legal 1; the other numbers are those of the model random-legal at seed 0",
        _installed("random-legal"),
    ),
}


def answer_file(prompt: Prompt, answer: Array) -> bytes:
    """An answer in the reply's format: a video of about a second, or exactly the frames where so many are asked for."""
    if prompt.question.n:
        return exact(answer)
    return video(reply(prompt.picture, answer))
