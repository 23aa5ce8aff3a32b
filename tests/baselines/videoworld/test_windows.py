"""Windows of token stores: what a batch holds, in which order, and for whom."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench.errors import UsageError
from gobench_videoworld.data.order import dealt, symmetries
from gobench_videoworld.data.store import Meta, TokenStore, file, open_store, save, write_meta
from gobench_videoworld.data.table import window_table
from gobench_videoworld.data.windows import Windows

LENGTHS = (5, 1, 9, 4, 12, 2, 3)
SHARDS = (3, 2, 2)
SITES = 4


def said(episode: int, time: int, k: int) -> Any:
    """The tokens of a frame: they tell whose they are."""
    return np.array([episode, time, k, 7], np.uint16)


def store_in(
    folder: Path, lengths: tuple[int, ...] = LENGTHS, first: int = 0, variants: int = 8, labels: bool = True
) -> TokenStore:
    """A store whose tokens tell episode, time and symmetry; in episode 2 frame 4 is as frame 3."""
    symmetry = {1: "none", 4: "flips", 8: "dihedral"}[variants]
    meta = Meta(
        "c" * 64, "h264", "train", "tokens", "t" * 64, symmetry, variants, (2, 2), (8, 8), 512, SHARDS
    )
    place = folder / "train"
    write_meta(place, meta, np.array(lengths, np.int64))
    start = 0
    for shard, count in enumerate(SHARDS):
        rows = range(start, start + count)
        start += count
        tokens = [
            [said(e, t - (e == 2 and t == 4), k) for k in range(variants)]
            for e in rows
            for t in range(lengths[e])
        ]
        same = [e == 2 and t == 3 for e in rows for t in range(lengths[e])]
        actions = [
            [(t if t + 1 < lengths[e] else 4, k)]
            for e in rows
            for t in range(lengths[e])
            for k in range(variants)
        ]
        save(file(place, shard, "first"), np.full(count, first, np.int32))
        save(file(place, shard, "same"), np.array(same))
        save(file(place, shard, "tokens"), np.array(tokens, np.uint16))
        if labels:
            save(file(place, shard, "actions"), np.array(actions, np.int16).reshape(-1, variants, 2))
    return open_store(folder, "train")


def whose(batch: dict[str, torch.Tensor]) -> list[tuple[int, int]]:
    return list(zip(batch["episode"].tolist(), batch["time"].tolist(), strict=True))


def test_a_window_is_what_was_shown_and_what_came_next(tmp_path: Path) -> None:
    windows = Windows(store_in(tmp_path), (1, 3, 5), history=3, labels=True)
    assert len(windows) == sum(length - 1 for length in LENGTHS) and windows.table.short == 1
    batch = windows.batch(0, len(windows))
    assert {name: array.dtype for name, array in batch.items() if array.dtype != torch.int64} == {
        "there": torch.bool
    }
    assert Counter(whose(batch)) == {(e, t): 1 for e, n in enumerate(LENGTHS) for t in range(n - 1)}
    for b, (episode, time) in enumerate(whose(batch)):
        last, k = LENGTHS[episode] - 1, int(batch["symmetry"][b])

        def frame(t: int, episode: int = episode, k: int = k) -> list[int]:
            return said(episode, t - (episode == 2 and t == 4), k).tolist()

        assert batch["history"][b].tolist() == [frame(max(0, t)) for t in (time - 2, time - 1, time)]
        for n, offset in enumerate((1, 3, 5)):
            there = time + offset <= last
            assert batch["there"][b, n].item() == there
            assert batch["after"][b, n].tolist() == frame(min(time + offset, last))
            assert batch["before"][b, n].tolist() == frame(min(time + offset - 1, last))
            action = [min(time + offset - 1, last), k] if there else [4, k]
            assert batch["actions"][b, n].tolist() == action
    assert batch["there"][:, 0].all()


def test_an_epoch_is_a_permutation_and_the_next_one_another(tmp_path: Path) -> None:
    windows = Windows(store_in(tmp_path), seed=3)
    n = len(windows)
    whole = whose(windows.batch(0, n))
    assert [w for step in range(2) for w in whose(windows.batch(step, n // 2))][: n - n % 2] == whole[
        : n - n % 2
    ]
    assert sorted(whose(windows.batch(1, n))) == sorted(whole) and whose(windows.batch(1, n)) != whole
    straddling = whose(windows.batch(1, n - 3))
    assert straddling[:3] == whole[-3:] and straddling[3:] == whose(windows.batch(1, n))[: n - 6]
    assert whose(Windows(windows.store, seed=4).batch(0, n)) != whole


def test_ranks_see_slices_of_what_one_process_sees(tmp_path: Path) -> None:
    windows = Windows(store_in(tmp_path), (1, 2), history=2, labels=True)
    for step in (0, 3, 11):
        whole = windows.batch(step, 12)
        parts = [windows.batch(step, 12, rank, 3) for rank in range(3)]
        for name, array in whole.items():
            assert torch.equal(torch.cat([part[name] for part in parts]), array)
    with pytest.raises(UsageError, match="multiple of 5"):
        windows.batch(0, 12, 0, 5)


def test_symmetries_are_drawn_anew_in_each_epoch_and_evenly() -> None:
    epochs, numbers = np.repeat([0, 1], 4000), np.tile(np.arange(4000), 2)
    drawn = symmetries(8, 5, epochs, numbers)
    assert np.array_equal(drawn, symmetries(8, 5, epochs, numbers))
    counts = np.bincount(drawn, minlength=8)
    assert len(counts) == 8 and counts.min() > 900
    assert 400 < (drawn[:4000] == drawn[4000:]).sum() < 600
    assert not symmetries(1, 5, epochs, numbers).any()


def test_order_takes_no_memory() -> None:
    n = 10**12
    epochs, numbers = dealt(n, 0, 10**9, 64)
    assert not epochs.any() and len(set(numbers.tolist())) == 64 and numbers.max() < n


@pytest.mark.parametrize(("first", "times"), [(0, {0, 2, 4, 6}), (1, {1, 3, 5, 7}), (4, {0, 2, 4, 6})])
def test_only_the_turns_of_the_side_that_moved_first(tmp_path: Path, first: int, times: set[int]) -> None:
    windows = Windows(store_in(tmp_path, first=first), turns="first")
    seen = whose(windows.batch(0, len(windows)))
    assert {t for e, t in seen if e == 2} == times and len(seen) == len(set(seen))
    assert all(t + 1 < LENGTHS[e] for e, t in seen)


def test_unchanged_frames_may_be_left_out(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    every, changed = Windows(store), Windows(store, unchanged="drop")
    seen = [set(whose(w.batch(0, len(w)))) for w in (every, changed)]
    assert seen[0] - seen[1] == {(2, 3)} and len(changed) == len(every) - 1


def test_the_first_episodes_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    windows = Windows(store, episodes=3)
    assert {e for e, _ in whose(windows.batch(0, len(windows)))} == {0, 2}
    with pytest.raises(UsageError, match="7 episodes, fewer than the 9"):
        Windows(store, episodes=9)


def test_windows_by_number_are_not_turned(tmp_path: Path) -> None:
    windows = Windows(store_in(tmp_path))
    batch = windows.at(np.array([0, 5]))
    assert not batch["symmetry"].any() and batch["history"][:, 0, 2].tolist() == [0, 0]
    assert whose(batch) == [(0, 0), (2, 1)]
    plain = Windows(windows.store, symmetric=False)
    assert not plain.batch(0, 30)["symmetry"].any()


@pytest.mark.parametrize("variants", [1, 4])
def test_stores_with_fewer_symmetries(tmp_path: Path, variants: int) -> None:
    windows = Windows(store_in(tmp_path, variants=variants))
    batch = windows.batch(0, len(windows) * 4)
    assert set(batch["symmetry"].tolist()) == set(range(variants))
    assert torch.equal(batch["history"][:, 0, 2], batch["symmetry"])


def test_what_was_watched_is_told(tmp_path: Path) -> None:
    windows = Windows(store_in(tmp_path), turns="first")
    told = windows.provenance
    assert told["dataset"] == "c" * 64 and told["frames"] == sum(LENGTHS) and told["labels"] == "none"
    assert (told["episodes"], told["episodes_too_short"], told["turns"]) == (7, 1, "first")
    assert Windows(windows.store, labels=True).provenance["labels"] == "actions"


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    store = store_in(tmp_path, labels=False)
    with pytest.raises(UsageError, match="no labels"):
        Windows(store, labels=True)
    for offsets in ((), (2,), (1, 1), (3, 1)):
        with pytest.raises(UsageError, match="rising"):
            Windows(store, offsets)
    with pytest.raises(UsageError, match="history"):
        Windows(store, history=0)
    with pytest.raises(UsageError, match="'black'"):
        Windows(store, turns="black")
    with pytest.raises(UsageError, match="nothing to learn"):
        window_table([1, 1], [0, 0])
    with pytest.raises(UsageError, match="longest has 2"):
        window_table([2, 1], [1, 0], "first")
