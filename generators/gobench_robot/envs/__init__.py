"""Simulated scenes: worlds that step, experts that act in them, pictures of them.

One of each scene a process, as the rest of the room uses them; ``open_world`` makes more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from gobench.errors import unknown

if TYPE_CHECKING:
    from gobench_robot.envs.easel import Easel
    from gobench_robot.envs.world import World

SCENES: Mapping[str, str] = {
    "metaworld": "gobench_robot.envs.metaworld:MetaWorld",
    "playtable": "gobench_robot.envs.playtable.world:PlaytableWorld",
    "calvin": "gobench_robot.calvin.world:CalvinWorld",
}
"""Scene -> its class."""


def open_world(scene: str) -> World:
    """A new world of a scene. Raises UsageError for an unknown one, or where its package is missing."""
    if scene not in SCENES:
        raise unknown("scene", scene, SCENES)
    module, name = SCENES[scene].split(":")
    return cast("World", getattr(import_module(module), name)())


@cache
def own_world(scene: str) -> World:
    """This process's own world of a scene: whoever uses it resets it first."""
    return open_world(scene)


@cache
def own_painter() -> Easel:
    """Who draws for this process, for any of its threads."""
    from gobench_robot.envs.easel import Easel

    return Easel()
