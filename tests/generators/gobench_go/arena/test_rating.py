"""From games of matches and of other people's files to a ladder, its notes, its table and its picture."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gobench.errors import DataError, UsageError
from gobench_go.arena import ladder, ladder_plot, outcomes, rating, suites
from gobench_go.arena.games import GAMES, write_games
from gobench_go.arena.outcomes import Games, Outcome
from gobench_go.arena.result import GameResult, Voided
from gobench_go.commands.rating import elo


def games(a: str, b: str, winners: str, end: str = "passes", start: int = 0) -> list[GameResult]:
    """Pairs of games, ``a`` Black first; ``winners`` has a letter a game: a, b or = for a draw."""
    found = []
    for n, winner in enumerate(winners):
        black, white = (b, a) if n % 2 else (a, b)
        won = 0 if winner == "=" else 1 + ({"a": a, "b": b}[winner] == white)
        found.append(
            GameResult(
                f"g{n:05d}", f"{a}/{b}/o{n // 2:03d}", black, white, (40,), (40, start + n, 81, 81),
                (1, 2), won, end if winner != "=" else "passes", 3.0 if won else 0.0,
            )
        )  # fmt: skip
    return found


def folder(place: Path, found: Sequence[GameResult], players: Sequence[dict[str, str]] = ()) -> str:
    place.mkdir(parents=True)
    write_games(place / GAMES, found)
    if players:
        (place / "plan.json").write_text(json.dumps({"players": list(players)}))
    return str(place)


def climbed(found: Sequence[GameResult], **options: object) -> rating.Ladder:
    outcome = Games([outcomes.of_game(game) for game in found], {})
    return rating.climb(outcome, **{"draws": 100, **options})  # type: ignore[arg-type]


LADDER = games("random", "mcts:1", "abbb" * 5) + games("mcts:1", "mcts:50", "ab=b" * 5)


def test_random_is_the_anchor_unless_others_are_given() -> None:
    ladder = climbed(LADDER)
    assert ladder.anchors == {"random": 0.0}
    assert [player.name for player in ladder.ratings.players] == ["mcts:50", "mcts:1", "random"]
    given = climbed(LADDER, anchors={"mcts:50": 2700})
    assert given.ratings.of("mcts:50").elo == 2700
    assert given.ratings.of("random").elo != 0
    free = climbed(games("x", "y", "ab" * 10))
    assert free.anchors == {} and any("no anchor" in note for note in free.notes())


def test_forfeits_can_be_left_out_and_voided_games_do_not_count() -> None:
    found = games("a", "b", "aaab" * 4) + games("a", "b", "b" * 4, end="late", start=50)
    found[0] = replace(found[0], voided=(Voided(1, 3, "it crashed"),))
    assert climbed(found).games == 20
    ladder = climbed(found, forfeits=False)
    assert ladder.games == 16 and ladder.ratings.of("a").wins == 12
    assert any("4 games not rated: ended by a forfeit" in note for note in ladder.notes())


def test_repeated_games_are_counted_and_told() -> None:
    found = games("a", "b", "ab" * 6)
    found += [replace(game, pair=f"{game.pair}#2") for game in found[:4]]
    ladder = climbed(found)
    assert (ladder.games, ladder.repeats) == (16, 4)
    assert ladder.unique == {"a": 12, "b": 12}
    assert any("4 of 16 games repeat" in note for note in ladder.notes())


def test_bounds_unconnected_players_and_unknown_anchors_are_told() -> None:
    ladder = climbed(games("random", "x", "b" * 20))
    assert ladder.ratings.of("x").bound == ">="
    assert any(note.startswith("bounds only: x") for note in ladder.notes())
    assert ladder.record()["players"][0]["interval"][1] is None
    with pytest.raises(UsageError, match=r"no games connect \{a, b\} and \{mcts:1, mcts:50, random\}"):
        climbed([*LADDER, *games("a", "b", "ab")])
    with pytest.raises(UsageError, match=r"unknown anchor 'mcts:5'.*Did you mean 'mcts:50'"):
        climbed(LADDER, anchors={"mcts:5": 0})
    with pytest.raises(UsageError, match="no game to rate"):
        climbed([])


@pytest.mark.parametrize("text", ["random", "random=", "=3", "random=high", "random=inf"])
def test_anchors_that_say_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="give NAME=ELO"):
        rating.anchor(text)


def test_names_with_signs_of_their_own_can_be_anchors() -> None:
    assert rating.anchor("katago:a=b=2700") == ("katago:a=b", 2700.0)


def test_games_of_folders_files_and_evaluations_are_found(tmp_path: Path) -> None:
    match = folder(tmp_path / "match", LADDER)
    evaluated = folder(tmp_path / "eval" / "games" / "go9-match", games("model", "random", "ab" * 8))
    found = outcomes.read([match, str(Path(evaluated).parents[1]), str(tmp_path / "match" / GAMES)])
    assert len(found.outcomes) == 40 + 16 + 40
    assert len({game.pair for game in found.outcomes}) == 20 + 8 + 20
    (tmp_path / "match" / GAMES).write_text("{}\n")
    with pytest.raises(DataError, match="no game of a match"):
        outcomes.read([match])


def test_one_name_for_two_players_becomes_two(tmp_path: Path) -> None:
    def player(version: str) -> list[dict[str, str]]:
        return [{"as": "mcts:50", "version": version}, {"as": "random", "version": "1"}]

    one = folder(tmp_path / "one", games("mcts:50", "random", "ab" * 4), player("1"))
    two = folder(tmp_path / "two", games("mcts:50", "random", "ab" * 4, start=60), player("2"))
    found = outcomes.read([one, one, two])
    assert {game.black for game in found.outcomes} == {"mcts:50", "mcts:50#2", "random"}
    assert found.renamed == ["mcts:50#2"]
    assert any("mcts:50#2" in note for note in rating.climb(found, draws=100).notes())
    (tmp_path / "two" / "plan.json").write_text("{}")
    with pytest.raises(DataError, match="no plan of a match"):
        outcomes.read([two])


SGF = "(;GM[1]FF[4]SZ[9]PB[{0}]PW[{1}]RE[{2}]{4};B[ee];W[{3}])"


def test_sgf_of_other_peoples_tournaments(tmp_path: Path) -> None:
    lines = [SGF.format("Ann", "Bob", "B+R", move, "") for move in ("aa", "bb", "cc")]
    lines += [SGF.format("Bob", "Ann", "B+2.5", "dd", ""), SGF.format("Bob", "Ann", "0", "ff", "")]
    lines += [SGF.format("Bob", "Ann", "B+T", "gg", ""), SGF.format("Bob", "Ann", "?", "hh", "")]
    lines += [SGF.format("Ann", "Ann", "B+R", "ab", ""), SGF.format("Ann", "", "B+R", "ab", "")]
    lines += [SGF.format("Ann", "Bob", "B+R", "ab", "HA[2]AB[cc][gg]"), "(;GM[2])"]
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as archive:
        archive.writestr("a.sgf", "\n".join(lines))
    found = outcomes.read([str(tmp_path / "games.zip")])
    assert [(g.black, g.points, g.forfeit) for g in found.outcomes] == [
        ("Ann", 1.0, False), ("Ann", 1.0, False), ("Ann", 1.0, False),
        ("Bob", 1.0, False), ("Bob", 0.5, False), ("Bob", 1.0, True),
    ]  # fmt: skip
    assert found.unrated == {"no-result": 1, "no-names": 2, "handicap": 1, "unreadable": 1}
    assert len({game.pair for game in found.outcomes}) == 6
    with pytest.raises(UsageError, match="does not exist"):
        outcomes.read([str(tmp_path / "nothing")])


def test_the_table_and_the_json_of_the_command(tmp_path: Path) -> None:
    match = folder(tmp_path / "match", LADDER)
    shown = CliRunner().invoke(elo, [match, "--draws", "100"])
    assert shown.exit_code == 0, shown.output
    head, first = shown.stdout.splitlines()[:2]
    assert head.split()[:4] == ["#", "player", "Elo", "95%"]
    assert first.split()[:2] == ["1", "mcts:50"] and "10-5-5" in first
    assert "Black is worth" in shown.stdout
    plain = CliRunner().invoke(
        elo, [match, "--json", "--no-colour", "--anchor", "mcts:1=100", "--draws", "100"]
    )
    table = json.loads(plain.stdout)
    assert table["anchors"] == {"mcts:1": 100.0} and table["black"] == {"elo": 0.0, "interval": [0.0, 0.0]}
    assert {row["name"]: row["elo"] for row in table["players"]}["mcts:1"] == 100.0


def test_what_black_is_worth_is_told_only_where_games_tell(tmp_path: Path) -> None:
    swept = folder(tmp_path / "swept", games("random", "x", "b" * 20))
    shown = CliRunner().invoke(elo, [swept, "--draws", "100"])
    assert shown.exit_code == 0 and "Black" not in shown.stdout, shown.output


def test_a_ladder_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    ladder = climbed([*LADDER, *games("mcts:50", "gnugo:10", "b" * 20)])
    ladder_plot.save(ladder, tmp_path / "a.svg")
    ladder_plot.save(ladder, tmp_path / "b.svg")
    ladder_plot.save(ladder, tmp_path / "a.png")
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    for words in ("random", "mcts:50", "0 anchor", "≥ ", "Elo (random = 0)"):
        assert words in text
    assert ladder_plot.svg(ladder).startswith("<svg")
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        ladder_plot.save(ladder, tmp_path / "a.pdf")


def test_a_few_games_that_allow_no_interval_are_drawn_and_told(tmp_path: Path) -> None:
    ladder = climbed(games("random", "x", "ab"))
    assert math.isnan(ladder.ratings.of("x").low)
    assert ladder_plot.words(ladder.ratings.of("x")).endswith("(?)")
    assert ladder.record()["players"][0]["interval"] is None
    ladder_plot.save(ladder, tmp_path / "few.svg")


def test_without_matplotlib_the_plot_says_how_to_get_it(tmp_path: Path) -> None:
    match = folder(tmp_path / "match", LADDER)
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from gobench.cli import main\n"
        f"sys.argv = ['gobench', 'go', 'elo', {match!r}, '--plot', {str(tmp_path / 'x.png')!r}]\n"
        "main()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 2 and "-e '.[plots]'" in run.stderr, run.stderr


def test_an_outcome_is_plain() -> None:
    assert outcomes.of_game(LADDER[0], "0/") == Outcome(
        "random", "mcts:1", 1.0, "0/random/mcts:1/o000", False, outcomes.of_game(LADDER[0]).moves
    )


def test_opponents_of_a_suite_stand_where_its_ladder_says(tmp_path: Path) -> None:
    shipped = ladder.read(9, 9)
    names = ("clumsy:0", "random", "mcts:200")
    who = [{"as": name, **shipped.identities[name]} for name in names]
    plan = {"task": "go9/match", "rules": {"rows": 9, "cols": 9}, "players": [*who, {"as": "model"}]}
    played = [game for name in names for game in games("model", name, "ab" * 4)]
    place = tmp_path / "run" / "games" / "go9-match"
    folder(place, played)
    (place / "plan.json").write_text(json.dumps(plan))
    found = outcomes.read([str(tmp_path / "run")])
    assert suites.placed(found) == {name: shipped.ratings[name] for name in names}
    shown = CliRunner().invoke(elo, [str(tmp_path / "run"), "--draws", "100", "--json"])
    assert json.loads(shown.stdout)["anchors"]["mcts:200"] == shipped.ratings["mcts:200"]
    shown = CliRunner().invoke(elo, [str(tmp_path / "run"), "--draws", "100"])
    assert "anchors: 3 opponents stand where the shipped ladder" in shown.stderr
    shown = CliRunner().invoke(
        elo, [str(tmp_path / "run"), "--draws", "100", "--anchor", "random=50", "--json"]
    )
    assert json.loads(shown.stdout)["anchors"] == {"random": 50.0}
    plan["players"] = [{"as": "mcts:200", "version": "of old"}, {"as": "random", "version": "none"}]
    (place / "plan.json").write_text(json.dumps(plan))
    assert suites.placed(outcomes.read([str(tmp_path / "run")])) == {}
    plan |= {"rules": {"rows": 5, "cols": 5}, "task": "go5/match", "players": who}
    small = folder(tmp_path / "small" / "games" / "go5-match", played)
    (Path(small) / "plan.json").write_text(json.dumps(plan))
    (place / "plan.json").write_text(
        json.dumps(plan | {"rules": {"rows": 9, "cols": 9}, "task": "go9/match"})
    )
    with pytest.raises(UsageError, match="unlike suites"):
        suites.placed(outcomes.read([str(tmp_path / "run"), str(tmp_path / "small")]))
