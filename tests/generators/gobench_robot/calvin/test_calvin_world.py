"""CALVIN in a child process: the protocol, and what becomes of a child that dies, hangs, prints or answers nonsense."""

from __future__ import annotations

import ast
import os
import time
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import ChildError, DataError, GobenchError, UsageError
from gobench_robot import checks
from gobench_robot.calvin import server, world
from gobench_robot.calvin.tasks import COLOURS, NEEDS, TASKS, conditions, start
from gobench_robot.calvin.world import CalvinWorld, fingerprint
from gobench_robot.drawing import picture
from gobench_robot.envs import open_world

RIGHT, STILL = [1.0, 0, 0, 0, 0, 0, 1.0], [0.0] * 7


def begun(task: str = "push_red_block_right", seed: int = 1) -> CalvinWorld:
    own = CalvinWorld()
    own.reset([task], seed)
    return own


def test_episodes_begin_as_calvins_do() -> None:
    assert len(TASKS) == 12 and len(list(conditions())) == 192
    for task in TASKS:
        robot, scene = start(task, 5)
        again = start(task, 5)
        assert np.array_equal(scene, again[1]) and not np.array_equal(scene, start(task, 6)[1])
        assert robot.shape == (15,) and scene.shape == (24,)
        part, value = NEEDS[task]
        if part in COLOURS:
            assert scene[6 + 6 * COLOURS.index(part) + 1] < -0.1  # on the table, not in the cabinet behind it
        else:
            assert bool(scene[{"drawer": 1, "lightbulb": 4, "led": 5}[part]]) == bool(value)
        places = {tuple(scene[6 + 6 * block : 9 + 6 * block]) for block in range(3)}
        assert len(places) == 3, "blocks lie in one another"


@pytest.mark.usefixtures("calvin")
def test_the_world_steps_shows_and_judges() -> None:
    own = begun()
    first = own.frame()
    assert first.shape == (200, 200, 3) and not own.success()
    for _ in range(5):
        own.step(RIGHT)
    assert not own.success() and own.proprio()[0] == pytest.approx(0.1)
    own.step(RIGHT)
    assert own.success() and not own.advance() and own.task == "push_red_block_right"
    assert own.frame()[0, 120].tolist() == [255, 0, 0] != first[0, 120].tolist()
    small = picture(own, 64, "static")
    assert small.shape == (64, 64, 3) and small.dtype == np.uint8 and small[:, 38].any()
    own.step(STILL)
    assert own.proprio()[-1] == -1, "a gripper of 0 closes, as CALVIN has it"
    assert isinstance(open_world("calvin"), CalvinWorld)


@pytest.mark.usefixtures("calvin")
def test_what_is_printed_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY", "chatty")
    own = begun()
    for _ in range(3):
        own.step(RIGHT)
    assert own.proprio()[0] == pytest.approx(0.06)


@pytest.mark.usefixtures("calvin")
@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("die", r'(?s)asked for "step": ended with exit code 3.*no memory for meshes'),
        ("raise", r"ValueError: the arm is broken"),
        ("hang", r"did not answer within 0.5 s"),
        ("small", r"rgb_static is \[100, 200, 3\]"),
        ("floats", r"TypeError: rgb_static is float64"),
        ("nan", r"robot_obs is"),
        ("short", r"robot_obs is"),
    ],
)
def test_a_broken_simulator_is_named_and_ended(
    mode: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY", mode)
    monkeypatch.setitem(world.DEADLINES, "step", 0.5)
    own = CalvinWorld()
    began = time.monotonic()
    with pytest.raises(ChildError, match=words):
        own.reset(["open_drawer"], 1)
        pid = own._link._child.pid  # type: ignore[union-attr]
        own.step(RIGHT)
        own.frame()
    assert time.monotonic() - began < 20
    if mode in ("die", "hang"):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(ChildError, match="ended before"):
        own.step(STILL)


@pytest.mark.usefixtures("calvin")
def test_every_episode_has_a_process_that_ends_with_it() -> None:
    own = begun()
    first = own._link._child.pid  # type: ignore[union-attr]
    own.reset(["open_drawer"], 2)
    second = own._link._child.pid  # type: ignore[union-attr]
    own.close()
    for pid in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(UsageError, match="reset first"):
        own.step(STILL)


@pytest.mark.usefixtures("calvin")
def test_what_cannot_be_says_so() -> None:
    own = begun()
    for job in (own.expert, own.pose, own.save, lambda: own.load(np.zeros(1)), lambda: own.show(np.zeros(1))):
        with pytest.raises(UsageError, match="CALVIN"):
            job()
    for tasks, appearance, words in (
        (["open_draw"], "D", "open_drawer"),
        ([], "D", "CALVIN"),
        (["open_drawer"], "A", "'A'"),
    ):
        with pytest.raises(UsageError, match=words):
            own.reset(tasks, 0, appearance)
    with pytest.raises(UsageError, match=r"shape \[7\]"):
        own.step([0.0] * 6)
    with pytest.raises(UsageError, match="static"):
        own.picture(64, "gripper")


def test_where_calvin_is_must_be_said_and_true(calvin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(world.PYTHON, str(calvin / "no-python"))
    with pytest.raises(UsageError, match="is no program"):
        CalvinWorld()
    monkeypatch.delenv(world.PYTHON)
    with pytest.raises(UsageError, match=f"set {world.PYTHON}: "):
        CalvinWorld()
    monkeypatch.setenv(world.PYTHON, "/bin/true")
    with pytest.raises(ChildError, match="exit code 0"):
        begun()
    monkeypatch.setenv(world.DATA, str(calvin / "code"))
    with pytest.raises(DataError, match=r"no validation/\.hydra/merged_config\.yaml"):
        CalvinWorld()


def test_a_python_without_calvin_is_told_from_a_broken_one(
    calvin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(ChildError, match="No module named 'calvin_env'"):
        begun()


@pytest.mark.usefixtures("calvin")
def test_the_fingerprint_follows_code_configuration_and_pictures(calvin: Path) -> None:
    first = fingerprint()
    assert {"hash", "frame", "calvin_env", "config", "tasks", "python", "pybullet"} <= first.keys()
    (calvin / "code" / "calvin_env" / "extra.py").write_text("")
    fingerprint.cache_clear()
    other = fingerprint()
    assert other["hash"] != first["hash"] and other["frame"] == first["frame"]


def test_the_doctor_sees_calvin(calvin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.checks()["calvin"]().status == "ok"
    fingerprint.cache_clear()
    monkeypatch.delenv("PYTHONPATH")
    assert checks.calvin().status == "warn" and "calvin_env" in checks.calvin().detail
    monkeypatch.delenv(world.PYTHON)
    monkeypatch.delenv(world.DATA)
    assert checks.calvin().status == "absent" and world.PYTHON in checks.calvin().detail


def test_the_program_runs_on_calvins_python() -> None:
    ast.parse(Path(server.__file__).read_text(), feature_version=(3, 8))


def test_errors_belong_to_the_tree() -> None:
    with pytest.raises(GobenchError):
        start("lift_red_block_table", 0)
