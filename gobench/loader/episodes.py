"""The episodes of one split of a built folder, as the loader wants them."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path

import numpy as np

from gobench.codec import Codec
from gobench.dataset import open_dataset, read_index
from gobench.errors import DataError, unknown
from gobench.loader.film import Episodes, Sample
from gobench.loader.table import Ints
from gobench.types import Domain


def opened(source: str | Path | Episodes, split: str, domain: Domain | None) -> Episodes:
    """A folder's split, or ``source`` itself if it offers episodes already."""
    return BuiltEpisodes(source, split, domain) if isinstance(source, str | Path) else source


class BuiltEpisodes:
    """Implements ``film.Episodes``. Takes 24 bytes an episode; travels to worker processes.

    Attributes:
        frames: int64 [N], frames of each episode.
        identity: of the split's content.
    """

    def __init__(self, folder: str | Path, split: str, domain: Domain | None = None) -> None:
        """Raises DataError for a folder that is not finished, UsageError for a split it does not have."""
        self.data = open_dataset(Path(folder).absolute())
        if split not in self.data.splits:
            raise unknown("split", split, self.data.splits)
        self._starts = [shard.start for shard in self.data.shards]
        self._numbers, self._given = self.data.splits[split], domain
        self.identity = f"{self.data.manifest['content'][:16]}/{split}"
        frames = read_index(self.data.folder, ["frames"])["frames"].to_numpy()
        if len(frames) != len(self.data):
            raise DataError(
                f"{self.data.folder}: the index has {len(frames)} rows for {len(self.data)} samples. "
                "Run `gobench verify`."
            )
        self.frames: Ints = frames[self._numbers.start : self._numbers.stop].astype(np.int64)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def codec(self) -> Codec:
        return self.data.codec

    @cached_property
    def domain(self) -> Domain:
        """The domain given, or the one that the dataset names."""
        from gobench.registry import domain

        return self._given or domain(self.data.plan.config.domain)

    def sample(self, row: int) -> Sample:
        """Read one episode; raises DataError that names shard and key."""
        number = self._numbers[row]
        try:
            found = self.data.read(number)
        except DataError as error:
            key = read_index(self.data.folder, ["key"])["key"][number].as_py()
            raise DataError(f"{key}: {error}") from error
        shard = self.data.shards[bisect_right(self._starts, number) - 1]
        return Sample(found.key, str(self.data.folder / shard.file), found.members)
