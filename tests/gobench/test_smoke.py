"""What a trial of a model finds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from gobench import evaluate
from gobench.errors import UsageError
from gobench.evaluate import protocol
from gobench.smoke import Report, smoke
from gobench.smoke.checks import CHECKS
from gobench.tasks import Ask, Suite, View
from gobench.types import Array


class Trial:
    """One ask: continue a few grey pictures."""

    def __init__(self, number: int, view: View) -> None:
        frames = min(view.frames, 1 + number % 3)
        pictures = np.random.default_rng(number).integers(
            0, 256, (frames, view.height, view.width, 3), np.uint8
        )
        self.first: Ask | None = Ask(pictures, 1, {"to_move": "black"})

    def ask(self) -> Ask | None:
        return self.first


@dataclass
class Task:
    name: str = "toy/next"
    chained: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    ids: tuple[str, ...] = tuple(f"s{k}" for k in range(40))

    @property
    def public(self) -> Mapping[str, Any]:
        return {"task": self.name}

    def trial(self, sample: str, view: View) -> Trial:
        return Trial(int(sample[1:]), view)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite "toy" instead of those that are installed."""
    tasks: Any = [Task(), Task("toy/rollout", True, {"plies": 5})]

    def open_suite(name: str, how: str = "standard") -> Suite:
        if name != "toy":
            raise UsageError(f"unknown suite {name!r}.")
        return Suite("toy", "", tasks)

    monkeypatch.setattr(evaluate, "open_suite", open_suite)
    monkeypatch.setattr(protocol, "default_suite", lambda domain: domain or "toy")


class Good:
    """Keeps the contract: noise from each sample's seed."""

    frame_size = (16, 16)
    max_frames = 3
    context_keys: tuple[str, ...] = ("to_move",)
    noise = True

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Any:
        answer = np.repeat(frames[:, -1:], n, axis=1)
        for one, seed in zip(answer, seeds, strict=True):
            one += np.random.default_rng(int(seed)).integers(0, 9, one.shape, np.uint8)
        return self.change(answer, frames, seeds)

    def change(self, answer: Array, frames: Array, seeds: Any) -> Any:
        return answer


def changed(change: Callable[..., Any], **attributes: Any) -> Good:
    model = Good()
    model.change = change  # type: ignore[method-assign]
    for key, value in attributes.items():
        setattr(model, key, value)
    return model


def levels(report: Report) -> dict[str, str]:
    """Check -> its worst level."""
    order = ["ok", "note", "wrong"]
    found: dict[str, str] = {}
    for finding in report.findings:
        found[finding.check] = max(found.get(finding.check, "ok"), finding.level, key=order.index)
    return found


def finding(report: Report, check: str, level: str) -> str:
    return next(f"{f.text} {f.fix}" for f in report.findings if (f.check, f.level) == (check, level))


def test_a_good_model_is_well() -> None:
    seen: list[str] = []
    report = smoke(Good(), progress=seen.append)
    assert report.well and seen == list(CHECKS) and report.suite == "toy"
    assert levels(report) == dict.fromkeys(set(CHECKS) - {"prompts"}, "ok")
    assert "12 answers" in finding(report, "answers", "ok")
    assert "up to 240 frames" in finding(report, "speed", "ok"), "40 samples, and 40 rollouts of 5 plies"
    assert report.seconds_a_frame and report.seconds_a_frame < 1


def test_a_report_is_plain_data() -> None:
    told = json.loads(json.dumps(smoke(Good()).to_json()))
    assert told["well"] is True and told["model"]["name"] == "Good"
    assert {"level", "check", "text", "fix"} == set(told["findings"][0])


def test_a_wrong_first_answer_ends_the_trial() -> None:
    report = smoke(changed(lambda answer, *rest: answer / 256))
    assert not report.well and len(report.findings) == 1
    text = finding(report, "answers", "wrong")
    assert "Good" in text and "multiply by 255" in text and "uint8 [B, n, H, W, 3]" in text


def test_a_model_that_hangs() -> None:
    import time

    report = smoke(changed(lambda *rest: time.sleep(20)), timeout=0.2)
    assert "did not answer within 0.2 s" in finding(report, "answers", "wrong")


def test_a_model_that_hangs_later_is_asked_no_more() -> None:
    import time

    def slow(answer: Array, frames: Array, seeds: Any) -> Array:
        if len(answer) == 1 and answer.shape[1] == 1 and len(frames) == 1 and frames.shape[1] > 1:
            time.sleep(20)
        return answer

    report = smoke(changed(slow, max_frames=2), timeout=1)
    wrong = [f for f in report.findings if f.level == "wrong"]
    assert len(wrong) == 1 and "within 1 s" in wrong[0].text


def _forgetful() -> Callable[..., Array]:
    chance = np.random.default_rng(0)
    return lambda answer, *rest: answer + chance.integers(0, 50, answer.shape, np.uint8)


def test_answers_that_do_not_repeat() -> None:
    report = smoke(changed(_forgetful()))
    assert levels(report)["repeat"] == "wrong" and "seeds given" in finding(report, "repeat", "wrong")


def _shared(answer: Array, frames: Array, seeds: Any) -> Array:
    noise = np.random.default_rng(int(seeds[0])).integers(0, 50, answer.shape, np.uint8)
    return answer + noise


def test_answers_that_depend_on_neighbours() -> None:
    report = smoke(changed(_shared))
    assert levels(report)["repeat"] == "ok"
    assert levels(report)["neighbours"] == "wrong"
    assert "one generator a sample" in finding(report, "neighbours", "wrong")


def test_rounding_that_depends_on_the_place_is_a_note() -> None:
    def place(answer: Array, *rest: Any) -> Array:
        answer[0, :, 0, 0, 0] ^= 1
        return answer

    report = smoke(changed(place))
    assert report.well and levels(report)["neighbours"] == "note"
    assert levels(report)["batch"] == "note"


def test_answers_that_depend_on_the_batch() -> None:
    report = smoke(changed(lambda answer, *rest: answer + np.uint8(len(answer) > 1)))
    assert report.well and levels(report)["batch"] == "note"
    assert "alone" in finding(report, "batch", "note")


def test_a_fixed_number_of_frames() -> None:
    report = smoke(changed(lambda answer, *rest: answer[:, :1]))
    assert levels(report)["longer"] == "wrong" and "feed its own frames back" in finding(
        report, "longer", "wrong"
    )
    assert levels(report)["context"] == "ok", "the trial goes on"


def test_a_fixed_length_of_prompts() -> None:
    class Fixed(Good):
        max_frames = 5

        def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Any:
            if frames.shape[1] > 3:
                raise ValueError("4 frames?")
            return super().generate(frames, n, seeds, context)

    report = smoke(Fixed())
    assert "ValueError: 4 frames?" in finding(report, "early", "wrong")


STRIPES = np.arange(16, dtype=np.uint8)[:, None, None]  # [H, 1, 1]
BLANK = {
    "black": (lambda a, *r: a * 0, "every frame is black", True),
    "unscaled": (lambda a, *r: (a > 99).astype(np.uint8), "Multiply by 255", False),
    "grey": (lambda a, *r: a * 0 + 9, "one colour", True),
    "unchanged": (lambda a, f, s: np.repeat(f[:, -1:], a.shape[1], 1), "no move is made", True),
    "always": (lambda a, *r: np.broadcast_to(STRIPES, a.shape), "same to every", True),
}


@pytest.mark.parametrize("kind", BLANK)
def test_odd_pictures(kind: str) -> None:
    change, match, well = BLANK[kind]
    report = smoke(changed(change))
    texts = " ".join(f"{f.text} {f.fix}" for f in report.findings if f.check == "values")
    assert match in texts and report.well is well


def test_a_deterministic_model_is_told_of_its_second_tries() -> None:
    report = smoke(
        changed(lambda answer, frames, seeds: frames[:, -1:].repeat(answer.shape[1], 1) + np.uint8(1))
    )
    assert report.well and "second tries" in finding(report, "seeds", "note")


def test_context_that_nobody_gives() -> None:
    report = smoke(changed(lambda answer, *rest: answer, context_keys=("to_mve",)))
    text = finding(report, "context", "wrong")
    assert "to_mve" in text and "Did you mean to_move?" in text and not report.well


def test_common_context_of_other_suites_is_worth_a_note() -> None:
    report = smoke(changed(lambda answer, *rest: answer, context_keys=("instruction",)))
    assert "instruction" in finding(report, "context", "note") and report.well


def test_prompts_that_are_written_into() -> None:
    def write(answer: Array, frames: Array, seeds: Any) -> Array:
        frames[:] = 0
        return answer

    assert "wrote into its prompt" in finding(smoke(changed(write)), "prompts", "note")


def test_without_a_suite_pictures_are_made_up() -> None:
    report = smoke(changed(lambda answer, *rest: answer, domain="none"))
    assert report.well and report.suite == "made-up pictures"
    assert "unknown suite 'none'" in finding(report, "suite", "note")
    with pytest.raises(UsageError, match="unknown suite 'other'"):
        smoke(Good(), "other")


def test_ready_made_answers_are_only_looked_at() -> None:
    def answers(answer: Array, *rest: Any) -> list[Array]:
        return [answer[0], *(one[:0] for one in answer[1:])]

    report = smoke(changed(answers, ready_made=True, any_length=True))
    assert report.well and set(levels(report)) == {"answers", "values", "context"}
    assert "3 of 6 answers are missing" in finding(report, "answers", "note")


def test_one_sample_is_too_few() -> None:
    with pytest.raises(UsageError, match="at least 2"):
        smoke(Good(), samples=1)
