"""What the expert would do next, as pictures: the ceiling of what a video model could show."""

from __future__ import annotations

import numpy as np

from gobench.types import Array
from gobench_robot.drawing import picture
from gobench_robot.envs.world import Floats, World


def true_future(world: World, n: int, size: int, camera: str) -> Array:
    """The next ``n`` frames under the expert, uint8 [n, size, size, 3]; the world ends where it was."""
    before = world.save()
    frames = []
    for _ in range(n):
        world.step(world.expert())
        frames.append(picture(world, size, camera))
    world.load(before)
    return np.stack(frames)


def expert_actions(world: World, n: int) -> Floats:
    """The expert's next ``n`` actions, float64 [n, A]; the world ends where it was."""
    before, actions = world.save(), []
    for _ in range(n):
        actions.append(world.expert())
        world.step(actions[-1])
    world.load(before)
    return np.stack(actions)
