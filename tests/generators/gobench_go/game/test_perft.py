"""Counts of game trees and positions against numbers on which independent implementations agree."""

from __future__ import annotations

import itertools
import json
import signal
import time
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from gobench.errors import UsageError
from gobench_go.commands import counting
from gobench_go.game import perft
from gobench_go.game.census import WIDEST, legal_positions
from gobench_go.game.perft import COMPLETE_POINTS, KO_RULES, LONG_POINTS, Tree, complete_games, tree
from gobench_go.game.position import Position
from gobench_go.game.rules import KO, Rules

LEAVES = [
    ("2x2", "positional", False, (5, 21, 68, 156, 316, 604, 1088, 2184, 4184, 8024, 13800, 23560)),
    ("2x3", "positional", False, (7, 43, 222, 934, 3242, 8666, 20760)),
    ("3x3", "positional", False, (10, 91, 738, 5281, 33384, 179712)),
    ("4x4", "positional", False, (17, 273, 4112, 57984)),
    ("5x5", "positional", False, (26, 651, 15650)),
    ("9x9", "positional", False, (82, 6643, 531522)),
    ("2x3", "positional", True, (7, 43, 222, 942, 3378, 9834, 26504)),
    ("3x3", "positional", True, (10, 91, 738, 5281, 33384, 180768)),
    ("3x3", "none", False, (10, 91, 738, 5281, 33384, 179744)),
]
POSITIONS = {
    "1x1": 1,
    "1x2": 5,
    "1x3": 15,
    "1x4": 41,
    "2x2": 57,
    "2x3": 489,
    "3x2": 489,
    "3x3": 12675,
    "3x4": 321689,
    "4x4": 24318165,
    "5x5": 414295148741,
    "6x6": 62567386502084877,
}
SMALL = [(1, 1), (1, 2), (1, 4), (5, 1), (2, 2), (2, 3), (3, 2), (3, 3)]


def small_rules() -> list[Rules]:
    return [Rules(*s, ko, suicide, 0.0) for s in SMALL for ko in KO for suicide in (False, True)]


def of_rules(rules: Rules, depth: int) -> Tree:
    return tree(rules.rows, rules.cols, depth, rules.ko, rules.suicide)


def side(size: str) -> tuple[int, int]:
    rows, cols = size.split("x")
    return int(rows), int(cols)


def leaves_below(game: Position, depth: int) -> list[int]:
    """Leaves at depth 1, 2, ... by playing every move with the referee."""
    counts = [0] * depth
    level = [game]
    for n in range(depth):
        level = [parent.play(move) for parent in level for move in parent.legal_moves()]
        counts[n] = len(level)
    return counts


@pytest.mark.parametrize(("size", "ko", "suicide", "leaves"), LEAVES)
def test_known_leaf_counts(size: str, ko: str, suicide: bool, leaves: tuple[int, ...]) -> None:
    assert tree(*side(size), len(leaves), ko, suicide).leaves == leaves


@pytest.mark.parametrize("rules", small_rules(), ids=lambda r: f"{r.rows}x{r.cols}-{r.ko}-{r.suicide}")
def test_the_referee_counts_the_same(rules: Rules) -> None:
    depth = 4 if rules.points >= 6 else 6
    assert list(of_rules(rules, depth).leaves) == leaves_below(Position.start(rules), depth)


@pytest.mark.parametrize("tries", [1, 7, 1000])
def test_a_walk_in_slices_counts_the_same(tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tree(2, 3, 5)
    monkeypatch.setattr(perft, "SLICE", tries)
    assert tree(2, 3, 5) == whole


def test_counting_can_be_interrupted() -> None:
    tree(3, 3, 2)  # compiled by now
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            tree(3, 3, 11)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 5


def test_complete_games() -> None:
    assert [complete_games(1, n) for n in (1, 2, 3)] == [1, 9, 907]
    assert complete_games(3, 1) == 907


def test_the_referee_plays_907_complete_games_on_1x3() -> None:
    level, ended = [Position.start(Rules(1, 3, komi=0.0))], 0
    while level:
        level = [parent.play(move) for parent in level for move in parent.legal_moves()]
        ended += sum(game.over for game in level)
        level = [game for game in level if not game.over]
    assert ended == 907


@pytest.mark.parametrize(("size", "count"), POSITIONS.items())
def test_known_numbers_of_positions(size: str, count: int) -> None:
    assert legal_positions(*side(size)) == count


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 2), (1, 5), (6, 1), (2, 3), (4, 2)])
def test_listing_all_boards_finds_as_many_positions(rows: int, cols: int, reference: ModuleType) -> None:
    game = reference.SlowGame(rows, cols, "none", False)
    legal = 0
    for colors in itertools.product((None, "b", "w"), repeat=rows * cols):
        stones = {p: c for p, c in zip(game.points, colors, strict=True) if c}
        legal += not game.dead(stones, "b") and not game.dead(stones, "w")
    assert legal_positions(rows, cols) == legal_positions(cols, rows) == legal


@pytest.mark.slow
def test_deeper_counts() -> None:
    assert legal_positions(7, 7) == 83677847847984287628595
    for ko in KO:
        rules = Rules(3, 3, ko, komi=0.0)
        assert list(of_rules(rules, 6).leaves) == leaves_below(Position.start(rules), 6)
    rules = Rules(9, 9, komi=0.0)
    assert leaves_below(Position.start(rules), 2) == [82, 6643]
    assert of_rules(rules, 4).leaves[:3] == (82, 6643, 531522)


def test_what_cannot_be_counted() -> None:
    with pytest.raises(UsageError, match="1 to 1000"):
        tree(3, 3, 0)
    with pytest.raises(UsageError, match="Known: none, positional, simple, situational"):
        tree(3, 3, 2, "superko")
    with pytest.raises(UsageError, match="positional or situational"):
        complete_games(1, 3, "simple")
    with pytest.raises(UsageError, match="positional or situational"):
        complete_games(1, 3, "none")
    with pytest.raises(UsageError, match=f"at most {COMPLETE_POINTS} points"):
        complete_games(2, 3)
    with pytest.raises(UsageError, match="want --long"):
        complete_games(1, 4)
    with pytest.raises(UsageError, match=f"at most {LONG_POINTS} points"):
        complete_games(1, 5, long=True)
    with pytest.raises(UsageError, match="1 to 19"):
        tree(20, 3, 2)
    with pytest.raises(UsageError, match=f"at most {WIDEST}"):
        legal_positions(WIDEST + 1, 19)
    with pytest.raises(UsageError, match="1 to 19"):
        legal_positions(1, 20)


def run(command: Any, *words: str) -> str:
    result = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands() -> None:
    text = run(
        counting.perft, "--size", "3x3", "--depth", "6", "--ko", "positional", "--suicide", "forbidden"
    )
    assert [line.split()[1] for line in text.splitlines()] == [
        "leaves", "10", "91", "738", "5281", "33384", "179712",
    ]  # fmt: skip
    answer = json.loads(
        run(counting.perft, "--size", "2x3", "--depth", "4", "--suicide", "allowed", "--json")
    )
    assert (
        answer["leaves"] == [7, 43, 222, 942] and answer["suicide"] == "allowed" and answer["size"] == "2x3"
    )
    assert run(counting.perft, "--size", "1x3", "--complete") == "907\n"
    assert json.loads(run(counting.perft, "--size", "1x3", "--complete", "--json"))["complete_games"] == 907
    assert json.loads(run(counting.perft, "--depth", "6", "--ko", "none", "--json"))["leaves"][-1] == 179744
    assert run(counting.count_positions, "3x3") == "12675\n"
    assert json.loads(run(counting.count_positions, "4x4", "--json")) == {
        "size": "4x4",
        "legal_positions": 24318165,
    }


def test_the_commands_refuse_with_a_reason() -> None:
    assert counting.KO_RULES == KO_RULES
    for command, words in (
        (counting.perft, ["--size", "20x20"]),
        (counting.perft, ["--size", "three"]),
        (counting.perft, ["--depth", "0"]),
        (counting.perft, ["--complete", "--ko", "none", "--size", "1x3"]),
        (counting.perft, ["--complete", "--size", "2x2"]),
        (counting.count_positions, ["19x19"]),
    ):
        result = CliRunner().invoke(command, words)
        assert isinstance(result.exception, UsageError), words
    assert CliRunner().invoke(counting.perft, ["--ko", "superko"]).exit_code == 2


@pytest.mark.parametrize("command", [counting.perft, counting.count_positions])
def test_help_shows_examples(command: Any) -> None:
    assert f"gobench go {command.name} " in run(command, "--help")
