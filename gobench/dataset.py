"""Reading a finished folder: samples by number, by split, and as a table. No network, no torch.

data = open_dataset("runs/go9-tiny")
sample = data.read(17)                     # members as bytes, sample.record() as plain data
frames = data.frames(sample)               # uint8 [T, H, W, 3], decoded or drawn
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gobench.build.assemble import INDEX, MANIFEST
from gobench.build.plan import Plan, Shard, read
from gobench.build.selection import Ints
from gobench.canonical import EVERY, check, read_json
from gobench.codec import Codec, codec
from gobench.errors import DataError, unknown
from gobench.shards import Sample, pread, unpack
from gobench.types import Array, Domain, Record

if TYPE_CHECKING:
    import pandas as pd

OPEN_SHARDS = 64
TOTAL = {"samples": int, "frames": int, "bytes": int}
SHAPE: Record = {
    **dict.fromkeys(("recipe", "config_hash", "codec", "content", "sums"), str),
    "config": {"recipe": str, "domain": str, "seed": int, "options": dict},
    "domain": {"name": str, "version": str},
    "versions": {EVERY: str},
    "inputs": {EVERY: str},
    "members": [str],
    "features": dict,
    "rejected": {EVERY: int},
    "splits": {EVERY: TOTAL | {"shards": int}},
    "shards": [TOTAL | {"file": str, "split": str, "start": int, "sha256": str}],
    **TOTAL,
}
"""What is read of a manifest."""


class Dataset:
    """A finished dataset. Samples are numbered 0 to ``len - 1`` over all splits, in shard order."""

    def __init__(self, folder: Path, manifest: Record, plan: Plan) -> None:
        self.folder = folder
        self.manifest = manifest
        self.plan = plan
        self.shards: tuple[Shard, ...] = plan.shards or ()
        self._starts = [shard.start for shard in self.shards]
        self._handles: dict[int, int] = {}

    def __len__(self) -> int:
        return int(self.manifest["samples"])

    def __getstate__(self) -> Record:
        return {**self.__dict__, "_handles": {}}

    def __del__(self) -> None:
        for handle in self.__dict__.get("_handles", {}).values():
            os.close(handle)

    @property
    def splits(self) -> dict[str, range]:
        """Split -> the numbers of its samples."""
        found: dict[str, range] = {}
        for shard in self.shards:
            start = found[shard.split].start if shard.split in found else shard.start
            found[shard.split] = range(start, shard.start + shard.count)
        return found

    @cached_property
    def codec(self) -> Codec:
        """How the pictures are stored."""
        return codec(self.plan.config.codec)

    @cached_property
    def ranges(self) -> Ints:
        """Int64 [N, 2]: offset and size of each sample in its shard."""
        table = read_index(self.folder, ["offset", "size"])
        return np.stack([table[name].to_numpy() for name in ("offset", "size")], axis=1)

    def table(self) -> pd.DataFrame:
        """The index as a pandas table: key, split, shard, offset, size, frames."""
        frame: pd.DataFrame = read_index(self.folder).to_pandas()
        return frame

    def read(self, number: int) -> Sample:
        """Sample ``number``. Raises DataError that names the file, or the numbers that exist."""
        if not 0 <= number < len(self):
            raise DataError(f"{self.folder} has samples 0 to {len(self) - 1}, not {number}.")
        shard = bisect_right(self._starts, number) - 1
        where = f"{self.folder / self.shards[shard].file}, sample {number}"
        offset, size = self.ranges[number].tolist()
        return unpack(pread(self._handle(shard), offset, size, where), where)

    def samples(self, split: str | None = None) -> Iterator[Sample]:
        """All samples of a split (or of all), in order. Raises UsageError for a split that is not there."""
        if split is not None and split not in self.splits:
            raise unknown("split", split, self.splits)
        for number in range(len(self)) if split is None else self.splits[split]:
            yield self.read(number)

    def frames(
        self,
        sample: Sample,
        start: int = 0,
        stop: int | None = None,
        step: int = 1,
        domain: Domain | None = None,
    ) -> Array:
        """Frames ``[start:stop:step]`` as uint8 [T', H, W, 3]; ``domain`` draws those that are not stored."""
        if not self.codec.renders:
            frames: Array = np.asarray(self.codec.decode(sample.members, start, stop, step))
            return frames
        if domain is None:
            from gobench.registry import domain as installed

            domain = installed(self.plan.config.domain)
        return domain.clip(sample.record()).rgb(start, stop, step)

    def _handle(self, shard: int) -> int:
        if shard not in self._handles:
            if len(self._handles) >= OPEN_SHARDS:
                os.close(self._handles.pop(next(iter(self._handles))))
            path = self.folder / self.shards[shard].file
            try:
                self._handles[shard] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise DataError(f"cannot read {path}: {error.strerror}. Run `gobench verify`.") from error
        return self._handles[shard]


def open_dataset(folder: Path | str) -> Dataset:
    """Open a finished dataset. Raises DataError for a folder that holds none, or one that is not finished."""
    path = Path(folder)
    manifest = read_manifest(path)
    plan = read(path)
    if manifest["config_hash"] != plan.config.hash or plan.shards is None:
        raise DataError(f"{path / MANIFEST} does not belong to the plan beside it. Run `gobench verify`.")
    return Dataset(path, manifest, plan)


def read_manifest(folder: Path | str) -> Record:
    """The manifest of a finished dataset, every key there and of its type; raises DataError if it is not."""
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"{path} is not a folder. Give the folder that a build has written.")
    if not (path / MANIFEST).is_file():
        raise DataError(
            f"{path} holds no finished dataset: it has no {MANIFEST}. "
            "Run `gobench build-dataset` first, or again if it was stopped."
        )
    manifest: Record = read_json(path / MANIFEST)
    try:
        check(manifest, SHAPE, str(path / MANIFEST))
    except DataError as error:
        raise DataError(f"{error} It is not the manifest of a dataset. Run `gobench verify`.") from error
    return manifest


def read_index(folder: Path, columns: list[str] | None = None) -> Any:
    """``index.parquet`` as an arrow table. Raises DataError if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / INDEX
    try:
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}. Run `gobench verify`.") from error
