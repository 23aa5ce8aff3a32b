"""The card of a Go dataset: every key explained, every kind of source described, loadable as declared."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from gobench import card, croissant
from gobench.build import recipes
from gobench.build.run import build
from gobench.cli.build import build_dataset
from gobench.cli.recipe import chosen
from gobench_go.card_facts import license_of
from gobench_go.domain import GoDomain, table

SELFPLAY = {"kind": "selfplay", "teacher": "mcts:25"}


def manifest(recipe: str = "go9-tiny", core: Any = None, **options: Any) -> dict[str, Any]:
    """As little of a manifest as a card needs."""
    domain = GoDomain()
    options = {"theme": "wood", "sources": [SELFPLAY]} | options
    config = recipes.configure(domain, recipe, core, options)
    return {
        "recipe": recipe,
        "domain": {"name": "go", "version": "1"},
        "config": config.to_json(),
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
    assert "**Self-play** by `mcts@2:25`" in text and "SGF records" not in text
    assert "license: cc0-1.0" in text and "Of 2,000 candidates 1,997 were kept" in text
    assert "train-{00000..00007}-of-00008.tar" in text


def test_other_sources_are_described() -> None:
    sources = [{"kind": "sgf", "paths": ["x"]}, {"kind": "videoworld", "paths": ["y"]}]
    table = manifest("go9-sgf", sources=sources, reannotate="mcts:100") | {"inputs": {"mine.zip": "1" * 64}}
    text = card.render(table)
    assert (
        "**SGF records**" in text
        and "**VideoWorld's released Video-GoBench tars**" in text
        and "Self-play" not in text
    )
    assert "**Targets** are the best moves of `mcts@2:100`" in text
    assert "license: other" in text and "keep the terms of their makers" in text
    assert "--sgf YOUR-GAMES --videoworld-tars YOUR-TARS" in text


def test_the_licence_follows_from_the_inputs(data: Path) -> None:
    digest = hashlib.sha256((data / "go9_katago_sgf.zip").read_bytes()).hexdigest()
    wanted = {"": "cc0-1.0", digest: "cc0-1.0", "1" * 64: "other"}
    for found, license in wanted.items():
        inputs = {"games": found} if found else {}
        assert license_of(inputs) == license
        assert card.license_of(manifest() | {"inputs": inputs}) == license
    text = card.render(manifest() | {"inputs": {"go9_katago_sgf.zip": digest}})
    assert "all rights are waived.\nThe archives listed above ship with Video-GoBench" in text


SGF = {"kind": "sgf", "paths": ["/home/me/x.sgf"]}
RANDOM = {"kind": "selfplay", "teacher": "random", "share": 2}
BY_SEARCH = ("random move", "temperature 1.0 before ply 8", "a small search plays well", "Random openings")


def test_what_is_said_of_self_play_follows_from_who_played() -> None:
    text = card.render(manifest(sources=[SELFPLAY | {"opening": {"plies": 4, "region": 11}}]))
    assert all(words in text for words in BY_SEARCH)
    assert "4 random moves in the middle 9×9 points" in text
    text = card.render(manifest("go9-random", sources=[RANDOM | {"opening": {"plies": 4}}]))
    assert not any(words in text for words in BY_SEARCH) and "`random` has no plan" in text
    text = card.render(manifest(sources=[SELFPLAY | {"temperature": [[9, 0.0]]}]))
    assert "The search's best move is played." in text and "at temperature" not in text
    assert "Random openings" not in text and "random move" not in text
    assert "mean result of the teacher's simulations at that position, for the side to move" in text


def test_who_played_the_records_is_said_where_it_is_known(data: Path) -> None:
    digest = hashlib.sha256((data / "go9_katago_sgf.zip").read_bytes()).hexdigest()
    shipped = manifest("go9-sgf", sources=[SGF]) | {"inputs": {"a.zip": digest}}
    text = card.render(shipped)
    assert "110 self-play games of KataGo 1.17.2, net g170-b6c96, 16 visits" in text
    other = card.render(shipped | {"inputs": {"a.zip": digest, "b.zip": "1" * 64}})
    assert "KataGo" not in other and "Who played them depends on the archive" in other
    for said in (text, other):
        assert "strong players" not in said and "servers" not in said


def test_the_mix_is_told() -> None:
    sources = [SELFPLAY, SGF, RANDOM, {"kind": "videoworld", "paths": ["y"]}]
    made = manifest(core={"episodes": 100}, sources=sources)
    text = card.render(made)
    assert "by `mcts@2:25`, 33 games asked for" in text and "by `random@1`, 67 games asked for" in text
    assert "self-play by `mcts@2:25`, SGF records, self-play by `random@1` and VideoWorld's released" in text
    empty = "Games of SGF sources have empty `targets` and `values`"
    assert empty in text and "Games of `random` have empty" in text
    assert "\n\n\n" not in text
    again = card.render(manifest(sources=[SELFPLAY, SGF], reannotate="mcts:9"))
    assert empty not in again and "**Targets** are the best moves of `mcts@2:9`" in again
    assert "The mix" not in card.render(manifest())


def test_rules_as_written_have_no_komi_of_the_recipe() -> None:
    text = card.render(manifest("go9-sgf", sources=[SGF], rules="as-written"))
    assert "each game by its own RU and KM; what is missing is filled in from the rule set's default" in text
    assert "options.komi" not in text and "komi 7" not in text
    text = card.render(manifest(sources=[SELFPLAY], komi=5.5))
    assert "| options.komi | `5.5` |" in text and "**Rules**: `benchmark`, komi 5.5." in text


def test_cut_clips_are_told() -> None:
    assert "Clips are cut" not in card.render(manifest())
    text = card.render(manifest(clip={"first_ply": 10, "max_frames": 32}))
    assert "a window of the game that begins after 10 plies and has 32 frames at most" in text
    assert "1 game of Go" in card.render(manifest() | {"samples": 1})


OWN = table()["go9-tiny"]["options"]["sources"][0]
PLAIN = {"theme": "videoworld", "sources": [OWN]}
ASKED: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "nothing": ("go9-tiny", {}, PLAIN, ""),
    "core": ("go9-tiny", {"episodes": 9, "seed": 4, "shards": 3}, PLAIN, "--games 9 --seed 4 --shards 3"),
    "look": ("go9-tiny", {}, {"size": 64, "randomise": True, "sources": [OWN]}, "--size 64 --randomise"),
    "targets": ("go9-tiny", {}, PLAIN | {"reannotate": "mcts:9"}, "--reannotate mcts@2:9"),
    "teacher": ("go9-tiny", {}, {"sources": [OWN | {"teacher": "random"}]}, "--teacher random"),
    "games": ("go9-tiny", {}, {"sources": [OWN, SGF]}, "--theme wood --sgf YOUR-GAMES"),
    "rules": ("go9-sgf", {}, {"sources": [SGF], "rules": "chinese"}, "--set rules=chinese"),
    "deep": ("go9-tiny", {}, {"sources": [OWN | {"max_plies": 99}], "clip": {"fps": 8}}, "--set clip.fps=8"),
    "filters": (
        "go9-sgf",
        {},
        {"sources": [SGF | {"filters": {"min_moves": 10}}]},
        "--set sources.0.filters.min_moves=10",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_command_of_the_card_asks_for_the_same(name: str) -> None:
    recipe, core, options, said = ASKED[name]
    made = manifest(recipe, core, **options)
    words = shlex.split(card.command(made))
    assert said in " ".join(words) and "/home/me" not in " ".join(words)
    assert words[:2] == ["gobench", "build-dataset"]
    params = build_dataset.make_context("build-dataset", words[2:]).params
    _, config = chosen(params.pop("recipe"), params)
    assert config.to_json() == made["config"]


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


def test_an_external_teacher_and_its_journal() -> None:
    sources = [{"kind": "selfplay", "teacher": "gtp:/home/me/engine --level 3", "opening": {"plies": 4}}]
    found = manifest("go9-tiny", sources=sources)
    text = card.render(found | {"inputs": {"journal.jsonl": "1" * 64}})
    assert "**Self-play** by `gtp:engine --level 3`" in text and "/home/me" not in text
    assert "no part of this project" in text and "4 random moves" in text and "`random`" not in text
    assert "are the moves that it chose" in text
    assert "--teacher 'gtp:engine --level 3' --journal journal.jsonl" in text
    assert "from the answers in `journal.jsonl`" in text and "`journal.jsonl` `1111" in text
    assert "license: cc0-1.0" in text and "public domain as well" not in text
