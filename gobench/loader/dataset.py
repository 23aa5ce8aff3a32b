"""Map-style clips: any clip by number, through the index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset, Sampler

from gobench.loader import augment
from gobench.loader.episodes import opened
from gobench.loader.film import Episodes, projector
from gobench.loader.items import Item, item, shared_number
from gobench.loader.order import Permutation, Share, check_state
from gobench.loader.table import clip_table
from gobench.loader.view import Order, View, view_signature
from gobench.seeds import seed64
from gobench.types import Domain


class ClipDataset(Dataset[Item]):
    """The clips of one split, by number: ``dataset[i]`` reads, decodes or draws just the frames of clip i.

    Items are dicts: ``frames`` (or ``y``, ``u``, ``v``), ``key`` (str), ``start`` (int, the episode's frame
    that comes first), and by the view ``mask``, ``symmetry`` and ``record``.

    Attributes:
        table: how many clips each episode gives, and how many episodes were too short.
        epoch: decides the drawn symmetries; set it with ``set_epoch``, which reaches running workers too.
    """

    def __init__(
        self,
        source: str | Path | Episodes,
        split: str = "train",
        view: View | None = None,
        domain: Domain | None = None,
    ) -> None:
        """Open a built dataset's folder (or anything that offers ``Episodes``).

        Args:
            source: the folder.
            split: "train", "validation" or "test".
            view: what a clip looks like; None: ``View()``.
            domain: who draws records of codec ``moves``; None: the one the dataset names.

        Raises:
            UsageError: no such split, or not one clip of that view in it.
            DataError: the folder is no finished dataset.
        """
        self.view = view or View()
        self.episodes = opened(source, split, domain)
        self.table = clip_table(self.episodes.frames, self.view)
        self._projector = projector(self.episodes, self.view)
        self._epoch = shared_number()

    @property
    def epoch(self) -> int:
        return int(self._epoch[0])

    def set_epoch(self, epoch: int) -> None:
        """Draw the symmetries of epoch ``epoch`` from now on."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return self.table.clips

    def __getitem__(self, clip: int) -> Item:
        """Clip number ``clip``, negative from the end; raises IndexError or DataError."""
        number = clip + len(self) if clip < 0 else clip
        row, start = self.table.locate(number)
        k = augment.drawn(self.view, self.epoch, number)
        stop = min(start + self.view.span, int(self.episodes.frames[row]))
        sample = self.episodes.sample(row)
        planes, record = self._projector.window(sample, start, stop, self.view.stride, k)
        return item(self.view, planes, sample.key, start, len(planes[0]), k, record)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor of frames in an item: {"frames": (16, 256, 256, 3)}."""
        return self._projector.shapes(self.episodes.sample(self.table.locate(0)[0]))

    def signature(self) -> dict[str, object]:
        """What a saved position depends on."""
        return {"data": self.episodes.identity, "clips": len(self), "view": view_signature(self.view)}


class ClipSampler(Sampler[int]):
    """This rank's clip numbers of an epoch, shuffled by (seed, epoch), resumable at any position.

    Positions count what was asked for. A DataLoader's workers ask ahead, so save the state of a
    ``make_loader`` loader (which counts what was delivered), or pass ``delivered`` to ``state_dict``.
    All ranks advance together: a state may be continued by another number of ranks.
    """

    def __init__(self, dataset: ClipDataset, order: Order | None = None) -> None:
        self.dataset, self.order = dataset, order or Order()
        self.epoch = dataset.epoch
        self._next = 0  # where the next pass begins, in clips of all ranks
        self._base = self._taken = 0  # where the last pass began, and clips of this rank asked for since

    def share(self) -> Share:
        """What the next pass holds for this rank."""
        rank, world = self.order.place()
        return Share(len(self.dataset), rank, world, self.order.remainder, self._next)

    @property
    def whole(self) -> int:
        """Clips of this rank in a whole epoch."""
        return len(replace(self.share(), done=0))

    def set_epoch(self, epoch: int) -> None:
        """The next pass is of epoch ``epoch``, also for the dataset; another epoch begins at its start."""
        if epoch != self.epoch:
            self._next = self._base = self._taken = 0
        self.epoch = epoch
        self.dataset.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.share())

    def __iter__(self) -> Iterator[int]:
        share = self.share()
        self._base, self._next, self._taken = self._next, 0, 0
        shuffled = Permutation(share.n, seed64(self.order.seed, "clips", self.epoch))
        for block in share.positions():
            for number in (shuffled(block) if self.order.shuffle else block).tolist():
                self._taken += 1
                yield number

    def state_dict(self, delivered: int | None = None) -> dict[str, Any]:
        """Where this rank stands.

        Args:
            delivered: items of this pass that have been used, None: all that were asked for.
        """
        _, world = self.order.place()
        steps = self._taken if delivered is None else delivered
        done = (self._base or self._next) + steps * world
        return {"epoch": self.epoch, "done": done, **self._signature()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken; raises UsageError if it belongs to other data, view or order."""
        check_state("sampler", state, self._signature())
        self.set_epoch(int(state["epoch"]))
        self._next, self._base, self._taken = int(state["done"]), 0, 0

    def _signature(self) -> dict[str, object]:
        return {**self.dataset.signature(), "order": self.order.signature()}
