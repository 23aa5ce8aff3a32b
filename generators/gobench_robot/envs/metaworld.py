"""The core set as a ``World``: Meta-World 3.1.1's own environments, seeded, with goals that can be seen.

Meta-World ignores ``reset(seed=)``, draws its layouts from numpy's global stream, and zeroes the goal of an environment whose
observability is changed after the first look at its spaces. Here a layout follows from the episode's seed alone, and two
resets with it give the same state to the last bit. (Yu et al., arXiv 1910.10897; one action a 1/80 s there, held four times.)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError, unknown
from gobench.seeds import seed64
from gobench_robot.envs.gl import mujoco
from gobench_robot.envs.world import Floats, checked

VERSION = "3.1.1"
HELD = 4  # control steps of 1/80 s a frame
ENDLESS = 1 << 30  # steps before the environment asks to be reset: episodes end by frames here
HIDDEN = 5  # site group that is never drawn


@dataclass(frozen=True, slots=True)
class Row:
    """A task as Meta-World calls it."""

    environment: str
    policy: str
    mark: str = ""  # the site to draw as a mark on the table, where the goal could not be seen otherwise


ROWS: Mapping[str, Row] = {
    "drawer-open": Row("drawer-open-v3", "SawyerDrawerOpenV3Policy"),
    "drawer-close": Row("drawer-close-v3", "SawyerDrawerCloseV3Policy"),
    "door-open": Row("door-open-v3", "SawyerDoorOpenV3Policy"),
    "door-close": Row("door-close-v3", "SawyerDoorCloseV3Policy"),
    "window-open": Row("window-open-v3", "SawyerWindowOpenV3Policy"),
    "window-close": Row("window-close-v3", "SawyerWindowCloseV3Policy"),
    "button-press": Row("button-press-v3", "SawyerButtonPressV3Policy"),
    "handle-press": Row("handle-press-v3", "SawyerHandlePressV3Policy"),
    "plate-slide": Row("plate-slide-v3", "SawyerPlateSlideV3Policy"),
    "push": Row("push-v3", "SawyerPushV3Policy", mark="goal"),
}
STATIC = {"lookat": (-0.02, 0.7, 0.13), "distance": 1.2, "azimuth": 130.0, "elevation": -32.0}
MARK = {"size": (0.05, 0.001, 0.0), "rgba": (0.1, 0.8, 0.2, 1.0)}  # metres: a puck within 5 cm is there


class MetaWorld:
    """One process's Meta-World, as ``gobench_robot.envs.world.World``. Each episode has one task."""

    action_names: Sequence[str] = ("dx", "dy", "dz", "close")
    proprio_names: Sequence[str] = ("x (m)", "y (m)", "z (m)", "opening (0 to 1)")

    def __init__(self) -> None:
        check_installed()
        mujoco()
        self._env: Any = None
        self._task = ""
        self._observed: Floats = np.zeros(0)
        self._success = False

    @property
    def model(self) -> Any:
        """The mujoco.MjModel of the task at hand."""
        return self._env.model

    @property
    def data(self) -> Any:
        """Its mujoco.MjData."""
        return self._env.data

    @property
    def option(self) -> Any:
        """Sites are hidden, but for the mark."""
        option = mujoco().MjvOption()
        option.sitegroup[:] = 0
        option.sitegroup[HIDDEN - 1] = 1
        return option

    @property
    def cameras(self) -> Mapping[str, Any]:
        """ "static" looks at the table from the left front, "gripper" from the wrist."""
        camera = mujoco().MjvCamera()
        camera.lookat[:] = STATIC["lookat"]
        camera.distance, camera.azimuth, camera.elevation = (
            STATIC[key] for key in ("distance", "azimuth", "elevation")
        )
        return {"static": camera, "gripper": "behindGripper"}

    @property
    def task(self) -> str:
        """The episode's task."""
        return self._task

    def reset(self, tasks: Sequence[str], seed: int, appearance: str = "A") -> None:
        """Begin an episode of one task. Raises UsageError for an unknown task, several, or an appearance but "A"."""
        if len(tasks) != 1:
            raise UsageError(f"an episode of Meta-World has one task, not {len(tasks)}: {', '.join(tasks)}.")
        if tasks[0] not in ROWS:
            raise unknown("task of Meta-World", tasks[0], ROWS)
        if appearance != "A":
            raise unknown("appearance of Meta-World", appearance, ["A"])
        self._task = tasks[0]
        self._env = environment(self._task)
        self._observed = lay_out(self._env, seed64(seed, "metaworld", self._task) >> 33)
        self._success = False
        self._mark()

    def _mark(self) -> None:
        model, row = self.model, ROWS[self._task]
        model.site_group[:] = 0
        if row.mark:
            site = model.site(row.mark)
            site.group, site.type = HIDDEN - 1, mujoco().mjtGeom.mjGEOM_CYLINDER
            site.size, site.rgba = MARK["size"], MARK["rgba"]
            site.pos = (*self._env._target_pos[:2], MARK["size"][1])
            mujoco().mj_kinematics(model, self.data)

    def advance(self) -> bool:
        """There is no next task."""
        return False

    def step(self, action: npt.ArrayLike) -> None:
        """Hold an action for four control steps."""
        values = checked(action, self.action_names).astype(np.float32)
        self._success = False
        for _ in range(HELD):
            self._observed, _, _, _, info = self._env.step(values)
            self._success |= bool(info["success"])

    def success(self) -> bool:
        """Whether the goal was reached within the last step, as Meta-World tells it."""
        return self._success

    def proprio(self) -> Floats:
        """Where the hand is in metres, and how open the gripper: float64 [4]."""
        return np.asarray(self._observed[:4], np.float64)

    def expert(self) -> Floats:
        """Meta-World's own scripted policy, clipped to the action box."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of its own constants
            action = policy(self._task).get_action(self._observed)
        return np.clip(np.asarray(action, np.float64), -1, 1)

    def pose(self) -> Floats:
        """All joints, float64 [nq]."""
        return np.array(self.data.qpos, np.float64)

    def show(self, pose: Floats) -> None:
        """Put all joints where a pose has them."""
        self.data.qpos[:] = pose
        mujoco().mj_forward(self.model, self.data)

    def save(self) -> Floats:
        """The integrator's state, what was observed last, and whether that was a success."""
        gl = mujoco()
        kind = gl.mjtState.mjSTATE_INTEGRATION
        state = np.empty(gl.mj_stateSize(self.model, kind))
        gl.mj_getState(self.model, self.data, state, kind)
        return np.concatenate([[self._success], self._observed, state])

    def load(self, saved: Floats) -> None:
        """Go back to a saved state of this episode."""
        gl = mujoco()
        kind, seen = gl.mjtState.mjSTATE_INTEGRATION, len(self._observed)
        self._success, self._observed = bool(saved[0]), saved[1 : 1 + seen].copy()
        self._env._prev_obs = self._observed[:18].copy()
        gl.mj_setState(self.model, self.data, saved[1 + seen :], kind)
        gl.mj_forward(self.model, self.data)  # changes the solver's warm start: put it back
        gl.mj_setState(self.model, self.data, saved[1 + seen :], kind)


def check_installed() -> None:
    """Raises UsageError where Meta-World is missing or another one than the suites are made with."""
    try:
        found = version("metaworld")
    except PackageNotFoundError:
        found = "not installed"
    if found != VERSION:
        raise UsageError(
            f"the core tasks need metaworld {VERSION}; it is {found} here. In a checkout: "
            "pip install -c constraints.txt -e '.[metaworld]'"
        )


def environment(task: str) -> Any:
    """A new environment of Meta-World for a task, with its goal observed."""
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    env = ALL_V3_ENVIRONMENTS[ROWS[task].environment]()
    env._set_task_called = env.seeded_rand_vec = True
    env._partially_observable = False
    env.__dict__.pop("sawyer_observation_space", None)  # made before: its bounds would clip the goal to zero
    env.max_path_length = ENDLESS
    return env


def lay_out(env: Any, seed: int) -> Floats:
    """Reset an environment to the layout of a seed; what is observed, float64 [39].

    The first reset draws a layout that the environment accepts, the second begins with it from nothing.
    """
    env._freeze_rand_vec = False
    env.seed(seed)
    env.reset_model()
    env._freeze_rand_vec = True
    return np.asarray(env.reset()[0], np.float64)


@cache
def policy(task: str) -> Any:
    """Meta-World's scripted policy for a task; it keeps no state."""
    from metaworld import policies

    return getattr(policies, ROWS[task].policy)()
