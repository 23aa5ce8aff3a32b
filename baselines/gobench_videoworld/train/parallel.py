"""One process or many: who we are under torchrun, and a module that exchanges gradients (DDP) or weights, too (FSDP2).

Every rank sees its slice of the batch, gradients are averaged, so that the loss curve is that of one process up to rounding.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from gobench.errors import GobenchError, UsageError

T = TypeVar("T")
LAYERS = "layers"
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

    def first(self, work: Callable[[], T]) -> T:
        """What ``work`` gives to the first process, everywhere, or the GobenchError that it met; every rank must call it."""
        found: T | GobenchError | None = None
        if self.main:
            try:
                found = work()
            except GobenchError as error:
                found = error
        found = self.agreed(found)
        if isinstance(found, GobenchError):
            raise found
        return cast(T, found)


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
    """A stage's module as it is trained: distributed, compiled, under autocast.

    Under FSDP2 a copy is cut among the processes and trained; the module itself stays whole, and is given the copy's
    weights when they are asked for (``gather``).
    """

    def __init__(self, module: nn.Module, parallel: Parallel, compiled: bool, half: bool) -> None:
        self.parallel = parallel
        self.module = module.to(parallel.device)
        self.trained = self.module
        self.half = half
        run: Any = self.module
        if parallel.shared:
            run = self.trained = share(copy.deepcopy(self.module), parallel)
        elif parallel.distributed:
            ids = [parallel.device.index] if parallel.device.type == "cuda" else None
            run = DistributedDataParallel(self.module, device_ids=ids)
        self._outer = run
        self._run: Any = torch.compile(run) if compiled else run
        self.trained.train()

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
        if isinstance(self._outer, FSDPModule):
            self._outer.set_requires_gradient_sync(now)
        elif isinstance(self._outer, DistributedDataParallel):
            self._outer.require_backward_grad_sync = now

    def gather(self) -> None:
        """Give the module the weights that were trained; every rank must call it."""
        if self.trained is not self.module:
            own = self.module.state_dict()
            for name, tensor in self.trained.state_dict().items():
                own[name].copy_(tensor.full_tensor() if isinstance(tensor, DTensor) else tensor)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """The module whole, in evaluation mode, without gradients; every rank must call it."""
        self.gather()
        self.module.eval()
        try:
            with torch.no_grad(), self.autocast():
                yield
        finally:
            self.module.train()


def share(module: nn.Module, parallel: Parallel) -> nn.Module:
    """The module, its weights cut among the processes: each item of lists named ``layers`` by itself, then the rest.

    Other lists are tables, whose weights may be tied to others: tied ones must be cut together.
    """
    mesh = init_device_mesh(parallel.device.type, (parallel.world,))
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.ModuleList) and name.rpartition(".")[2] == LAYERS:
            for layer in part:
                fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)
    return module


def whole(tensor: Tensor) -> Tensor:
    """A tensor that may be cut among processes, whole and on the CPU, the same one where it is; every rank must call it."""
    full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return full.detach().cpu().contiguous()


def whole_state(module: nn.Module) -> dict[str, Tensor]:
    """A module's ``state_dict`` as whole CPU tensors; every rank must call it where the module is cut."""
    return {name: whole(tensor) for name, tensor in module.state_dict().items()}


def put(target: Tensor, value: Tensor) -> None:
    """Fill a tensor that may be cut among processes with a whole one."""
    with torch.no_grad():
        if isinstance(target, DTensor):
            value = distribute_tensor(value.to(target.device), target.device_mesh, target.placements)
        target.copy_(value)
