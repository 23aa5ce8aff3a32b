"""Asking with care: every way to break the contract, and what the error says."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from gobench.errors import ChildError, DataError, UsageError
from gobench.models import Loaded, load, wrap
from gobench.types import Array

Seeds = npt.NDArray[np.uint64]


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return importlib.import_module("tiny_models")


def _nan(answer: Any) -> Any:
    found = answer.astype(np.float32) / 255
    found[0, 0, :2, 0, 0] = np.nan
    return found


SPOILED = {
    "floats": (lambda a: a.astype(np.float32) / 256, "float32 instead of uint8.*multiply by 255"),
    "around-zero": (lambda a: a.astype(np.float64) / 127.5 - 1, "float64.*add 1, multiply by 127.5"),
    "large-floats": (lambda a: a.astype(np.float32) * 1.5, "clip to 0..255"),
    "nan": (_nan, "2 of 4608 values are NaN"),
    "infinite": (lambda a: np.where(a > 9, np.float32(np.inf), np.float32(np.nan)), "infinite"),
    "int64": (lambda a: a.astype(np.int64), "int64.*astype"),
    "channels-first": (lambda a: np.moveaxis(a, -1, 2), "colours stand before the pixels"),
    "channels-before-frames": (
        lambda a: np.moveaxis(np.repeat(a, 2, 1), -1, 1)[:, :, :1],
        "before the frames",
    ),
    "batch": (lambda a: a[:3], "answers for 3 clips, and 4 were asked"),
    "exchanged": (lambda a: a.swapaxes(0, 1), "exchanged"),
    "with-prompt": (lambda a: np.repeat(a, 2, 1), "hold the prompt too"),
    "many": (lambda a: np.repeat(a, 5, 1), "5 frames, and 1 were asked"),
    "size": (lambda a: a[:, :, :8], "frame_size"),
    "alpha": (lambda a: np.repeat(a, 2, -1)[..., :4], "3 colours"),
    "axes": (lambda a: a[:, 0], "4 axes instead of 5"),
    "none": (lambda a: None, "None.*return"),
    "list": (list, "a list instead of a numpy array"),
    "text": (str, "a str instead"),
    "torch-floats": (lambda a: torch.from_numpy(a).float() / 256, "float32 instead of uint8"),
    "torch-half": (lambda a: torch.from_numpy(a).bfloat16() / 256, "instead of uint8"),
    "torch-meta": (lambda a: torch.from_numpy(a).to("meta"), r"on meta: add \.cpu\(\)\.numpy\(\)"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_other_answers_are_refused(bad: Any, prompt: Array, seeds: Seeds, kind: str) -> None:
    change, match = SPOILED[kind]
    with pytest.raises(ChildError, match=match) as error:
        wrap(bad.spoiled(change), "my:Model").ask(prompt, 1, seeds)
    assert "model 'my:Model' returned" in str(error.value)


@pytest.mark.parametrize("change", [lambda a: a, torch.from_numpy, lambda a: a[..., ::-1][..., ::-1]])
def test_whole_answers_pass(bad: Any, prompt: Array, seeds: Seeds, change: Any) -> None:
    found = wrap(bad.spoiled(change)).ask(prompt, 2, seeds)
    assert isinstance(found, np.ndarray) and found.flags.c_contiguous
    assert np.array_equal(found, np.repeat(prompt, 2, axis=1))


def test_a_model_that_hangs(bad: Any, prompt: Array, seeds: Seeds) -> None:
    model = wrap(bad.Hangs(), "slow:Model", timeout=0.2)
    start = time.monotonic()
    with pytest.raises(ChildError, match=r"'slow:Model' did not answer within 0\.2 s") as error:
        model.ask(prompt, 1, seeds)
    assert "1 frame after each of 4 clips of 1 frame (16x24)" in str(error.value)
    assert "--timeout" in str(error.value)
    assert model.lost
    with pytest.raises(ChildError, match="earlier"):
        model.ask(prompt, 1, seeds)
    model.close()
    assert time.monotonic() - start < 5


def test_an_exception_is_told_with_its_place(bad: Any, prompt: Array, seeds: Seeds) -> None:
    match = r"'m:M' failed: ZeroDivisionError: too few frames \(.*tiny_models\.py:\d+, in spoil\)"
    model = wrap(bad.Raises(), "m:M")
    with pytest.raises(ChildError, match=match):
        model.ask(prompt, 1, seeds)
    assert not model.lost


def test_leaving_is_an_error_too(bad: Any, prompt: Array, seeds: Seeds) -> None:
    with pytest.raises(ChildError, match="SystemExit"):
        wrap(bad.Exits()).ask(prompt, 1, seeds)


def test_a_model_may_raise_the_benchmarks_own_errors(bad: Any, prompt: Array, seeds: Seeds) -> None:
    def refuse(answer: Any) -> Any:
        raise DataError("no such answer")

    with pytest.raises(DataError, match=r"^no such answer$"):
        wrap(bad.spoiled(refuse)).ask(prompt, 1, seeds)


class Listening:
    """Keeps what it is told."""

    frame_size = 16
    context_keys = ("to_move", "instruction")

    def __init__(self) -> None:
        self.told: list[Any] = []

    def begin(self, public: Any) -> None:
        self.told.append(public["task"])

    def close(self) -> None:
        raise RuntimeError("in the way")

    def generate(self, frames: Any, n: int, seeds: Any, context: Any = None) -> Any:
        self.told.append((n, context))
        return np.repeat(frames[:, -1:], n, axis=1)


def test_a_model_gets_the_context_it_declares() -> None:
    model = Listening()
    loaded = wrap(model)
    assert loaded.info.frame_size == (16, 16)
    loaded.begin({"task": "t"})
    row = {"id": "a", "to_move": "black", "more": 1}
    loaded.ask(np.zeros((1, 1, 16, 16, 3), np.uint8), 0, np.zeros(1, np.uint64), [row])
    loaded.close()
    assert model.told == ["t", (1, [{"to_move": "black"}])], "n = 0 is one frame for an ordinary model"


def test_no_context_for_a_model_that_declares_none(bad: Any, prompt: Array, seeds: Seeds) -> None:
    model = bad.Whole()
    seen: list[Any] = []
    generate = model.generate
    model.generate = lambda f, n, s, context=None: (seen.append(context), generate(f, n, s))[1]
    wrap(model).ask(prompt, 1, seeds, [{"id": "a"}] * 4)
    assert seen == [None]


class AnyLength:
    any_length = True

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def generate(self, frames: Any, n: int, seeds: Any, context: Any = None) -> Any:
        return self.answer


def test_answers_of_any_length() -> None:
    video, none = np.ones((7, 20, 30, 3), np.uint8), np.zeros((0, 8, 8, 3), np.uint8)
    prompt, seeds = np.zeros((2, 1, 8, 8, 3), np.uint8), np.zeros(2, np.uint64)
    found = wrap(AnyLength([video, none])).ask(prompt, 0, seeds)
    assert [item.shape for item in found] == [video.shape, none.shape]
    found = wrap(AnyLength([video[:1, :8, :8], none])).ask(prompt, 1, seeds)
    assert [len(item) for item in found] == [1, 0]
    for answer, match in [
        ([video], "1 clips of 2"),
        ([video, none], "not"),
        (3, "a int"),
        ([video, 3], "a int"),
    ]:
        with pytest.raises(ChildError, match=match):
            wrap(AnyLength(answer)).ask(prompt, 1, seeds)


DECLARED = {
    "frame_size": [(256,), "large", (4, 256), (256.0, 256), 5000],
    "max_frames": [0, 9, 1.5, True, "8"],
    "context_keys": ["to_move", (1,), None, 7, {"a": 1}],
    "kind": ["best", 3, ["video"], None, {}],
    "video_only": [None, "no", np.zeros(3)],
    "any_length": [2],
    "weights_sha256": ["abc", 7, "A" * 64, "0" * 63 + "\n"],
    "domain": [["go"]],
    "trained_on": [np.zeros(3)],
    "parameters": [-1, "many"],
    "name": [3],
    "provenance": [{"x": object()}, "yes", np.zeros(2)],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in DECLARED.items() for value in values]
)
def test_declarations_that_cannot_be(bad: Any, key: str, value: Any) -> None:
    model = bad.Whole()
    setattr(model, key, value)
    with pytest.raises(UsageError, match=f"'me' declares {key} = .*give "):
        wrap(model, "me")


def test_defaults() -> None:
    class Bare:
        def generate(self, *rest: Any) -> Any: ...

    info = wrap(Bare()).info
    assert (info.frame_size, info.max_frames, info.context_keys) == ((256, 256), 1, ())
    assert (info.kind, info.video_only, info.parameters, info.name) == ("video", True, None, "Bare")
    assert info.to_json()["frame_size"] == [256, 256]


def test_state_models_are_not_video_only(bad: Any) -> None:
    model = bad.Whole()
    model.kind, model.trained_on = "state", "go9-tiny"
    info = wrap(model).info
    assert not info.video_only and info.provenance == {"trained_on": "go9-tiny"}


def test_an_object_without_generate(bad: Any) -> None:
    with pytest.raises(UsageError, match=r"Mute.*no generate"):
        wrap(bad.Mute())


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf"), 1e12, 604_801])
def test_a_timeout_that_cannot_be(bad: Any, seconds: float) -> None:
    with pytest.raises(UsageError, match=r"above 0 and at most 604,800"):
        wrap(bad.Whole(), timeout=seconds)
    with pytest.raises(UsageError, match=r"above 0 and at most 604,800"):
        load("copy-frame", timeout=seconds)
    assert wrap(bad.Whole(), timeout=604_800).timeout == 604_800


def test_a_forked_process_asks_with_a_thread_of_its_own(bad: Any, prompt: Array, seeds: Seeds) -> None:
    model: Loaded = wrap(bad.Whole(), timeout=10)
    model.ask(prompt, 1, seeds)
    pid = os.fork()
    if not pid:
        os._exit(0 if model.ask(prompt, 1, seeds).shape == prompt.shape else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_attributes_that_fail_when_they_are_read() -> None:
    class Failing:
        def generate(self, *rest: Any) -> Any: ...

        @property
        def frame_size(self) -> Any:
            raise RuntimeError("not yet")

    with pytest.raises(
        UsageError, match="'me' fails when it is asked for its frame_size: RuntimeError: not yet"
    ):
        wrap(Failing(), "me")


def test_context_keys_of_any_collection(bad: Any) -> None:
    model = bad.Whole()
    for keys in ({"b", "a"}, ["a", "b"]):
        model.context_keys = keys
        assert wrap(model).info.context_keys == ("a", "b")
