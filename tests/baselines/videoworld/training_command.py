"""``gobench``, but with a checkpoint and a row of the log every few steps, and killed where the environment says.

KILL_AT=STAGE:STEP ends the process with SIGKILL when that step's batch is made, which is one step ahead.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import Any

import torch

from gobench.cli import main
from gobench_videoworld.train import material, run
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.stages import LatentStage, TokenizerStage, TransformerStage


def kill_at(stage: str, at: int) -> None:
    """Let the stage's batch of step ``at`` kill this process."""
    kind: Any = {s.name: s for s in (TokenizerStage, LatentStage, TransformerStage)}[stage]
    real = kind.batch

    def batch(self: Any, step: int, rank: int, world: int) -> Any:
        if step == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, step, rank, world)

    kind.batch = batch


if __name__ == "__main__":
    torch.set_num_threads(1)
    run.Plan = partial(Plan, log_every=1, save_every=3)  # type: ignore[misc,assignment]
    material.QUESTIONS = 6
    if where := os.environ.get("KILL_AT"):
        kill_at(where.partition(":")[0], int(where.partition(":")[2]))
    main()
