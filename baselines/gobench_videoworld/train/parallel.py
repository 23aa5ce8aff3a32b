"""One process or many: who we are under torchrun, and a module that exchanges gradients (DDP) or weights, too (FSDP2).

Every rank sees its slice of the batch, gradients are averaged, so that the loss curve is that of one process up to rounding.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from gobench.errors import UsageError

T = TypeVar("T")
BACKENDS: Mapping[str, str] = {"cuda": "nccl"}  # of torch.distributed; gloo elsewhere


@dataclass(frozen=True, slots=True)
class Parallel:
    """This process among ``world``; ``shared``: weights and optimizer are cut among them (FSDP2)."""

    device: torch.device
    rank: int = 0
    world: int = 1
    distributed: bool = False
    shared: bool = False

    @property
    def main(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """f32 [n], averaged over the processes; every rank must call it."""
        if self.distributed:
            dist.all_reduce(values)
            values /= self.world
        return values

    def agreed(self, value: T) -> T:
        """The first process's plain value, everywhere."""
        if not self.distributed:
            return value
        box: list[Any] = [value]
        dist.broadcast_object_list(box, src=0)
        found: T = box[0]
        return found


def choose_device(name: str = "auto", local: int = 0) -> torch.device:
    """ "auto": the GPU of this process's number where there is one. Raises UsageError for a device that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(f"cuda:{local}" if name == "cuda" else name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"device {name!r} cannot be used ({reason}). Take cpu, cuda or auto.") from error
    return device


@contextlib.contextmanager
def started(device: str = "auto", shared: bool = False) -> Iterator[Parallel]:
    """Join the processes that torchrun started, or be alone; leaves them at the end.

    Args:
        device: of ``choose_device``; nccl connects GPUs, gloo CPUs.
        shared: FSDP2. Raises UsageError without torchrun.
    """
    world = int(os.environ.get("WORLD_SIZE", "0"))
    if not world:
        if shared:
            raise UsageError(
                "fsdp cuts weights among processes: start them with torchrun --nproc-per-node N, or leave it out."
            )
        yield Parallel(choose_device(device))
        return
    chosen = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group(BACKENDS.get(chosen.type, "gloo"))
    try:
        yield Parallel(chosen, dist.get_rank(), dist.get_world_size(), True, shared)
        gc.collect()  # modules that hold threads of the group end before it does
        dist.barrier()
    finally:
        dist.destroy_process_group()


class Network:
    """A stage's module as it is trained: distributed, compiled, under autocast."""

    def __init__(self, module: nn.Module, parallel: Parallel, compiled: bool, half: bool) -> None:
        self.parallel = parallel
        self.module = module.to(parallel.device)
        self.half = half
        self._ddp: DistributedDataParallel | None = None
        run: Any = self.module
        if parallel.shared:
            share(self.module, parallel)
        elif parallel.distributed:
            ids = [parallel.device.index] if parallel.device.type == "cuda" else None
            run = self._ddp = DistributedDataParallel(self.module, device_ids=ids)
        self._run: Any = torch.compile(run) if compiled else run

    def __call__(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(loss, metrics) of a batch on the device."""
        with self.autocast():
            found: tuple[Tensor, dict[str, Tensor]] = self._run(batch)
        return found

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """bf16 where it was chosen."""
        return torch.autocast(self.parallel.device.type, torch.bfloat16, enabled=self.half)

    def exchange(self, now: bool) -> None:
        """Whether the next backward pass sends gradients; only the last slice of a batch does."""
        if self._ddp is not None:
            self._ddp.require_backward_grad_sync = now
        elif isinstance(self.module, FSDPModule):
            self.module.set_requires_gradient_sync(now)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """The module whole, in evaluation mode, without gradients."""
        shards = [part for part in self.module.modules() if isinstance(part, FSDPModule)]
        self.module.eval()
        for part in shards:
            part.set_reshard_after_forward(False, recurse=False)
            part.unshard()
        try:
            with torch.no_grad(), self.autocast():
                yield
        finally:
            for part in shards:
                part.reshard()
                part.set_reshard_after_forward(part is not self.module, recurse=False)
            self.module.train()


def share(module: nn.Module, parallel: Parallel) -> None:
    """Cut a module's weights among the processes: each item of its lists of layers by itself, then the rest."""
    mesh = init_device_mesh(parallel.device.type, (parallel.world,))
    for part in list(module.modules()):
        if isinstance(part, nn.ModuleList):
            for layer in part:
                fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)


def whole(tensor: Tensor) -> Tensor:
    """A copy on the CPU of a tensor that may be cut among processes; every rank must call it."""
    full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return full.detach().to("cpu", copy=True).contiguous()


def whole_state(module: nn.Module) -> dict[str, Tensor]:
    """A module's ``state_dict`` as whole CPU tensors, also after FSDP2; every rank must call it."""
    return {name: whole(tensor) for name, tensor in module.state_dict().items()}


def put(target: Tensor, value: Tensor) -> None:
    """Fill a tensor that may be cut among processes with a whole one."""
    with torch.no_grad():
        if isinstance(target, DTensor):
            value = distribute_tensor(value.to(target.device), target.device_mesh, target.placements)
        target.copy_(value)
