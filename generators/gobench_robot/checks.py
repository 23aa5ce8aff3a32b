"""What ``gobench doctor`` says about robots beside the simulator: whether the core tasks are those of the suites."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec

from gobench.doctor import Check, Finding
from gobench.errors import GobenchError
from gobench_robot.envs.metaworld import VERSION, check_installed


def checks() -> Mapping[str, Check]:
    """Name -> check."""
    return {"metaworld": metaworld, "calvin": calvin}


def metaworld() -> Finding:
    """Meta-World, of the one version that the suites are made with."""
    if find_spec("metaworld") is None:
        fix = "pip install -c constraints.txt -e '.[metaworld]'"
        return Finding(
            "metaworld", "absent", f"not installed: the core tasks of robots need it. In a checkout: {fix}"
        )
    try:
        check_installed()
    except GobenchError as error:
        return Finding("metaworld", "warn", str(error))
    return Finding("metaworld", "ok", f"{VERSION}, the version of the suites")


def calvin() -> Finding:
    """CALVIN, where the user has it: started, reset and drawn once."""
    from gobench_robot.calvin.world import VARIABLES, fingerprint, place

    if not any(os.environ.get(name) for name in VARIABLES):
        how = f"set {' and '.join(VARIABLES)}; docs/robot-calvin.md"
        return Finding("calvin", "absent", f"not set up: only the suite calvin-paper needs it. {how}")
    try:
        place()
        found = fingerprint()
    except GobenchError as error:
        return Finding("calvin", "warn", " ".join(str(error).split()))
    return Finding(
        "calvin",
        "ok",
        f"Python {found['python']}, PyBullet {found['pybullet']}, calvin_env {found['calvin_env']}",
    )
