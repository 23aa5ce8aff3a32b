"""Batches one ahead: the next slice is made in a thread while the network works on this one.

A slice is a pure function of its step, so that this changes speed alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from gobench_videoworld.train.parallel import Parallel
from gobench_videoworld.train.stage import Batch, Stage


class Feed:
    """The slices that this process computes, on its device; use as a context manager."""

    def __init__(self, stage: Stage, parallel: Parallel, accumulate: int, steps: int) -> None:
        self.stage = stage
        self.parallel = parallel
        self.accumulate = accumulate
        self.steps = steps
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._next: tuple[tuple[int, int], Future[Batch]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def slices(self, step: int) -> Iterator[tuple[int, Batch]]:
        """(index among all slices of the step's batch, slice) for each slice of this rank.

        Raises whatever ``stage.batch`` raises, at the step that needs it.
        """
        for part in range(self.accumulate):
            batch = self._take(step, part)
            self._order(*((step, part + 1) if part + 1 < self.accumulate else (step + 1, 0)))
            yield self.index(part), batch

    def index(self, part: int) -> int:
        """Which slice of the batch this rank's ``part`` is."""
        return self.parallel.rank * self.accumulate + part

    def make(self, step: int, part: int) -> Batch:
        """A slice, on the device."""
        made = self.stage.batch(step, self.index(part), self.parallel.world * self.accumulate)
        device = self.parallel.device
        if device.type == "cpu":
            return made
        return {name: t.pin_memory().to(device, non_blocking=True) for name, t in made.items()}

    def _take(self, step: int, part: int) -> Batch:
        ordered, self._next = self._next, None
        if ordered is not None and ordered[0] == (step, part):
            return ordered[1].result()
        return self.make(step, part)

    def _order(self, step: int, part: int) -> None:
        if step < self.steps:
            self._next = ((step, part), self._pool.submit(self.make, step, part))
