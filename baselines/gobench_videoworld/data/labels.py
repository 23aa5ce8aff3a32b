"""Actions between frames, read from the records: for states, and for analyses. The only place where moves are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench import atomic
from gobench.errors import DataError, UsageError
from gobench.loader.film import named
from gobench_videoworld.data.episodes import Reel
from gobench_videoworld.data.store import TokenStore, file, open_store, save
from gobench_videoworld.data.tokens import LOCK, Progress

ACTIONS = "actions"


def label(folder: Path | str, split: str, out: Path | str, progress: Progress | None = None) -> TokenStore:
    """Put the labels of every episode beside a finished store's tokens, in each of its symmetries; returns it opened.

    Raises:
        DataError: the store is of another dataset, or a record is broken.
        UsageError: the domain has no labels. BuildError: the disk is full.
    """
    store, reel = open_store(out, split), Reel(folder, split, None)
    if store.meta.content != reel.content:
        raise DataError(f"{store.folder} holds {store.meta.kind} of another dataset than {folder}.")
    domain: Any = reel.episodes.domain
    if not hasattr(domain, "labels"):
        raise UsageError(f"the domain {domain.name!r} has no labels for its records.")
    with atomic.lock(store.folder / LOCK, f"{store.folder} is being written by another process.", wait=True):
        for shard, rows in store.rows():
            path = file(store.folder, shard, ACTIONS)
            if not path.is_file():
                save(path, np.concatenate(list(_labels(reel, domain, rows, store.variants))))
            if progress:
                progress(rows.stop, len(store))
    return open_store(out, split)


def _labels(reel: Reel, domain: Any, rows: range, variants: int) -> Iterator[npt.NDArray[np.int16]]:
    """Of each episode, int16 [T, variants, 2]: the action after each frame; after the last one it is none."""
    rows_of, cols_of = domain.grid(reel.episodes.data.plan.config.options)
    for row in rows:
        sample = reel.sample(row)
        record = sample.record()
        found = np.full((reel.length(row), variants, 2), (rows_of * cols_of, 0), np.int16)
        with named(sample):
            for k in range(variants):
                found[:-1, k] = domain.labels(domain.transform(record, k) if k else record)
        yield found
