"""The labelled episodes of a dataset, decoded as they are stored: what inverse dynamics and the labelled policy learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gobench.build.assemble import MANIFEST
from gobench.canonical import sha256_file
from gobench.dataset import Dataset, open_dataset
from gobench.errors import DataError, UsageError
from gobench.loader.resize import resized
from gobench.seeds import stream
from gobench.types import Array, Record
from gobench_robot.envs.world import Floats
from gobench_robot.idm.config import SIZES
from gobench_robot.sources.record import actions_of, proprio_of

TRAIN = "train"
LEAST = 2  # labelled episodes: one to learn from, one held out
APART = 10  # without a held-out split, one of so many episodes is held out
CAMERAS = ("static", "gripper")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One episode of T frames."""

    key: str
    tasks: tuple[str, ...]  # task of each frame
    frames: Array  # uint8 [T, size, size, 3]
    actions: Floats  # [T - 1, A]
    proprio: Floats  # [T, P]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What is learnt from, what is held out, and what both are alike in."""

    train: Sequence[Labelled]
    held: Sequence[Labelled]
    scene: str
    camera: str
    action_names: tuple[str, ...]
    proprio_names: tuple[str, ...]
    origin: Record  # of the dataset, for provenance


def material(folder: Path, size: int, labels: int, seed: int, progress: Progress) -> Material:
    """Read a dataset's labelled episodes, at most ``labels`` (0: all) of the split "train"; the other splits' are held out.

    Raises:
        UsageError: sizes that cannot be.
        DataError: no dataset, one of another domain, with too few labelled episodes, or with those of several scenes.
    """
    if not SIZES[0] <= size <= SIZES[1] or labels < 0:
        raise UsageError(
            f"size {size} and labels {labels}: allowed are {SIZES[0]} to {SIZES[1]}, and 0 or more."
        )
    data = open_dataset(folder)
    if data.plan.config.domain != "robot":
        raise DataError(f"{folder} is a dataset of the domain {data.plan.config.domain!r}, not of robots.")
    found = _found(data, size, progress)
    one = _alike(folder, [record for _, record, _ in found])
    train, held = _parted(found)
    kept = _some(train, labels, seed)
    return Material(
        kept, held, one["scene"], one["camera"], tuple(one["action_names"]), tuple(one["proprio_names"]),
        _origin(data, [episode.key for episode in kept]),
    )  # fmt: skip


def _found(data: Dataset, size: int, progress: Progress) -> list[tuple[str, Record, Labelled]]:
    found = []
    for split, numbers in data.splits.items():
        for number in numbers:
            progress("episodes", number + 1, len(data))
            sample = data.read(number)
            record = sample.record()
            if record["labelled"] and record["frames"] >= LEAST:
                frames = resized(data.frames(sample), size, size)
                episode = Labelled(
                    sample.key, tasks_of(record), frames, actions_of(record), proprio_of(record)
                )
                found.append((split, record, episode))
    return found


def tasks_of(record: Record) -> tuple[str, ...]:
    """The task at hand in each frame."""
    begun = [start for start in record["starts"] if start >= 0] or [0]
    names = record["tasks"] or [""]
    return tuple(names[max(0, sum(start <= t for start in begun) - 1)] for t in range(record["frames"]))


def _alike(folder: Path, records: Sequence[Record]) -> Record:
    if len(records) < LEAST:
        raise DataError(
            f"{folder} has {len(records)} labelled episodes; {LEAST} or more are needed. Build it with "
            "--label-fraction 0.1, or more."
        )
    first = records[0]
    for key in ("scene", "action_names", "proprio_names", "camera"):
        if other := next((row for row in records if row[key] != first[key]), None):
            raise DataError(
                f"{folder} has labelled episodes of {key} {first[key]} and {other[key]}: one is wanted."
            )
    if first["camera"] not in CAMERAS:
        raise DataError(
            f"{folder} shows the camera {first['camera']!r}: one of {', '.join(CAMERAS)} is wanted."
        )
    return first


def _parted(found: Sequence[tuple[str, Record, Labelled]]) -> tuple[list[Labelled], list[Labelled]]:
    train = [episode for split, _, episode in found if split == TRAIN]
    held = [episode for split, _, episode in found if split != TRAIN]
    if train and held:
        return train, held
    both = train or held
    held = both[APART - 1 :: APART] or both[-1:]
    return [episode for episode in both if episode not in held], held


def _some(train: list[Labelled], labels: int, seed: int) -> list[Labelled]:
    """``labels`` of them, chosen by the seed: of two numbers, the smaller choice is part of the larger."""
    if not labels or labels >= len(train):
        return train
    chosen = stream(seed, "labels").permutation(len(train))[:labels]
    return [train[i] for i in np.sort(chosen)]


def _origin(data: Dataset, keys: Sequence[str]) -> Record:
    recipe = data.manifest["recipe"]
    return {
        "name": recipe,  # not the folder's: the same data give the same file anywhere
        "recipe": recipe,
        "content": data.manifest["content"],
        "manifest_sha256": sha256_file(data.folder / MANIFEST),
        "episodes": len(keys),
    }
