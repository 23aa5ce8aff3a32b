"""The Croissant description, judged and read by the real mlcroissant without a network."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gobench import croissant
from gobench.build import recipes
from gobench.build.run import build
from gobench.errors import DataError

sys.path.insert(0, str(Path(__file__).parent))
from bouncing import Bouncing


@pytest.fixture(scope="module", params=["h264", "png", "moves"])
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / request.param
    config = recipes.configure(Bouncing(), "dot-tiny", {"codec": request.param})
    build(Bouncing(), config, folder, extras=[croissant.extra])
    return folder


@pytest.fixture
def described(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    mlcroissant = pytest.importorskip("mlcroissant")
    from mlcroissant._src.core import constants
    from mlcroissant._src.operation_graph.operations import extract

    for module in (constants, extract):  # the library keeps what it unpacks in the user's home otherwise
        monkeypatch.setattr(module, "EXTRACT_PATH", constants.epath.Path(tmp_path))
    return mlcroissant.Dataset(jsonld=str(dataset / "croissant.json"))


def test_it_is_valid(described: Any) -> None:
    issues = described.metadata.issues
    assert not issues.errors
    # what is dated cannot be built twice into the same bytes
    assert all("datePublished" in warning for warning in issues.warnings)


def test_every_shard_stands_there_with_its_sum(dataset: Path) -> None:
    table = json.loads((dataset / "croissant.json").read_text())
    files = {f["contentUrl"]: f["sha256"] for f in table["distribution"] if f["@type"] == "cr:FileObject"}
    shards = {path.relative_to(dataset).as_posix() for path in dataset.glob("data/*.tar")}
    assert set(files) == shards | {"index.parquet"}
    for name, digest in files.items():
        assert hashlib.sha256((dataset / name).read_bytes()).hexdigest() == digest


def test_the_index_can_be_read(dataset: Path, described: Any) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    rows = list(described.records("index"))
    assert len(rows) == manifest["samples"]
    assert rows[0]["index/key"] == b"dot-000000000" and rows[0]["index/frames"] == 6
    (column,) = [c for c in croissant.INDEX_COLUMNS.items() if c[0] == "shard"]
    shard = rows[0]["index/shard"].decode()
    assert column[1][1] == "Name of the shard that holds it: its file is data/NAME.tar."
    assert (dataset / "data" / f"{shard}.tar").is_file()
    assert [row["splits/name"] for row in described.records("splits")] == ["train", "validation", "test"]


def test_samples_can_be_read(dataset: Path, described: Any) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    names = {record_set.id for record_set in described.metadata.record_sets}
    if dataset.name == "png":
        assert names == {"splits", "index"}
        return
    records = list(described.records("test-json"))
    assert len(records) == manifest["splits"]["test"]["samples"]
    for row in records:
        assert json.loads(row["test-json/content"])["key"] == row["test-json/key"].decode()
    if "mp4" in manifest["members"]:
        clips = list(described.records("test-mp4"))
        assert [c["test-mp4/key"] for c in clips] == [r["test-json/key"] for r in records]
        assert all(c["test-mp4/content"][4:8] == b"ftyp" for c in clips)
        assert next(iter(described.records("test-png")))["test-png/content"].size == (32, 32)


def test_it_repeats(dataset: Path) -> None:
    assert croissant.croissant_text(dataset) == (dataset / "croissant.json").read_text()
    assert str(dataset) not in croissant.croissant_text(dataset)


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished dataset"):
        croissant.croissant_text(tmp_path)
