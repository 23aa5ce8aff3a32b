"""Iterable clips: episodes are read in a shuffled order and give all of their clips from one decode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset, get_worker_info

from gobench.errors import UsageError
from gobench.loader import augment
from gobench.loader.episodes import opened
from gobench.loader.film import Episodes, Planes, Sample, projector
from gobench.loader.items import Item, item, shared_number
from gobench.loader.order import check_state, equal_slices, worker_slice
from gobench.loader.sequence import Pick, Sequence, sequence
from gobench.loader.table import clip_table
from gobench.loader.view import Order, View, view_signature
from gobench.types import Domain, Record

OPEN_FRAMES = 512  # decoded frames held at once, about: 100 MB at 256x256
OPEN_RECORDS = 256  # records held at once, a few kB each


class ClipStream(IterableDataset[Item]):
    """The clips of one split, one after the other; the same items as ``ClipDataset``.

    ``mix`` episodes are open at a time and their clips come in random order; the next ``mix`` follow. The
    epoch is cut into neighbouring slices, one for each rank and in it one for each DataLoader worker: no clip
    comes twice, none is left out (see ``Order.remainder``).

    ``state_dict`` and ``load_state_dict`` are exact between any two items, also in a worker process, where
    they stand for the worker's own slice (what torchdata's StatefulDataLoader saves, worker by worker).

    Attributes:
        table: how many clips each episode gives, and how many episodes were too short.
        epoch: decides order and symmetries; set it with ``set_epoch``, which reaches running workers too.
        batch: workers' slices are whole batches of this many clips, so that only the epoch's last is smaller.
    """

    def __init__(
        self,
        source: str | Path | Episodes,
        split: str = "train",
        view: View | None = None,
        order: Order | None = None,
        *,
        mix: int | None = None,
        batch: int = 1,
        domain: Domain | None = None,
    ) -> None:
        """Open a built dataset's folder (or anything that offers ``Episodes``).

        Args:
            source: the folder.
            split: "train", "validation" or "test".
            view: what a clip looks like; None: ``View()``.
            order: shuffling and this process's share; None: ``Order()``.
            mix: episodes open at a time; None: as many as hold 512 frames on average, or 256 where frames
                are drawn from records.
            batch: see the attribute.
            domain: who draws records of codec ``moves``; None: the one the dataset names.

        Raises:
            UsageError: no such split, not one clip of that view in it, or a ``mix`` or ``batch`` below 1.
            DataError: the folder is no finished dataset.
        """
        self.view, self.order = view or View(), order or Order()
        self.episodes = opened(source, split, domain)
        self.table = clip_table(self.episodes.frames, self.view)
        self._projector = projector(self.episodes, self.view)
        self.mix = self._default_mix() if mix is None else mix
        self.batch = batch
        for name, value in (("mix", self.mix), ("batch", batch)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}.")
        self._epoch = shared_number()
        self._done = 0
        self._resumed: tuple[int, int] | None = (
            None  # the (worker, workers) whose pass goes on where it stood
        )

    def _default_mix(self) -> int:
        if self._projector.draws:
            return OPEN_RECORDS
        return max(1, OPEN_FRAMES // int(self.episodes.frames[self.table.counts > 0].mean()))

    @property
    def epoch(self) -> int:
        return int(self._epoch[0])

    def set_epoch(self, epoch: int) -> None:
        """The next pass is of epoch ``epoch``; another epoch begins at its start."""
        if epoch != self.epoch:
            self._done, self._resumed = 0, None
        self._epoch[0] = epoch

    def __len__(self) -> int:
        """Clips of this rank in an epoch, over all workers."""
        start, stop = self._rank_slice()
        return stop - start

    def __iter__(self) -> Iterator[Item]:
        """This process's (in a worker: this worker's) clips, from the start or from a loaded state."""
        return self.visit(*_worker())

    def visit(self, worker: int, workers: int) -> Iterator[Item]:
        """One worker's clips, whoever visits them."""
        start, stop = self.slice(worker, workers)
        if self._resumed is None:
            self._done = 0
        elif self._resumed != (worker, workers):
            raise UsageError(
                f"a state of worker {self._resumed[0]} of {self._resumed[1]} was loaded, and worker {worker} "
                f"of {workers} is to go on. Save and load the state of a make_loader(...) loader instead."
            )
        self._resumed = None
        visited = sequence(self.table, self.order, self.mix, self.epoch)
        for made in self._items(visited, start + self._done, stop):
            self._done += 1
            yield made
        self._done = 0

    def slice(self, worker: int, workers: int) -> tuple[int, int]:
        """Positions [start, stop) of the epoch's sequence that a worker of this rank visits."""
        return worker_slice(*self._rank_slice(), worker, workers, self.batch)

    def _rank_slice(self) -> tuple[int, int]:
        rank, world = self.order.place()
        return equal_slices(self.table.clips, world, self.order.remainder)[rank]

    def _items(self, visited: Sequence, start: int, stop: int) -> Iterator[Item]:
        while start < stop:
            first = start % len(visited)  # "pad" goes on with the epoch's first clips
            after = min(visited.group(first)[1], first + stop - start)
            yield from self._group(visited.picks(first, after))
            start += after - first

    def _group(self, picks: list[Pick]) -> Iterator[Item]:
        """The clips of one group; an episode is read at its first clip and let go after its last."""
        wanted, left = _by_row(picks), Counter(p.row for p in picks)
        reels: dict[int, _Reel] = {}
        for pick in picks:
            row = pick.row
            if row not in reels:
                reels[row] = self._read(row, wanted[row])
            left[row] -= 1
            yield self._item(pick, reels[row] if left[row] else reels.pop(row))

    def _read(self, row: int, picks: list[Pick]) -> _Reel:
        sample = self.episodes.sample(row)
        if self._projector.draws:
            return _Reel(sample, 0, 1, None)
        # one clip alone is decoded at its stride, several as the run that covers them all
        step = self.view.stride if len(picks) == 1 else 1
        first = min(p.start for p in picks)
        stop = min(max(p.start for p in picks) + self.view.span, int(self.episodes.frames[row]))
        return _Reel(sample, first, step, self._projector.stored(sample, first, stop, step))

    def _item(self, pick: Pick, reel: _Reel) -> Item:
        k = augment.drawn(self.view, self.epoch, pick.clip)
        stop = min(pick.start + self.view.span, int(self.episodes.frames[pick.row]))
        record: Record | None
        if reel.planes is None:
            planes, record = self._projector.window(reel.sample, pick.start, stop, self.view.stride, k)
        else:
            planes = self._projector.mirrored(reel.cut(pick.start, stop, self.view.stride), k)
            record = self._projector.record(reel.sample, k)
        return item(self.view, planes, reel.sample.key, pick.start, len(planes[0]), k, record)

    def state_dict(self) -> dict[str, Any]:
        """Where the pass stands in this process's (in a worker: this worker's) slice."""
        return {"epoch": self.epoch, "done": self._done, **self.signature(), "slice": self._place()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken.

        Raises:
            UsageError: it belongs to other data, another view or order, or another rank or number of workers.
        """
        check_state("stream", state, {**self.signature(), "slice": self._place()})
        self._epoch[0] = int(state["epoch"])
        self.resume(int(state["done"]), *_worker())

    def resume(self, done: int, worker: int, workers: int) -> None:
        """The next pass is of this worker's slice and leaves out its first ``done`` clips."""
        self._done, self._resumed = done, (worker, workers)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor of frames in an item: {"frames": (16, 256, 256, 3)}."""
        return self._projector.shapes(self.episodes.sample(self.table.locate(0)[0]))

    def signature(self) -> dict[str, object]:
        """What a saved position depends on."""
        return {
            "data": self.episodes.identity,
            "clips": self.table.clips,
            "view": view_signature(self.view),
            "order": self.order.signature(),
            "mix": self.mix,
            "batch": self.batch,
        }

    def _place(self) -> list[int]:
        return [*self.order.place(), *_worker()]


class _Reel:
    """An episode that is being cut into clips: the sample, and its decoded frames from ``first`` on."""

    def __init__(self, sample: Sample, first: int, step: int, planes: Planes | None) -> None:
        self.sample, self.first, self.step, self.planes = sample, first, step, planes

    def cut(self, start: int, stop: int, stride: int) -> Planes:
        """Copies of frames ``range(start, stop, stride)``: clips may overlap, and may be changed."""
        assert self.planes is not None
        part = slice(
            (start - self.first) // self.step, -(-(stop - self.first) // self.step), stride // self.step
        )
        return tuple(p[part].copy() for p in self.planes)


def _by_row(picks: list[Pick]) -> dict[int, list[Pick]]:
    rows: dict[int, list[Pick]] = {}
    for pick in picks:
        rows.setdefault(pick.row, []).append(pick)
    return rows


def _worker() -> tuple[int, int]:
    """(number, count) of DataLoader workers; (0, 1) outside of one."""
    info = get_worker_info()
    return (info.id, info.num_workers) if info else (0, 1)
