"""Simulated scenes: worlds that step, experts that act in them, pictures of them.

One of each scene a process, as the rest of the room uses them; ``open_world`` makes more.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from gobench.errors import unknown

if TYPE_CHECKING:
    from gobench_robot.envs.painter import Painter
    from gobench_robot.envs.world import World

SCENES: Mapping[str, str] = {
    "metaworld": "gobench_robot.envs.metaworld:MetaWorld",
    "playtable": "gobench_robot.envs.playtable.world:PlaytableWorld",
}
"""Scene -> its class."""
_local = threading.local()


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


def own_painter() -> Painter:
    """This thread's renderers, let go before the GL library is: a context is of use to one thread at a time."""
    from gobench_robot.envs.painter import Painter

    if not hasattr(_local, "painter"):
        _local.painter = Painter()
        atexit.register(_local.painter.close)
    found: Painter = _local.painter
    return found
