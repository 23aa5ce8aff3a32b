"""Drawing robots at 128x128: the core set and the playtable beside the simulator's default settings."""

from __future__ import annotations

import atexit
from typing import Any

from harness import Row, Work, row

from gobench_robot import envs
from gobench_robot.catalogue import of_scene
from gobench_robot.envs.gl import mujoco
from gobench_robot.envs.world import Floats, World
from gobench_robot.rollout import Plan, roll

SIZE, FRAMES = 128, 24
SCENES = {"metaworld": ("core set", ">= 60/s"), "playtable": ("playtable", ">= 200/s")}


def rows() -> list[Row]:
    """A row a scene: frames of an expert's episodes, one of each task."""
    return [
        row(
            f"{name}, frames {SIZE}x{SIZE}",
            "frames/s",
            ours(scene),
            "mujoco.Renderer as it comes",
            default(scene),
            target,
            repeats=3,
        )
        for scene, (name, target) in SCENES.items()
    ]


def episodes(scene: str) -> list[tuple[str, Floats]]:
    """(task, poses) of every third task of a scene."""
    world = envs.own_world(scene)
    return [
        (task, roll(world, Plan(scene, (task,), 0, "A", 0.0)).poses[:FRAMES]) for task in of_scene(scene)[::3]
    ]


def ours(scene: str) -> Work:
    """The painter, at twice the size and averaged."""
    world, painter, played = envs.open_world(scene), envs.own_painter(), episodes(scene)

    def work() -> int:
        return drawn(world, played, lambda: painter.paint(world, SIZE))

    return work


def default(scene: str) -> Work:
    """A renderer of the model as it comes: multisampling, shadows and reflections."""
    world, played = envs.open_world(scene), episodes(scene)
    renderers: dict[str, Any] = {}

    def paint() -> Any:
        if world.task not in renderers:
            renderers[world.task] = mujoco().Renderer(world.model, SIZE, SIZE)
            atexit.register(renderers[world.task].close)
        renderers[world.task].update_scene(world.data, world.cameras["static"], world.option)
        return renderers[world.task].render()

    def work() -> int:
        return drawn(world, played, paint)

    return work


def drawn(world: World, played: list[tuple[str, Floats]], paint: Any) -> int:
    """Draw all poses; how many there were."""
    for task, poses in played:
        world.reset([task], 0)
        for pose in poses:
            world.show(pose)
            paint()
    return sum(len(poses) for _, poses in played)
