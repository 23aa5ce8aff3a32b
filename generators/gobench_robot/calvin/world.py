"""The scene "calvin": CALVIN's environment in a child process, as ``gobench_robot.envs.world.World`` as far as that goes.

Every episode has a child of its own: after a reset CALVIN's physics is not quite what it is in a new process (measured: the
same start and actions end in other states), and a child that hangs or dies takes no other episode with it.
There is no expert, and no state can be saved or drawn later: what asks for that gets a UsageError.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from gobench.canonical import dumps, loads
from gobench.children import Child, FloodError, GoneError, SilentError
from gobench.errors import ChildError, DataError, UsageError, unknown
from gobench.types import Array, Record
from gobench_robot.calvin.server import CONFIG
from gobench_robot.calvin.tasks import APPEARANCE, TASKS, start
from gobench_robot.envs.world import Floats, checked
from gobench_robot.readers.calvin import ACTIONS, PROPRIO

PYTHON, DATA = "GOBENCH_CALVIN_PYTHON", "GOBENCH_CALVIN_DATA"
VARIABLES: Mapping[str, str] = {
    PYTHON: "the python of the environment in which calvin_env is installed, such as ~/miniconda3/envs/calvin_venv/bin/python",
    DATA: "a dataset of CALVIN with validation/, such as ~/calvin/dataset/task_ABCD_D",
}
PAGE = "docs/robot-calvin.md tells all of it."
DEADLINES: dict[str, float] = {
    "versions": 60.0,
    "reset": 300.0,
    "step": 60.0,
    "observe": 60.0,
    "oracle": 60.0,
}
"""Seconds that an answer may take; the first "reset" imports and builds everything."""
SIDE = 200  # pixels of rgb_static
MOST = 1 << 24  # bytes of a picture


class Place(NamedTuple):
    """Where CALVIN is."""

    python: str
    validation: Path


def place() -> Place:
    """Where CALVIN is, as the environment variables say. Raises UsageError for what is not set or cannot be run, DataError
    for a folder of another kind.
    """
    if missing := [name for name in VARIABLES if not os.environ.get(name)]:
        told = "; ".join(f"{name} is {VARIABLES[name]}" for name in missing)
        raise UsageError(f"CALVIN is not set up: set {' and '.join(missing)}: {told}. {PAGE}")
    python = shutil.which(os.path.expanduser(os.environ[PYTHON]))
    if python is None:
        raise UsageError(f"{PYTHON}: {os.environ[PYTHON]} is no program. It is {VARIABLES[PYTHON]}.")
    folder = Path(os.environ[DATA]).expanduser().absolute()
    if not (folder / "validation" / CONFIG).is_file():
        raise DataError(
            f"{DATA}: {folder} has no validation/{CONFIG}. It is {VARIABLES[DATA]}, complete with its hidden files."
        )
    return Place(python, folder / "validation")


class Link:
    """A child that runs ``server.py``: questions and answers. Whatever goes wrong ends it, as a ChildError."""

    def __init__(self, where: Place) -> None:
        server = Path(__file__).with_name("server.py")
        try:
            self._child = Child([where.python, "-u", str(server), str(where.validation)])
        except OSError as error:
            raise UsageError(f"{PYTHON}: {where.python} does not start: {error}.") from None

    def ask(self, call: str, **values: Any) -> tuple[Record, bytes]:
        """The answer, and the bytes after it. Raises ChildError."""
        until = time.monotonic() + DEADLINES[call]
        try:
            self._child.write(dumps({"call": call, **values}) + b"\n", until)
            found = loads(self._child.line(until), "an answer")
            size = found["bytes"] if isinstance(found, dict) and "bytes" in found else -1
            if type(size) is not int or not 0 <= size <= MOST:
                raise DataError(f"{found!r:.200} is no answer")
            data = bytes(self._child.read(size, until))
        except (GoneError, SilentError, FloodError, DataError) as error:
            raise self.fail(call, error) from None
        except BaseException:  # Ctrl-C in the middle of an answer: nothing after it would make sense
            self._child.kill()
            raise
        if "error" in found:
            raise self.fail(call, DataError(f"it says {found['error']!s:.600}"))
        return found, data

    def fail(self, call: str, error: Exception) -> ChildError:
        """End the child; the error that tells what it did."""
        did = {
            SilentError: f"it did not answer within {DEADLINES[call]:g} s and was ended",
            FloodError: "it wrote a line without an end",
        }.get(type(error), str(error))
        self._child.end() if isinstance(error, GoneError) else self._child.kill()
        words = self._child.last_words()
        told = f" The last it wrote:\n  {words}" if words else ""
        return ChildError(f'CALVIN failed when it was asked for "{call}": {did}.{told}')

    def close(self) -> None:
        """End the child."""
        self._child.end()


class CalvinWorld:
    """As ``gobench_robot.envs.world.World``; pictures come from the child (``picture``)."""

    action_names: Sequence[str] = ACTIONS["relative"][1]
    proprio_names: Sequence[str] = PROPRIO
    cameras: Mapping[str, Any] = {"static": "rgb_static"}
    model = data = option = None

    def __init__(self) -> None:
        self.place = place()
        self._link: Link | None = None
        self._task = ""
        self._state: Record = {}

    def reset(self, tasks: Sequence[str], seed: int, appearance: str = APPEARANCE) -> None:
        """Begin an episode of one task, in a new child."""
        if len(tasks) != 1 or tasks[0] not in TASKS:
            raise unknown("task of CALVIN", "+".join(tasks), TASKS, ordered=True)
        if appearance != APPEARANCE:
            raise UsageError(f"appearance is {appearance!r}; CALVIN's is {APPEARANCE!r} here.")
        robot, scene = start(tasks[0], seed)
        self.close()
        self._link, self._task = Link(self.place), tasks[0]
        self._ask("reset", robot_obs=robot.tolist(), scene_obs=scene.tolist())

    @property
    def task(self) -> str:
        """The task at hand."""
        return self._task

    def advance(self) -> bool:
        """There is no next task."""
        return False

    def step(self, action: npt.ArrayLike) -> None:
        """One step of CALVIN's control, 1/30 s. The gripper opens above 0, else it closes, as CALVIN has it."""
        values = checked(action, self.action_names)
        self._ask("step", action=[*values[:6].tolist(), 1.0 if values[6] > 0 else -1.0])

    def success(self) -> bool:
        """What CALVIN's oracle says, from the start of the episode until now."""
        found = self._own().ask("oracle", start=0, end=self._state["info"], task=self._task)[0]
        if not isinstance(found.get("done"), bool):
            raise self._own().fail("oracle", DataError(f"{found!r:.200} is no verdict"))
        return bool(found["done"])

    def proprio(self) -> Floats:
        """CALVIN's robot_obs, float64 [15]."""
        return np.array(self._state["proprio"], np.float64)

    def picture(self, size: int, camera: str) -> Array:
        """CALVIN's picture of now, uint8 [size, size, 3]."""
        from gobench_robot.drawing import fitted

        if camera not in self.cameras:
            raise unknown("camera of CALVIN", camera, self.cameras)
        drawn: Array = fitted(self.frame()[None], size)[0]
        return drawn

    def frame(self) -> Array:
        """rgb_static as CALVIN draws it, uint8 [200, 200, 3]."""
        data, shape = self._ask("observe"), (SIDE, SIDE, 3)
        if self._state.get("shape") != list(shape) or len(data) != math.prod(shape):
            what = f"rgb_static is {self._state.get('shape')!r:.60} in {len(data):,} bytes, not {list(shape)} of uint8"
            raise self._own().fail("observe", DataError(what))
        return np.frombuffer(data, np.uint8).reshape(shape)

    def versions(self) -> Mapping[str, str]:
        """What decides an episode: versions, and hashes of CALVIN's code, configuration and tasks."""
        found, _ = self._own().ask("versions")
        return {key: str(value) for key, value in sorted(found.items()) if key != "bytes"}

    def close(self) -> None:
        """End the child; ``reset`` starts another."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def expert(self) -> NoReturn:
        """There is none."""
        raise UsageError("CALVIN has no scripted expert.")

    def pose(self) -> NoReturn:
        """Not to be had."""
        raise UsageError("a state of CALVIN cannot be drawn later: its own process draws it.")

    def show(self, pose: Floats) -> NoReturn:
        """Not to be had."""
        self.pose()

    def save(self) -> NoReturn:
        """Not to be had."""
        raise UsageError("a state of CALVIN cannot be saved: the future follows from the whole episode.")

    def load(self, saved: Floats) -> NoReturn:
        """Not to be had."""
        self.save()

    def _own(self) -> Link:
        if self._link is None:
            raise UsageError("CALVIN's episode has ended, or was never begun: reset first.")
        return self._link

    def _ask(self, call: str, **values: Any) -> bytes:
        found, data = self._own().ask(call, **values)
        felt = found.get("proprio")
        if not _numbers(felt, len(PROPRIO)) or type(found.get("info")) is not int:
            raise self._own().fail(call, DataError(f"robot_obs is {felt!r:.200}, not {len(PROPRIO)} numbers"))
        self._state = found
        return data


def _numbers(values: Any, count: int) -> bool:
    fit = isinstance(values, list) and len(values) == count
    return fit and all(isinstance(x, int | float) and math.isfinite(x) for x in values)


@cache
def fingerprint() -> Mapping[str, str]:
    """What plays and draws CALVIN here: ``hash``, versions, and the sha256 of a probe frame. Raises as a world does."""
    world = CalvinWorld()
    try:
        world.reset(["open_drawer"], 0)
        found = {**world.versions(), "frame": hashlib.sha256(world.frame().tobytes()).hexdigest()}
    finally:
        world.close()
    return {"hash": hashlib.sha256(dumps(found)).hexdigest()[:16], **found}
