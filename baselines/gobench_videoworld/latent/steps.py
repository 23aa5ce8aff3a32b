"""The steps of windows: frame t+o-1 -> frame t+o, for each offset o."""

from __future__ import annotations

import torch
from torch import Tensor

from gobench_videoworld.latent.model import Batch


def each_step(batch: Batch) -> tuple[Tensor, Tensor]:
    """All steps of B windows, before and after, int64 [B * K, S] each."""
    return batch["before"].flatten(0, 1), batch["after"].flatten(0, 1)


def busiest(batch: Batch) -> tuple[Tensor, Tensor]:
    """Of each window the step to learn most from, before and after, int64 [B, S] each.

    That is the one in which most sites change, or none: to change one site is commonplace on boards. Among equals it goes
    round by time. It depends on the window alone, so that parts of a batch choose as the whole does.
    """
    there = batch["there"]
    changes = (batch["before"] != batch["after"]).sum(2)
    turn = (batch["time"][:, None] + torch.arange(there.shape[1], device=there.device)) % there.shape[1]
    worth = ((changes - 1).abs() * there.shape[1] + turn).masked_fill(~there, -1)
    rows, chosen = torch.arange(len(worth), device=there.device), worth.argmax(1)
    return batch["before"][rows, chosen], batch["after"][rows, chosen]
