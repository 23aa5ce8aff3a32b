"""Inverse dynamics, ready to be asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gobench.errors import DataError
from gobench.loader.resize import resized
from gobench.types import Array
from gobench_robot.envs.world import Floats
from gobench_robot.idm.artifact import find
from gobench_robot.idm.config import Config
from gobench_robot.idm.networks import Inverse, to_input
from gobench_robot.idm.training import one_thread


class InverseDynamics:
    """Frames -> the actions between them. Its answer follows from the frames alone."""

    def __init__(self, name: str, sha256: str, config: Config, network: Inverse) -> None:
        self.name, self.sha256 = name, sha256
        self.config = config
        self.scene, self.action_names, self.size = config.scene, config.action_names, config.size
        self.network = network

    def actions(self, frames: Array) -> Floats:
        """uint8 [n + 1, H, W, 3], square, n >= 1 -> float64 [n, A] in [-1, 1]. Raises DataError for other frames."""
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or len(frames) < 2:
            raise DataError(
                f"actions are read off frames uint8 [n + 1, H, W, 3], n >= 1, not {frames.dtype} {list(frames.shape)}."
            )
        if frames.shape[1] != frames.shape[2]:
            raise DataError(
                f"actions are read off square frames, not {frames.shape[1]} x {frames.shape[2]} pixels."
            )
        seen = torch.from_numpy(resized(np.array(frames), self.size, self.size))
        with one_thread(), torch.inference_mode():
            told, _ = self.network(to_input(seen)[None])
        found: Floats = told[0].double().clamp(-1, 1).numpy()
        return found


def opened(name: str | Path) -> InverseDynamics:
    """A shipped one by its name, or that of a file. Raises DataError for anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    found = find(name)
    network = Inverse(found.config)
    try:
        network.load_state_dict(load_file(found.path))
    except (SafetensorError, RuntimeError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise DataError(f"{found.path} is damaged: {reason}. Copy it again, or train it anew.") from error
    return InverseDynamics(found.name, found.sha256, found.config, network.eval())
