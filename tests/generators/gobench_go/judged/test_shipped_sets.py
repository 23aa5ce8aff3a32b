"""The sets in the package: what they hold, that rules and judges agree, and where sets are looked for."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import DataError, UsageError
from gobench_go.game import kernels
from gobench_go.judged import katago_games, open_set
from gobench_go.judged.names import FOLDER, RECIPES, SHIPPED, find, shipped

ROOT = Path(__file__).resolve().parents[4]
SOURCE = ROOT.parent / "shared" / "data" / "go9_katago_judged.jsonl.gz"


def test_go9_lite_is_what_it_says() -> None:
    judged = open_set("go9-lite")
    assert (len(judged.games), judged.positions) == (110, 7438)
    assert (judged.rules.rows, judged.rules.cols, judged.rules.komi, judged.rules.ko) == (
        9,
        9,
        7.0,
        "positional",
    )
    assert judged.oracle["name"] == "KataGo" and judged.oracle["visits"] == 64
    assert len(judged.oracle["net_sha256"]) == 64
    assert judged.licence == "CC0-1.0"
    assert open_set("go9-lite") is judged
    assert {game.opening for game in judged.games} <= set(range(7))


@pytest.mark.parametrize("name", shipped())
def test_the_rules_allow_exactly_what_was_judged(name: str) -> None:
    judged = open_set(name)
    for game in judged.games:
        moves, colors = np.array(game.moves, np.int16), np.array(game.colors, np.uint8)
        for t, position in enumerate(game.positions):
            legal = kernels.legal_mask(judged.rules, None, moves[:t], colors[:t], game.colors[t])
            assert np.array_equal(legal, position.legal), (name, game.id, t)


@pytest.mark.parametrize("name", shipped())
def test_every_position_has_a_value_for_every_legal_move(name: str) -> None:
    for game in open_set(name).games:
        for position in game.positions:
            assert np.array_equal(np.isfinite(position.value), position.legal)
            assert np.array_equal(np.isfinite(position.lead), position.legal)
            assert position.legal[position.best] and position.policy.max() > 0
            assert position.policy[~position.legal].sum() == 0


def test_the_best_move_is_the_choice_of_the_search_not_the_largest_value() -> None:
    positions = [p for game in open_set("go9-lite").games for p in game.positions]
    most_visited = np.mean([p.visits[p.best] == p.visits.max() for p in positions])
    largest = np.mean([np.nanargmax(p.value) == p.best for p in positions])
    assert most_visited > 0.8 > largest


@pytest.mark.skipif(
    not SOURCE.exists(), reason="the games that go9-lite was made of are not beside the checkout"
)
def test_go9_lite_is_a_fresh_conversion_of_its_games(tmp_path: Path) -> None:
    fresh = katago_games.convert(SOURCE, tmp_path / "fresh.jsonl.gz")
    assert fresh.digest == open_set("go9-lite").digest
    again, kept = (gzip.decompress(p.read_bytes()) for p in (tmp_path / "fresh.jsonl.gz", find("go9-lite")))
    assert again == kept


def test_foreign_rules_are_not_converted(tmp_path: Path) -> None:
    source = tmp_path / "games.jsonl.gz"
    source.write_bytes(gzip.compress(b'{"id": 0, "rules": "japanese", "komi": 7}\n'))
    with pytest.raises(DataError, match="game 0: rules japanese"):
        katago_games.convert(source, tmp_path / "out.jsonl.gz")


def test_a_set_made_by_the_user_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with pytest.raises(DataError, match=f"go9.jsonl.gz.*gobench go judge.*{FOLDER}"):
        open_set("go9")
    with pytest.raises(UsageError, match=r"unknown set of judged games 'go9-lit'.*Did you mean 'go9-lite'"):
        open_set("go9-lit")
    shutil.copy(find("go9-lite"), tmp_path / "go9.jsonl.gz")
    shutil.copy(find("go9-lite"), tmp_path / "mine.jsonl.gz")
    assert find("go9") == tmp_path / "go9.jsonl.gz" and find("mine") == tmp_path / "mine.jsonl.gz"
    assert open_set("mine").digest == open_set("go9-lite").digest


@pytest.mark.parametrize("name", ["", "../go9-lite", "/etc/passwd", "a/b", "."])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(UsageError, match="unknown set"):
        open_set(name)


def test_shipped_files_are_small_and_known_sets_are_not_shipped() -> None:
    sizes = {path.name: path.stat().st_size for path in SHIPPED.iterdir()}
    assert max(sizes.values()) < 4 << 20 and sum(sizes.values()) < 8 << 20
    assert not set(RECIPES) & set(shipped())
