"""Batches: one loader for both kinds of datasets, with an exact state between any two batches."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from gobench.errors import UsageError
from gobench.loader.dataset import ClipDataset, ClipSampler
from gobench.loader.film import NAMES
from gobench.loader.items import Batch, Item
from gobench.loader.order import check_state
from gobench.loader.stream import ClipStream
from gobench.loader.trays import OwnRoom, Room, Trays, gathered, pinned_room
from gobench.loader.view import Order

Ticket: TypeAlias = tuple[int, int]  # (number of the slice, clips of a batch)


@dataclass(frozen=True)
class Batching:
    """How batches are made; see ``make_loader``."""

    size: int
    workers: int
    drop_last: bool
    pinned: bool
    prefetch: int

    def trays(self, dataset: ClipDataset | ClipStream) -> Trays | None:
        """Shared memory for worker processes, None where there are none."""
        return Trays.of(dataset.shapes(), self.workers, self.prefetch, self.size) if self.workers else None

    def room(self) -> Room:
        """Memory for batches that are handed out."""
        return pinned_room if self.pinned and torch.cuda.is_available() else OwnRoom()

    def options(self) -> dict[str, Any]:
        """Of torch's DataLoader."""
        more = {"prefetch_factor": self.prefetch} if self.workers else {}
        return {"num_workers": self.workers, "collate_fn": _same, **more}


class ClipLoader:
    """Batches of this rank's clips; iterating it is one epoch, and moves on to the next when it ends.

    ``state_dict`` counts what was delivered, not what workers have asked for ahead, so a loader made the same
    way and given the state goes on with the very next batch. Breaking off a pass and iterating again
    starts the same epoch anew.
    """

    def __init__(self, feed: _MapFeed | _StreamFeed, batching: Batching) -> None:
        self._feed, self._batching = feed, batching

    @property
    def epoch(self) -> int:
        """The epoch of the next pass, or of the one under way."""
        return self._feed.epoch

    def set_epoch(self, epoch: int) -> None:
        """The next pass is of epoch ``epoch``; another epoch begins at its start."""
        self._feed.set_epoch(epoch)

    def __len__(self) -> int:
        """Batches of this rank in a whole epoch."""
        clips, size = self._feed.clips, self._batching.size
        return clips // size if self._batching.drop_last else -(-clips // size)

    def __iter__(self) -> Iterator[Batch]:
        feed, room = self._feed, self._batching.room()
        trays = self._batching.trays(feed.dataset)
        for ticket, batch in feed.begin(self._batching, trays):
            whole = trays.emptied(batch, room) if trays else batch
            feed.deliver(ticket)
            yield whole
        feed.set_epoch(feed.epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: plain JSON."""
        return {**self._signature(), **self._feed.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken; raises UsageError if it belongs to another loader."""
        check_state("loader", state, self._signature())
        self._feed.load_state_dict(state)

    def _signature(self) -> dict[str, object]:
        return {"batch": self._batching.size, "drop_last": self._batching.drop_last}


class _MapFeed:
    """Clips of a ``ClipDataset``; any number of workers gives the same batches."""

    def __init__(self, dataset: ClipDataset, order: Order) -> None:
        self.dataset, self.sampler = dataset, ClipSampler(dataset, order)
        self._delivered = 0  # clips of the pass under way

    @property
    def epoch(self) -> int:
        return self.sampler.epoch

    @property
    def clips(self) -> int:
        return self.sampler.whole

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self._delivered = 0
        self.sampler.set_epoch(epoch)

    def begin(self, batching: Batching, trays: Trays | None) -> Iterator[tuple[Ticket, Batch]]:
        self._delivered = 0
        maker = _Maker(self.dataset, batching, trays)
        return iter(
            DataLoader(
                _Rows(maker, self.dataset),
                batching.size,
                sampler=self.sampler,
                drop_last=batching.drop_last,
                **batching.options(),
            )
        )

    def deliver(self, ticket: Ticket) -> None:
        self._delivered += ticket[1]

    def state_dict(self) -> dict[str, Any]:
        return self.sampler.state_dict(self._delivered)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.sampler.load_state_dict(state)
        self._delivered = 0


class _StreamFeed:
    """Clips of a ``ClipStream``; each worker has a slice of its own, so their number is part of the state."""

    def __init__(self, stream: ClipStream, batching: Batching) -> None:
        self.dataset = copy.copy(stream)
        self.dataset.batch = batching.size
        self._workers = max(1, batching.workers)
        self._restart()

    def _restart(self) -> None:
        self._done = [0] * self._workers  # clips delivered of each slice
        self._turn = 0  # whose batch comes next
        self._resumed = False

    @property
    def epoch(self) -> int:
        return self.dataset.epoch

    @property
    def clips(self) -> int:
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self._restart()
        self.dataset.set_epoch(epoch)

    def begin(self, batching: Batching, trays: Trays | None) -> Iterator[tuple[Ticket, Batch]]:
        if not self._resumed:
            self._restart()
        self._resumed = False
        maker = _Maker(self.dataset, batching, trays)
        batches = _Batches(self.dataset, maker, self._done.copy(), self._turn, batching.drop_last)
        return iter(DataLoader(batches, batch_size=None, **batching.options()))

    def deliver(self, ticket: Ticket) -> None:
        number, clips = ticket
        self._done[number] += clips
        self._turn = (number + 1) % self._workers

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "done": self._done.copy(), "turn": self._turn, **self._signature()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        check_state("loader", state, self._signature())
        self.dataset.set_epoch(int(state["epoch"]))
        self._done, self._turn, self._resumed = [int(d) for d in state["done"]], int(state["turn"]), True

    def _signature(self) -> dict[str, object]:
        place = list(self.dataset.order.place())
        return {**self.dataset.signature(), "place": place, "workers": self._workers}


class _Maker:
    """Makes batches of items, on a tray where there are trays."""

    def __init__(self, dataset: ClipDataset | ClipStream, batching: Batching, trays: Trays | None) -> None:
        self.names, self.size, self.trays = NAMES[dataset.view.form], batching.size, trays
        self.room, self.turn = batching.room(), 0

    def __call__(self, items: Iterator[Item], size: int) -> Batch:
        """A batch of at most ``size`` items, at least one."""
        if self.trays is None:
            return gathered(items, size, self.names, self.room)
        turn, self.turn = self.turn, self.turn + 1
        return self.trays.loaded(gathered(items, self.size, self.names, self.trays.room(turn)), turn)


class _Rows(Dataset[Any]):
    """Batches of a ``ClipDataset`` by the numbers of their clips."""

    def __init__(self, maker: _Maker, dataset: ClipDataset) -> None:
        self.maker, self.dataset = maker, dataset

    def __getitems__(self, numbers: list[int]) -> tuple[Ticket, Batch]:
        return (0, len(numbers)), self.maker((self.dataset[n] for n in numbers), len(numbers))


class _Batches(IterableDataset[tuple[Ticket, Batch]]):
    """A stream's batches, each with a ticket that says whose it is.

    The DataLoader asks worker 0 first, so worker 0 takes over the slice whose turn it is.
    """

    def __init__(
        self, stream: ClipStream, maker: _Maker, done: list[int], turn: int, drop_last: bool
    ) -> None:
        self.stream, self.maker, self.done, self.turn, self.drop_last = stream, maker, done, turn, drop_last

    def __iter__(self) -> Iterator[tuple[Ticket, Batch]]:
        info, workers = get_worker_info(), len(self.done)
        number = (self.turn + (info.id if info else 0)) % workers
        start, stop = self.stream.slice(number, workers)
        left, size = stop - start - self.done[number], self.maker.size
        self.stream.resume(self.done[number], number, workers)
        items = self.stream.visit(number, workers)
        while left >= (size if self.drop_last else 1):
            count = min(size, left)
            yield (number, count), self.maker(islice(items, count), count)
            left -= count


def _same(pair: Any) -> Any:
    return pair


def make_loader(
    dataset: ClipDataset | ClipStream,
    batch_size: int,
    *,
    order: Order | None = None,
    workers: int = 0,
    drop_last: bool = False,
    pin_memory: bool = False,
    prefetch: int = 2,
) -> ClipLoader:
    """Batches of a dataset, made in ``workers`` processes (0: in this one).

    Args:
        dataset: clips by number (shuffled clip by clip) or a stream (one decode for all clips of an episode).
        batch_size: clips in a batch, >= 1.
        order: shuffling and this process's share of a ``ClipDataset``; a stream brings its own.
        workers: processes, >= 0. They share ``prefetch + 2`` batches of memory each with this one.
        drop_last: leave out an incomplete last batch.
        pin_memory: hand over pinned memory, for copies to a GPU; ignored where there is none.
        prefetch: batches each worker makes ahead, >= 1.

    Raises:
        UsageError: a number out of range, or an ``order`` for a stream.
    """
    numbers = (("batch_size", batch_size, 1), ("workers", workers, 0), ("prefetch", prefetch, 1))
    for name, value, least in numbers:
        if value < least:
            raise UsageError(f"{name} must be at least {least}, not {value}.")
    batching = Batching(batch_size, workers, drop_last, pin_memory, prefetch)
    if isinstance(dataset, ClipDataset):
        return ClipLoader(_MapFeed(dataset, order or Order()), batching)
    if order is not None:
        raise UsageError("a ClipStream has its own order: give it to ClipStream(..., order=...).")
    return ClipLoader(_StreamFeed(dataset, batching), batching)
