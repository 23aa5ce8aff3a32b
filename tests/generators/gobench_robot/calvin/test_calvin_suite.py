"""The suite calvin-paper: frozen, played in a stand-in, read again, and honest where CALVIN is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError, UsageError
from gobench.evaluate import evaluate
from gobench.evaluate.groups import play
from gobench.models import load
from gobench.tasks import View
from gobench_robot.calvin import suite, world
from gobench_robot.calvin.suite import CalvinLoop
from gobench_robot.calvin.tasks import TASKS
from gobench_robot.suites import open_suite

VIEW = View(32, 32, 1)
ASKED = {
    "asked": "0f3b40cda6c413fee3183a117c0c69d523ff7a71f1765b8add48c25e35c60257",
    "starts": "bfc27fe7dc680af89bb0feaa832ad09523878e67c8de9c37430cfc2ffcb3b9da",
}
"""What the suite asks, and how it begins: neither ever changes within a version of the task."""


class Pusher:
    """Moves to the right."""

    frame_size = (32, 32)
    max_frames = 1
    domain = "robot"

    def generate(self, frames: Any, n: int, seeds: Any, context: Any = None) -> Any:
        return np.repeat(frames[:, -1:], n, axis=1)

    def generate_actions(self, frames: Any, n: int, seeds: Any, context: Any = None) -> Any:
        return np.repeat([[[1.0, 0, 0, 0, 0, 0, 1.0]]], n, axis=1).repeat(len(frames), axis=0)


def opened(name: str = "calvin-paper") -> CalvinLoop:
    (task,) = open_suite(name).tasks
    assert isinstance(task, CalvinLoop)
    return task


def rows_of(task: CalvinLoop, model: str, samples: list[str]) -> list[dict[str, Any]]:
    loaded = load(model)
    loaded.begin(task.public)
    return [one.row for one in play(task, samples, loaded, VIEW, 0, frozenset(task.ids))]


def test_the_suite_is_frozen_and_needs_nothing_to_be_opened() -> None:
    task = opened()
    families = Counter(one.plan.tasks[0].partition("_")[0] for one in task.samples.values())
    assert len(task.ids) == 500 and families == {"push": 252, "open": 42, "close": 42, "turn": 164}
    assert {one.horizon for one in task.samples.values()} == {360}
    assert {key: task.settings[key] for key in ASKED} == ASKED
    assert task.settings["idm"] == {"name": "", "sha256": ""}
    assert "1/30 s" in task.metrics["steps"].about
    part = opened("calvin-paper:open_drawer,turn_on_led")
    assert len(part.ids) == 83 and set(part.ids) < set(task.ids)
    with pytest.raises(UsageError, match="open_drawer"):
        open_suite("calvin-paper:open_drawr")


def test_without_calvin_it_says_what_is_missing(tmp_path: Path) -> None:
    task = opened()
    why = task.unavailable()
    assert all(name in why for name in world.VARIABLES) and "docs/robot-calvin.md" in why and "\n" not in why
    with pytest.raises(UsageError, match="CALVIN is not set up"):
        task.trial(task.ids[0], VIEW)
    out = evaluate("robot-still", "calvin-paper", tmp_path / "out", limit=1)
    result = json.loads((out / "result.json").read_text())
    assert "CALVIN is not set up" in json.dumps(result) and result["tasks"][0]["n"] in (0, None)


@pytest.mark.usefixtures("calvin")
def test_an_inverse_dynamics_of_calvin_is_needed(
    make_idm: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert suite.IDM in opened().unavailable()
    open_suite.cache_clear()
    make_idm("metaworld")
    assert "'metaworld'" in opened().unavailable()
    open_suite.cache_clear()
    path = make_idm()
    task = opened()
    assert task.unavailable() == ""
    assert task.settings["idm"]["name"] == "own" and len(task.settings["idm"]["sha256"]) == 64
    assert str(path.parent) not in json.dumps([task.settings, task.public]), "a place on this machine"
    assert task.idm.actions(np.zeros((3, 64, 64, 3), np.uint8)).shape == (2, 7)


@pytest.mark.usefixtures("calvin")
def test_episodes_are_played_judged_and_read_again(make_idm: Callable[..., Path]) -> None:
    make_idm()
    task = opened()
    samples = ["push_blue_block_left-00", "open_drawer-03"]
    (pushed, opened_) = rows_of(task, f"{__file__}:Pusher", samples)
    assert pushed["answer"] == "actions" and pushed["reached"] == [False] * 5 + [True], (
        "it ends when it is done first"
    )
    table = task.table([pushed, opened_])
    assert table.columns["success"].tolist() == [1.0, 1.0] and table.columns["steps"].tolist() == [6.0, 6.0]
    assert sorted(name for name, mask in table.slices.items() if mask.any()) == [
        "family: open-close", "family: push", "task: open_drawer", "task: push_blue_block_left",
    ]  # fmt: skip
    assert task.reread(samples[0], pushed, {}) == pushed
    assert task.reread(samples[0], {**pushed, "reached": [True] * 6}, {})["reached"] == pushed["reached"]
    assert task.exhibit(samples[0], pushed, {}).facts["steps"] == "6 (0.2 s)"
    with pytest.raises(DataError, match="seed"):
        task.table([{**pushed, "seed": 1}])


@pytest.mark.usefixtures("calvin")
def test_frames_become_movement_and_nothing_ends_at_the_horizon(
    make_idm: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_idm()
    task = opened()
    sample = task.ids[0]
    short = task.samples[sample]._replace(horizon=9)
    monkeypatch.setattr(task, "samples", {**task.samples, sample: short})
    for model, answer in (("copy-frame", "frames"), ("robot-random", "actions"), ("robot-still", "actions")):
        (row,) = rows_of(task, model, [sample])
        assert row["answer"] == answer and len(row["actions"]) == 9 and len(row["renderer"]) == 16
    with pytest.raises(UsageError, match="simulator's state"):
        rows_of(task, "robot-expert", [sample])
    with pytest.raises(UsageError, match="no expert"):
        task.truth(sample, VIEW)
    with pytest.raises(UsageError, match="square"):
        task.trial(sample, View(32, 64, 1))


def test_instructions_are_those_of_the_dataset(calvin: Path, annotate: Callable[..., None]) -> None:
    own = suite.words()
    annotate(
        calvin / "data",
        [("open_drawer", "pull the handle"), ("open_drawer", "open it"), ("lift_red_block_table", "lift")],
    )
    told = suite.words()
    assert told == {**own, "open_drawer": "open it"}
    task = opened()
    assert task.wording("open_drawer-00") == {"instruction": "open it"}
    asked = task.trial("open_drawer-00", VIEW).ask()
    assert (
        asked is not None and asked.context["instruction"] == "open it" and "simulator" not in asked.context
    )
    (calvin / "data" / "validation" / "lang_annotations" / "auto_lang_ann.npy").write_bytes(b"nothing")
    open_suite.cache_clear()
    with pytest.raises(DataError, match="auto_lang_ann"):
        opened()


def test_the_page_holds_every_task_and_variable() -> None:
    page = (Path(__file__).parents[4] / "docs" / "robot-calvin.md").read_text()
    assert all(f"`{name}`" in page for name in TASKS)
    assert all(f"export {name}=" in page for name in (*world.VARIABLES, suite.IDM))
