"""The episodes of one split of a built folder, read by byte range through ``index.parquet``."""

from __future__ import annotations

import os
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gobench import plan, shards
from gobench.assemble import INDEX, MANIFEST
from gobench.canonical import read_json
from gobench.codec import Codec
from gobench.codec import codec as codec_named
from gobench.errors import DataError, unknown
from gobench.loader.film import Episodes, Sample
from gobench.loader.table import Ints
from gobench.types import Domain

OPEN_SHARDS = 128  # files held open by a process
COLUMNS = ["key", "shard", "offset", "size", "frames"]


def opened(source: str | Path | Episodes, split: str, domain: Domain | None) -> Episodes:
    """A folder's split, or ``source`` itself if it offers episodes already."""
    return BuiltEpisodes(Path(source), split, domain) if isinstance(source, str | Path) else source


def described(folder: Path) -> dict[str, Any]:
    """The config in a folder's plan, {} where there is none."""
    return plan.read(folder).config.to_json() if (folder / plan.PLAN).is_file() else {}


def shards_of(folder: Path, split: str) -> list[Path]:
    """Paths of a split's shards in a finished folder; raises DataError or UsageError."""
    _finished(folder)
    return [folder / s.file for s in _planned(folder, split)]


def _finished(folder: Path) -> dict[str, Any]:
    if not (folder / MANIFEST).is_file():
        raise DataError(
            f"{folder} holds no finished dataset (no manifest.json): give the folder that "
            "`gobench build-dataset` wrote, or run the same command again to finish it."
        )
    return dict(read_json(folder / MANIFEST))


def _planned(folder: Path, split: str) -> list[plan.Shard]:
    every = plan.read(folder).shards or ()
    if split not in {s.split for s in every}:
        raise unknown("split", split, {s.split for s in every})
    return [s for s in every if s.split == split]


class BuiltEpisodes:
    """Implements ``film.Episodes``. Takes about 40 bytes an episode; travels to worker processes.

    Attributes:
        frames: int64 [N], frames of each episode.
        identity: of the split's content.
    """

    def __init__(self, folder: Path, split: str, domain: Domain | None = None) -> None:
        """Raises DataError for a folder that is not finished, UsageError for a split it does not have."""
        self.folder, self.split, self._given = folder.absolute(), split, domain
        self.identity = f"{_finished(folder)['content'][:16]}/{split}"
        _planned(folder, split)
        self._config = plan.read(folder).config
        table = _index(folder / INDEX, split)
        self.frames: Ints = table["frames"].to_numpy().astype(np.int64)
        self._offsets, self._sizes = table["offset"].to_numpy(), table["size"].to_numpy()
        self._keys = table["key"].combine_chunks()
        names = table["shard"].combine_chunks().dictionary_encode()
        self._shards, self._names = names.indices.to_numpy(), names.dictionary.to_pylist()
        self._handles = Handles()

    def __len__(self) -> int:
        return len(self.frames)

    @cached_property
    def codec(self) -> Codec:
        return codec_named(self._config.codec)

    @cached_property
    def domain(self) -> Domain:
        from gobench.registry import domain_of

        return self._given or domain_of(self._config.to_json())

    def key(self, row: int) -> str:
        """The key of an episode."""
        return str(self._keys[row].as_py())

    def sample(self, row: int) -> Sample:
        """Read one episode; raises DataError that names shard and key."""
        key, path = self.key(row), self._path(row)
        where = f"{path}: {key}"
        offset, size = int(self._offsets[row]), int(self._sizes[row])
        found = shards.unpack(shards.pread(self._handles(path), offset, size, where), where)
        if found.key != key:
            raise DataError(f"{where}: {found.key} stands where the index says it is; run `gobench verify`.")
        return Sample(key, str(path), found.members)

    def _path(self, row: int) -> Path:
        return self.folder / plan.DATA / f"{self._names[int(self._shards[row])]}.tar"


def _index(path: Path, split: str) -> Any:
    from pyarrow import ArrowInvalid, parquet

    try:
        return parquet.read_table(path, columns=COLUMNS, filters=[("split", "=", split)])
    except (OSError, ArrowInvalid) as error:
        raise DataError(f"cannot read {path}: {error}. Run `gobench verify` on the folder.") from error


class Handles:
    """Open shards of this process, the least recently used closed first. Pickles as none open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()

    def __call__(self, path: Path) -> int:
        """A file descriptor for reading ``path``; raises DataError."""
        if path not in self._open:
            try:
                self._open[path] = os.open(path, os.O_RDONLY)
            except OSError as error:
                raise DataError(f"cannot read {path}: {error.strerror}. Run `gobench verify`.") from error
            if len(self._open) > OPEN_SHARDS:
                os.close(self._open.popitem(last=False)[1])
        self._open.move_to_end(path)
        return self._open[path]

    def __del__(self) -> None:
        for handle in self._open.values():
            os.close(handle)

    def __reduce__(self) -> tuple[type[Handles], tuple[()]]:
        return Handles, ()
