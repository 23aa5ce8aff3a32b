"""The sets in the package: what they hold, that rules and judges agree, and where sets are looked for."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import registry
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench_go.benchmark import open_suite
from gobench_go.game import kernels
from gobench_go.judged import katago_games, open_set, read
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


def test_the_card_tells_how_often_one_look_finds_the_searchs_choice() -> None:
    """The first of the largest values of one look, over the positions that the next-move task asks."""
    task: Any = open_suite("go9-lite").tasks[0]
    lines = map(json.loads, gzip.decompress(find("go9-lite").read_bytes()).splitlines()[1:])
    games = {game["id"]: game["positions"] for game in lines}
    hits = []
    for sample in task.ids:
        game, ply = task.position(sample)
        looks = games[game.id][ply]["child_value"]
        best = max((m for m, v in enumerate(looks) if v is not None), key=looks.__getitem__)
        hits.append(best == game.positions[ply].best)
    card = " ".join((ROOT / "cards" / "benchmark.md").read_text().split())
    assert f"its maximum is the search's choice in {np.mean(hits):.0%} of the positions" in card


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
    source.write_bytes(
        gzip.compress(
            b'{"id": 0, "opening": 0, "moves": [], "rules": "japanese", "komi": 7, "positions": []}\n'
        )
    )
    with pytest.raises(DataError, match="game 0: rules japanese"):
        katago_games.convert(source, tmp_path / "out.jsonl.gz", oracle=katago_games.ORACLE, note="mine")


POSITION = {
    "policy": [1000] * 82, "winrate": 0.5, "lead": 0.0, "search": {"E5": [9, 0.5, 0.1]}, "best": "E5",
    "child_winrate": [0.5] * 82, "child_lead": [0.1] * 82,
}  # fmt: skip
GAME = {
    "id": 0, "opening": 0, "moves": ["E5"], "komi": 7, "rules": katago_games.RULES, "lead": 0.5, "positions": [POSITION],
}  # fmt: skip
WHO = {"name": "KataGo", "version": "1.16", "net": "b18", "net_sha256": "a" * 64, "visits": 9}


def games_in(folder: Path, game: object = GAME) -> Path:
    source = folder / "games.jsonl.gz"
    source.write_bytes(gzip.compress(json.dumps(game).encode() + b"\n"))
    return source


def test_games_of_ones_own_say_who_judged_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out, who = games_in(tmp_path), tmp_path / "mine.jsonl.gz", tmp_path / "who.json"
    who.write_text(json.dumps(WHO))
    words = [str(source), str(out)]
    assert katago_games.main(words) == 2 and "--oracle FILE.json and --note TEXT" in capsys.readouterr().err
    assert katago_games.main([*words, "--oracle", str(who)]) == 2 and not out.exists()
    assert katago_games.main([*words, "--oracle", str(who), "--note", "my games"]) == 0
    made = read(out)
    assert (made.name, made.note, made.oracle["visits"], made.positions) == ("mine", "my games", 9, 1)
    assert made.games[0].positions[0].best == 40 and made.oracle["net"] == "b18"


@pytest.mark.parametrize(
    ("game", "words"),
    [
        ([], "line 1"),
        ({**GAME, "moves": ["Z9"]}, "game 0"),
        ({**GAME, "lead": None}, "lead"),
        ({**GAME, "positions": [{**POSITION, "best": 4}]}, "best"),
        ({**GAME, "positions": [{"policy": []}]}, "position 0"),
        ({**GAME, "positions": []}, "mine"),
    ],
)
def test_broken_games_are_one_line_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], game: object, words: str
) -> None:
    out, who = tmp_path / "mine.jsonl.gz", tmp_path / "who.json"
    who.write_text(json.dumps(WHO))
    given = [str(games_in(tmp_path, game)), str(out), "--oracle", str(who), "--note", "x"]
    assert katago_games.main(given) == 3
    shown = capsys.readouterr().err
    assert words in shown and len(shown.splitlines()) == 1 and not out.exists()


@pytest.mark.parametrize("change", [{"net_sha256": "abc"}, {"visits": "9"}, {"net": None}])
def test_an_oracle_says_all_of_itself(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(DataError, match="the oracle"):
        katago_games.convert(
            games_in(tmp_path), tmp_path / "out.jsonl.gz", oracle={**WHO, **change}, note="mine"
        )


@pytest.mark.parametrize("words", [[], ["--help"], ["none.jsonl.gz", "out.json"]])
def test_the_converter_is_a_command(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gobench_go.judged.katago_games", *words], capture_output=True, text=True
    )
    assert done.returncode == (0 if words == ["--help"] else 2) and "Traceback" not in done.stderr
    if words == ["--help"]:
        assert "--oracle" in done.stdout and "moveInfos" in done.stdout


def test_the_printed_recipe_shares_no_game_with_training(tmp_path: Path) -> None:
    import gobench_go.judged as package

    for text in (RECIPES["go9"], package.__doc__ or ""):
        flat = " ".join(text.split())
        assert "go9-small --games 1000 --seed 9000001" in flat and "--teacher 'katago:NET?visits=200" in flat
    go, core = registry.domain("go"), {"codec": "moves", "episodes": 3, "shards": 1, "splits": {"train": 1.0}}
    games = []
    for seed in (0, 9_000_001):
        config = configure(go, "go9-small", {**core, "seed": seed})
        build(go, config, tmp_path / str(seed))
        games.append({tuple(s.record()["moves"]) for s in open_dataset(tmp_path / str(seed)).samples()})
    assert games[0] and games[1] and not games[0] & games[1]


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
