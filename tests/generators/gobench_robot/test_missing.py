"""What is said where the simulator, its version or a GL library is not what is needed: no traceback, and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gobench.errors import UsageError
from gobench_robot.envs import gl, metaworld


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gobench", *words]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.usefixtures("needs_metaworld")
def test_without_a_gl_library_the_packages_are_named(tmp_path: Path) -> None:
    for words in (
        ("build-dataset", "robot-tiny", "--episodes", "10", "--out", "out"),
        ("evaluate", "robot-still", "--suite", "robot-lite:push", "--limit", "1", "--out", "run"),
    ):
        done = run(tmp_path, *words, MUJOCO_GL="bogus")
        said = done.stdout + done.stderr
        assert "libegl1" in said and "bogus" in said and "Traceback" not in said, said
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.usefixtures("needs_mujoco")
def test_an_old_simulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl.mujoco(), "__version__", "2.3.7")
    with pytest.raises(UsageError, match=r"3\.3 or newer; here is 2\.3\.7"):
        gl.mujoco()


def test_another_metaworld_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metaworld, "version", lambda name: "2.0.0")
    with pytest.raises(UsageError, match=r"3\.1\.1; it is 2\.0\.0"):
        metaworld.check_installed()


def test_without_the_simulator_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "mujoco.py").write_text("raise ImportError('not here')\n")
    code = "from gobench_robot.envs import open_world; open_world('playtable').reset(['open-drawer'], 0)"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "UsageError" in done.stderr and ".[robot]" in done.stderr


def test_recipes_and_suites_are_listed_without_a_simulator(tmp_path: Path) -> None:
    (tmp_path / "mujoco.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    for words, name in ((("recipes",), "robot-tiny"), (("suites",), "playtable")):
        done = run(tmp_path, *words, PYTHONPATH=path)
        assert done.returncode == 0 and name in done.stdout and not done.stderr, done.stderr
