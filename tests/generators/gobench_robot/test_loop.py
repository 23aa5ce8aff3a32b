"""Closed loop: trials, evidence, scores, floors and ceilings, with an inverse dynamics that is right by construction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.compare import compare
from gobench.errors import ChildError, DataError, UsageError
from gobench.evaluate import evaluate, score
from gobench.evaluate.groups import play
from gobench.models import load
from gobench.tasks import View
from gobench_robot.envs.fingerprint import fingerprint
from gobench_robot.rollout import Plan
from gobench_robot.tasks.course import Course
from gobench_robot.tasks.loop import ClosedLoop, Sample, Terms, layout, outcome

pytestmark = pytest.mark.usefixtures("needs_metaworld", "needs_gl")
TASKS = ("handle-press", "button-press")
VIEW = View(32, 32, 1)


class Nothing:
    """Inverse dynamics that reads stillness in everything."""

    def actions(self, frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.zeros((len(frames) - 1, 4))


def loop(episodes: int = 2, linger: int = 2) -> ClosedLoop:
    samples = {}
    for name in TASKS:
        for number in range(episodes):
            plan = Plan("metaworld", (name,), layout(0, "test", (name,), number), "A", 0.0)
            samples[f"{name}-{number:02d}"] = Sample(f"{name}-{number:02d}", plan, 30)
    task = ClosedLoop(
        "robot/test", "metaworld", samples, Terms(5, 4, linger, "static", "none"), {}, {"scene": "metaworld"}
    )
    task.__dict__["idm"] = Nothing()
    return task


def rows_of(task: ClosedLoop, model: str, samples: list[str] | None = None) -> list[dict[str, Any]]:
    loaded = load(model)
    loaded.begin(task.public)
    found = play(task, samples or list(task.ids), loaded, VIEW, 0, frozenset(task.ids))
    return [one.row for one in found]


def test_the_expert_does_it_and_the_floors_do_not() -> None:
    task = loop()
    table = task.table(rows_of(task, "robot-expert"))
    assert table.columns["success"].tolist() == [1.0] * 4
    assert (table.columns["steps"] <= 30).all() and np.isnan(table.columns["frame_gap"]).all()
    assert sorted(table.slices) == ["family: switch", "task: button-press", "task: handle-press"]
    assert set(table.strata) == set(TASKS)
    for floor in ("robot-still", "robot-random", "copy-frame"):
        found = task.table(rows_of(task, floor))
        assert found.columns["success"].tolist() == [0.0] * 4, floor
        assert set(found.kinds) == {"not-done"}


def test_imagined_frames_are_compared_with_what_happened() -> None:
    task = loop(episodes=1)
    (still,) = rows_of(task, "copy-frame", ["handle-press-00"])
    (future,) = rows_of(task, "robot-future", ["handle-press-00"])
    assert still["answer"] == future["answer"] == "frames"
    assert len(still["gaps"]) == 8 and max(still["gaps"][1:]) < 0.01 < np.mean(future["gaps"])
    assert len(still["actions"]) == 30 and not any(still["reached"])


def test_an_episode_lingers_and_says_whether_it_stays_done() -> None:
    (row,) = rows_of(loop(episodes=1, linger=3), "robot-expert", ["handle-press-00"])
    came = outcome(row)
    assert came.done and len(row["actions"]) == came.steps + 3
    undone = {**row, "reached": [*row["reached"][:-1], False]}
    assert outcome(undone).kind == "undone-again" and outcome(undone).done


def test_evidence_is_carried_out_again() -> None:
    task = loop(episodes=1)
    (row,) = rows_of(task, "robot-expert", ["button-press-00"])
    assert task.reread("button-press-00", row, {}) == row
    forged = {**row, "reached": [True] * len(row["reached"])}
    assert task.reread("button-press-00", forged, {})["reached"] == row["reached"]


class Stuck:
    """A world of three tasks whose second one cannot follow the first."""

    def __init__(self, allowed: int) -> None:
        self.allowed, self.steps = allowed, 0

    def step(self, action: object) -> None:
        self.steps += 1

    def success(self) -> bool:
        return self.steps >= 2

    def advance(self) -> bool:
        self.allowed, self.steps = self.allowed - 1, 0 if self.allowed > 0 else self.steps
        return self.allowed >= 0


def test_a_chain_that_cannot_go_on_is_done_in_part() -> None:
    for allowed, kind, share in ((0, "partly", 1 / 3), (2, "done", 1.0)):
        course = Course(Stuck(allowed), 20, 3)  # type: ignore[arg-type]
        while not course.ended:
            course.step(np.zeros(1))
        came = outcome({"tasks": ["a", "b", "c"], "reached": course.reached, "begun": course.begun})
        assert (came.kind, came.share) == (kind, pytest.approx(share))
        assert len(course.reached) == 2 * min(allowed + 1, 3) + 3


def test_no_video_model_is_told_the_state(tmp_path: Path) -> None:
    (tmp_path / "peek.py").write_text(
        "class Peek:\n    context_keys = ('simulator',)\n    def generate(self, frames, n, seeds, context=None):\n"
        "        return frames[:, -1:].repeat(n, axis=1)\n"
    )
    with pytest.raises(UsageError, match="only models of the kind ceiling"):
        evaluate(f"{tmp_path / 'peek.py'}:Peek", "robot-lite:push", tmp_path / "out", limit=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed is 1"),
        ({"reached": []}, "do not fit"),
        ({"begun": [3]}, "do not fit"),
        ({"begun": [0, 4]}, "do not fit"),
        ({"answer": "words"}, "no such episode"),
        ({"actions": "none"}, "actions"),
    ],
)
def test_rows_of_others_are_refused(change: dict[str, Any], words: str) -> None:
    task = loop(episodes=1)
    (row,) = rows_of(task, "robot-still", ["button-press-00"])
    with pytest.raises(DataError, match=words):
        task.table([{**row, **change}])


def test_actions_out_of_range_or_frames_of_another_shape_are_the_models_fault() -> None:
    task = loop(episodes=1)
    trial = task.trial("button-press-00", VIEW)
    for actions in (np.full((5, 4), 1.5), np.zeros((5, 3)), np.full((5, 4), np.nan)):
        with pytest.raises(ChildError, match="4"):
            trial.act(actions)
    with pytest.raises(UsageError, match="square"):
        task.trial("button-press-00", View(32, 64, 1))
    with pytest.raises(DataError, match="no sample 'nobody'"):
        task.trial("nobody", VIEW)


def test_kept_frames_are_few_and_named_in_pairs() -> None:
    task = loop(episodes=1)
    loaded = load("robot-future")
    loaded.begin(task.public)
    (played,) = play(task, ["handle-press-00"], loaded, VIEW, 0, frozenset(task.ids))
    names = sorted(played.kept)
    assert 2 <= len(names) <= 12 and len({name[:3] for name in names}) * 2 == len(names)
    shown = task.exhibit("handle-press-00", played.row, played.kept)
    assert len(shown.pictures) == len(names) // 2 and shown.pictures[0][1].shape == (32, 64, 3)


def test_a_suite_is_evaluated_resumed_and_scored_again(tmp_path: Path) -> None:
    suite = "robot-lite:handle-press,button-press"
    out = evaluate("robot-expert", suite, tmp_path / "out", batch=4, limit=6)
    result = (out / "result.json").read_bytes()
    found = score(out, reread=True)
    task = found.task("robot/closed-loop")
    assert task.n == 6 and task.metrics["success"].value == 1.0  # type: ignore[union-attr]
    assert (out / "result.json").read_bytes() == result
    again = evaluate("robot-expert", suite, tmp_path / "other", batch=4, limit=6, workers=2)
    ours, theirs = ((p / "evidence").glob("*.jsonl") for p in (out, again))
    assert [p.read_bytes() for p in sorted(ours)] == [p.read_bytes() for p in sorted(theirs)]
    assert compare(out, again).tasks[0].metrics["success"].change.value == 0.0  # type: ignore[union-attr]
    _redrawn(again)
    with pytest.raises(UsageError, match="renderer"):
        compare(out, again)
    with pytest.raises(UsageError, match="handle-press"):
        evaluate("robot-still", "robot-lite:handle-pres", tmp_path / "no")


def _redrawn(folder: Path) -> None:
    """The same run as if another renderer had drawn its pictures."""
    (path,) = (folder / "evidence").glob("*.jsonl")
    hash_of = fingerprint("metaworld")["hash"].encode()
    path.write_bytes(path.read_bytes().replace(hash_of, b"0" * len(hash_of)))
    score(folder)
