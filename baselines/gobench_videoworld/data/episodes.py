"""Whole episodes as frames at the working size, decoded by a few threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeVar

from gobench.errors import DataError, UsageError
from gobench.loader.episodes import BuiltEpisodes
from gobench.loader.film import Projector, Sample, projector
from gobench.loader.resize import resized
from gobench.loader.view import View
from gobench.types import Array
from gobench.workers import cores
from gobench_videoworld.config import at_least

Size = tuple[int, int]
J = TypeVar("J")
T = TypeVar("T")


class Reel:
    """The episodes of a split, as frames uint8 [T, h, w, 3] resized by area to ``size`` (None: as stored).

    Raises DataError for a folder without a finished dataset, UsageError for a split that it does not have.
    """

    def __init__(self, folder: Path | str, split: str, size: Size | None) -> None:
        self.episodes = BuiltEpisodes(folder, split)
        self.size = size
        self._reading = Lock()
        self._projector: Projector = projector(self.episodes, View(length=1))

    def __len__(self) -> int:
        return len(self.episodes)

    @property
    def content(self) -> str:
        """Hash of the dataset's content."""
        return str(self.episodes.data.manifest["content"])

    def length(self, row: int) -> int:
        """Frames of an episode."""
        return int(self.episodes.frames[row])

    def first(self, episodes: int) -> int:
        """How many episodes are used, of the first ones (0: all); UsageError where more are asked for than there are."""
        at_least("episodes", episodes, 0)
        if episodes > len(self):
            raise UsageError(f"the split holds {len(self)} episodes, fewer than the {episodes} asked for.")
        return episodes or len(self)

    def sample(self, row: int) -> Sample:
        """An episode as stored. Raises DataError that names shard and key, and what to do."""
        try:
            with self._reading:
                return self.episodes.sample(row)
        except DataError as error:
            raise _with_advice(error) from error

    def frames(self, sample: Sample, start: int, stop: int) -> Array:
        """Frames ``start`` to ``stop`` - 1; may be called from several threads at once."""
        try:
            (found,), _ = self._projector.window(sample, start, stop, 1, 0)
        except DataError as error:
            raise _with_advice(error) from error
        return found if self.size is None else resized(found, *self.size, "area")

    def each(self, rows: Iterable[int], then: Callable[[Sample, Array], T], threads: int = 0) -> Iterator[T]:
        """``then(sample, frames)`` of whole episodes, in order; reading, decoding and ``then`` are done in threads."""

        def work(row: int) -> T:
            sample = self.sample(row)
            return then(sample, self.frames(sample, 0, self.length(row)))

        yield from in_order(work, rows, threads)


def in_order(work: Callable[[J], T], jobs: Iterable[J], threads: int) -> Iterator[T]:
    """Results of ``work`` in the order of its jobs, at most a few of which are on their way at a time.

    ``threads`` 0 is one for each core.
    """
    waiting: deque[Future[T]] = deque()
    many = threads or cores()
    with ThreadPoolExecutor(many) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                if len(waiting) > 2 * many:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _with_advice(error: DataError) -> DataError:
    return DataError(
        f"{error} Delete the broken shard and run the command that built the dataset again: it makes what is missing. "
        "What training has made so far stays."
    )
