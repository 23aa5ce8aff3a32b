"""The card of a Go dataset: every key explained, every kind of source described, loadable as declared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gobench import card, croissant
from gobench.build import recipes
from gobench.build.run import build
from gobench_go.domain import GoDomain

SELFPLAY = {"kind": "selfplay", "teacher": "mcts:25"}


def manifest(**options: Any) -> dict[str, Any]:
    """As little of a manifest as a card needs."""
    domain = GoDomain()
    shape = {"rows": 9, "cols": 9, "size": 256, "theme": "wood", "rules": "benchmark"}
    config = {"recipe": "go9-tiny", "episodes": 2000, "codec": "h264", "seed": 0, "shards": 0}
    return {
        "recipe": "go9-tiny",
        "domain": {"name": "go", "version": "1"},
        "config": config | {"options": {**shape, "sources": [SELFPLAY], "reannotate": "", **options}},
        "codec": "h264",
        "members": ["json", "mp4", "png"],
        "features": dict(domain.features()),
        "inputs": {},
        "versions": {"numba": "1"},
        "rejected": {"duplicate": 3},
        "splits": {"train": {"samples": 1997, "frames": 100_000, "bytes": 5 << 20, "shards": 8}},
        "samples": 1997,
        "frames": 100_000,
        "bytes": 5 << 20,
        "shards": [{"file": f"data/train-{i:05d}-of-00008.tar", "split": "train"} for i in range(8)],
    }


def test_every_key_of_the_record_is_explained() -> None:
    text = card.render(manifest())
    for key in GoDomain().features():
        assert re.search(rf"^\| `{key}` \| [a-z0-9 ]+ \| \S.* \|$", text, re.M), key


def test_self_play_is_described() -> None:
    text = card.render(manifest())
    assert "1,997 games of Go on a 9×9 board" in text and "in the look `wood`" in text
    assert "**Self-play** by `mcts:25`" in text and "SGF records" not in text
    assert "license: cc0-1.0" in text and "Of 2,000 candidates 1,997 were kept" in text
    assert "train-{00000..00007}-of-00008.tar" in text


def test_other_sources_are_described() -> None:
    sources = [{"kind": "sgf"}, {"kind": "videoworld", "teacher": "katago"}]
    table = manifest(sources=sources, reannotate="mcts:100") | {"inputs": {"mine.zip": "1" * 64}}
    text = card.render(table)
    assert "**SGF records**" in text and "released VideoWorld tars" in text and "Self-play" not in text
    assert "**Targets** are the best moves of `mcts:100`" in text
    assert "license: other" in text and "keep the terms of their makers" in text
    assert "--sgf YOUR-GAMES --videoworld-tars YOUR-TARS" in text


@pytest.mark.parametrize("codec", ["moves", "h264"])
def test_datasets_loads_games_with_the_declared_types(data: Path, tmp_path: Path, codec: str) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    domain = GoDomain()
    options = domain.override(
        domain.recipes()["go9-sgf"]["options"], {"sgf": [str(data / "go9_katago_sgf.zip")], "size": 64}
    )
    config = recipes.configure(domain, "go9-sgf", {"codec": codec, "episodes": 12}, options)
    folder = tmp_path / "go"
    build(domain, config, folder, extras=[card.extra, croissant.extra])
    assert (folder / "README.md").read_text() == card.card_text(folder)
    assert str(data) not in (folder / "README.md").read_text()
    table = json.loads((folder / "manifest.json").read_text())
    split = next(iter(table["splits"]))
    for streaming in (False, True):
        rows = datasets.load_dataset(
            str(folder), split=split, streaming=streaming, cache_dir=str(tmp_path / "c")
        )
        assert rows.features["json"] == datasets.Features.from_dict(dict(domain.features()))
        if codec == "h264":
            rows = rows.cast_column("mp4", datasets.Video(decode=False))
        games = [row["json"] for row in rows]
        assert len(games) == table["splits"][split]["samples"]
        assert all(len(game["moves"]) == len(game["captures"]) for game in games)
        assert games[0]["targets"] == [] and games[0]["rows"] == 9
