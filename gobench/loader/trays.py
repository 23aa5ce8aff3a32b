"""Memory for batches: filled clip by clip, and between processes handed over on trays that are used again.

Fresh memory is slow to touch: a batch of 50 MB costs more in page faults than in drawing it. So clips are
written into their row of the batch at once, batches that were let go are filled again, and a worker process,
whose memory must be shared, fills the same few trays in turn, from which the receiving process copies.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch.utils.data import get_worker_info

from gobench.errors import DataError
from gobench.loader.items import Batch, Item, stacked
from gobench.types import Array

Shape: TypeAlias = tuple[int, ...]
Room: TypeAlias = Callable[[str, Shape], torch.Tensor]  # name, shape -> uint8 tensor to fill


class _Loan(NamedTuple):
    memory: Array
    user: weakref.ref[Array]  # to the array that the tensor's storage keeps alive


class OwnRoom:
    """Memory of this process, used again once no tensor, view or array of what was handed out is left."""

    def __init__(self) -> None:
        self._loans: dict[str, list[_Loan]] = {}

    def __call__(self, name: str, shape: Shape) -> torch.Tensor:
        loans = self._loans.get(name, [])
        lent = [loan for loan in loans if loan.user() is not None]
        free = [loan for loan in loans if loan.user() is None and loan.memory.shape == shape]
        # numpy asks for huge pages, torch does not
        memory = free.pop().memory if free else np.empty(shape, np.uint8)
        handed = memory.view()
        self._loans[name] = [*lent, *free, _Loan(memory, weakref.ref(handed))]
        return torch.from_numpy(handed)


def pinned_room(name: str, shape: Shape) -> torch.Tensor:
    """Memory for copies to a GPU; torch keeps and reuses it."""
    return torch.empty(shape, dtype=torch.uint8, pin_memory=True)


def gathered(items: Iterable[Item], size: int, names: Iterable[str], room: Room) -> Batch:
    """At least one and at most ``size`` items as a batch; frames (``names``) go into ``room`` at once.

    Raises:
        DataError: frames of different sizes.
    """
    frames: dict[str, torch.Tensor] = {}
    rest: list[Item] = []
    for row, item in enumerate(items):
        for name in names:
            clip = item.pop(name)
            if not rest:
                frames[name] = room(name, (size, *clip.shape))
            if frames[name].shape[1:] != clip.shape:
                raise DataError(_uneven(item["key"], clip.shape, frames[name].shape[1:]))
            frames[name][row] = clip
        rest.append(item)
    batch = {name: tensor[: len(rest)] for name, tensor in frames.items()}
    return batch | {name: stacked([item[name] for item in rest]) for name in rest[0]}


def _uneven(key: str, shape: Shape, others: Shape) -> str:
    return (
        f"{key}: frames of {shape[1]}x{shape[2]} do not go into one batch with {others[1]}x{others[2]}: "
        "choose a size with View(size=...)."
    )


@dataclass(frozen=True)
class Trays:
    """Shared memory for the batches under way: uint8 [workers, trays, batch, ...] by name.

    A worker fills its trays in turn. With ``prefetch`` batches asked for ahead and one being copied, a tray
    is empty again when its turn comes if there are ``prefetch + 2`` of them.
    """

    memory: Mapping[str, torch.Tensor]

    @classmethod
    def of(cls, shapes: Mapping[str, Shape], workers: int, prefetch: int, batch: int) -> Trays:
        """Trays for clips of these shapes."""
        made = {}
        for name, shape in shapes.items():
            made[name] = torch.empty((workers, prefetch + 2, batch, *shape), dtype=torch.uint8)
            made[name].share_memory_()
        return cls(made)

    def room(self, turn: int) -> Room:
        """In a worker: the tray whose turn it is."""
        info = get_worker_info()
        worker = info.id if info else 0

        def tray(name: str, shape: Shape) -> torch.Tensor:
            every = self.memory[name][worker]
            if every.shape[1:] != shape:
                raise DataError(_uneven("the first clip", shape[1:], every.shape[2:]))
            return every[turn % len(every)]

        return tray

    def loaded(self, batch: Batch, turn: int) -> Batch:
        """In a worker: the batch without the frames, and on which tray these are."""
        info = get_worker_info()
        rest = {name: value for name, value in batch.items() if name not in self.memory}
        return rest | {"tray": (info.id if info else 0, turn)}

    def emptied(self, batch: Batch, room: Room) -> Batch:
        """In the receiving process: the whole batch, frames copied off the tray."""
        worker, turn = batch.pop("tray")
        count = len(batch["key"])
        frames: Batch = {}
        for name, memory in self.memory.items():
            source = memory[worker, turn % memory.shape[1], :count]
            frames[name] = room(name, tuple(source.shape))
            frames[name].copy_(source)
        return frames | batch
