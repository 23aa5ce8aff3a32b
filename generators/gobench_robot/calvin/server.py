"""CALVIN's environment behind a pipe. The Python in which calvin_env is installed runs this file, 3.8 or newer:

    python server.py CALVIN_DATASET/validation

A question is a line of JSON on stdin, the answer a line of JSON on stdout and the "bytes" that it announces.

===========  =================================  ========================================================================
call         asks                               answer
===========  =================================  ========================================================================
"versions"   nothing                            names and versions, hashes of the code, the configuration and the tasks
"reset"      "robot_obs" [15], "scene_obs" [24] "info" (a number of what the oracle may be asked about), "proprio" [15]
"step"       "action" [7], relative             the same
"observe"    nothing                            "shape" [200, 200, 3], "proprio"; then rgb_static, uint8
"oracle"     "start", "end" (numbers), "task"   "done" (true or false)
===========  =================================  ========================================================================

An answer {"error": "..."} says why there is none. Only the standard library is imported until "reset". Whatever the simulator
prints goes to stderr. Nothing is ever unpickled. The program ends when its stdin does.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

CONFIG = ".hydra/merged_config.yaml"
ORACLES = (
    ("calvin_agent", "conf/callbacks/rollout/tasks/new_playtable_tasks.yaml"),
    ("calvin_env", "conf/tasks/new_playtable_tasks.yaml"),
)
"""Where CALVIN keeps the definitions of its tasks: beside which package, which file; both are the same file."""
CAMERAS: dict[str, list[str]] = {"rgb_obs": ["rgb_static"], "depth_obs": []}


class Server:
    """One environment, made when it is first reset."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env: Any = None
        self.tasks: Any = None
        self.seen: dict[str, Any] = {}
        self.infos: list[Any] = []

    def answer(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """One call."""
        call = question.get("call")
        if call not in ("versions", "reset", "step", "observe", "oracle"):
            raise ValueError(f"unknown call {call!r}")
        found = getattr(self, call)(**{key: value for key, value in question.items() if key != "call"})
        return found if isinstance(found, tuple) else (found, b"")

    def versions(self) -> dict[str, Any]:
        """What decides an episode."""
        code = hashlib.sha256()
        folder = package("calvin_env")
        for path in sorted(folder.rglob("*.py")):
            code.update(f"{path.relative_to(folder).as_posix()} {digest(path)}\n".encode())
        return {
            "python": platform.python_version(),
            "calvin_env": code.hexdigest()[:16],
            "pybullet": version("pybullet"),
            "numpy": version("numpy"),
            "config": digest(self.folder / CONFIG),
            "tasks": digest(oracle_file()),
        }

    def reset(self, robot_obs: list[float], scene_obs: list[float]) -> dict[str, Any]:
        """Begin an episode."""
        import numpy as np

        if self.env is None:
            self.env, self.tasks = make_env(self.folder), make_oracle()
        self.seen = self.env.reset(robot_obs=np.array(robot_obs), scene_obs=np.array(scene_obs))
        self.infos = [self.env.get_info()]
        return self.state()

    def step(self, action: list[float]) -> dict[str, Any]:
        """Hold an action for one step of control."""
        import numpy as np

        self.seen, _, _, info = self.env.step(np.array(action))
        self.infos.append(info)
        return self.state()

    def observe(self) -> tuple[dict[str, Any], bytes]:
        """The picture of the static camera."""
        import numpy as np

        frame = np.ascontiguousarray(self.seen["rgb_obs"]["rgb_static"])
        if frame.dtype != np.uint8:
            raise TypeError(f"rgb_static is {frame.dtype}, not uint8")
        return {**self.state(), "shape": list(frame.shape)}, frame.tobytes()

    def oracle(self, start: int, end: int, task: str) -> dict[str, Any]:
        """Whether CALVIN's oracle sees a task done between two moments."""
        if task not in self.tasks.tasks:
            raise ValueError(f"CALVIN has no task {task!r}")
        done = self.tasks.get_task_info_for_set(self.infos[start], self.infos[end], {task})
        return {"done": task in done}

    def state(self) -> dict[str, Any]:
        """The moment, and what the robot feels of itself."""
        return {"info": len(self.infos) - 1, "proprio": [float(x) for x in self.seen["robot_obs"]]}


def make_env(folder: Path) -> Any:
    """CALVIN's environment as the dataset was recorded in."""
    from calvin_env.envs.play_table_env import get_env  # type: ignore[import-not-found,unused-ignore]

    return get_env(folder, obs_space=CAMERAS, show_gui=False)


def make_oracle() -> Any:
    """CALVIN's oracle with CALVIN's tasks."""
    from calvin_env.envs.tasks import Tasks  # type: ignore[import-not-found,unused-ignore]
    from omegaconf import OmegaConf  # type: ignore[import-not-found,unused-ignore]

    return Tasks(OmegaConf.load(oracle_file()).tasks)


def package(name: str) -> Path:
    """Where a package lies, without importing it. Raises ImportError."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"{name} is not installed in {sys.executable}")
    return Path(next(iter(spec.submodule_search_locations)))


def oracle_file() -> Path:
    """The definitions of the tasks. Raises FileNotFoundError."""
    for name, place in ORACLES:
        try:
            path = package(name).parent / place
        except ImportError:
            continue
        if path.is_file():
            return path
    raise FileNotFoundError(
        "new_playtable_tasks.yaml is neither in calvin_models nor in calvin_env: install from a checkout"
    )


def digest(path: Path) -> str:
    """Of a file, 16 hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def version(name: str) -> str:
    """Of an installed distribution."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as found

    try:
        return found(name)
    except PackageNotFoundError:
        return "none"


def apart() -> tuple[BinaryIO, BinaryIO]:
    """The pipe for ourselves; for everybody else, also code in C, an empty stdin, and stderr as stdout."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return questions, answers


def main() -> None:
    """Answer until stdin ends."""
    here = os.path.dirname(os.path.abspath(__file__))  # its files are no modules of CALVIN's
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != here]
    questions, answers = apart()
    server = Server(Path(sys.argv[1]))
    for line in questions:
        try:
            said, data = server.answer(json.loads(line))
        except Exception as error:  # whatever the simulator raises
            traceback.print_exc()
            said, data = {"error": f"{type(error).__name__}: {str(error)[:500]}"}, b""
        answers.write(json.dumps({**said, "bytes": len(data)}).encode() + b"\n" + data)
        answers.flush()


if __name__ == "__main__":
    main()
