"""The checks of all shards as a job for ``gobench.build.engine``, here or in worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gobench.build.plan import Plan, Shard, read_kept
from gobench.build.selection import Ints
from gobench.canonical import dumps, read_json
from gobench.dataset import read_index
from gobench.errors import DataError
from gobench.seeds import stream
from gobench.sketch import SKETCH, Sketch
from gobench.sketch import read as read_sketch
from gobench.types import Domain, Record
from gobench.verify.finding import Finding
from gobench.verify.shard import ShardCheck


@dataclass(frozen=True)
class ShardsJob:
    """Looks at shard after shard; what it finds lies in ``room``, one file a shard, until it is collected."""

    folder: Path
    plan: Plan
    domain: Domain | None
    sample: int | None  # of how many samples the pictures are compared; None is all
    seed: int
    room: Path = Path()

    def into(self, room: Path) -> ShardsJob:
        """The same job with a folder for its findings."""
        return replace(self, room=room)

    def name(self, index: int) -> str:
        return f"the check of {self.shards[index].file}"

    def __call__(self, index: int) -> None:
        shard = self.shards[index]
        check = ShardCheck(self.folder, self.plan, shard, self.domain, self._kept(shard), self.sketch)
        found = [asdict(finding) for finding in check.run(self._rows(shard), self._chosen(shard))]
        self._file(index).write_bytes(dumps({**check.seen, "findings": found}))

    def findings(self, index: int) -> Iterator[Finding]:
        """What was found in a shard."""
        for table in read_json(self._file(index))["findings"]:
            yield Finding(**table)

    def drawn(self, index: int) -> int:
        """How many of a shard's samples were drawn again and compared."""
        return int(read_json(self._file(index))["drawn"])

    @property
    def shards(self) -> tuple[Shard, ...]:
        return self.plan.shards or ()

    @cached_property
    def chosen(self) -> Ints:
        """Numbers of the samples whose pictures are compared, rising."""
        everything = np.arange(self.plan.kept)
        if self.sample is None or self.sample >= self.plan.kept:
            return everything
        picked = stream(self.seed, "verify").choice(everything, size=max(self.sample, 0), replace=False)
        return np.sort(picked)

    @cached_property
    def kept(self) -> Ints | None:
        """The candidate of each sample; None where that is not known."""
        try:
            return read_kept(self.folder, self.plan)
        except DataError:
            return None

    @cached_property
    def sketch(self) -> Sketch | None:
        """The dataset's sketch; None where there is none, or a broken one, which is told elsewhere."""
        try:
            return read_sketch(self.folder / SKETCH)
        except DataError:
            return None

    @cached_property
    def index(self) -> Any:
        """The index as an arrow table; None where it does not fit, which is told elsewhere."""
        try:
            table = read_index(self.folder)
            return table if table.num_rows == self.plan.kept else None
        except DataError:
            return None

    def _file(self, index: int) -> Path:
        return self.room / f"{index}.json"

    def _kept(self, shard: Shard) -> list[int]:
        return [] if self.kept is None else self.kept[shard.start : shard.start + shard.count].tolist()

    def _rows(self, shard: Shard) -> list[Record] | None:
        if self.index is None:
            return None
        rows: list[Record] = self.index.slice(shard.start, shard.count).to_pylist()
        return rows

    def _chosen(self, shard: Shard) -> list[int]:
        first, last = np.searchsorted(self.chosen, (shard.start, shard.start + shard.count))
        numbers: list[int] = self.chosen[first:last].tolist()
        return numbers
