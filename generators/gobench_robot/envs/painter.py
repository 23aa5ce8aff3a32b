"""Pictures of a world: no shadows, no reflections, drawn at twice the size and averaged.

Default settings of the renderer take ten times as long for shadows that say nothing about the task. Frames are the same in
every process, and with EGL and OSMesa; they differ between versions of mujoco, and may between GL libraries: ``fingerprint``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from gobench.errors import UsageError
from gobench.types import Array
from gobench_robot.envs.gl import mujoco, no_gl
from gobench_robot.envs.world import World

SIZES = (32, 512)
FINER = 2  # drawn so many times finer in each direction
KEPT = 12  # renderers at once: each holds the meshes and textures of a model
CAMERAS = ("static", "gripper")
PLAIN = ("mjRND_SHADOW", "mjRND_REFLECTION")


def check_size(size: int) -> int:
    """``size`` in pixels; raises UsageError where it is out of range."""
    if isinstance(size, bool) or not isinstance(size, int) or size % 2 or not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(
            f"size is {size!r}; allowed is an even number of pixels from {SIZES[0]} to {SIZES[1]}."
        )
    return size


class Painter:
    """Renderers of this process, the ones used last kept. Not for several threads."""

    def __init__(self) -> None:
        self._renderers: OrderedDict[tuple[str, int], Any] = OrderedDict()

    def paint(self, world: World, size: int, camera: str = "static") -> Array:
        """The world as it stands, uint8 [size, size, 3]."""
        gl = mujoco()
        renderer = self._renderer(world, size * FINER)
        own = world.cameras[camera]
        if isinstance(own, str):
            own = gl.MjvCamera()
            own.type = gl.mjtCamera.mjCAMERA_FIXED
            own.fixedcamid = world.model.camera(world.cameras[camera]).id
        gl.mjv_updateScene(
            world.model, world.data, world.option, None, own, gl.mjtCatBit.mjCAT_ALL, renderer.scene
        )
        return halved(renderer.render())

    def _renderer(self, world: World, size: int) -> Any:
        key = (look(world), size)
        if key not in self._renderers:
            self._renderers[key] = open_renderer(world.model, size)
            while len(self._renderers) > KEPT:
                self._renderers.popitem(last=False)[1].close()
        self._renderers.move_to_end(key)
        return self._renderers[key]

    def close(self) -> None:
        """Let go of all renderers."""
        while self._renderers:
            self._renderers.popitem()[1].close()


def look(world: World) -> str:
    """What the meshes and textures of a world follow from: worlds of one look share a renderer."""
    return getattr(world, "look", "") or f"{type(world).__name__}/{world.task}"


def open_renderer(model: Any, size: int) -> Any:
    """A mujoco.Renderer without the costly effects. Raises UsageError where nothing can be drawn."""
    gl = mujoco()
    model.vis.quality.offsamples = 0
    model.vis.quality.shadowsize = 0
    model.vis.global_.offwidth = max(size, model.vis.global_.offwidth)
    model.vis.global_.offheight = max(size, model.vis.global_.offheight)
    try:
        renderer = gl.Renderer(model, size, size)
    except Exception as error:  # GL libraries raise anything
        raise no_gl(error) from error
    for flag in PLAIN:
        renderer.scene.flags[getattr(gl.mjtRndFlag, flag)] = 0
    return renderer


def halved(frame: Array) -> Array:
    """The mean of each 2x2 pixels: uint8 [H, W, 3] -> uint8 [H/2, W/2, 3]."""
    parts = frame.astype(np.uint16)
    rows = parts[0::2] + parts[1::2]
    return ((rows[:, 0::2] + rows[:, 1::2] + 2) >> 2).astype(np.uint8)
