"""One stage on this machine: a step, an evaluation, and the state of both as named tensors."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

import gobench
from gobench.errors import UsageError
from gobench.seeds import seed64
from gobench.types import Record
from gobench_videoworld.train.checkpoints import MODEL, Checkpoint
from gobench_videoworld.train.optimizer import adamw, clip, restore, state_of
from gobench_videoworld.train.parallel import Network, Parallel, put, whole_state
from gobench_videoworld.train.schedule import Plan, rate
from gobench_videoworld.train.stage import Batch, Stage


@dataclass(frozen=True, slots=True)
class Update:
    """What came of a step, over the whole batch and all ranks."""

    loss: float
    norm: float  # length of the gradient, before it was clipped
    flags: tuple[float, ...]  # the share of ranks that raised each
    metrics: Mapping[str, Tensor]  # of this rank


class Trainer:
    """Updates a stage's weights. Everything random in a step follows from (seed, step, slice), not from steps before."""

    def __init__(self, stage: Stage, plan: Plan, parallel: Parallel) -> None:
        self.stage = stage
        self.plan = plan  # its steps may be settled later, before the first of them
        self.parallel = parallel
        half = plan.precision == "bf16" or (plan.precision == "auto" and parallel.device.type == "cuda")
        _check_half(half, parallel.device)
        self.network = Network(stage.module, parallel, plan.compile, half)
        self.optimizer = adamw(self.network.trained, plan, parallel.device)

    @property
    def dtype(self) -> torch.dtype:
        """What matrices are multiplied in."""
        return torch.bfloat16 if self.network.half else torch.float32

    def update(self, step: int, slices: Iterable[tuple[int, Batch]], flags: tuple[bool, ...] = ()) -> Update:
        """Step ``step`` >= 0; the weights stay as they are where loss or gradient are not finite.

        Args:
            slices: (index among all slices of the batch, slice on the device) for those of this rank.
            flags: what this rank wants to tell all others.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.plan, step)
        loss, metrics = self._gradients(step, slices)
        norm = clip(self.network.trained, self.plan.clip)
        shared = self.parallel.mean(torch.cat((loss[None], loss.new_tensor(flags))))
        found_loss, found_norm, *raised = torch.cat((shared[:1], norm.float()[None], shared[1:])).tolist()
        found = Update(found_loss, found_norm, tuple(raised), metrics)
        if finite(found):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return found

    def _gradients(self, step: int, slices: Iterable[tuple[int, Batch]]) -> tuple[Tensor, dict[str, Tensor]]:
        parts = self.plan.accumulate
        total, sums = torch.zeros((), device=self.parallel.device), dict[str, Tensor]()
        for part, (index, batch) in enumerate(slices):
            self.seed("step", step, index)
            self.network.exchange(part == parts - 1)
            loss, metrics = self.network(batch)
            (loss / parts).backward()
            total += loss.detach().float() / parts
            for name, value in metrics.items():
                sums[name] = sums.get(name, 0) + torch.as_tensor(value).detach().float() / parts
        return total, sums

    def metrics(self, update: Update) -> dict[str, float]:
        """A step's metrics, over all ranks; every rank must call it."""
        names = sorted(update.metrics)
        if not names:
            return {}
        values = torch.stack([update.metrics[name].to(self.parallel.device) for name in names])
        return dict(zip(names, self.parallel.mean(values).tolist(), strict=True))

    def evaluate(self, step: int) -> dict[str, float]:
        """The stage's numbers after ``step`` updates, without those that are not finite; every rank must call it."""
        with self.network.evaluating():
            self.seed("evaluate", step)
            found = {name: float(value) for name, value in self.stage.evaluate(step).items()}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def picture(self, step: int) -> npt.NDArray[Any] | None:
        """The stage's picture after ``step`` updates; every rank must call it."""
        with self.network.evaluating():
            self.seed("picture", step)
            return self.stage.picture(step)

    def seed(self, *path: str | int) -> None:
        """Put torch's generators where this piece of work starts them."""
        torch.manual_seed(seed64(self.plan.seed, "train", self.stage.name, *path))

    def tensors(self) -> dict[str, Tensor]:
        """Weights and optimizer as whole CPU tensors by name; every rank must call it."""
        weights = {MODEL + name: t for name, t in whole_state(self.network.trained).items()}
        return {**weights, **state_of(self.network.trained, self.optimizer)}

    def restore(self, weights: Mapping[str, Tensor], rest: Mapping[str, Tensor]) -> None:
        """The inverse of ``tensors``: the module's, and the optimizer's."""
        for name, tensor in self.network.trained.state_dict().items():
            put(tensor, weights[name])
        restore(self.network.trained, self.optimizer, rest)

    def resume(self, found: Checkpoint) -> None:
        """Go on from a checkpoint that fits."""
        self.restore(found.part(MODEL), found.rest())

    def release(self) -> None:
        """Let go of what holds the processes together; nothing can be trained afterwards."""
        del self.network, self.optimizer

    def shapes(self) -> dict[str, list[int]]:
        """Name -> shape of the module's tensors."""
        return {name: list(t.shape) for name, t in self.stage.module.state_dict().items()}

    def circumstances(self) -> Record:
        """What may change the rounding of a step, and nothing else."""
        return {
            "device": self.parallel.device.type, "threads": torch.get_num_threads(), "processes": self.parallel.world,
            "fsdp": self.parallel.shared, "accumulate": self.plan.accumulate, "compile": self.plan.compile,
            "torch": torch.__version__, "gobench": gobench.__version__, "processor": platform.machine(),
        }  # fmt: skip


def finite(update: Update) -> bool:
    """Whether a step's loss and gradient are numbers."""
    return math.isfinite(update.loss) and math.isfinite(update.norm)


def _check_half(half: bool, device: torch.device) -> None:
    if half and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise UsageError("this GPU does not compute in bf16: take precision f32.")
