"""Tokenise once: every frame of a split, in every symmetry, into a ``TokenStore`` that is kept and used again.

The unit is a shard of the dataset. A shard's files appear whole or not at all; who is stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gobench import atomic
from gobench.errors import DataError, UsageError
from gobench.loader.film import Sample
from gobench.loader.view import SYMMETRIES
from gobench_videoworld.config import at_least, one_of
from gobench_videoworld.data.episodes import Reel
from gobench_videoworld.data.makers import Coded, Encoder, Maker, StateMaker, TokenMaker
from gobench_videoworld.data.store import (
    Meta,
    TokenStore,
    check_turns,
    file,
    mapped,
    open_store,
    save,
    write_meta,
)

Progress = Callable[[int, int], None]
"""Called with (episodes done, episodes to do) after each one."""

LOCK = ".lock"


def tokenise(
    folder: Path | str,
    split: str,
    tokenizer: Encoder,
    out: Path | str,
    symmetries: str = "dihedral",
    progress: Progress | None = None,
    episodes: int = 0,
    threads: int = 0,
) -> TokenStore:
    """The tokens of a split's frames, made where they are missing. Of records, only lengths and first plies are read.

    Args:
        folder: a finished dataset.
        split: "train", "validation" or "test".
        tokenizer: a trained one, on any device.
        out: where stores lie, one folder a split.
        symmetries: of ``gobench.loader.view.SYMMETRIES``; "dihedral" needs square frames and a square grid.
        progress: told how many episodes are done.
        episodes: make only the shards that hold the first so many; 0: all.
        threads: that decode and encode; 0: one for each core.

    Raises:
        DataError: no finished dataset, a broken shard (named), or ``out`` belongs to another dataset or tokenizer.
        UsageError: no such split, or symmetries that these frames do not have.
        BuildError: the disk is full. What was finished stays.
    """
    one_of("symmetry", symmetries, SYMMETRIES)
    reel = Reel(folder, split, tokenizer.config.size)
    maker = TokenMaker(tokenizer, SYMMETRIES[symmetries], reel.episodes.codec.exact)
    return _filled(reel, split, maker, Path(out), symmetries, progress, episodes, threads)


def read_states(
    folder: Path | str,
    split: str,
    out: Path | str,
    symmetries: str = "dihedral",
    progress: Progress | None = None,
    episodes: int = 0,
    threads: int = 0,
) -> TokenStore:
    """The symbols that the domain's reader sees in a split's frames; otherwise as ``tokenise``.

    Raises also UsageError for a domain that reads no states.
    """
    one_of("symmetry", symmetries, SYMMETRIES)
    reel = Reel(folder, split, None)
    domain: Any = reel.episodes.domain
    if not hasattr(domain, "states"):
        raise UsageError(
            f"the domain {domain.name!r} reads no states from pictures: choose --input video+ldm."
        )
    maker = StateMaker(domain, reel.episodes.data.plan.config.options, SYMMETRIES[symmetries])
    return _filled(reel, split, maker, Path(out), symmetries, progress, episodes, threads)


def _filled(
    reel: Reel,
    split: str,
    maker: Maker,
    out: Path,
    symmetries: str,
    progress: Progress | None,
    episodes: int,
    threads: int,
) -> TokenStore:
    """The store, after what is missing has been made. Another process that makes the same is waited for."""
    at_least("episodes", episodes, 0)
    meta = _meta(reel, split, maker, symmetries)
    place = out / split
    with atomic.lock(place / LOCK, f"{place} is being written by another process.", wait=True):
        write_meta(place, meta, reel.episodes.frames)
        atomic.remove_temporaries(place)
        with one_thread_each():
            _make(reel, maker, place, meta, _missing(place, meta, reel, episodes), progress, threads)
    return open_store(out, split)


def _meta(reel: Reel, split: str, maker: Maker, symmetries: str) -> Meta:
    first = reel.frames(reel.sample(0), 0, 1)
    size = (int(first.shape[1]), int(first.shape[2]))
    check_turns(symmetries, size, maker.grid)
    counts = tuple(shard.count for shard in reel.episodes.data.shards if shard.split == split)
    variants = SYMMETRIES[symmetries]
    own = (maker.kind, maker.name, symmetries, variants, maker.grid, size, maker.vocabulary)
    return Meta(reel.content, reel.episodes.codec.name, split, *own, counts)


def _missing(place: Path, meta: Meta, reel: Reel, episodes: int) -> list[tuple[int, range]]:
    """(shard, rows of its episodes) of all that have to be made. A file that is broken counts as missing."""
    found: list[tuple[int, range]] = []
    start = 0
    for shard, count in enumerate(meta.episodes):
        rows = range(start, start + count)
        if (not episodes or start < episodes) and not _done(place, meta, reel, shard, rows):
            found.append((shard, rows))
        start += count
    return found


def _done(place: Path, meta: Meta, reel: Reel, shard: int, rows: range) -> bool:
    frames = int(reel.episodes.frames[rows.start : rows.stop].sum())
    shapes = {
        "tokens": (meta.dtype, (frames, meta.variants, meta.sites)),
        "same": (np.dtype(np.bool_), (frames,)),
        "first": (np.dtype(np.int32), (len(rows),)),
    }
    try:
        for name, (dtype, shape) in shapes.items():
            mapped(file(place, shard, name), dtype, shape)
    except DataError:
        return False
    return True


def _make(
    reel: Reel,
    maker: Maker,
    place: Path,
    meta: Meta,
    missing: list[tuple[int, range]],
    progress: Progress | None,
    threads: int,
) -> None:
    """Make shards one after the other; decoding runs ahead over their ends."""
    rows = [row for _, part in missing for row in part]
    if not rows:
        return
    maker.begin(reel.frames(reel.sample(0), 0, reel.length(0)))
    episodes = reel.each(rows, lambda sample, frames: (_first(sample), maker.code(frames)), threads)
    done = 0
    for shard, part in missing:
        firsts: list[int] = []
        coded: list[Coded] = []
        for first, symbols in (next(episodes) for _ in part):
            firsts.append(first)
            coded.append(symbols.astype(meta.dtype))
            done += 1
            if progress:
                progress(done, len(rows))
        _save(place, shard, firsts, coded)


def _first(sample: Sample) -> int:
    """Plies before the first frame: all that is read of a record."""
    return int(sample.record().get("first_ply", 0))


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Torch computes in the threads that decode; threads of its own would fight with them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _save(place: Path, shard: int, firsts: list[int], coded: list[Coded]) -> None:
    save(file(place, shard, "first"), np.array(firsts, np.int32))
    save(file(place, shard, "same"), np.concatenate([_same(tokens) for tokens in coded]))
    save(file(place, shard, "tokens"), np.concatenate(coded))


def _same(tokens: Coded) -> Any:
    """Bool [T]: whether the next frame has the same tokens."""
    same = np.zeros(len(tokens), np.bool_)
    same[:-1] = (tokens[1:, 0] == tokens[:-1, 0]).all(axis=1)
    return same
