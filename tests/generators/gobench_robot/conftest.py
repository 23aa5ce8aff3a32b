"""What the tests of robots need: a simulator that can draw here, or a reason why they are skipped."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def _missing(package: str) -> str:
    return (
        ""
        if find_spec(package)
        else f"needs {package}: pip install -c constraints.txt -e '.[robot,metaworld]'"
    )


@pytest.fixture(scope="session")
def needs_mujoco() -> None:
    """Skips where the simulator is not installed."""
    if why := _missing("mujoco"):
        pytest.skip(why)


@pytest.fixture(scope="session")
def needs_gl(needs_mujoco: None) -> None:
    """Skips where nothing can be drawn without a screen."""
    from gobench_robot.envs.fingerprint import gl_strings
    from gobench_robot.envs.gl import PACKAGES

    if gl_strings()["renderer"] == "none":
        pytest.skip(f"pictures cannot be drawn here: apt-get install {PACKAGES}")


@pytest.fixture(scope="session")
def needs_metaworld(needs_mujoco: None) -> None:
    """Skips where Meta-World is not installed."""
    if why := _missing("metaworld"):
        pytest.skip(why)
