"""The sketch of a dataset's training positions: the same bytes however it is made, and made again when it is lost."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import sketch
from gobench.build.assemble import read_sums
from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import build
from gobench.canonical import read_json
from gobench.dataset import open_dataset
from gobench.errors import BuildError

SKETCH = "sketch.bin"


@pytest.fixture(scope="module")
def dots() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1])
        yield importlib.import_module("bouncing")


@pytest.fixture(scope="module")
def config(dots: Any) -> BuildConfig:
    return configure(dots.Placed(), "dot-tiny")


@pytest.fixture(scope="module")
def template(dots: Any, config: BuildConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sketch") / "built"
    build(dots.Placed(), config, folder)
    return folder


@pytest.fixture
def built(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "built"))


def listing(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".build" not in path.parts]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_it_holds_the_training_split_and_no_other(dots: Any, built: Path) -> None:
    data = open_dataset(built)
    starts = {name: [s.record()["start"] for s in data.samples(name)] for name in data.splits}
    hashes = {name: np.concatenate([dots.placed(s) for s in found]) for name, found in starts.items()}
    assert not sketch.novel(built, hashes["train"]).any()
    assert sketch.novel(built, hashes["test"]).mean() > 0.9
    made = sketch.read(built / SKETCH)
    told = data.manifest["sketch"]
    assert told == {
        "items": len(hashes["train"]), "bits": made.bits, "hashes": made.hashes, "rate": made.rate, "splits": ["train"],
    }  # fmt: skip
    assert SKETCH in read_sums(built)
    assert not list(built.rglob("*.hashes"))


def test_workers_and_tasks_change_no_byte(
    dots: Any, config: BuildConfig, template: Path, tmp_path: Path
) -> None:
    build(dots.Placed(), config, tmp_path / "two", workers=2)
    assert listing(tmp_path / "two") == listing(template)
    for _ in range(2):
        for i in range(3):
            build(dots.Placed(), config, tmp_path / "tasks", task_index=i, task_count=3)
    build(dots.Placed(), config, tmp_path / "tasks")
    assert listing(tmp_path / "tasks") == listing(template)


def test_a_domain_without_positions_has_none(dots: Any, tmp_path: Path) -> None:
    domain = dots.Bouncing()
    build(domain, configure(domain, "dot-tiny"), tmp_path / "plain")
    assert not (tmp_path / "plain" / SKETCH).exists()
    assert "sketch" not in read_json(tmp_path / "plain/manifest.json")


def test_a_dataset_that_trains_nobody_has_none(dots: Any, tmp_path: Path) -> None:
    domain = dots.Placed()
    build(domain, configure(domain, "dot-tiny", {"splits": {"test": 1.0}}), tmp_path / "tests")
    assert not (tmp_path / "tests" / SKETCH).exists()
    assert (
        build(
            domain, configure(domain, "dot-tiny", {"splits": {"test": 1.0}}), tmp_path / "tests"
        ).made_shards
        == 0
    )


def test_a_folder_of_an_earlier_version_gets_one(
    dots: Any, config: BuildConfig, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(dots.Placed, "position_hashes")
        build(dots.Placed(), config, tmp_path / "old")
    assert len(open_dataset(tmp_path / "old")) == len(open_dataset(template))
    assert build(dots.Placed(), config, tmp_path / "old").made_shards == 0
    assert listing(tmp_path / "old") == listing(template)


@pytest.mark.parametrize("kept", ["hashes", "other hashes", "no hashes"])
def test_a_build_that_was_stopped_goes_on(
    kept: str, dots: Any, config: BuildConfig, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr("gobench.build.assemble._write_index", stop)
        with pytest.raises(KeyboardInterrupt):
            build(dots.Placed(), config, folder)
    left = sorted(folder.rglob("*.hashes"))
    assert len(left) == 3
    for path in left[:2]:
        if kept == "other hashes":
            path.write_bytes(path.read_bytes()[:64] + bytes(path.stat().st_size - 64))
        elif kept == "no hashes":
            path.unlink()
    build(dots.Placed(), config, folder)
    assert listing(folder) == listing(template)


def stop(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"x"), lambda p: p.write_bytes(b"")]
)
def test_a_lost_or_broken_sketch_is_made_anew(
    damage: Any, dots: Any, config: BuildConfig, built: Path, template: Path
) -> None:
    damage(built / SKETCH)
    build(dots.Placed(), config, built)
    assert listing(built) == listing(template)


def test_starting_anew_removes_it(dots: Any, config: BuildConfig, built: Path) -> None:
    domain = dots.Bouncing()
    build(domain, configure(domain, "dot-tiny"), built, overwrite=True)
    assert not (built / SKETCH).exists()


def test_hashes_of_another_kind_are_a_fault_of_the_domain(
    dots: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dots.Placed, "position_hashes", lambda self, record: [1.5])
    with pytest.raises(BuildError, match=r"placed-000000000.*uint64"):
        build(dots.Placed(), config, tmp_path / "odd")
