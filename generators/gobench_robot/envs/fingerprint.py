"""What draws the pictures: GL strings, versions, and a hash of frames that were drawn just now.

Frames of one version of mujoco are the same in every process of a machine; another GL library may shade a pixel otherwise. Two
runs whose fingerprints differ were not shown the same pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from gobench.errors import GobenchError
from gobench_robot import envs

STRINGS = {"vendor": "GL_VENDOR", "renderer": "GL_RENDERER", "gl": "GL_VERSION"}
PROBE = '<mujoco><worldbody><light pos="0 0 3"/><geom type="sphere" size="1" rgba=".8 .3 .1 1"/></worldbody></mujoco>'
PROBES: Mapping[str, tuple[str, int]] = {"metaworld": ("drawer-open", 0), "playtable": ("open-drawer", 0)}
SIZE = 64


@cache
def gl_strings() -> Mapping[str, str]:
    """Vendor, renderer and version of the GL library; "none" where nothing can be drawn."""
    try:
        from gobench_robot.envs.gl import mujoco
        from gobench_robot.envs.painter import open_renderer

        model = mujoco().MjModel.from_xml_string(PROBE)
        renderer = open_renderer(model, SIZE)
    except GobenchError:
        return dict.fromkeys(STRINGS, "none")
    try:
        from OpenGL import GL

        return {name: (GL.glGetString(getattr(GL, key)) or b"?").decode() for name, key in STRINGS.items()}
    finally:
        renderer.close()


@cache
def fingerprint(scene: str) -> Mapping[str, str]:
    """What draws a scene here: ``hash`` of a probe frame, the GL strings and versions. Raises UsageError as worlds do."""
    if scene == "calvin":
        from gobench_robot.calvin.world import fingerprint as of_calvin

        return of_calvin()
    task, seed = PROBES[scene]
    world = envs.own_world(scene)
    world.reset([task], seed)
    frame = envs.own_painter().paint(world, SIZE)
    found = {
        "frame": hashlib.sha256(frame.tobytes()).hexdigest(),
        **gl_strings(),
        "mujoco": installed("mujoco"),
    }
    if scene == "metaworld":
        found["metaworld"] = installed("metaworld")
    text = "\n".join(f"{key}={value}" for key, value in sorted(found.items()))
    return {"hash": hashlib.sha256(text.encode()).hexdigest()[:16], **found}


def installed(package: str) -> str:
    """The version of a package here, "none" without it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
