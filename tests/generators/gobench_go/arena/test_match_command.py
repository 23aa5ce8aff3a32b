"""``gobench go match`` as its user meets it, and the page that it leaves behind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gobench.errors import BuildError, GobenchError, StoppedError, UsageError
from gobench.types import Record
from gobench_go.arena.matches import Match, play_match
from gobench_go.arena.names import Conditions
from gobench_go.arena.openings import find
from gobench_go.arena.plan import Entry, Plan, enter
from gobench_go.arena.report import page
from gobench_go.arena.report.ladder import rungs
from gobench_go.arena.screen import ending
from gobench_go.arena.tables import (
    elo_words,
    hint,
    ladder_note,
    legend,
    rung_words,
    rungs_of,
    summary,
    text_pairings,
)
from gobench_go.commands.matches import match as command
from gobench_go.game.rules import named

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = named("benchmark", 5, 5, 4.0)
SMALL = ["--size", "5x5", "--komi", "4", "--workers", "1"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def refused(*arguments: str) -> GobenchError:
    found = call(*arguments).exception
    assert isinstance(found, GobenchError)
    return found


def test_two_players_play_and_the_table_is_told(tmp_path: Path) -> None:
    done = call("random", "mcts:8", "--games", "4", "--out", str(tmp_path / "m"), *SMALL)
    assert done.exit_code == 0, done.output
    rows = done.stdout.splitlines()
    assert "player" in rows[0] and "95% interval" in rows[0]
    assert {row.split()[1] for row in rows[1:3]} == {"random", "mcts:8"}
    assert re.search(
        r"\nrandom against mcts:8: \d-\d-\d; \d of 4 games unique\n", done.output
    ), "no Elo of two pairs"  # fmt: skip
    assert "ratings need more games: --games 20 or more" in done.output
    assert "a-b-c: wins-draws-losses of the row against the column" in done.output
    assert re.search(r"s of play in \d+ s of wall time", done.output)
    assert "4 games" in done.output and str(tmp_path / "m" / "index.html") in done.output


def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    failing = f"{Path(__file__).with_name('drawing_models.py')}:Raising"
    done = call("random", failing, "--games", "2", "--replays", "0", "--out", str(tmp_path / "m"), *SMALL)
    assert done.exit_code == 0, done.output
    assert "Raising: 2 lost by crash" in done.output
    assert re.search(r"\nRaising, first of them in g00000: .*no such luck", done.output)


def test_json_and_the_same_command_again(tmp_path: Path) -> None:
    arguments = ("random", "random", "--games", "2", "--out", str(tmp_path / "m"), "--json", *SMALL)
    first, second = (json.loads(call(*arguments).stdout) for _ in range(2))
    assert first["games"] == 2 and [row["name"] for row in first["players"]] != ["random", "random"]
    del first["seconds"], second["seconds"]
    assert first == second


WATCHED = ["random", "mcts:8", "--games", "2", "--watch", "--max-plies", "14"]


def test_whoever_watches_sees_each_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert command.main([*WATCHED, "--out", str(tmp_path / "m"), *SMALL], standalone_mode=False) is None
    shown = capsys.readouterr().err.split("\n\n")
    assert shown[0].startswith("g00000  X random  –  O mcts:8") and "opening plies" in shown[0]
    assert re.search(r"\d+\. Black [A-E][1-5]", shown[1]) and "(X)" in shown[1]
    assert "gives itself" in "".join(shown) and "\x1b[" in shown[1]
    ends = [part for part in shown if re.search(r"g0000\d: (White|Black|a draw)", part)]
    assert len(ends) == 2


def test_whoever_reads_a_log_sees_the_last_boards(tmp_path: Path) -> None:
    done = call(*WATCHED, "--out", str(tmp_path / "m"), *SMALL)
    assert done.exit_code == 0, done.output
    lines = done.stderr.splitlines()
    assert len(lines) == 2 * 10 and lines[0] == "g00000  X random  –  O mcts:8" and "\x1b" not in done.stderr
    assert re.match(r"g00000: (White \(mcts:8\) wins by|Black \(random\) wins|a draw)", lines[8])
    again = call(*WATCHED, "--games", "4", "--out", str(tmp_path / "m"), *SMALL)
    assert [line[:7] for line in again.stderr.splitlines() if ": " in line[:8]] == ["g00002:", "g00003:"]


def test_a_game_ends_in_words(played: Match) -> None:
    game = replace(played.games[0], black="a", white="b", winner=2, score=-12.0, end="passes")
    assert ending(game) == "g00000: White (b) wins by 12 points (two passes)"
    close = replace(game, winner=1, score=1.0, end="move-limit")
    assert ending(close) == "g00000: Black (a) wins by 1 point (the limit of moves)"
    assert ending(replace(game, winner=0)) == "g00000: a draw (two passes)"
    assert ending(replace(game, end="resign")) == "g00000: White (b) wins, Black (a) resigned"
    late = ending(replace(game, end="late", message="9 s\nmore"))
    assert late == "g00000: White (b) wins, Black (a) lost by late: 9 s"


def test_a_test_says_how_it_stands(tmp_path: Path) -> None:
    done = call("random", "mcts:8", "--games", "2", "--sprt", "0,10", "--out", str(tmp_path / "m"), *SMALL)
    assert "SPRT of +0 Elo (H0) against +10 (H1): undecided after 1 pairs" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["random", "mcts:8", "--games", "3"], "even number"),
        (["random"], "two players or more, not 1"),
        (["random", "mcts:many"], "mcts:many"),
        (["random", "nobody-has-this-name"], "nobody-has-this-name"),
        (["random", "gnugoo:1"], "unknown player 'gnugoo'. Did you mean 'gnugo:1'? Known: clumsy, "),
        (["random", "mcts50"], "unknown player 'mcts50'. Did you mean 'mcts:50'? Known: clumsy, "),
        (["random", "katgo:x"], "unknown player 'katgo'. Did you mean 'katago:x'? Known: clumsy, "),
        (["random", "mcts:8", "--size", "5x"], "board size"),
        (["random", "mcts:8", "--komi", "6.3"], "multiple of 0.5"),
        (["random", "mcts:8", "--openings", "nowhere.sgf"], "nowhere.sgf"),
        (["random", "mcts:8", "--sprt", "10,0"], "elo0 is below elo1"),
        (["random", "mcts:8", "--seconds", "nan"], "seconds above 0"),
        (["random", "mcts:8", "--seconds", "inf"], "seconds above 0"),
        (["random", "mcts:8", "--pause", "nan", "--watch"], "--pause"),
        (["random", "mcts:8", "mcts:9", "--sprt", "0,10"], "two players, not 3"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, arguments: list[str], words: str) -> None:
    error = refused(*arguments, "--out", str(tmp_path / "m"))
    assert isinstance(error, UsageError) and words in str(error)
    assert not (tmp_path / "m").exists(), "nothing is written"


def test_another_match_is_not_mixed_in(tmp_path: Path) -> None:
    arguments = ["random", "mcts:8", "--games", "2", "--out", str(tmp_path / "m"), *SMALL]
    assert call(*arguments).exit_code == 0
    assert isinstance(
        error := refused(*arguments, "--seed", "1"), BuildError
    ) and "seed was 0; asked for 1" in str(error)
    assert call(*arguments, "--seed", "1", "--overwrite").exit_code == 0


def test_stopping_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gobench_go.arena.matches.play_match", stop)
    error = refused("random", "mcts:8", "--out", str(tmp_path / "m"))
    assert isinstance(error, StoppedError) and "same command" in str(error)


# --- the page ---

NAME = "</script><img src=x onerror=document.title=1>"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Match:
    entries = enter(["random", "mcts:8", "mcts:20"], Conditions())
    return play_match(Plan(entries, RULES, find("auto", RULES), 2), tmp_path_factory.mktemp("page") / "m")


@pytest.fixture(scope="module")
def hostile(played: Match) -> str:
    """The page of the same match with a player whose name and version are markup."""
    entry = Entry(NAME, "", {"name": NAME, "kind": "engine", "version": NAME})
    plan = replace(played.plan, entries=(entry, *played.plan.entries[1:]))

    def named_anew(name: str) -> str:
        return NAME if name == "random" else name

    games = tuple(
        replace(game, black=named_anew(game.black), white=named_anew(game.white), message=NAME)
        for game in played.games
    )
    return page.render(replace(played, plan=plan, games=games, summary=summary(plan, games, None)))


def test_the_page_holds_everything_and_loads_nothing(played: Match) -> None:
    text = (played.folder / "index.html").read_text()
    data = json.loads(
        re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[0]
    )
    assert [each["key"] for each in data["episodes"]] == [game.game for game in played.games]
    for each, game in zip(data["episodes"], played.games, strict=True):
        assert len(each["board"]["steps"]) == len(game.moves) and ["result", game.result] in each["facts"]
    assert [each["opens"] for each in data["episodes"]] == [len(game.opening) for game in played.games]
    assert "too few games" in text and "--games 20 or more" in text
    assert "http" not in re.sub(r"http-equiv|http://www.w3.org/2000/svg", "", text) and " style=" not in text
    assert text.count('class="rung"') == 3 and "Bradley" in text and "all pairings" not in text
    assert page.render(played) == text, "the same match gives the same page"


def test_names_of_others_stay_text(hostile: str) -> None:
    assert "<img src=x" not in hostile and hostile.count("</script>") == 2
    assert "&lt;img src=x" in hostile


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_chromium_plays_a_game_of_the_page(hostile: str, played: Match, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(hostile)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", "--dump-dom"]  # fmt: skip
    address = f"{(tmp_path / 'index.html').as_uri()}#g00003:6"
    done = subprocess.run(
        [str(CHROMIUM), *flags, address], capture_output=True, text=True, timeout=90, check=True
    )
    game = played.games[3]
    assert re.search(rf'<p id="caption"[^>]*>move 6 / {len(game.moves)} · (Black|White) ', done.stdout)
    assert 'class="disc X"' in done.stdout and "all pairings" in done.stdout
    assert "<title>Match of 3 players</title>" in done.stdout and "<img src=x" not in done.stdout
    first = subprocess.run(
        [str(CHROMIUM), *flags, address.partition("#")[0]],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    opening = len(played.games[0].opening)
    assert opening and f'aria-live="polite">move {opening} / ' in first.stdout, (
        "it opens where the opening ends"
    )


def test_a_ladder_is_placed_on_its_axis() -> None:
    row = {"name": "a", "elo": 0.0, "interval": None, "bound": None, "anchored": True}
    sure = row | {"name": "b", "elo": 400.0, "interval": [300.0, 500.0], "anchored": False}
    bound = sure | {"name": "c", "elo": 900.0, "interval": [600.0, None], "bound": ">="}
    found = rungs({"players": [bound, sure, row], "anchors": {"a": 0.0}, "black": {}})
    top, middle, last = found["rows"]
    assert last["left"] == last["at"] == last["right"] and top["right"] == 100
    assert 0 < last["at"] < middle["left"] < middle["at"] < middle["right"] < top["at"] < 100
    assert [elo for elo, _ in found["ticks"]] == [0, 200, 400, 600, 800]


def test_elo_differences_in_words() -> None:
    assert elo_words({"value": 190.4, "low": 85.0, "high": 330.2}) == "+190 (+85 to +330)"
    assert elo_words({"value": None, "low": 120.0, "high": None}) == "above +120 (won all)"
    assert elo_words({"value": None, "low": None, "high": -120.0}) == "below -120 (lost all)"
    few = ", too few pairs to tell more)"
    assert elo_words({"value": None, "low": -325.0, "high": None}) == f"above -325 (won all{few}"
    assert elo_words({"value": None, "low": None, "high": 325.0}) == f"below +325 (lost all{few}"


def test_ratings_in_words() -> None:
    row = {"name": "a", "elo": 767.4, "interval": [-135.0, None], "bound": ">=", "anchored": False}
    assert rung_words(row) == "767 (≥ -135)"
    assert rung_words(row | {"interval": [None, 40.0], "bound": "<="}) == "767 (≤ 40)"
    assert rung_words(row | {"interval": None, "bound": "?"}) == "767 (?)"
    assert rung_words(row | {"anchored": True, "elo": 0.0}) == "0 anchor"


def test_few_games_have_no_intervals() -> None:
    def found(pairs: int, sprt: str = "") -> Record:
        row = {"name": "a", "elo": 767.4, "interval": [-135.0, None], "bound": ">=", "anchored": False}
        rows = [row, row | {"name": "b", "elo": 0.0, "interval": None, "bound": None, "anchored": True}]
        meeting = {"players": ["a", "b"], "games": 2 * pairs, "pentanomial": [0, 0, 0, 0, pairs],
                   "won_drawn_lost": [2 * pairs, 0, 0], "unique_games": 2 * pairs,
                   "elo": {"value": None, "low": -135.0, "high": None}}  # fmt: skip
        return {"ladder": {"players": rows}, "pairings": [meeting], "sprt": sprt}

    assert [row["words"] for row in rungs_of(found(7))] == ["767 (too few games)", "0 anchor"]
    assert [row["words"] for row in rungs_of(found(8))] == ["767 (≥ -135)", "0 anchor"]
    assert rungs_of(found(7))[0]["interval"] is None and not ladder_note(found(7))
    assert "one side won every game" in ladder_note(found(8))
    assert hint(found(7)) == "ratings need more games: --games 20 or more"
    assert not hint(found(8)) and not hint(found(7, "a test stops when it is sure"))
    assert text_pairings(found(3)) == ["a against b: 6-0-0; 6 of 6 games unique"]
    assert (
        "6 games" not in text_pairings(found(4))[0]
        and "pairs 0-0-0-0-4, Elo above" in text_pairings(found(4))[0]
    )
    assert [line[:5] for line in legend(found(8))] == ["a-b-c", "pairs", "≥ or "]
    assert [line[:5] for line in legend(found(3))] == ["a-b-c", "ratin"]
    assert not rungs_of({"ladder": None, "pairings": []})
