"""The dataset card: repeatable, complete, harmless, and obeyed by the real ``datasets``."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gobench import card, croissant, hub
from gobench.build import recipes
from gobench.build.run import build, sums_hash
from gobench.errors import DataError

sys.path.insert(0, str(Path(__file__).parent))
from bouncing import Bouncing

CODECS = ("h264", "png", "moves")


def make(folder: Path, codec: str, **changes: Any) -> Path:
    config = recipes.configure(Bouncing(), "dot-tiny", {"codec": codec, **changes})
    build(Bouncing(), config, folder, extras=[card.extra, croissant.extra])
    return folder


@pytest.fixture(scope="module", params=CODECS)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("built") / request.param, request.param)


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("built") / "moves", "moves")


def front(text: str) -> Any:
    return yaml.safe_load(text.split("---\n")[1])


def test_the_built_card_is_what_card_gives_later(dataset: Path, tmp_path: Path) -> None:
    built = (dataset / "README.md").read_text()
    assert built == card.card_text(dataset)
    again = make(tmp_path / "elsewhere", dataset.name)
    assert (again / "README.md").read_text() == built
    assert str(dataset) not in built and str(dataset.parent) not in built


def test_front_matter_declares_files_features_and_counts(dataset: Path) -> None:
    table, manifest = front(card.card_text(dataset)), json.loads((dataset / "manifest.json").read_text())
    files = table["configs"][0]["data_files"]
    assert [row["split"] for row in files] == ["train", "validation", "test"]
    for row in files:
        assert len(list(dataset.glob(row["path"]))) == manifest["splits"][row["split"]]["shards"]
    counts = {row["name"]: row["num_examples"] for row in table["dataset_info"]["splits"]}
    assert counts == {name: split["samples"] for name, split in manifest["splits"].items()}
    names = [feature["name"] for feature in table["dataset_info"]["features"]]
    assert set(names) == {*manifest["members"], "__key__", "__url__"}
    assert table["size_categories"] == ["n<1K"]


def test_text_tells_the_counts_reasons_and_settings(moves: Path) -> None:
    text, manifest = card.card_text(moves), json.loads((moves / "manifest.json").read_text())
    assert f"| all | {len(manifest['shards'])} | {manifest['samples']} |" in text
    assert f"| `too-slow` | {manifest['rejected']['too-slow']} |" in text
    assert "Of 60 candidates" in text
    assert "| options.size | `32` |" in text
    assert "No pictures are stored" in text
    for heading in ("How it was made", "Load it", "Check it", "Licence", "Biases", "Limits", "Cite"):
        assert f"\n## {heading}\n" in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_loads_with_the_declared_types(dataset: Path, tmp_path: Path, streaming: bool) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(dataset), streaming=streaming, cache_dir=str(tmp_path))
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert set(loaded) == set(manifest["splits"])
    train = loaded["train"]
    assert train.features["json"] == datasets.Features.from_dict(Bouncing().features())
    assert isinstance(train.features.get("png", datasets.Image()), datasets.Image)
    if "mp4" in manifest["members"]:
        assert isinstance(train.features["mp4"], datasets.Video)
        train = train.cast_column("mp4", datasets.Video(decode=False))
    rows = list(train)
    assert len(rows) == manifest["splits"]["train"]["samples"]
    assert [row["__key__"] for row in rows] == [row["json"]["key"] for row in rows]
    if "mp4" in manifest["members"]:
        assert rows[0]["mp4"]["bytes"][4:8] == b"ftyp"
    if "png" in manifest["members"]:
        assert rows[0]["png"].size == (32, 32)
        assert {row["png"].mode for row in rows} == {"RGB"}, "also where a palette is stored"


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ({"dtype": "int64", "_type": "Value"}, {"dtype": "int64"}),
        ({"feature": {"dtype": "int64", "_type": "Value"}, "_type": "List"}, {"list": "int64"}),
        (
            {"feature": {"feature": {"dtype": "bool", "_type": "Value"}, "_type": "List"}, "_type": "List"},
            {"list": {"list": "bool"}},
        ),
        ({"a": {"dtype": "string", "_type": "Value"}}, {"struct": [{"name": "a", "dtype": "string"}]}),
        (
            {"feature": {"a": {"dtype": "string", "_type": "Value"}}, "_type": "List"},
            {"list": [{"name": "a", "dtype": "string"}]},
        ),
    ],
)
def test_features_mean_the_same_to_datasets(feature: Any, expected: Any) -> None:
    datasets = pytest.importorskip("datasets")
    assert card._yaml(feature) == expected
    read = datasets.Features._from_yaml_list([{"name": "x", **expected}])
    assert read == datasets.Features.from_dict({"x": feature})


def test_hostile_names_stay_inside_their_cells(moves: Path) -> None:
    manifest = json.loads((moves / "manifest.json").read_text())
    manifest["inputs"] = {"<script>alert(1)</script>`|\n# Owned": "0" * 64}
    manifest["rejected"] = {"a|b`\n---": 3}
    text = card.render(manifest)
    assert "\n# Owned" not in text and "| `a¦b' ---` | 3 |" in text
    assert "- `<script>alert(1)</script>'¦ # Owned`" in text


def test_licence_follows_from_the_inputs() -> None:
    assert card.license_of({"inputs": {}}) == "cc0-1.0"
    assert card.license_of({"inputs": {"games.sgf": "1" * 64}}) == "other"
    shipped = Path(__file__).parents[1] / "data" / "go9_katago_sgf.zip"
    digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
    assert card.license_of({"inputs": {"go9_katago_sgf.zip": digest}}) == "cc0-1.0"


def test_command_says_what_differs_from_the_recipe() -> None:
    source = {"kind": "selfplay", "teacher": "mcts:50"}
    recipe = {"episodes": 9, "codec": "h264", "seed": 0, "options": {"size": 256, "sources": [source]}}
    config = {"recipe": "r", "episodes": 9, "codec": "h264", "seed": 0, "shards": 0}
    same = config | {"options": {"size": 256, "theme": "wood", "sources": [source | {"more": 1}]}}
    assert card.command(same, recipe) == "gobench build-dataset r --out PATH"
    other = config | {
        "codec": "moves",
        "seed": 3,
        "options": {
            "size": 64,
            "sources": [source | {"teacher": "random"}, {"kind": "sgf", "paths": ["/home/me/x.sgf"]}],
        },
    }
    flags = "--codec moves --seed 3 --size 64 --teacher random --sgf YOUR-GAMES"
    assert card.command(other, recipe) == f"gobench build-dataset r --out PATH {flags}"
    assert not any("/home/me" in value for _, value in card.settings(other))


@pytest.mark.parametrize(("samples", "category"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**8, "n>10M")])
def test_size_categories(samples: int, category: str) -> None:
    assert card.size_category(samples) == category


def test_write_card_keeps_the_dataset_verifiable(tmp_path: Path) -> None:
    folder = make(tmp_path / "d", "moves", episodes=8)
    before = sums_hash(folder)
    (folder / "README.md").write_text("an older card\n")
    with pytest.raises(DataError, match=r"README\.md has sha256"):
        hub.prepare(folder, "me/dots")
    assert card.write_card(folder) == folder / "README.md"
    hub.prepare(folder, "me/dots")
    assert sums_hash(folder) == before
    assert json.loads((folder / "manifest.json").read_text())["sums"] == before


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished dataset"):
        card.card_text(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "something else"}')
    with pytest.raises(DataError, match="not the manifest"):
        card.card_text(tmp_path)
