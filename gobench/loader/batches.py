"""Batches: one loader for both kinds of datasets, with an exact state between any two batches."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from gobench.errors import UsageError
from gobench.loader.dataset import ClipDataset, ClipSampler
from gobench.loader.items import Batch, chunked, collate
from gobench.loader.order import check_state
from gobench.loader.stream import ClipStream
from gobench.loader.view import Order

Ticket = tuple[int, int]  # (number of the slice, clips of a batch)


class ClipLoader:
    """Batches of this rank's clips; iterating it is one epoch, and moves on to the next when it ends.

    ``state_dict`` counts what was delivered, not what workers have asked for ahead, so a loader made the same
    way and given the state goes on with the very next batch. Breaking off a pass and iterating again
    starts the same epoch anew.
    """

    def __init__(
        self, feed: _MapFeed | _StreamFeed, batch: int, drop_last: bool, options: dict[str, Any]
    ) -> None:
        self._feed, self._batch, self._drop_last, self._options = feed, batch, drop_last, options

    @property
    def epoch(self) -> int:
        """The epoch of the next pass, or of the one under way."""
        return self._feed.epoch

    def set_epoch(self, epoch: int) -> None:
        """The next pass is of epoch ``epoch``; another epoch begins at its start."""
        self._feed.set_epoch(epoch)

    def __len__(self) -> int:
        """Batches of this rank in a whole epoch."""
        clips = self._feed.clips
        return clips // self._batch if self._drop_last else -(-clips // self._batch)

    def __iter__(self) -> Iterator[Batch]:
        feed = self._feed
        for ticket, batch in feed.begin(self._batch, self._drop_last, self._options):
            feed.deliver(ticket)
            yield batch
        feed.set_epoch(feed.epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: plain JSON."""
        return {"batch": self._batch, "drop_last": self._drop_last, **self._feed.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken; raises UsageError if it belongs to another loader."""
        check_state("loader", state, {"batch": self._batch, "drop_last": self._drop_last})
        self._feed.load_state_dict(state)


class _MapFeed:
    """Clips of a ``ClipDataset``; any number of workers gives the same batches."""

    def __init__(self, dataset: ClipDataset, order: Order) -> None:
        self.dataset, self.sampler = dataset, ClipSampler(dataset, order)
        self._delivered: int | None = None  # clips of the pass under way; None: no pass has begun

    @property
    def epoch(self) -> int:
        return self.sampler.epoch

    @property
    def clips(self) -> int:
        return self.sampler.whole

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self._delivered = None
        self.sampler.set_epoch(epoch)

    def begin(self, batch: int, drop_last: bool, options: dict[str, Any]) -> Iterator[tuple[Ticket, Batch]]:
        loader = DataLoader(
            self.dataset, batch, sampler=self.sampler, drop_last=drop_last, collate_fn=collate, **options
        )
        self._delivered = 0
        for one in loader:
            yield (0, len(one["key"])), one

    def deliver(self, ticket: Ticket) -> None:
        self._delivered = (self._delivered or 0) + ticket[1]

    def state_dict(self) -> dict[str, Any]:
        return self.sampler.state_dict(self._delivered or 0)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.sampler.load_state_dict(state)
        self._delivered = None


class _StreamFeed:
    """Clips of a ``ClipStream``; each worker has a slice of its own, so their number is part of the state."""

    def __init__(self, stream: ClipStream, workers: int, batch: int) -> None:
        self.stream = copy.copy(stream)
        self.stream.batch = batch
        self._workers = max(1, workers)
        self._done = [0] * self._workers  # clips delivered of each worker's slice
        self._turn = 0  # whose batch comes next
        self._resumed = False

    @property
    def epoch(self) -> int:
        return self.stream.epoch

    @property
    def clips(self) -> int:
        return len(self.stream)

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self._restart()
        self.stream.set_epoch(epoch)

    def begin(self, batch: int, drop_last: bool, options: dict[str, Any]) -> Iterator[tuple[Ticket, Batch]]:
        if not self._resumed:
            self._restart()
        self._resumed = False
        batches = _Batches(self.stream, batch, drop_last, self._done.copy(), self._turn)
        return iter(DataLoader(batches, batch_size=None, collate_fn=_same, **options))

    def deliver(self, ticket: Ticket) -> None:
        number, clips = ticket
        self._done[number] += clips
        self._turn = (number + 1) % self._workers

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "done": self._done.copy(), "turn": self._turn, **self._signature()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        check_state("loader", state, self._signature())
        self.stream.set_epoch(int(state["epoch"]))
        self._done, self._turn, self._resumed = [int(d) for d in state["done"]], int(state["turn"]), True

    def _restart(self) -> None:
        self._done, self._turn, self._resumed = [0] * self._workers, 0, False

    def _signature(self) -> dict[str, object]:
        return {**self.stream.signature(), "place": list(self.stream.order.place()), "workers": self._workers}


class _Batches(IterableDataset[tuple[Ticket, Batch]]):
    """A stream's batches made where the frames are, each with a ticket that says whose it is.

    The DataLoader asks worker 0 first, so worker 0 takes over the slice whose turn it is.
    """

    def __init__(self, stream: ClipStream, batch: int, drop_last: bool, done: list[int], turn: int) -> None:
        self.stream, self.batch, self.drop_last, self.done, self.turn = stream, batch, drop_last, done, turn

    def __iter__(self) -> Iterator[tuple[Ticket, Batch]]:
        info, workers = get_worker_info(), len(self.done)
        number = (self.turn + (info.id if info else 0)) % workers
        self.stream.resume(self.done[number], number, workers)
        for chunk in chunked(self.stream.visit(number, workers), self.batch):
            if len(chunk) == self.batch or not self.drop_last:
                yield (number, len(chunk)), collate(chunk)


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
        workers: processes, >= 0.
        drop_last: leave out an incomplete last batch.
        pin_memory: hand over pinned memory, for copies to a GPU.
        prefetch: batches each worker makes ahead, >= 1.

    Raises:
        UsageError: a number out of range, or an ``order`` for a stream.
    """
    for name, value, least in (
        ("batch_size", batch_size, 1),
        ("workers", workers, 0),
        ("prefetch", prefetch, 1),
    ):
        if value < least:
            raise UsageError(f"{name} must be at least {least}, not {value}.")
    options: dict[str, Any] = {"num_workers": workers, "pin_memory": pin_memory}
    if workers:
        options["prefetch_factor"] = prefetch
    if isinstance(dataset, ClipDataset):
        return ClipLoader(_MapFeed(dataset, order or Order()), batch_size, drop_last, options)
    if order is not None:
        raise UsageError("a ClipStream has its own order: give it to ClipStream(..., order=...).")
    return ClipLoader(_StreamFeed(dataset, workers, batch_size), batch_size, drop_last, options)
