"""What the planning pass decides: splits, repeats, limits, shards, and how little memory it takes."""

from __future__ import annotations

import tracemalloc
from array import array
from pathlib import Path

import numpy as np
import pytest

from gobench.build.plan import PLAN, Plan, Shard, begin, from_json, lay_out, read, versions
from gobench.build.recipes import SPLITS, BuildConfig
from gobench.build.selection import Gatherer, first_of_each, split_codes
from gobench.errors import BuildError, DataError

FRACTIONS = {"train": 0.9, "validation": 0.05, "test": 0.05}


def config(**changes: object) -> BuildConfig:
    table = {"domain": "dot", "recipe": "r", "codec": "png", "splits": FRACTIONS, "dedup": "symmetry"}
    return BuildConfig(**{**table, **changes})  # type: ignore[arg-type]


def random_prints(n: int, distinct: int = 2**63) -> np.ndarray:
    return np.random.default_rng(0).integers(distinct, size=n, dtype=np.uint64)


def test_splits_follow_from_the_fingerprint_alone() -> None:
    prints = random_prints(200_000)
    codes = split_codes(prints, FRACTIONS)
    assert (split_codes(prints[::-1], FRACTIONS) == codes[::-1]).all()
    shares = np.bincount(codes, minlength=3) / len(codes)
    assert np.abs(shares - list(FRACTIONS.values())).max() < 0.002
    assert split_codes(np.arange(7, dtype=np.uint64), FRACTIONS).tolist() == [0, 0, 0, 0, 0, 0, 0]


def test_split_of_neighbouring_fingerprints_is_even() -> None:
    codes = split_codes(np.arange(100_000, dtype=np.uint64), FRACTIONS)
    assert abs((codes == 2).mean() - 0.05) < 0.003


def test_a_larger_test_split_holds_the_smaller_one() -> None:
    prints = random_prints(50_000)
    small = split_codes(prints, FRACTIONS) == 2
    large = split_codes(prints, {"train": 0.5, "validation": 0.3, "test": 0.2}) == 2
    assert (large | ~small).all()
    assert large.sum() > small.sum()


@pytest.mark.parametrize("splits", [{"train": 1.0}, {"test": 1.0}, {"train": 0.5, "test": 0.5}])
def test_splits_that_are_not_asked_for_stay_empty(splits: dict[str, float]) -> None:
    codes = split_codes(random_prints(10_000), splits)
    assert {SPLITS[code] for code in np.unique(codes)} == set(splits)


@pytest.mark.parametrize(
    ("n", "distinct"), [(0, 5), (1, 5), (1000, 30), (200_000, 50_000), (70_000, 2**63), (999, 1)]
)
def test_the_first_of_equals_is_kept(n: int, distinct: int) -> None:
    prints = random_prints(n, distinct)
    met: dict[int, int] = {}
    wanted = [met.setdefault(value, i) for i, value in enumerate(prints.tolist())]
    assert first_of_each(array("Q", prints.tobytes())).tolist() == wanted


def test_selection_keeps_the_first_up_to_the_limit_in_shard_order() -> None:
    prints = random_prints(5000, 3000)
    gatherer = Gatherer(config(), limit=1000)
    for part in np.array_split(prints, 7):
        gatherer.add(part, part)
    chosen = gatherer.select()
    _, unique = np.unique(prints, return_index=True)
    assert chosen.duplicates == 5000 - len(unique)
    assert chosen.over == len(unique) - 1000
    assert sorted(chosen.kept) == sorted(unique)[:1000]
    codes = split_codes(prints[chosen.kept], FRACTIONS)
    assert (np.diff(codes.astype(int)) >= 0).all()
    assert all((np.diff(chosen.kept[codes == code]) > 0).all() for code in range(3))
    assert list(chosen.counts.values()) == np.bincount(codes, minlength=3).tolist()


def test_without_deduplication_repeats_stay() -> None:
    gatherer = Gatherer(config(dedup="none"))
    gatherer.add(np.zeros(10, np.uint64), np.zeros(10, np.uint64))
    assert sorted(gatherer.select().kept) == list(range(10))


@pytest.mark.parametrize("distinct", [2**63, 1000], ids=["no repeats", "nearly all repeats"])
def test_the_coordinator_needs_at_most_32_bytes_a_candidate(distinct: int) -> None:
    n, part = 1_000_000, 1000
    prints = random_prints(n, distinct)
    tracemalloc.start()
    gatherer = Gatherer(config())
    for start in range(0, n, part):
        gatherer.add(prints[start : start + part], prints[start : start + part])
    gatherer.select()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / n < 30


@pytest.mark.parametrize("counts", [(900, 50, 50), (1, 0, 1), (256, 256, 256), (1000, 3, 0), (0, 0, 257)])
@pytest.mark.parametrize("shards", [0, 1, 3, 7, 50])
def test_shards_cover_everything_once(counts: tuple[int, ...], shards: int) -> None:
    table = dict(zip(SPLITS, counts, strict=True))
    laid = lay_out(table, config(shards=shards, shard_size=256))
    assert [shard.start for shard in laid] == [0, *np.cumsum([shard.count for shard in laid])[:-1]]
    assert {s: sum(x.count for x in laid if x.split == s) for s in SPLITS} == table
    assert min(shard.count for shard in laid) > 0
    if shards:
        assert len(laid) == min(max(shards, sum(c > 0 for c in counts)), sum(counts))
    else:
        assert max(shard.count for shard in laid) <= 256
        assert len(laid) == sum(-(-count // 256) for count in counts)
    sizes = [[x.count for x in laid if x.split == s] for s in SPLITS]
    assert all(max(size) - min(size) <= 1 for size in sizes if size)


def test_shards_are_named_as_the_hub_expects() -> None:
    first = lay_out({"train": 600, "test": 1}, config(shard_size=256))[0]
    assert first == Shard("train-00000-of-00003", "train", 0, 200)
    assert first.file == "data/train-00000-of-00003.tar"
    assert first.sidecar == "sidecars/train-00000-of-00003.json"


def test_parts_are_cut_by_count() -> None:
    parts = Plan(config(part_size=100), {}, {}, 250).parts
    assert [(part.start, part.stop) for part in parts] == [(0, 100), (100, 200), (200, 250)]
    assert (parts[2].file, parts[2].sidecar) == ("games/part-00002.jsonl", "games/part-00002.json")


def test_a_plan_comes_back_from_disk(tmp_path: Path) -> None:
    plan = Plan(config(options={"a": [1]}), versions({"dot": "1"}), {"a.zip": "00"}, 250)
    assert begin(tmp_path, plan) == plan
    assert read(tmp_path) == plan
    assert begin(tmp_path, plan) == plan
    full = Plan(plan.config, {}, {}, 2, 0, 2, (2,), ("ab",), 2, "cd", lay_out({"train": 2}, plan.config), {})
    assert from_json(full.to_json()) == full


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            Plan(config(codec="moves"), {"dot": "1"}, {"a.zip": "00"}, 250),
            'codec is "png" there, "moves" was asked',
        ),
        (Plan(config(), {"dot": "2"}, {"a.zip": "00"}, 250), 'versions.dot is "1" there, "2" was asked for'),
        (Plan(config(), {"dot": "1"}, {"a.zip": "01"}, 250), r'inputs.a.zip is "00" there'),
        (Plan(config(), {"dot": "1"}, {"a.zip": "00"}, 251), "units is 250 there, 251"),
    ],
)
def test_another_build_is_refused_by_key(tmp_path: Path, other: Plan, message: str) -> None:
    begin(tmp_path, Plan(config(), {"dot": "1"}, {"a.zip": "00"}, 250))
    with pytest.raises(BuildError, match=message) as caught:
        begin(tmp_path, other)
    assert "--overwrite" in str(caught.value)
    assert "config_hash" not in str(caught.value)


def test_what_another_config_brings_with_it_is_not_told(tmp_path: Path) -> None:
    begin(tmp_path, Plan(config(), {"dot": "1"}, {"a.zip": "00"}, 250))
    with pytest.raises(BuildError, match=r'another build: codec is "png" there, "moves" was asked for\. Ask'):
        begin(tmp_path, Plan(config(codec="moves"), {"dot": "1"}, {"journal.jsonl": "not there"}, 2))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format":1}', '{"format":9}', "null"])
def test_a_broken_plan_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(DataError, match=r"plan\.json"):
        read(tmp_path)


def test_an_edited_plan_is_noticed(tmp_path: Path) -> None:
    begin(tmp_path, Plan(config(), {}, {}, 250))
    path = tmp_path / PLAN
    path.write_text(path.read_text().replace('"codec": "png"', '"codec": "moves"'))
    with pytest.raises(DataError, match="it was edited"):
        read(tmp_path)
