"""What ``gobench doctor`` says about robots beside the simulator: whether the core tasks are those of the suites."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from gobench.doctor import Check, Finding
from gobench.errors import GobenchError
from gobench_robot.envs.metaworld import VERSION, check_installed


def checks() -> Mapping[str, Check]:
    """Name -> check."""
    return {"metaworld": metaworld}


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
