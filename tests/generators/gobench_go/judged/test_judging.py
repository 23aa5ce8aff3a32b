"""Judging by the embedded teacher: what is written for a position, in pieces, and by the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gobench import registry
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.dataset import open_dataset
from gobench.errors import BuildError, UsageError
from gobench.seeds import seed64
from gobench_go.commands.judging import judge as command
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.judged import pieces, read
from gobench_go.judged.cache import position_key
from gobench_go.judged.inputs import find_games
from gobench_go.judged.judging import Game, Judge, judged_game
from gobench_go.judged.pieces import Text, judge_games
from gobench_go.teachers import teacher

RULES = Rules(4, 4, komi=2.0, name="benchmark")
GAMES = [
    Game((5, 10, 6, 9, 16, 16), (1, 2, 1, 2, 1, 2), opening=1, origin="a"),
    Game((5, 6, 9), (1, 2, 1), origin="b"),
    Game((10, 9), (2, 1), "X..............O", origin="c"),
]
SGF = Path(__file__).resolve().parents[4] / "tests" / "data" / "go9_katago_sgf.zip"


def judged(out: Path, workers: int = 1, games: list[Game] = GAMES, seed: int = 3, visits: int = 60) -> bytes:
    judge_games(games, RULES, Judge.of(f"mcts:{visits}", 8, seed), out, Text("t"), workers=workers)
    return out.read_bytes()


def test_every_legal_move_has_a_value_and_a_lead() -> None:
    position = Position.start(RULES).play(5).play(10)
    record = Judge.of("mcts:200", 16, 1).position(position)
    legal = position.legal_moves()
    assert [m for m, p in enumerate(record["policy"]) if p >= 0] == list(legal)
    assert [m for m, v in enumerate(record["child_value"]) if v is not None] == list(legal)
    assert [m for m, v in enumerate(record["child_lead"]) if v is not None] == list(legal)
    assert sum(visits for visits, _, _ in record["search"].values()) == 200
    assert 99_000 <= sum(p for p in record["policy"] if p > 0) <= 101_000
    often = {int(move): entry for move, entry in record["search"].items() if entry[0] >= 16}
    assert often and all(record["child_value"][move] == value for move, (_, value, _) in often.items())
    json.dumps(record, allow_nan=False)


def test_a_short_look_is_the_search_of_the_position_after_the_move() -> None:
    start = Position.of_text(Rules(5, 5, komi=2.5), "..X.. .XOX. .XOX. .O.O. ..O..")
    record = Judge.of("mcts:400", 64, 1).position(start)
    assert record["best"] == 17 and record["child_value"][17] > 0.8  # takes two stones
    assert record["child_lead"][17] > record["child_lead"][25] + 5  # instead of a pass
    after = teacher("mcts:64").judge(start.play(25), seed64(seed64(1, "judge", position_key(start)), 25))
    assert record["child_value"][25] == pytest.approx(1 - after.value, abs=1e-4)
    assert record["child_lead"][25] == pytest.approx(-after.lead, abs=0.01)


def test_a_pass_that_ends_the_game_is_worth_its_score() -> None:
    ended = Position.of_text(Rules(3, 3, komi=0.5), "XXX ... ...").play(9)
    record = Judge.of("mcts:2", 8, 1).position(ended)
    assert (record["child_value"][9], record["child_lead"][9]) == (0.0, -8.5)


def test_a_judgement_does_not_depend_on_what_was_judged_before() -> None:
    one, other = Judge.of("mcts:50", 4, 7), Judge.of("mcts:50", 4, 7)
    first = judged_game(GAMES[0], RULES, one, 0)
    judged_game(GAMES[1], RULES, other, 0)
    assert judged_game(GAMES[0], RULES, other, 0) == first
    assert judged_game(GAMES[0], RULES, Judge.of("mcts:50", 4, 8), 0) != first


def test_leads_at_the_end_are_the_score_or_the_judge() -> None:
    judge = Judge.of("mcts:100", 4, 7)
    assert judged_game(GAMES[0], RULES, judge, 0)["lead"] == -2.0
    cut = judged_game(GAMES[1], RULES, judge, 0)
    position = Position.start(RULES).play(5).play(6).play(9)
    assert cut["lead"] == -judge.position(position)["lead"]


def test_a_judge_remembers_by_which_rules_it_judged() -> None:
    judge = Judge.of("mcts:100", 4, 7)
    even, lost = (judge.position(Position.start(Rules(4, 4, komi=komi))) for komi in (2.0, 99.0))
    assert even["lead"] > lost["lead"] + 50


def test_bytes_do_not_depend_on_workers(tmp_path: Path) -> None:
    one = judged(tmp_path / "one.jsonl.gz")
    assert judged(tmp_path / "two.jsonl.gz", workers=2) == one
    assert judged(tmp_path / "other.jsonl.gz", seed=4) != one
    made = read(tmp_path / "one.jsonl.gz")
    assert (made.positions, len(made.games), made.games[0].opening) == (11, 3, 1)
    assert made.oracle == {"name": "mcts", "version": "2", "visits": 60, "child_visits": 8, "seed": 3}
    assert made.games[2].boards[0].tolist()[0] == [1, 0, 0, 0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.jsonl.gz", "other.jsonl.gz", "two.jsonl.gz"]


def test_a_stopped_call_goes_on_and_makes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = judged(tmp_path / "whole.jsonl.gz")
    out, real, made = tmp_path / "parts.jsonl.gz", pieces.judged_game, list[int]()

    def stops(game: Game, rules: Rules, judge: Judge, number: int) -> object:
        if number == 2 and not made:
            raise KeyboardInterrupt
        return real(game, rules, judge, number)

    monkeypatch.setattr(pieces, "judged_game", stops)
    with pytest.raises(KeyboardInterrupt):
        judged(out)
    assert not out.exists() and len(list(tmp_path.glob("parts.jsonl.gz.parts/g*.json"))) == 2
    with pytest.raises(BuildError, match="of another call: judge differ"):
        judged(out, seed=9)
    with pytest.raises(BuildError, match="of another call: games differ"):
        judged(out, games=GAMES[:1])
    monkeypatch.setattr(pieces, "judged_game", lambda *a: made.append(a[3]) or real(*a))
    assert judged(out) == whole
    assert made == [2] and not list(tmp_path.glob("*.parts"))


def test_a_teacher_without_values_cannot_judge() -> None:
    with pytest.raises(UsageError, match="'random' says nothing about values: judge with mcts:VISITS"):
        Judge.of("random", 8, 0)


def test_games_of_a_set_have_one_set_of_rules(tmp_path: Path) -> None:
    for komi in (7, 6):
        (tmp_path / f"{komi}.sgf").write_text(f"(;GM[1]SZ[9]KM[{komi}];B[ee];W[ec])")
    (tmp_path / "bad.sgf").write_text("(;GM[1]SZ[9];B[ee];W[ee])")
    with pytest.raises(UsageError, match=r"7.sgf: its komi is 7.0, the first game's 6.0"):
        find_games([str(tmp_path)])
    found = find_games([str(tmp_path)], komi=5.5, opening=1)
    assert (len(found.games), found.rules.komi, found.games[0].opening) == (2, 5.5, 1)
    assert [item.reason for item in found.rejected] == ["illegal-move"]
    with pytest.raises(UsageError, match=r"no game to judge in .*: bad.sgf: illegal-move"):
        find_games([str(tmp_path / "bad.sgf")])
    with pytest.raises(UsageError, match=r"does not exist|no such|not there|cannot"):
        find_games([str(tmp_path / "none.sgf")])


def test_the_command_judges_sgf_games(tmp_path: Path) -> None:
    out = tmp_path / "mine.jsonl.gz"
    args = [str(SGF), "--out", str(out), "--games", "1", "--teacher", "mcts:4", "--child-visits", "1"]
    done = CliRunner().invoke(command, [*args, "--workers", "1", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["name"], told["games"], told["file"]) == ("mine", 1, str(out))
    made = read(out)
    assert told["digest"] == made.digest and made.positions == told["positions"] > 20
    assert made.rules.komi == 7.0 and made.oracle["visits"] == 4


def test_the_command_wants_a_name_that_sets_have(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"called NAME.jsonl.gz"):
        CliRunner().invoke(command, [str(SGF), "--out", str(tmp_path / "x.json")], catch_exceptions=False)


def test_the_command_judges_a_built_dataset(tmp_path: Path) -> None:
    go, core = registry.domain("go"), {"codec": "moves", "episodes": 2, "shards": 1, "splits": {"train": 1.0}}
    build(go, configure(go, "go9-random", core), tmp_path / "data")
    out = tmp_path / "mine.jsonl.gz"
    args = [str(tmp_path / "data"), "--out", str(out), "--teacher", "mcts:1", "--child-visits", "1"]
    done = CliRunner().invoke(command, [*args, "--games", "1", "--workers", "1"], catch_exceptions=False)
    assert done.exit_code == 0 and "1 games, " in done.stdout
    assert read(out).games[0].moves == list(open_dataset(tmp_path / "data").read(0).record()["moves"])


def test_a_datasets_split_and_its_own_opening_are_judged(tmp_path: Path) -> None:
    go = registry.domain("go")
    core = {"codec": "moves", "episodes": 12, "shards": 1, "splits": {"train": 0.5, "test": 0.5}}
    config = configure(go, "go5-tiny", core)
    build(go, config, tmp_path / "data")
    data, source = open_dataset(tmp_path / "data"), [str(tmp_path / "data")]
    parts = {name: find_games(source, split=name).games for name in ("train", "test", "all")}
    assert {game.opening for game in parts["all"]} == {2}  # as the recipe says
    assert {game.opening for game in find_games(source, opening=0).games} == {0}
    assert [g.moves for g in parts["test"]] == [tuple(s.record()["moves"]) for s in data.samples("test")]
    assert parts["train"] and parts["test"]
    assert [*parts["train"], *parts["test"]] == parts["all"] or [*parts["test"], *parts["train"]] == parts[
        "all"
    ]
    with pytest.raises(UsageError, match="unknown split 'validation'"):
        find_games(source, split="validation")
    with pytest.raises(UsageError, match="no dataset and has no splits"):
        find_games([str(SGF)], split="test")
    help_text = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
    assert "train|validation|test|all" in help_text and "own self-play drew at random" in help_text


def test_seeds_reach_the_search(tmp_path: Path) -> None:
    first, second = (Judge.of("mcts:30", 4, seed).position(Position.start(RULES)) for seed in (1, 2))
    assert first["search"] != second["search"]
    assert np.isfinite([v for v in first["child_lead"] if v is not None]).all()
