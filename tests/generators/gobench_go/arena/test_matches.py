"""Matches in a folder: plans, pairings, resuming, equal bytes, records that can be read again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gobench.errors import BuildError, DataError, UsageError
from gobench_go.arena import matches
from gobench_go.arena.another_match import differing
from gobench_go.arena.games import read_games
from gobench_go.arena.matches import Match, play_match
from gobench_go.arena.names import Conditions
from gobench_go.arena.openings import find
from gobench_go.arena.plan import Plan, enter
from gobench_go.arena.referee import Limits
from gobench_go.arena.result import GameResult
from gobench_go.arena.sprt import Sprt
from gobench_go.arena.tables import cross, summary, text_table
from gobench_go.game import sgf
from gobench_go.game.position import Position
from gobench_go.game.rules import named

RULES = named("benchmark", 5, 5, 4.0)
HOSTILE = Path(__file__).parent.parent / "engines" / "hostile.py"
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
ENTRIES = enter(["random", "mcts:8", "random"], Conditions())


def plan(
    names: int = 3, games: int = 4, seed: int = 0, sprt: Sprt | None = None, gauntlet: bool = False
) -> Plan:
    return Plan(ENTRIES[:names], RULES, find("auto", RULES), games, seed, gauntlet=gauntlet, sprt=sprt)


def files(folder: Path) -> dict[str, bytes]:
    """Everything but what is timed."""
    found = (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (matches.TIMES, matches.LOCK)
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Match:
    return play_match(plan(), tmp_path_factory.mktemp("match") / "m")


def test_equal_players_have_names_of_their_own() -> None:
    assert [entry.name for entry in ENTRIES] == ["random", "mcts:8", "random#2"]
    assert ENTRIES[0].identity == ENTRIES[2].identity


def test_a_player_may_be_given_a_name() -> None:
    entries = enter(["first try=mcts:8", "mcts:8", "first try=mcts:9"], Conditions())
    assert [(entry.name, entry.text) for entry in entries] == [
        ("first try", "mcts:8"), ("mcts:8", "mcts:8"), ("first try#2", "mcts:9"),
    ]  # fmt: skip
    assert entries[0].identity["name"] == "mcts:8"
    entries = enter(["a#2=random", "a=random", "a=random", "a=random"], Conditions())
    assert [entry.name for entry in entries] == ["a#2", "a", "a#3", "a#4"]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"games": 3}, "even number"), ({"games": 0}, "even number"), ({"entries": ENTRIES[:1]}, "two players"),
     ({"sprt": Sprt(0, 10)}, "two players, not 3")],
)  # fmt: skip
def test_plans_that_cannot_be(change: dict[str, object], words: str) -> None:
    given: dict[str, object] = {
        "entries": ENTRIES,
        "rules": RULES,
        "openings": find("auto", RULES),
        "games": 2,
    }
    with pytest.raises(UsageError, match=words):
        Plan(**(given | change))  # type: ignore[arg-type]


def test_everybody_plays_everybody_in_both_colours_from_each_opening() -> None:
    fixtures = plan(games=6).fixtures
    met = Counter((each.black, each.white) for each in fixtures)
    assert len(fixtures) == 3 * 6 and set(met.values()) == {3} and len(met) == 6
    for first, second in zip(fixtures[::2], fixtures[1::2], strict=True):
        assert (first.pair, first.opening) == (second.pair, second.opening)
        assert (first.black, first.white) == (second.white, second.black)
    assert len({seed for each in fixtures for seed in each.seeds}) == 2 * len(fixtures)
    assert len({each.pair for each in fixtures}) == len(fixtures) / 2


def test_a_gauntlet_is_the_first_against_the_others() -> None:
    assert plan(gauntlet=True).pairings == [("random", "mcts:8"), ("random", "random#2")]


def test_a_pair_does_not_depend_on_who_else_plays_or_on_how_many_games_there_are() -> None:
    def of(given: Plan) -> dict[tuple[str, str], tuple[int, int]]:
        return {(each.pair, each.black): each.seeds for each in given.fixtures}

    assert of(plan(2)).items() <= of(plan(3)).items() and of(plan(2)).items() <= of(plan(2, games=8)).items()
    assert of(plan(2, seed=1)) != of(plan(2))


def test_openings_that_are_used_up_begin_anew_as_other_pairs() -> None:
    few = Plan(ENTRIES[:2], RULES, find("none", RULES), games=6)
    assert [each.pair.rpartition("/")[2] for each in few.fixtures[::2]] == ["o000", "o000#2", "o000#3"]


def test_a_match_leaves_its_records(played: Match) -> None:
    games = read_games(played.folder)
    assert list(played.games) == games and len(games) == 12
    assert [game.game for game in games] == [f"g{i:05d}" for i in range(12)]
    assert {path.stem for path in (played.folder / "sgf").iterdir()} == {game.game for game in games}
    assert json.loads((played.folder / matches.SUMMARY).read_text()) == played.summary
    assert not (played.folder / matches.PIECES).exists() and len(played.times) == 12
    assert json.loads((played.folder / matches.PLAN).read_text()) == played.plan.record


def test_sgf_files_are_the_games(played: Match) -> None:
    for game in played.games:
        text = (played.folder / "sgf" / f"{game.game}.sgf").read_bytes()
        (found,) = sgf.read(text)
        assert isinstance(found, sgf.SgfGame)
        assert (found.moves, found.result, found.komi) == (game.moves, game.result, RULES.komi)
        assert (found.black, found.white) == (game.black, game.white)
        position = Position.start(RULES)
        for move in found.moves:
            position = position.play(move)
        assert position.over and position.score() == game.score
        assert b"random@1" in text and str(game.seeds[0]).encode() in text and game.pair.encode() in text


def test_tables_add_up(played: Match) -> None:
    found = played.summary
    assert sum(sum(row["won_drawn_lost"]) for row in found["players"]) == 2 * found["games"] == 24
    assert sum(row["won_drawn_lost"][0] for row in found["players"]) == sum(
        row["won_drawn_lost"][2] for row in found["players"]
    )
    assert all(sum(each["pentanomial"]) == 2 for each in found["pairings"])
    assert found["colors"]["black"] + found["colors"]["white"] + found["colors"]["draws"] == 12
    assert found["players"][0]["score"]["value"] >= found["players"][-1]["score"]["value"]
    assert {row["name"] for row in found["ladder"]["players"]} == {"random", "mcts:8", "random#2"}
    cells = cross(found)
    assert len(text_table(found)) == len(cells) == 4
    for row in range(1, 4):
        for column in range(1, 4):
            there, back = cells[row][5 + column], cells[column][5 + row]
            assert there == "-".join(reversed(back.split("-"))), "W-D-L of one side is L-D-W of the other"


def test_forfeits_crashes_and_repeated_games_are_counted(played: Match) -> None:
    base, rivals = played.games[0].record(), ("random", "mcts:8")
    black, white = rivals if base["black"] == "random" else rivals[::-1]
    voided = [{"by": 2, "ply": 3, "message": "gone"}]
    games = [
        GameResult.of(base | {"black": black, "white": white, "end": "late", "winner": 1, "illegal": [0, 2]}),
        GameResult.of(
            base | {"black": white, "white": black, "end": "passes", "winner": 0, "voided": voided}
        ),
    ]
    found = summary(plan(2, games=2), games, None)
    rows = {row["name"]: row for row in found["players"]}
    assert rows[white]["forfeits"] == {"late": 1} and rows[white]["illegal_answers"] == 2
    assert rows[black]["crashes_voided"] == 1 == found["voided"] and found["unique_games"] == 1
    assert found["pairings"][0]["pentanomial"] == ([0, 0, 0, 1, 0] if black == "random" else [0, 1, 0, 0, 0])


def test_the_same_bytes_with_two_workers(played: Match, tmp_path: Path) -> None:
    play_match(plan(), tmp_path / "m", workers=2)
    assert files(tmp_path / "m") == files(played.folder)


def test_a_finished_match_is_only_read(played: Match) -> None:
    before = {path: path.stat().st_mtime_ns for path in played.folder.rglob("*") if path.name != matches.LOCK}
    again = play_match(plan(), played.folder, workers=2)
    assert (again.games, again.times, again.summary) == (played.games, played.times, played.summary)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_another_match_in_the_folder_is_told_by_what_differs(played: Match) -> None:
    with pytest.raises(BuildError, match=r"another match: seed was 0; asked for 1\. Give the same"):
        play_match(plan(seed=1), played.folder)
    with pytest.raises(BuildError, match="match: --max-plies was 75; asked for 9"):
        play_match(Plan(ENTRIES, RULES, find("auto", RULES), 4, limits=Limits(9)), played.folder)
    with pytest.raises(BuildError, match=r"match: openings were .* lines, sha256 \w{8}\); asked for none"):
        play_match(Plan(ENTRIES, RULES, find("none", RULES), 4), played.folder)
    with pytest.raises(
        BuildError, match="players were random, mcts:8, random#2; asked for random, mcts:8; the"
    ):
        play_match(plan(2, 2), played.folder)


def test_plans_differ_in_words() -> None:
    old = plan(2).record
    players = [old["players"][0], old["players"][1] | {"version": "1"}]
    (words,) = differing(old, old | {"players": players})
    assert re.fullmatch(r'the player mcts:8 is another one: version is ".*" there, "1" was asked for', words)
    rules = old["rules"] | {"rows": 7, "komi": 5.5}
    assert differing(old, old | {"rules": rules, "gauntlet": True, "sprt": {"elo0": 0.0, "elo1": 10.0}}) == [
        "the board was 5x5; asked for 7x5",
        "the test was none; asked for --sprt 0,10",
        "gauntlet was off; asked for on",
        "the komi was 4; asked for 5.5",
    ]
    assert differing(old, old) == []


def test_the_end_is_tried_out_before_the_first_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(match: Match) -> str:
        raise RuntimeError("half an install")

    monkeypatch.setattr("gobench_go.arena.report.page.render", broken)
    with pytest.raises(RuntimeError, match="half an install"):
        play_match(plan(2, 2), tmp_path / "m")
    assert not list((tmp_path / "m").rglob("g*.json")), "no game was played"


def test_more_games_of_the_same_match_go_on_with_it(played: Match, tmp_path: Path) -> None:
    folder = shutil.copytree(played.folder, tmp_path / "m")
    seen: list[int] = []
    longer = play_match(plan(games=6), folder, progress=lambda games, total: seen.append(len(games)))
    assert (seen[0], len(longer.games)) == (12, 18) and longer.games[:12] == played.games
    assert longer.times[:12] == played.times
    play_match(plan(games=6), tmp_path / "whole")
    assert files(folder) == files(tmp_path / "whole")
    with pytest.raises(BuildError, match="number of games a pairing was 6; asked for 4"):
        play_match(plan(), folder)


def test_overwriting_removes_the_match_and_nothing_else(played: Match, tmp_path: Path) -> None:
    folder = shutil.copytree(played.folder, tmp_path / "m")
    (folder / "mine.txt").write_text("mine")
    again = play_match(plan(2, games=2), folder, overwrite=True)
    assert len(again.games) == 2 == len(list((folder / "sgf").iterdir())) and (folder / "mine.txt").exists()


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BuildError, match="holds no match"):
        play_match(plan(), tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_match_that_was_stopped_goes_on(played: Match, tmp_path: Path) -> None:
    def stop(games: object, total: int) -> None:
        if len(games) == 5:  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_match(plan(), tmp_path / "m", progress=stop)
    pieces = sorted((tmp_path / "m" / "pieces").glob("*.json"))
    assert len(pieces) == 5
    own = pieces[0].read_bytes()
    pieces[0].write_bytes(pieces[1].read_bytes())
    with pytest.raises(DataError, match="another game than game g00000"):
        play_match(plan(), tmp_path / "m")
    pieces[0].write_bytes(own)
    seen: list[int] = []
    play_match(plan(), tmp_path / "m", progress=lambda games, total: seen.append(len(games)))
    assert seen[0] == 5 and files(tmp_path / "m") == files(played.folder)


def test_a_test_ends_the_match_at_the_same_pair_with_any_number_of_workers(tmp_path: Path) -> None:
    given = Plan(
        enter(["mcts:60", "random"], Conditions()),
        RULES,
        find("auto", RULES),
        80,
        sprt=Sprt(0, 300, 0.2, 0.2),
    )
    one = play_match(given, tmp_path / "one")
    assert (
        one.summary["sprt"]["verdict"] == "accepted H1"
        and len(one.games) == 2 * one.summary["sprt"]["pairs"] < 80
    )
    play_match(given, tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def alive(marker: str) -> list[int]:
    """Processes with a word in their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except (OSError, UnicodeDecodeError):
            continue
    return found


@LINUX
def test_a_killed_match_leaves_no_process_and_goes_on_to_the_same_games(tmp_path: Path) -> None:
    engine = shutil.copy(HOSTILE, tmp_path / "engine.py")
    text = f"gtp:{sys.executable} -S -E {engine} sane --seed {{seed}}"
    arguments = ["random", text, "--games", "12", "--size", "5x5", "--komi", "4"]
    code = "from gobench.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "go",
        "match",
        *arguments,
        "--out",
        str(tmp_path / "m"),
        "--workers",
        "2",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        until = time.monotonic() + 60
        while len(list((tmp_path / "m" / "pieces").glob("g*.json"))) < 3 and run.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        os.kill(run.pid, signal.SIGKILL)
    left = len(list((tmp_path / "m" / "pieces").glob("g*.json")))
    assert 3 <= left < 12
    until = time.monotonic() + 10
    while alive(str(engine)):
        assert time.monotonic() < until, "engines outlive a match that was killed"
        time.sleep(0.05)
    entries = enter(["random", text], Conditions())
    given = Plan(entries, RULES, find("auto", RULES), 12)
    seen: list[int] = []
    play_match(given, tmp_path / "m", progress=lambda games, total: seen.append(len(games)))
    play_match(given, tmp_path / "whole")
    assert seen[0] >= 3 and files(tmp_path / "m") == files(tmp_path / "whole")
    assert not alive(str(engine))


@LINUX
def test_an_engine_that_is_killed_from_outside_costs_no_game(tmp_path: Path) -> None:
    engine = shutil.copy(HOSTILE, tmp_path / "engine.py")
    text = f"gtp:{sys.executable} -S -E {engine} sane --seed {{seed}}"
    given = Plan(
        enter(["random", text], Conditions()), RULES, find("auto", RULES), 6, limits=Limits(replays=50)
    )
    whole = play_match(given, tmp_path / "whole")
    moments = 0

    def strike(moment: object) -> None:
        nonlocal moments
        moments += 1
        if moments in (5, 25, 40, 130, 131, 210):
            for pid in alive(str(engine)):
                os.kill(pid, signal.SIGKILL)

    struck = play_match(given, tmp_path / "struck", watch=strike)
    assert [game.moves for game in struck.games] == [game.moves for game in whole.games]
    assert struck.summary["voided"] > 0 and not struck.summary["players"][0]["forfeits"]
    assert not alive(str(engine))
