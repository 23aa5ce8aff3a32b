"""A group: lockstep rounds, few calls, seeds by sample, answers that may be missing or of any length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError
from gobench.evaluate import open_suite
from gobench.evaluate.groups import batch_check, play
from gobench.seeds import seed64
from gobench.tasks import Task, View
from gobench.types import Array

pytestmark = pytest.mark.usefixtures("quiz")
VIEW = View(24, 24, 2)


@dataclass
class Recorder:
    """Answers through ``reply`` and remembers what it was asked."""

    reply: Any
    ready_made: bool = False
    calls: list[tuple[tuple[int, ...], int, list[int], list[Mapping[str, Any]]]] = field(default_factory=list)
    info: Any = field(default_factory=lambda: SimpleNamespace(text="recorder"))

    @property
    def model(self) -> Recorder:
        return self

    def ask(self, frames: Array, n: int, seeds: Any, context: Sequence[Mapping[str, Any]]) -> Any:
        self.calls.append((frames.shape, n, [int(s) for s in seeds], list(context)))
        return self.reply(frames, n)


def task() -> Task:
    return open_suite("dots").tasks[0]


def blank(frames: Array, n: int) -> Array:
    return np.zeros((len(frames), n, 24, 24, 3), np.uint8)


def test_equal_shapes_are_asked_together_in_rounds() -> None:
    model = Recorder(blank)
    played = play(task(), ["d000", "d001", "d002", "d003"], model, VIEW, 7)  # type: ignore[arg-type]
    shapes = [shape for shape, *_ in model.calls]
    assert shapes == [(2, 1, 24, 24, 3), (2, 2, 24, 24, 3)] * 3, "two lengths of prompts, three tries"
    assert [one.row["places"] for one in played] == [[-1, -1, -1]] * 4
    assert [c["ask"] for *_, context in model.calls for c in context] == [0] * 4 + [1] * 4 + [2] * 4


def test_seeds_are_those_of_sample_and_ask_whatever_the_group() -> None:
    groups = [["d000", "d002"], ["d002"]]
    models = [Recorder(blank), Recorder(blank)]
    rows = [play(task(), group, model, VIEW, 7)[-1].row for group, model in zip(groups, models, strict=True)]  # type: ignore[arg-type]
    assert rows[0] == rows[1]
    assert models[1].calls[2][2] == [seed64(7, "dots/next", "d002", 2)] == models[0].calls[2][2][1:]


def test_one_answer_is_hashed_as_it_is() -> None:
    import hashlib

    right = lambda frames, n: np.stack([task().truth("d000", VIEW)])  # noqa: E731
    (one,) = play(task(), ["d000"], Recorder(right), VIEW, 0)  # type: ignore[arg-type]
    answer = hashlib.sha256(task().truth("d000", VIEW).tobytes()).hexdigest()
    assert (one.row["frames"], one.row["kept"]) == ([answer], {})
    assert one.kept == {}, "read cleanly"
    (all_,) = play(task(), ["d000"], Recorder(right), VIEW, 0, {"d000"})  # type: ignore[arg-type]
    assert list(all_.kept) == ["try0"] and all_.row["kept"] == {"try0": answer}


def test_ready_made_answers_are_looked_up_alone_and_must_fit() -> None:
    model = Recorder(lambda frames, n: [np.zeros((1, 24, 24, 3), np.uint8)], ready_made=True)
    play(task(), ["d000", "d002"], model, VIEW, 0)  # type: ignore[arg-type]
    assert {(shape[0], n) for shape, n, *_ in model.calls} == {(1, 0)}
    model.reply = lambda frames, n: [np.zeros((3, 30, 30, 3), np.uint8)]
    with pytest.raises(DataError, match=r"the answer of d000 has the shape \[3, 30, 30, 3\].*zero-shot"):
        play(task(), ["d000"], model, VIEW, 0)  # type: ignore[arg-type]


def test_answers_that_depend_on_the_batch_are_counted() -> None:
    samples = [f"d{i:03d}" for i in range(0, 60, 2)]  # prompts of one length
    steady, moody = Recorder(blank), Recorder(lambda f, n: blank(f, n) + np.uint8(len(f) == 1))
    assert batch_check(task(), samples, steady, VIEW, 0) == {"asked": 16, "different": 0}  # type: ignore[arg-type]
    assert batch_check(task(), samples, moody, VIEW, 0) == {"asked": 16, "different": 16}  # type: ignore[arg-type]
    assert [shape[0] for shape, *_ in steady.calls] == [30] + [1] * 16


def test_a_model_may_use_its_buffer_again() -> None:
    buffer = np.zeros((1, 1, 24, 24, 3), np.uint8)
    seen: list[int] = []

    def reply(frames: Array, n: int) -> Array:
        seen.append(len(seen))
        buffer[:] = seen[-1]
        return buffer

    (one,) = play(task(), ["d000"], Recorder(reply), VIEW, 0)  # type: ignore[arg-type]
    assert [int(frame.max()) for frame in one.kept.values()] == [0, 1, 2]
    assert len(set(one.row["frames"])) == 3 and list(one.row["kept"].values()) == one.row["frames"]
