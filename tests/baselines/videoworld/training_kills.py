"""Trainings that are killed, each in a process of its own: python training_kills.py FOLDER. Prints OK."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from training_toys import Toy

from gobench.errors import BuildError
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.schedule import Plan

STEPS = 40
PLAN = Plan(STEPS, batch=8, accumulate=2, lr=1e-2, save_every=7, evaluate_every=9, log_every=3)


def train(folder: Path, harm: dict[int, str] | None = None) -> None:
    stage = Toy(harm=harm)
    stage.flops = 0.0  # so that no peak is measured
    fit(stage, PLAN, folder, progress=False)


def in_child(work: Callable[[], None]) -> int:
    """The child's process id; it ends with 0 if ``work`` raised nothing."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return read(folder / "checkpoints" / f"{STEPS:08d}.safetensors").tensors


def same(folder: Path, whole: Path) -> bool:
    a, b = weights(folder), weights(whole)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def killed_at_steps(folder: Path, rng: random.Random) -> None:
    for step in sorted(rng.sample(range(1, STEPS), 3)):
        assert ended(in_child(lambda at=step: train(folder, {at: "kill"}))) == -signal.SIGKILL
    assert ended(in_child(lambda: train(folder))) == 0


def killed_at_times(folder: Path, rng: random.Random) -> None:
    for _ in range(5):
        child = in_child(lambda: train(folder))
        time.sleep(rng.uniform(0.01, 0.25))
        os.kill(child, signal.SIGKILL)
        ended(child)
    assert ended(in_child(lambda: train(folder))) == 0


def without_room(folder: Path) -> None:
    """The system refuses files as large as a checkpoint."""
    assert ended(in_child(lambda: train(folder, {20: "kill"}))) == -signal.SIGKILL
    before = sorted((folder / "checkpoints").glob("0*"))

    def limited() -> None:
        size = before[0].stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
        try:
            train(folder)
        except BuildError as error:
            assert "no room" in str(error) and f"step {int(before[-1].stem)} is kept" in str(error), error
        else:
            raise AssertionError("it wrote more than there is room for")

    assert ended(in_child(limited)) == 0
    assert sorted((folder / "checkpoints").glob("0*")) == before
    assert not list(folder.rglob("*.tmp"))
    assert ended(in_child(lambda: train(folder))) == 0


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    rng = random.Random(1)
    assert ended(in_child(lambda: train(folder / "whole"))) == 0
    killed_at_steps(folder / "steps", rng)
    killed_at_times(folder / "times", rng)
    without_room(folder / "room")
    for name in ("steps", "times", "room"):
        assert same(folder / name, folder / "whole"), name
    print("OK")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
