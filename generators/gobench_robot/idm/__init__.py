"""Inverse dynamics: frames -> actions, learnt from the labelled episodes of a dataset alone.

    labelled episodes -> train -> NAME.safetensors -> load -> InverseDynamics.actions(frames)

What a video model imagines becomes movement by it. Torch is imported when weights are, not with this package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gobench_robot.idm.artifact import shipped

if TYPE_CHECKING:
    from gobench_robot.idm.model import InverseDynamics

__all__ = ["InverseDynamics", "load", "shipped"]


def load(name: str | Path) -> InverseDynamics:
    """A shipped one ("core", "playtable"), or that of a file. Raises DataError for anything else."""
    from gobench_robot.idm.model import opened

    return opened(name)
