"""Drawing without a screen: which GL library, chosen before mujoco is imported, and what to install where there is none."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import cast

from gobench.errors import UsageError

BACKEND = "MUJOCO_GL"
PACKAGES = "libegl1 libgl1-mesa-dri"
LEAST = (3, 3)  # of mujoco


def mujoco() -> ModuleType:
    """The simulator, set up to draw without a screen.

    Raises UsageError where it is not installed, or its version does not load.
    """
    if sys.platform == "linux" and "mujoco" not in sys.modules:
        os.environ.setdefault(BACKEND, "egl")
    try:
        import mujoco
    except ImportError as error:
        raise UsageError(
            f"the robot domain needs mujoco, which does not import here ({error}). In a checkout: "
            "pip install -c constraints.txt -e '.[robot]'"
        ) from error
    except Exception as error:  # the GL library is bound while mujoco is imported
        raise no_gl(error) from error
    if tuple(int(part) for part in mujoco.__version__.split(".")[:2]) < LEAST:
        least = ".".join(map(str, LEAST))
        raise UsageError(
            f"the robot domain needs mujoco {least} or newer; here is {mujoco.__version__}. In a checkout: "
            "pip install -c constraints.txt -e '.[robot]'"
        )
    return cast(ModuleType, mujoco)


def no_gl(error: BaseException) -> UsageError:
    """What to do where pictures cannot be drawn."""
    return UsageError(
        f"nothing can be drawn here: {BACKEND}={os.environ.get(BACKEND, '')} gives {type(error).__name__}: "
        f"{str(error)[:200]}. On Debian or Ubuntu: apt-get install {PACKAGES}; or try {BACKEND}=osmesa (libosmesa6)."
    )
