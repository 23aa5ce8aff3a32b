"""Training of inverse dynamics: a dataset becomes ``NAME.safetensors`` with what it is off on held-out episodes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

import gobench
from gobench import atomic
from gobench.types import Record
from gobench_robot.idm.artifact import Artifact, description, read
from gobench_robot.idm.config import Config
from gobench_robot.idm.episodes import Material, Progress, material
from gobench_robot.idm.measures import measures
from gobench_robot.idm.model import InverseDynamics
from gobench_robot.idm.networks import Inverse
from gobench_robot.idm.training import BETA, Batch, Options, Runs, begun, fit, one_thread, scales

BATCH = 8  # runs a step
LENGTH = 8  # frames of a run: like those that are asked about
FELT, CHANGED = 1.0, 0.3  # weights of the eye's own errors, of proprioception and of its changes


def train(asked: Options, out: Path, progress: Progress) -> Artifact:
    """Learn from the labelled episodes and write ``out``; the same bytes from the same seed on one machine.

    Raises:
        UsageError, DataError: as ``episodes.material``.
        BuildError: the disk refuses.
    """
    asked.verify()
    own = material(asked.data, asked.size, asked.labels, asked.seed, progress)
    config = config_of(own, asked.size)
    with one_thread():
        network = cast(Inverse, begun(asked.seed, lambda: Inverse(config)))
        runs = Runs.of(own.train, config, BATCH, LENGTH)
        steps = fit(network, lambda random: loss(network, runs.draw(random)), asked, progress)
    network.eval()
    model = InverseDynamics(out.stem, "", config, network)
    found = measures(config.action_names, [(model.actions(one.frames), one.actions) for one in own.held])
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    atomic.write(out, save(tensors, description(config, _provenance(own, asked, steps), found)))
    return read(out)


def config_of(own: Material, size: int) -> Config:
    """The network for a dataset."""
    centre, spread, change = (tuple(row) for row in scales(own))
    return Config(own.scene, own.camera, size, own.action_names, own.proprio_names, centre, spread, change)


def loss(network: Inverse, batch: Batch) -> Tensor:
    """The error of actions, and of what the eye tells of the robot and its change."""
    told, felt = network(batch.frames)
    off = smooth_l1_loss(felt, batch.proprio, beta=BETA)
    moved, truly = ((row[:, 1:] - row[:, :-1]) * network.ratio for row in (felt, batch.proprio))
    changed = smooth_l1_loss(moved, truly, beta=BETA)
    return smooth_l1_loss(told, batch.actions, beta=BETA) + FELT * off + CHANGED * changed


def _provenance(own: Material, asked: Options, steps: int) -> Record:
    return {
        "trained_on": [own.origin],
        "labels_used": ["actions", "proprio"],
        "options": asked.decisive(),
        "seed": asked.seed,
        "steps": steps,
        "code": {"gobench": gobench.__version__, "torch": str(torch.__version__)},
    }
