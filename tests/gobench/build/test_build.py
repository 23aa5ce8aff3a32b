"""Whole builds of a small domain: the same bytes however they are made, and what stands in the folder."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.build.assemble import read_sums
from gobench.build.estimate import estimate
from gobench.build.plan import read, read_kept
from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import build, sums_hash
from gobench.canonical import dumps, read_json
from gobench.codec import CODECS
from gobench.dataset import open_dataset
from gobench.errors import BuildError, DataError, UsageError

HERE = Path(__file__).parents[1]  # where bouncing.py lies


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("bouncing").Bouncing()


@pytest.fixture
def config(domain: Any) -> BuildConfig:
    return configure(domain, "dot-tiny", options={"starts": 80})  # few starts, so that some episodes repeat


@pytest.fixture
def built(domain: Any, config: BuildConfig, tmp_path: Path) -> Path:
    build(domain, config, tmp_path / "built")
    return tmp_path / "built"


def listing(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".build" not in path.parts]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_folder_holds_what_it_promises(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    stages: list[tuple[str, int, int]] = []
    report = build(domain, config, tmp_path / "a", progress=lambda *step: stages.append(step))
    assert report.done
    files = listing(tmp_path / "a")
    sums = read_sums(tmp_path / "a")
    assert sums == {k: v for k, v in files.items() if k not in ("SHA256SUMS", "manifest.json")}
    assert stages[0] == ("games", 0, 8)
    assert stages[-1] == ("pictures", report.shards, report.shards)
    manifest = read_json(tmp_path / "a/manifest.json")
    assert manifest["sums"] == sums_hash(tmp_path / "a")
    assert manifest["samples"] == report.samples == sum(s["samples"] for s in manifest["splits"].values())
    assert manifest["frames"] == 6 * report.samples
    assert json.loads(json.dumps(report.to_json()))["made_parts"] == 8


def test_every_candidate_is_accounted_for(built: Path) -> None:
    report = read_json(built / "report.json")
    rows = [json.loads(line) for line in (built / "rejected.jsonl").read_text().splitlines()]
    reasons = {reason: sum(row["reason"] == reason for row in rows) for reason in report["rejected"]}
    assert (
        reasons == report["rejected"] == {"duplicate": report["candidates"] - report["kept"], "too-slow": 8}
    )
    assert report["units"] == report["kept"] + len(rows) == 60
    assert {tuple(row) for row in rows} == {("detail", "origin", "ply", "reason")}
    first = next(row for row in rows if row["reason"] == "duplicate")
    assert first["origin"].startswith("dots/")
    assert first["detail"].startswith("repeats dots/")


def test_samples_stand_in_the_order_of_the_plan(domain: Any, built: Path) -> None:
    plan, kept = read(built), read_kept(built)
    lines = [
        line for path in sorted((built / "games").glob("*.jsonl")) for line in path.read_text().splitlines()
    ]
    number = 0
    for shard in plan.shards or ():
        with tarfile.open(built / shard.file) as tar:
            names = [info.name for info in tar.getmembers()]
            assert names == sorted(names)
            for name in names[1::3]:
                record = json.load(tar.extractfile(name))  # type: ignore[arg-type]
                assert record["key"] == f"dot-{number:09d}" == name.partition(".")[0]
                assert record["split"] == shard.split
                assert record["origin"] == json.loads(lines[kept[number]])["origin"]
                number += 1
    assert number == plan.kept


def test_no_episode_is_in_two_splits(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    build(domain, BuildConfig(**{**config.to_json(), "dedup": "exact"}), tmp_path / "exact")
    data = open_dataset(tmp_path / "exact")
    where: dict[int, set[str]] = {}
    for sample in data.samples():
        where.setdefault(sample.record()["start"], set()).add(sample.record()["split"])
    assert len(where) < len(data)  # an episode and its mirror image are both kept ...
    assert all(len(splits) == 1 for splits in where.values())  # ... and stay together


def test_workers_do_not_change_a_byte(domain: Any, config: BuildConfig, built: Path, tmp_path: Path) -> None:
    build(domain, config, tmp_path / "two", workers=2)
    assert listing(tmp_path / "two") == listing(built)


def test_a_second_call_changes_nothing(domain: Any, config: BuildConfig, built: Path) -> None:
    before = listing(built)
    report = build(domain, config, built)
    assert (report.done, report.made_parts, report.made_shards) == (True, 0, 0)
    assert listing(built) == before


@pytest.mark.parametrize(
    "lost",
    [
        "data/test-00000-of-00001.tar",
        "sidecars/train-00000-of-00002.json",
        "games/part-00003.jsonl",
        "manifest.json",
        "index.parquet",
    ],
)
def test_what_is_lost_is_made_again(domain: Any, config: BuildConfig, built: Path, lost: str) -> None:
    before = listing(built)
    (built / lost).unlink()
    if lost == "index.parquet":
        (built / "manifest.json").unlink()
    build(domain, config, built)
    assert listing(built) == before


def test_tasks_of_an_array_share_a_folder(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    done = []
    for task in (2, 0, 1, 1, 2, 0):
        report = build(domain, config, shared, task_index=task, task_count=3)
        done.append(report.done)
        assert report.done or "run this command again" in report.message
    assert done == [False, False, False, False, False, True]
    assert listing(shared) == listing(built)


def test_a_plain_run_finishes_what_tasks_began(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path
) -> None:
    build(domain, config, tmp_path / "shared", task_index=1, task_count=4)
    assert not (tmp_path / "shared/manifest.json").exists()
    report = build(domain, config, tmp_path / "shared")
    assert report.made_parts == 6
    assert listing(tmp_path / "shared") == listing(built)


@pytest.mark.parametrize(("index", "count"), [(3, 3), (-1, 3), (0, 0), (1, None), (None, 3)])
def test_a_task_that_cannot_be_is_refused(
    domain: Any, config: BuildConfig, tmp_path: Path, index: int | None, count: int | None
) -> None:
    with pytest.raises(UsageError, match="task"):
        build(domain, config, tmp_path / "a", task_index=index, task_count=count)


def test_overwrite_removes_the_build_and_nothing_else(domain: Any, config: BuildConfig, built: Path) -> None:
    (built / "mine.txt").write_text("keep")
    other = BuildConfig(**{**config.to_json(), "codec": "moves", "episodes": 20})
    with pytest.raises(BuildError, match=r'codec is "png" there, "moves" was asked for.*--overwrite'):
        build(domain, other, built)
    assert build(domain, other, built, overwrite=True).done
    assert (built / "mine.txt").read_text() == "keep"
    assert len(list((built / "games").glob("*.jsonl"))) == 3
    with pytest.raises(UsageError, match="--overwrite"):
        build(domain, other, built, overwrite=True, task_index=0, task_count=2)


def test_a_folder_with_other_things_is_left_alone(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(BuildError, match=r"not empty and holds no build \(thesis.tex\)"):
            build(domain, config, tmp_path, overwrite=overwrite)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_every_codec_builds_and_reads_back(
    domain: Any, config: BuildConfig, tmp_path: Path, name: str
) -> None:
    build(domain, BuildConfig(**{**config.to_json(), "codec": name, "episodes": 9}), tmp_path / "a")
    data = open_dataset(tmp_path / "a")
    assert read_json(tmp_path / "a/manifest.json")["members"] == sorted(["json", *CODECS[name].suffixes])
    for sample in data.samples():
        wanted = domain.clip(sample.record()).rgb()
        frames = data.frames(sample, domain=domain)
        assert frames.shape == wanted.shape
        assert not CODECS[name].exact or np.array_equal(frames, wanted)
        assert np.array_equal(data.frames(sample, 1, 6, 2, domain=domain), frames[1:6:2])


def test_extra_files_are_summed(domain: Any, config: BuildConfig, built: Path, tmp_path: Path) -> None:
    def card(folder: Path, manifest: Mapping[str, Any]) -> Mapping[str, bytes]:
        assert (folder / "index.parquet").is_file()
        return {"README.md": f"{manifest['samples']} samples".encode()}

    build(domain, config, tmp_path / "a", extras=[card])
    assert "  README.md\n" in (tmp_path / "a/SHA256SUMS").read_text()
    with_card, without = listing(tmp_path / "a"), listing(built)
    changed = {name for name in with_card if with_card[name] != without.get(name)}
    assert changed == {"README.md", "SHA256SUMS", "manifest.json"}


def test_nothing_hashed_tells_where_it_was_made(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    here = configure(domain, "dot-tiny", options={"place": str(tmp_path)})
    build(domain, here, tmp_path / "a")
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            assert str(tmp_path).encode() not in text
            assert os.uname().nodename.encode() not in text or len(os.uname().nodename) < 4


def test_a_source_may_keep_more_than_it_makes(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files may be added to games that are made: ``episodes`` counts the latter."""
    few = replace(config, episodes=20)
    source = type(domain).source
    monkeypatch.setattr(
        type(domain), "source", lambda self, options, n, seed: source(self, options, 3 * n, seed)
    )
    assert build(domain, few, tmp_path / "limited").samples == 20
    assert estimate(domain, few).clips == 20
    assert read_json(tmp_path / "limited/report.json")["rejected"]["over-limit"] > 10
    monkeypatch.setattr(importlib.import_module("bouncing").Dots, "limit", 0, raising=False)
    assert build(domain, few, tmp_path / "all").samples > 30
    with pytest.raises(BuildError, match="limit is 20 there, 0 was asked for"):
        build(domain, few, tmp_path / "limited")


def test_shards_flag_sets_the_number_of_shards(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    report = build(domain, BuildConfig(**{**config.to_json(), "shards": 9}), tmp_path / "a")
    assert report.shards == 9


def test_reading_by_number_and_as_a_table(built: Path) -> None:
    data = open_dataset(built)
    table = data.table()
    assert list(table.columns) == ["key", "split", "shard", "offset", "size", "frames"]
    assert len(table) == len(data) == len(list(data.samples()))
    assert [s.key for s in data.samples("test")] == table.key[table.split == "test"].tolist()
    assert list(data.splits.values())[-1].stop == len(data)
    again = pickle.loads(pickle.dumps(data))
    assert again.read(17) == data.read(17)
    assert dumps(data.read(17).record()) == data.read(17).members["json"]
    with pytest.raises(UsageError, match=r"unknown split 'tset'.*'test'"):
        next(data.samples("tset"))
    with pytest.raises(DataError, match="not 10000"):
        data.read(10_000)


def test_what_is_no_dataset_is_not_opened(built: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        open_dataset(tmp_path / "nothing")
    (built / "manifest.json").unlink()
    with pytest.raises(DataError, match="no finished dataset"):
        open_dataset(built)


def test_estimates_come_near_and_write_nothing(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    guess = estimate(domain, config, sample=16)
    assert sorted(tmp_path.rglob("*")) == before
    truth = read_json(built / "manifest.json")
    assert guess.units == 60
    assert 0.7 * truth["samples"] < guess.clips <= 60
    assert abs(guess.bytes / guess.clips - truth["bytes"] / truth["samples"]) < 600
    assert guess.frames == 6 * guess.clips
    assert guess.seconds >= 0


def test_huggingface_datasets_loads_the_folder(built: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    files = {split: str(built / f"data/{split}-*.tar") for split in ("train", "test")}
    loaded = datasets.load_dataset("webdataset", data_files=files, cache_dir=str(tmp_path / "cache"))
    data = open_dataset(built)
    assert {name: part.num_rows for name, part in loaded.items()} == {s: len(data.splits[s]) for s in files}
    assert loaded["train"][3]["json"] == data.read(3).record()
    assert np.array_equal(np.asarray(loaded["train"][3]["png"].convert("RGB")), data.frames(data.read(3))[-1])


def test_webdataset_reads_the_shards(built: Path) -> None:
    wds = pytest.importorskip("webdataset")
    data = open_dataset(built)
    urls = [str(built / shard.file) for shard in data.shards]
    found = list(wds.WebDataset(urls, shardshuffle=False))
    assert [(s["__key__"], s["json"]) for s in found] == [(s.key, s.members["json"]) for s in data.samples()]


BLOCKED = """
import importlib.abc, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "datasets", "webdataset"):
            raise ImportError(f"{name} must not be imported here")
sys.meta_path.insert(0, Blocker())
from bouncing import Bouncing
from gobench.build.run import build
from gobench.dataset import open_dataset
from gobench.build.estimate import estimate
from gobench.build.recipes import configure
from gobench.verify.run import verify
domain = Bouncing()
config = configure(domain, "dot-tiny", {"episodes": 12})
estimate(domain, config, sample=2)
build(domain, config, sys.argv[1])
assert verify(sys.argv[1], domain).ok
assert len(open_dataset(sys.argv[1]).table()) == len(open_dataset(sys.argv[1]))
assert "torch" not in sys.modules
"""


def test_neither_torch_nor_datasets_is_needed(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
    command = [sys.executable, "-c", BLOCKED, str(tmp_path / "a")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
