"""The dataset card: repeatable, complete, harmless, and obeyed by the real ``datasets``."""

from __future__ import annotations

import json
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from gobench import card, croissant, hub, registry
from gobench.build import recipes
from gobench.build.run import build, sums_hash
from gobench.cli.recipe import settled
from gobench.dataset import open_dataset, read_manifest
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


class Told(Bouncing):
    """A domain that tells its licence and has flags."""

    def card_facts(self, manifest: Any) -> dict[str, Any]:
        options = manifest["config"]["options"]
        return {"license": "mit", "flags": {"size": options["size"], "fast_dots": True, "tars": ["A B", "C"]}}

    def override(self, options: Any, flags: Any) -> dict[str, Any]:
        assert set(flags) == {"size", "fast_dots", "tars"}
        return {**options, "size": flags["size"]}


def told(manifest: Any, domain: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The manifest as it is read where the domain is installed."""
    monkeypatch.setattr(registry, "domain", lambda name: domain)
    return manifest


def test_the_domain_tells_the_licence(moves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(moves)
    assert card.license_of(manifest) == "other", "nobody has said anything"
    assert "CC0" not in card.render(manifest) and "keep the terms of their makers" in card.render(manifest)
    assert "The domain names no licence" in card.render(manifest | {"inputs": {}})
    told(manifest, Told(), monkeypatch)
    text = card.render(manifest)
    assert front(text)["license"] == "mit" and "\n`mit`\n" in text
    assert croissant.describe(manifest, "0" * 64)["license"] == "mit"


def asked(monkeypatch: pytest.MonkeyPatch, domain: Any, options: Any = None, **changes: Any) -> str:
    config = recipes.configure(domain, "dot-tiny", changes, options)
    manifest = {"domain": {"name": "dot"}, "config": config.to_json(), "inputs": {}}
    return card.command(told(manifest, domain, monkeypatch))


def test_command_says_what_differs_from_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    start = "gobench build-dataset dot-tiny --out PATH"
    assert asked(monkeypatch, Bouncing()) == start
    assert asked(monkeypatch, Bouncing(), codec="moves", seed=3) == f"{start} --codec moves --seed 3"
    # of keys that the recipe does not name: the domain's own default is what they are compared with
    options = {"frames": 9, "place": "", "starts": 1000, "reject_every": 0}
    assert asked(monkeypatch, Bouncing(), options) == f"{start} --set frames=9 --set reject_every=0"
    assert asked(monkeypatch, Told(), {"size": 48, "frames": 7}) == (
        f"{start} --size 48 --fast-dots --tars 'A B' --tars C --set frames=7"
    )


def test_what_no_flag_changes_goes_into_a_recipe_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = asked(monkeypatch, Bouncing(), seed=1, dedup="none", splits={"train": 0.5, "test": 0.5})
    table = tomllib.loads(text.partition("<<'END'\n")[2].partition("\nEND\n")[0])
    assert table == {"base": "dot-tiny", "dedup": "none", "splits": {"train": 0.5, "test": 0.5}}
    assert text.splitlines()[-1] == "gobench build-dataset recipe.toml --out PATH --seed 1"


def test_a_recipe_that_is_not_installed_is_said_in_full() -> None:
    config = recipes.configure(Bouncing(), "dot-tiny").to_json()
    text = card.command({"domain": {"name": "dot"}, "config": config, "inputs": {}})
    for words in ("--games 60", "--codec png", "--seed 0", "--set size=32", "--set frames=6"):
        assert words in text


def test_changes_of_tables_and_lists() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "d": [{"e": 1}, {"e": 2}], "f": [{"e": 1}]}
    after = {"a": {"b": 1, "c": [1, 3]}, "d": [{"e": 1}, {"e": 3}], "f": [{"e": 1}, {"e": 2}]}
    wanted = [("a.c", [1, 3]), ("d.1.e", 3), ("f", [{"e": 1}, {"e": 2}])]
    assert list(card.changes(before, after)) == wanted
    for _, value in wanted:
        assert tomllib.loads(f"x = {card.toml(value)}")["x"] == value


@pytest.mark.parametrize(
    "value", ["it's\n```\n# Owned", "true", "1", "a b", "", 'q"', 0.5, True, [], {"k k": 1}]
)
def test_values_survive_the_command_line(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = asked(monkeypatch, Bouncing(), {"place": "", "starts": value})
    (setting,) = [word for word in shlex.split(text) if word.startswith("starts=")]
    assert settled({}, [setting]) == {"starts": value}
    assert "\n" not in text


@pytest.mark.parametrize(("samples", "category"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**8, "n>10M")])
def test_size_categories(samples: int, category: str) -> None:
    assert card.size_category(samples) == category


def test_few_and_small_are_said_as_such(moves: Path) -> None:
    manifest = read_manifest(moves)
    manifest["splits"] = {"train": {"samples": 1, "frames": 7, "bytes": 10_240, "shards": 1}}
    text = card.render(manifest | {"samples": 1, "rejected": {}, "bytes": 3 << 20})
    assert "1 short video clip of the domain" in text and "the only candidate was kept" in text
    assert "| train | 1 | 1 | 7 | 10.0 KiB |" in text and "| 3.0 MiB |" in text


def test_the_codec_decides_what_a_video_is() -> None:
    assert card.member("mp4", "lossless") == "the clip as H.264: x264 RGB, lossless"
    assert card.member("mp4", "h264") == "the clip as H.264"
    assert card.member("png", "lossless") == "the last frame"


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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop("rejected"), "no 'rejected'"),
        (lambda m: m.update(splits={"train": {"samples": "9"}}), "splits: train: samples is '9'"),
        (lambda m: m["shards"][1].pop("sha256"), r"shards\[1\] has no 'sha256'"),
        (lambda m: m.update(samples=True), "samples is True, not a whole number"),
    ],
)
def test_a_manifest_that_was_edited_is_told(tmp_path: Path, change: Any, said: str) -> None:
    folder = make(tmp_path / "d", "moves", episodes=8)
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for read in (card.card_text, open_dataset, croissant.croissant_text, card.write_card):
        with pytest.raises(DataError, match=rf"manifest\.json.*{said}"):
            read(folder)


@pytest.mark.parametrize("sums", [None, b"\xff\xfe", b"nonsense\n"])
def test_write_card_changes_nothing_where_the_sums_cannot_be_read(tmp_path: Path, sums: bytes | None) -> None:
    folder = make(tmp_path / "d", "moves", episodes=8)
    (folder / "README.md").write_text("an older card\n")
    (folder / "SHA256SUMS").unlink()
    if sums is not None:
        (folder / "SHA256SUMS").write_bytes(sums)
    with pytest.raises(DataError, match="SHA256SUMS"):
        card.write_card(folder)
    assert (folder / "README.md").read_text() == "an older card\n"
    assert (folder / "manifest.json").is_file()
