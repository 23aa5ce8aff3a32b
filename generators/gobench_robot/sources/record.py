"""The record of an episode: one set of keys for experts and for real data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gobench.types import Episode, Json, Record
from gobench_robot.catalogue import FPS, task
from gobench_robot.envs.world import Floats
from gobench_robot.rollout import Plan, Rollout

EXPERT = "expert"
PROPRIO_DIGITS = 6


def of_expert(
    plan: Plan, found: Rollout, names: tuple[Sequence[str], Sequence[str]], number: int, wording: int
) -> Episode:
    """An expert's episode as a candidate; ``names`` are those of actions and proprioception.

    ``number`` counts the episodes of its task, ``wording`` picks the instruction.
    """
    wordings = [task(name).wordings for name in plan.tasks]
    said = [words[wording % len(words)] for words in wordings]
    return Episode(
        {
            **plan.to_json(),
            **labels(found.actions, found.proprio, *names),
            "source": EXPERT,
            "origin": f"{EXPERT}/{'+'.join(plan.tasks)}/{number}",
            "number": number,
            "instruction": ", then ".join(said),
            "starts": found.starts + [-1] * (len(plan.tasks) - len(found.starts)),
            "frames": len(found.proprio),
            "fps": FPS,
            "success": found.success_frame >= 0,
            "success_frame": found.success_frame,
        }
    )


def labels(
    actions: Floats, proprio: Floats, action_names: Sequence[str], proprio_names: Sequence[str]
) -> Record:
    """The part of a record that only labelled episodes have."""
    return {
        "actions": np.asarray(actions, np.float64).ravel().tolist(),
        "proprio": np.round(np.asarray(proprio, np.float64), PROPRIO_DIGITS).ravel().tolist(),
        "action_names": list(action_names),
        "proprio_names": list(proprio_names),
    }


def actions_of(record: Mapping[str, Json]) -> Floats:
    """The actions of a labelled record, float64 [T - 1, A]."""
    return np.array(record["actions"], np.float64).reshape(-1, len(record["action_names"]))


def proprio_of(record: Mapping[str, Json]) -> Floats:
    """What a labelled record's robot felt, float64 [T, P]."""
    return np.array(record["proprio"], np.float64).reshape(-1, len(record["proprio_names"]))
