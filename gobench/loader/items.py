"""Items (one clip) and batches (stacked clips) as dicts of torch tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from gobench.loader.film import NAMES, Planes
from gobench.loader.view import View
from gobench.types import Array, Record

Item: TypeAlias = dict[str, Any]
Batch: TypeAlias = dict[str, Any]


def item(view: View, planes: Planes, key: str, start: int, real: int, k: int, record: Record | None) -> Item:
    """One clip as a dict.

    Args:
        planes: the frames, of which the last is repeated up to ``view.length``.
        start: the episode's frame that comes first.
        real: how many frames are the episode's own; the rest repeat the last.
        k: the symmetry they were shown under.
    """
    made: Item = {
        name: torch.from_numpy(_whole(p, view.length))
        for name, p in zip(NAMES[view.form], planes, strict=True)
    }
    made["key"], made["start"] = key, start
    if view.short == "pad":
        made["mask"] = torch.arange(view.length) < real
    if view.symmetry != "none":
        made["symmetry"] = k
    if view.record:
        made["record"] = record
    return made


def _whole(frames: Array, length: int) -> Array:
    """Contiguous, and ``length`` long."""
    if len(frames) < length:
        return np.concatenate([frames, np.repeat(frames[-1:], length - len(frames), axis=0)])
    return np.ascontiguousarray(frames)


def collate(items: Sequence[Item]) -> Batch:
    """Stack items into a batch: tensors get a first axis B, numbers become int64 [B], the rest lists of B."""
    return {name: stacked([i[name] for i in items]) for name in items[0]}


def stacked(values: list[Any]) -> Any:
    """One value of each item, as ``collate`` puts them together."""
    if isinstance(values[0], torch.Tensor):
        return torch.stack(values)
    return torch.tensor(values, dtype=torch.int64) if isinstance(values[0], int) else values


def shared_number() -> torch.Tensor:
    """One int64, 0, that this process and its workers see alike."""
    number = torch.zeros(1, dtype=torch.int64)
    number.share_memory_()
    return number
