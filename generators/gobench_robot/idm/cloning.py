"""Training of the labelled policy (behaviour cloning): the same labelled episodes as inverse dynamics, actions as a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

import gobench
from gobench.errors import UsageError
from gobench.models import save
from gobench.types import Json, Record
from gobench_robot.catalogue import tasks as catalogue
from gobench_robot.envs.world import Floats
from gobench_robot.idm.episodes import Labelled, Material, Progress, material
from gobench_robot.idm.inverse import config_of
from gobench_robot.idm.measures import measures
from gobench_robot.idm.networks import Chooser
from gobench_robot.idm.policy import NAME, RobotPolicy
from gobench_robot.idm.training import BETA, Batch, Options, Runs, begun, fit, one_thread

CHUNK = 8  # actions ahead
BATCH, LENGTH = 32, 2  # moments a step, frames of each
FELT = 0.5  # weight of the eye's own error


def clone(asked: Options, out: Path, progress: Progress) -> Record:
    """Learn from the labelled episodes and write a model file; what its first actions are off on held-out episodes.

    Raises:
        UsageError, DataError: as ``episodes.material``.
        BuildError: the disk refuses.
    """
    asked.verify()
    own = material(asked.data, asked.size, asked.labels, asked.seed, progress)
    config = config_of(own, asked.size)
    tasks = sorted({task for one in own.train for task in one.tasks})
    lessons = [lesson(one, tasks) for one in own.train]
    with one_thread():
        network = cast(Chooser, begun(asked.seed, lambda: Chooser(config, len(tasks), CHUNK)))
        runs = Runs.of(own.train, config, BATCH, LENGTH, lead=1)
        steps = fit(network, lambda random: loss(network, runs.draw(random), lessons), asked, progress)
    plain: Record = {"eye": config.to_json(), "tasks": tasks, "wordings": wordings(tasks), "chunk": CHUNK}
    tensors = network.state_dict()
    told = first_actions(RobotPolicy.from_checkpoint(plain, tensors), own.held)
    found = measures(config.action_names, told)
    save(out, NAME, plain, tensors, _provenance(own, asked, steps, found))
    return found


def wordings(tasks: list[str]) -> dict[str, Json]:
    """Instruction -> task. Raises UsageError for a task that the catalogue does not have: it has no words."""
    known = catalogue()
    if strange := [name for name in tasks if name not in known]:
        raise UsageError(
            f"there are no instructions for the tasks {', '.join(strange)}: a policy cannot be asked for them."
        )
    return {said: name for name in tasks for said in known[name].wordings}


def lesson(one: Labelled, tasks: list[str]) -> tuple[Tensor, Tensor, Tensor]:
    """For each frame: the task f32 [T, N] one-hot, the next actions f32 [T, n, A], and which of them there are [T, n, 1]."""
    length = len(one.frames)
    wanted = torch.zeros(length, len(tasks))
    wanted[torch.arange(length), torch.tensor([tasks.index(task) for task in one.tasks])] = 1
    at = np.arange(length)[:, None] + np.arange(CHUNK)
    ahead = one.actions[np.minimum(at, length - 2)]
    return wanted, torch.tensor(ahead, dtype=torch.float32), torch.tensor(at < length - 1)[..., None].float()


def loss(network: Chooser, batch: Batch, lessons: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """The error of the next actions, and of what the eye tells of the robot."""
    rows = [tuple(column[last] for column in lessons[number]) for number, last in batch.places]
    wanted, ahead, there = (torch.stack(column) for column in zip(*rows, strict=True))
    told, felt = network(batch.frames, wanted)
    off = smooth_l1_loss(told, ahead, beta=BETA, reduction="none") * there
    acting = off.sum() / (there.sum() * ahead.shape[-1]).clamp(min=1)
    return acting + FELT * smooth_l1_loss(felt, batch.proprio, beta=BETA)


def first_actions(policy: RobotPolicy, held: Sequence[Labelled]) -> list[tuple[Floats, Floats]]:
    """(first action told, action done) in each frame of episodes whose tasks it knows, float64 [T - 1, A] both."""
    return [(_told(policy, one), one.actions) for one in held if set(one.tasks) <= set(policy.tasks)]


def _told(policy: RobotPolicy, one: Labelled) -> Floats:
    words = {task: said for said, task in policy.wordings.items()}
    seeds, found = np.zeros(1, np.uint64), []
    for t in range(len(one.actions)):
        clip = one.frames[None, max(0, t - 1) : t + 1]
        found.append(policy.generate_actions(clip, 1, seeds, [{"instruction": words[one.tasks[t]]}])[0, 0])
    return np.array(found, np.float64)


def _provenance(own: Material, asked: Options, steps: int, found: Record) -> Record:
    return {
        "name": "robot-policy",
        "trained_on": [own.origin],
        "labels_used": ["actions", "proprio"],
        "options": asked.decisive(),
        "seed": asked.seed,
        "steps": {"policy": steps},
        "frames_watched": steps * BATCH * LENGTH,
        "held_out": found,
        "code": {"gobench": gobench.__version__, "torch": str(torch.__version__)},
    }
