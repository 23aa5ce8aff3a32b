"""What a name of KataGo says, where networks are found, and what is asked of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.engines.katago_queries import probe_of, query_of, rules_record
from gobench_go.engines.katago_spec import FORCED, parse
from gobench_go.engines.nets import find_net, found_nets
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules, named

Katago = Callable[..., str]


def override(words: tuple[str, ...]) -> dict[str, str]:
    settings = words[words.index("-override-config") + 1]
    return dict(word.split("=") for word in settings.split(","))


def test_a_plain_name_uses_the_config_of_the_package(katago: Katago, tmp_path: Path) -> None:
    spec = parse(katago())
    words = spec.command
    assert words[:4] == (
        str(tmp_path / "bin" / "katago"),
        "analysis",
        "-model",
        str(tmp_path / "nets" / "tiny.bin.gz"),
    )
    config = Path(words[words.index("-config") + 1])
    keys = {
        line.partition("=")[0].strip()
        for line in config.read_text().splitlines()
        if "=" in line and line[0] != "#"
    }
    assert {"numAnalysisThreads", "numSearchThreadsPerAnalysisThread", "nnMaxBatchSize", "maxVisits"} <= keys
    assert override(words).items() >= FORCED.items()
    assert (
        override(words)["numAnalysisThreads"] == override(words)["numSearchThreadsPerAnalysisThread"] == "1"
    )
    assert words[-1] == "-quit-without-waiting" and "-human-model" not in words
    assert (spec.name, spec.visits) == ("katago:tiny?visits=64", 64)


def test_a_config_of_ones_own_decides_but_for_whom_values_speak(katago: Katago, tmp_path: Path) -> None:
    config = tmp_path / "my@home.cfg"
    config.write_text("reportAnalysisWinratesAs = BLACK\nnumAnalysisThreads = 7\n")
    katago()
    spec = parse(f"katago:{tmp_path}/nets/other.txt.gz@{config}?visits=9")
    assert (spec.config, spec.visits, spec.threads) == (config, 9, None)
    plain = tmp_path / "my.cfg"
    plain.write_text(config.read_text())
    spec = parse(f"katago:{tmp_path}/nets/other.txt.gz@{plain}?visits=9")
    assert (spec.config, spec.visits, spec.name) == (plain, 9, "katago:other@my.cfg?visits=9")
    assert override(spec.command) == FORCED
    assert override(parse(f"katago:tiny@{plain}?threads=12").command)["numAnalysisThreads"] == "12"
    assert set(spec.files) == {"net_sha256", "config_sha256"} and len(spec.files["config_sha256"]) == 64
    assert (
        parse(spec.name) == spec
    )  # files that were named by their paths are found by their names from now on


def test_a_profile_needs_the_network_that_knows_people(katago: Katago, tmp_path: Path) -> None:
    spec = parse(katago() + "?profile=rank_9d&threads=4")
    human = tmp_path / "nets" / "b18c384nbt-humanv0.bin.gz"
    assert spec.human == human and spec.command[spec.command.index("-human-model") + 1] == str(human)
    assert override(spec.command)["humanSLProfile"] == "rank_9d"
    assert (
        spec.name == "katago:tiny?visits=64&profile=rank_9d" and replace(parse(spec.name), threads=4) == spec
    )
    assert {"profile", "human_net", "human_net_sha256"} <= set(spec.files)
    alone = parse("katago:b18c384nbt-humanv0?profile=preaz_5k_3d")
    assert alone.human is None and alone.model == human
    human.unlink()
    with pytest.raises(UsageError, match=r"no human network 'b18c384nbt-humanv0'.*releases/tag/v1.15.0"):
        parse("katago:tiny?profile=proyear_1950")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("katago:", r"write katago:MODEL\[@CONFIG\]"),
        ("katago:none", r"no network 'none'. Give the path .* Found here: b18c384nbt-humanv0, other, tiny"),
        ("katago:/nowhere/x.bin.gz", "no network '/nowhere/x.bin.gz'"),
        ("katago:~nobody/x.bin.gz", "no network '~nobody/x.bin.gz'"),
        (f"katago:{'x' * 300}", "no network 'xxx"),
        ("katago:x\0y", "no network"),
        (f"katago:tiny@{'x' * 300}", "no config 'xxx"),
        ("katago:tiny@none.cfg", "no config 'none.cfg'"),
        ("katago:tiny?visits=0", "visits is '0'; allowed is a whole number from 1"),
        ("katago:tiny?visits=٣", "visits is '٣'"),
        ("katago:tiny?visits=", "visits is empty"),
        ("katago:tiny?visits", "come key=value"),
        ("katago:tiny?vists=3", "unknown setting of KataGo 'vists'. Did you mean 'visits'"),
        ("katago:tiny?visits=3&visits=4", "says one of visits twice"),
        ("katago:tiny?threads=100000", "threads is '100000'"),
        ("katago:tiny?profile=rank_10d", "profile 'rank_10d' is none of KataGo's"),
        ("katago:tiny?profile=rank_21k", "rank_21k"),
        ("katago:tiny?profile=proyear_1799", "a year from 1800 to 2023"),
        ("katago:tiny?human=tiny", "without a profile does nothing"),
    ],
)
def test_a_wrong_name_is_told(katago: Katago, text: str, message: str) -> None:
    katago()
    with pytest.raises(UsageError, match=message):
        parse(text)


def test_without_a_program_it_says_how_to_get_one(
    katago: Katago, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "katago"
    katago()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match=r"no program 'katago': .*brew install katago.*GOBENCH_KATAGO"):
        assert parse("katago:tiny").command
    monkeypatch.setenv("GOBENCH_KATAGO", str(program))
    assert parse("katago:tiny").command[0] == str(program)


def test_networks_lie_in_the_usual_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / ".katago" / "networks"
    home.mkdir(parents=True)
    (home / "a.bin.gz").touch()
    (home / "notes.md").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GOBENCH_NETS", raising=False)
    assert find_net("a") == find_net("a.bin.gz") == home / "a.bin.gz" and found_nets() == [home / "a.bin.gz"]


def test_rules_are_said_in_full_or_refused() -> None:
    assert rules_record(named("benchmark")) == {
        "ko": "POSITIONAL", "scoring": "AREA", "tax": "NONE", "suicide": False, "hasButton": False,
        "whiteHandicapBonus": "0", "friendlyPassOk": False,
    }  # fmt: skip
    assert rules_record(named("tromp-taylor"))["suicide"] is True
    assert [rules_record(Rules(ko=ko))["ko"] for ko in ("simple", "situational")] == ["SIMPLE", "SITUATIONAL"]
    for rules in (Rules(1, 9), Rules(9, 9, komi=151)):
        with pytest.raises(UsageError, match="KataGo"):
            rules_record(rules)


def test_a_query_holds_the_whole_game() -> None:
    rules = Rules(3, 4, komi=0.5)
    position = Position.of_text(rules, "X... .... ...O", 2).play(5).play(12).play(1)
    query = query_of(position, 7, policy=True, settings={"wideRootNoise": 0.0})
    assert query.record == {
        "rules": rules_record(rules), "komi": 0.5, "boardXSize": 4, "boardYSize": 3, "initialPlayer": "W",
        "initialStones": [["B", "A3"], ["W", "D1"]], "moves": [["W", "B2"], ["B", "pass"], ["W", "B3"]],
        "analyzeTurns": [3], "maxVisits": 7, "includePolicy": True, "overrideSettings": {"wideRootNoise": 0.0},
    }  # fmt: skip
    assert query.turns == (3,)


def test_who_plays_twice_is_asked_about_from_there_on() -> None:
    """KataGo forgets what was before such a move, and takes the other side to be next."""
    position = Position.start(Rules(3, 3)).play(0).turned(1)
    record = query_of(position, 1).record
    assert (record["initialStones"], record["initialPlayer"], record["moves"]) == ([["B", "A3"]], "B", [])
    twice = query_of(position.play(4).play(8), 1)
    assert twice.record["initialStones"] == [["B", "A3"]] and twice.turns == (2,)
    assert twice.record["moves"] == [["B", "B2"], ["W", "C1"]]


def test_a_ko_after_handicap_stones_that_were_played_is_known(katago: Katago) -> None:
    """White takes at B2 of ``.XO. X.XO .XO.``, and Black may not take back."""
    from gobench_go.teachers.katago import KataGoTeacher

    position, kata = Position.start(Rules(3, 4)), KataGoTeacher.of(katago())
    for color, moves in ((1, (1, 4, 9)), (2, (2, 7, 10))):
        for move in moves:
            position = position.turned(color).play(move)
    position = position.turned(1).play(6).play(5)
    assert position.why_illegal(6) == "ko"
    assert kata.judge(position, 1).policy[6] == 0  # KataGo agrees on what is legal
    kata.close()


def test_the_probe_is_a_board_that_is_all_blacks() -> None:
    for rows, cols in ((9, 9), (3, 3), (2, 2), (5, 4)):
        record = probe_of(Rules(rows, cols)).record
        stones = [vertex for color, vertex in record["initialStones"] if color == "B"]
        board = Position.setup(Rules(rows, cols, komi=0), [
            "ABCDEFGHJ".index(v[0]) + (rows - int(v[1:])) * cols for v in stones
        ])  # fmt: skip
        assert board.score() == rows * cols and len(stones) == len(record["initialStones"])
        assert np.isfinite(record["komi"]) and record["analyzeTurns"] == [0, 1]
