"""The tasks as Gymnasium environments, registered when this module is imported, as Gymnasium wants it:

    import gymnasium, gobench_robot.gym
    env = gymnasium.make("VideoGoBench/DrawerOpen-v1")

observation  dict: "rgb" uint8 [H, W, 3], a picture of the camera; "proprio" float32 [P], what the robot feels of itself
action       float32 [A] in [-1, 1], held for 1/20 s. Meta-World: dx, dy, dz of up to 4 cm, and closing (1) or opening (-1) the
             gripper; the playtable: ``envs/playtable/world.py``, SCALES
reward       1.0 in a step that reaches the goal, which ends the episode, else 0.0
info         "success" (bool), "instruction" (str); ``reset`` tells "seed" too
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError, unknown
from gobench_robot import catalogue
from gobench_robot.catalogue import FPS, tasks

NAMESPACE, VERSION = "VideoGoBench", 1
CAMERAS = ("static", "gripper", "both")
SEEDS = 1 << 53
REACH = 10.0  # metres or radians: nothing that a robot feels of itself is further

Observation = dict[str, npt.NDArray[Any]]


def env_id(name: str) -> str:
    """ "drawer-open" -> "VideoGoBench/DrawerOpen-v1"."""
    return f"{NAMESPACE}/{''.join(word.capitalize() for word in name.split('-'))}-v{VERSION}"


def register() -> None:
    """Tell Gymnasium of every task."""
    for name, row in tasks().items():
        gymnasium.register(
            env_id(name),
            entry_point="gobench_robot.gym:RobotEnv",
            kwargs={"task": name},
            max_episode_steps=row.horizon,
            nondeterministic=False,
        )


class RobotEnv(gymnasium.Env[Any, Any]):
    """One task of the catalogue.

    Args:
        task: its name, such as "drawer-open".
        size: pixels of a frame's side, even, 32 to 512.
        camera: "static", "gripper" (from the wrist), or "both" side by side.
        appearance: "A" to "D" at the playtable, "A" elsewhere.
        render_mode: "rgb_array" or None.

    Raises:
        UsageError: an unknown name or a size out of range; a simulator or GL library that is missing.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": FPS}  # noqa: RUF012

    def __init__(
        self,
        task: str,
        size: int = 128,
        camera: str = "static",
        appearance: str = "A",
        render_mode: str | None = None,
    ) -> None:
        from gobench_robot.envs import open_world
        from gobench_robot.envs.painter import check_size

        if camera not in CAMERAS:
            raise unknown("camera", camera, CAMERAS)
        if render_mode not in (None, "rgb_array"):
            raise UsageError(f"render_mode is {render_mode!r}; allowed is 'rgb_array' or None.")
        self.task, self.row = task, catalogue.task(task)
        self.size, self.camera, self.appearance = check_size(size), camera, appearance
        self.render_mode = render_mode
        self.world = open_world(self.row.scene)
        width = size * (2 if camera == "both" else 1)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "rgb": gymnasium.spaces.Box(0, 255, (size, width, 3), np.uint8),
                "proprio": gymnasium.spaces.Box(-REACH, REACH, (len(self.world.proprio_names),), np.float32),
            }
        )
        self.action_space = gymnasium.spaces.Box(-1, 1, (len(self.world.action_names),), np.float32)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the episode of ``seed``; without one, the next of the seed that was given last."""
        super().reset(seed=seed)
        own = int(self.np_random.integers(SEEDS)) if seed is None else seed
        self.world.reset([self.task], own, self.appearance)
        return self._observation(), {**self._info(False), "seed": own}

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Hold an action for 1/20 s. Raises UsageError for one out of range, of another shape, or NaN."""
        self.world.step(action)
        done = self.world.success()
        return self._observation(), float(done), done, False, self._info(done)

    def render(self) -> npt.NDArray[np.uint8] | None:
        """The picture of the camera, uint8 [H, W, 3], in the mode "rgb_array"."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> npt.NDArray[np.uint8]:
        from gobench_robot.drawing import picture

        return picture(self.world, self.size, self.camera)

    def _observation(self) -> Observation:
        return {"rgb": self._picture(), "proprio": self.world.proprio().astype(np.float32)}

    def _info(self, success: bool) -> dict[str, Any]:
        return {"success": success, "instruction": self.row.wordings[0]}


register()
