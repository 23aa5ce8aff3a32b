"""A stand-in for CALVIN: a package calvin_env with a toy environment, a dataset folder, and an inverse dynamics of its scene."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench_robot.calvin import suite, world
from gobench_robot.calvin.tasks import TASKS
from gobench_robot.suites import open_suite

ENVIRONMENT = '''
import os, subprocess, sys, time
import numpy as np

MODE = os.environ.get("TOY", "")

class Toy:
    """A block on a line: action[0] moves it by 2 cm."""

    def get_info(self):
        return {"x": self.x, "gripper": self.gripper}

    def seen(self):
        picture = np.zeros((200, 200, 3), np.uint8)
        picture[:, int(1000 * self.x) % 200] = (255, 0, 0)
        if MODE == "floats":
            picture = picture / 255
        if MODE == "small":
            picture = picture[:100]
        robot = np.zeros(15) if MODE != "short" else np.zeros(14)
        robot[0] = np.nan if MODE == "nan" else self.x
        robot[-1] = self.gripper
        return {"rgb_obs": {"rgb_static": picture}, "robot_obs": robot, "scene_obs": self.scene}

    def reset(self, robot_obs=None, scene_obs=None):
        assert robot_obs.shape == (15,) and scene_obs.shape == (24,)
        self.x, self.gripper, self.scene = 0.0, robot_obs[-1], scene_obs
        return self.seen()

    def step(self, action):
        assert action.shape == (7,) and action[-1] in (-1, 1)
        if MODE == "die":
            print("no memory for meshes", file=sys.stderr)
            os._exit(3)
        if MODE == "hang":
            time.sleep(60)
        if MODE == "raise":
            raise ValueError("the arm is broken")
        if MODE == "chatty":
            print("step"), os.write(1, b"{}\\n"), subprocess.run(["echo", "from a program"])
            assert not sys.stdin.read(1)
        self.x += 0.02 * action[0]
        self.gripper = action[-1]
        return self.seen(), 0, False, self.get_info()

def get_env(folder, obs_space=None, show_gui=True):
    assert (folder / ".hydra" / "merged_config.yaml").is_file() and not show_gui
    print("pybullet build time: today")
    return Toy()
'''
ORACLE = """
class Tasks:
    def __init__(self, tasks):
        self.tasks = tasks

    def get_task_info_for_set(self, start, end, asked):
        done = {name for name in self.tasks if end["x"] - start["x"] > 0.1 and name in asked}
        return done
"""
OMEGACONF = """
class OmegaConf:
    @staticmethod
    def load(path):
        names = [line.strip() for line in open(path)]
        return type("Config", (), {"tasks": dict.fromkeys(names)})
"""
Config = Callable[..., Path]


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is set up, and nothing is remembered of other tests."""
    for name in (*world.VARIABLES, suite.IDM, "TOY"):
        monkeypatch.delenv(name, raising=False)
    for cached in (open_suite, world.fingerprint):
        cached.cache_clear()
    yield
    for cached in (open_suite, world.fingerprint):
        cached.cache_clear()


@pytest.fixture
def calvin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stand-in that is set up, but for the inverse dynamics."""
    code = tmp_path / "code"
    written(code / "calvin_env" / "__init__.py", "")
    written(code / "calvin_env" / "envs" / "__init__.py", "")
    written(code / "calvin_env" / "envs" / "play_table_env.py", ENVIRONMENT)
    written(code / "calvin_env" / "envs" / "tasks.py", ORACLE)
    written(code / "omegaconf.py", OMEGACONF)
    written(code / "conf" / "tasks" / "new_playtable_tasks.yaml", "\n".join(TASKS))
    written(tmp_path / "data" / "validation" / ".hydra" / "merged_config.yaml", "env: toy\n")
    monkeypatch.setenv(world.PYTHON, sys.executable)
    monkeypatch.setenv(world.DATA, str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(code))
    return tmp_path


@pytest.fixture
def annotate() -> Callable[[Path, list[tuple[str, str]]], None]:
    """Write the language annotations of a dataset's validation."""

    def write(data: Path, said: list[tuple[str, str]]) -> None:
        tasks, texts = [task for task, _ in said], [text for _, text in said]
        notes: Any = {
            "language": {"ann": texts, "task": tasks, "emb": np.zeros(1)},
            "info": {"indx": [(0, 64)] * len(said)},
        }
        place = data / "validation" / "lang_annotations"
        os.makedirs(place)
        np.save(place / "auto_lang_ann.npy", notes, allow_pickle=True)

    return write


@pytest.fixture
def make_idm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Write an untrained inverse dynamics, and name it as the user's own."""

    def make(scene: str = "calvin") -> Path:
        import torch
        from safetensors.torch import save_file

        from gobench_robot.idm.artifact import description
        from gobench_robot.idm.config import Config
        from gobench_robot.idm.networks import Inverse

        names = tuple(world.CalvinWorld.action_names)
        config = Config(
            scene,
            "static",
            32,
            names,
            ("x (m)",),
            (0.1,),
            (0.2,),
            (0.01,),
            widths=(4, 8),
            points=4,
            hidden=16,
        )
        torch.manual_seed(0)
        path = tmp_path / "own.safetensors"
        save_file(Inverse(config).state_dict(), path, description(config, {"seed": 0}, {"actions": 0}))
        monkeypatch.setenv(suite.IDM, str(path))
        return path

    return make
