"""What can be trained: a module, and batches, measures and pictures for it, each a pure function of the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt
import torch
from torch import nn

from gobench.types import Json, Record

Batch: TypeAlias = dict[str, torch.Tensor]
"""Name -> tensor, the first axis counts samples. ``episode`` and ``time`` int64 [B], if there, name samples in errors."""


class Stage(Protocol):
    """One network in training. ``fit`` moves the module and its batches to the device and owns its mode and gradients.

    Optional attributes:
        identity: plain data that must be equal for a training to go on: the config, hashes of data and tokens.
        steps: if it is there, it is told how many steps there will be, before the first of them.
        frames: frames that a step looks at over all ranks, repetitions counted.
        rows: slices of a batch have its loss where each has a multiple of so many samples; others are refused.
    """

    @property
    def name(self) -> str:
        """A word for logs: "tokenizer"."""
        ...

    @property
    def module(self) -> nn.Module:
        """``module(batch) -> (loss, metrics)``: a 0-d loss that is the plain mean over the batch's samples, and 0-d tensors.

        A loss that divides by a number that depends on the batch (such as how many tokens changed) makes two halves differ
        from one whole: divide by a fixed number instead. Random numbers may be drawn from torch's own generator.
        """
        ...

    @property
    def tokens(self) -> int:
        """Tokens of a step's batch over all ranks; 0 if that means nothing."""
        ...

    @property
    def flops(self) -> float:
        """Floating-point operations of a training step over all ranks, forward and backward; 0 if not known."""
        ...

    def batch(self, step: int, rank: int, world: int) -> Batch:
        """Slice ``rank`` of ``world`` equal slices of the batch of step ``step`` >= 0, on the CPU.

        It is called from another thread, and also for the slices of an accumulated batch: everything random comes from
        ``gobench.seeds``, never from torch's global generator. Raises DataError where the data is broken.
        """
        ...

    def evaluate(self, step: int) -> Mapping[str, float]:
        """Numbers by name, after ``step`` updates; the module is in evaluation mode, without gradients.

        Every rank calls it and must do the same.
        """
        ...

    def picture(self, step: int) -> npt.NDArray[Any] | None:
        """uint8 [H, W, 3] that shows what has been learnt after ``step`` updates, or None."""
        ...


def identity(stage: Stage) -> Record:
    """The stage's ``identity``, or nothing."""
    found: Mapping[str, Json] = getattr(stage, "identity", {})
    return dict(found)


def frames(stage: Stage) -> int:
    """The stage's ``frames``, or 0."""
    return int(getattr(stage, "frames", 0))


def rows(stage: Stage) -> int:
    """The stage's ``rows``, or 1."""
    return int(getattr(stage, "rows", 1))
