"""What ``gobench doctor`` says about robots: the simulator, its tasks, and a picture drawn without a screen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from gobench.doctor import Check, Finding
from gobench.errors import GobenchError
from gobench_robot.envs.gl import PACKAGES

EXTRAS = {"mujoco": "robot", "gymnasium": "robot", "metaworld": "metaworld"}


def checks() -> Mapping[str, Check]:
    """Name -> check."""
    return {"mujoco": mujoco_here, "gymnasium": gymnasium_here, "metaworld": metaworld_here, "gl": gl_here}


def mujoco_here() -> Finding:
    """The simulator."""
    return _package("mujoco")


def gymnasium_here() -> Finding:
    """The interface that others drive the tasks by."""
    return _package("gymnasium")


def metaworld_here() -> Finding:
    """The core tasks, of the one version that the suites are made with."""
    from gobench_robot.envs.metaworld import check_installed

    found = _package("metaworld")
    if found.status != "ok":
        return found
    try:
        check_installed()
    except GobenchError as error:
        return Finding("metaworld", "warn", str(error))
    return found


def gl_here() -> Finding:
    """A picture drawn without a screen."""
    from gobench_robot.envs.fingerprint import gl_strings

    if _package("mujoco").status != "ok":
        return Finding("gl", "absent", "needs mujoco to be tried")
    found = gl_strings()
    if found["renderer"] == "none":
        return Finding("gl", "warn", "pictures of robots cannot be drawn", f"apt-get install {PACKAGES}")
    return Finding("gl", "ok", f"{found['renderer']} ({found['gl']})")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        fix = f"pip install -c constraints.txt -e '.[{EXTRAS[name]}]'"
        return Finding(name, "absent", f"not installed: robots need it. In a checkout: {fix}")
