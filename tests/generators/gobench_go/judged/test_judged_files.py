"""Sets of judged games: what a file gives, and what it is refused for."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError
from gobench.types import Record
from gobench_go.judged import read, write
from gobench_go.judged.files import records

Put = Callable[..., Path]


def header_of(path: Path) -> Record:
    header, _ = records(path)
    return {key: value for key, value in header.items() if key not in ("format", "games", "positions")}


def test_a_set_gives_what_was_written(raw: Put) -> None:
    judged = read(raw())
    assert (judged.name, judged.version, judged.licence, judged.note) == ("tiny", "1", "CC0-1.0", "made up")
    assert (judged.rules.rows, judged.rules.komi, judged.positions) == (3, 2.5, 7)
    game = judged.games[0]
    assert (game.id, game.moves, game.colors, game.opening) == ("g000", [4, 1, 3, 9, 9], [1, 2, 1, 2, 1], 1)
    assert game.boards.shape == (6, 3, 3) and game.boards[-1, 1, 1] == 1
    second = game.positions[1]
    assert second.legal.tolist() == [True] * 4 + [False] + [True] * 5
    assert second.policy[:5].tolist() == [0.01, 0.02, 0.03, 0.04, 0.0]
    assert (second.best, second.root_value, second.root_lead) == (0, 0.25, -1.5)
    assert second.visits.tolist() == [4, 3] + [0] * 8


def test_the_search_counts_from_four_visits_on_and_the_short_look_below(raw: Put) -> None:
    position = read(raw()).games[0].positions[1]
    assert position.value[:4].tolist() == [0.875, 0.01, 0.02, 0.03]
    assert position.lead[:4].tolist() == [7.0, 1.0, 2.0, 3.0]
    assert np.isnan(position.value[4]) and np.isnan(position.lead[4])


def test_the_search_counts_only_where_it_saw_as_much_as_the_short_look(raw: Put) -> None:
    oracle = {"name": "nobody", "version": "0", "visits": 9, "child_visits": 5}
    position = read(raw(oracle=oracle)).games[0].positions[1]
    assert position.value[:2].tolist() == [0.0, 0.01]
    assert position.visits[0] == 4


def test_positions_are_a_sequence_of_values_that_cannot_be_changed(raw: Put) -> None:
    positions = read(raw()).games[0].positions
    assert len(positions) == len(list(positions)) == 5
    assert positions[-1].best == positions[4].best and len(positions[1:3]) == 2
    with pytest.raises(IndexError):
        positions[5]
    with pytest.raises(ValueError, match="read-only"):
        positions[0].value[0] = 1.0


def test_writing_is_repeatable_and_the_digest_is_of_the_content(
    raw: Put, games: list[Record], tmp_path: Path
) -> None:
    header, path = header_of(raw()), tmp_path / "a.jsonl.gz"
    one = write(path, header, games)
    first = path.read_bytes()
    write(path, header, games)
    assert path.read_bytes() == first
    path.write_bytes(gzip.compress(gzip.decompress(first), 1, mtime=99))
    assert read(path).digest == one.digest
    assert write(path, {**header, "note": "other words", "name": "b"}, games).digest == one.digest
    assert write(path, {**header, "oracle": {**header["oracle"], "visits": 8}}, games).digest != one.digest
    games[0]["positions"][0]["winrate"] = 0.26
    assert write(path, header, games).digest != one.digest


def test_nothing_is_written_of_games_that_are_wrong(raw: Put, games: list[Record], tmp_path: Path) -> None:
    header = header_of(raw())
    games[1]["positions"][1]["best"] = 4
    with pytest.raises(
        DataError, match=r"new.jsonl.gz, game 'g001', position 1: the best move is 4, which is not legal"
    ):
        write(tmp_path / "new.jsonl.gz", header, games)
    assert not list(tmp_path.glob("*new*"))


NAN, HUGE = float("nan"), 10**400
WRONG: list[tuple[str, Any, str]] = [
    ("policy", [1] * 9, "position 2: policy is not a list of 10 numbers"),
    ("policy", "1111111111", "position 2: policy is not a list"),
    ("policy", None, "position 2: policy is not a list"),
    ("policy", [1.5] * 10, "policy of some position holds what is no number there"),
    ("policy", [True] * 10, "holds what is no number there"),
    ("policy", [HUGE] * 10, "beyond all bounds"),
    ("policy", [100_001] * 10, "position 2: policy is not in -1 to 100000"),
    ("policy", [-2] * 10, "position 2: policy is not in -1"),
    ("policy", [0] * 10, "position 2: policy is zero everywhere"),
    ("policy", [1] * 9 + [-1], "position 2: the pass is judged illegal"),
    ("policy", [1] * 10, "position 2: child_value and policy disagree"),
    ("child_value", [2.0] * 10, "position 2: child_value and policy disagree"),
    ("child_value", [-0.5, None, 0, 0, None, 0, 0, 0, 0, 0], "position 2: child_value is not in 0 to 1"),
    ("child_value", ["0"] * 10, "child_value of some position holds what is no number there"),
    ("child_lead", [[]] * 10, "child_lead of some position holds what is no number there"),
    ("child_lead", [1e300, None, 0, 0, None, 0, 0, 0, 0, 0], "position 2: child_lead is not in -10000"),
    ("child_lead", {}, "position 2: child_lead is not a list"),
    ("winrate", 1.5, "position 2: winrate is 1.5, not in 0 to 1"),
    ("winrate", "0.5", "position 2: winrate is 0.5"),
    ("winrate", NAN, "NaN|position 2: winrate"),
    ("lead", True, "position 2: lead is True"),
    ("lead", HUGE, "position 2: lead"),
    ("best", 10, "position 2: the best move is 10"),
    ("best", -1, "position 2: the best move is -1"),
    ("best", "0", "position 2: the best move is 0, which is not legal"),
    ("search", [], "position 2: search is not a table"),
    ("search", {"0": [4, 0.5]}, "position 2: search is not a table"),
    ("search", {"0": [4.5, 0.5, 0]}, "position 2: search is not a table"),
    ("search", {"0": [-4, 0.5, 0]}, "position 2: visits are out of range"),
    ("search", {"0": [HUGE, 0.5, 0]}, "position 2: search is not a table"),
    ("search", {"0": [4, 1.5, 0]}, "position 2: a searched winrate is not in 0 to 1"),
    ("search", {"0": [4, 0.5, 1e9]}, "position 2: a searched lead is out of range"),
    ("search", {"10": [4, 0.5, 0]}, "position 2: search holds '10', which is no move"),
    ("search", {"-1": [4, 0.5, 0]}, "position 2: search holds '-1', which is no move"),
    ("search", {"٣": [4, 0.5, 0]}, "which is no move"),
    ("search", {"4": [4, 0.5, 0]}, "position 2: search holds an illegal move"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_wrong_position_is_named(raw: Put, games: list[Record], key: str, value: Any, message: str) -> None:
    games[0]["positions"][2][key] = value
    with pytest.raises(DataError, match=message) as caught:
        read(raw())
    assert "raw.jsonl.gz" in str(caught.value) and len(str(caught.value)) < 400


GAME_WRONG: list[tuple[str, Any, str]] = [
    ("moves", [4, 4, 3, 9, 9], "position 1: the move 4 is against the rules"),
    ("moves", [4, 1, 3, 9, HUGE], "game 'g000'"),
    ("moves", [4, 1, 3, 9, 10], "position 4: the move 10 is against the rules"),
    ("moves", [4, 1], "2 moves, 5 colours and 5 positions do not fit"),
    ("moves", ["4"] * 5, "not a whole number"),
    ("colors", [1, 2, 1, 2, 3], "position 4"),
    ("colors", [1, 2, 1, HUGE, 1], "game 'g000'"),
    ("opening", 6, "opening is 6 plies of 5"),
    ("opening", -1, "opening is -1"),
    ("setup", "XXXX", "a 3x3 board"),
    ("setup", "X" * 9, "setup-dead"),
    ("setup", "X........", "position 0: what is judged legal is not what the rules allow"),
    ("lead", None, "lead is None"),
    ("positions", 7, "not a list"),
    ("positions", [7], "not a table"),
    ("id", 7, "not a text"),
    ("id", "g001", "two games of one id"),
]


@pytest.mark.parametrize(("key", "value", "message"), GAME_WRONG)
def test_a_wrong_game_is_named(raw: Put, games: list[Record], key: str, value: Any, message: str) -> None:
    games[0][key] = value
    with pytest.raises(DataError, match=message):
        read(raw())


HEADER_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"format": "other"}, "does not begin with a header of format 'gobench-judged-1'"),
    ({"games": 3}, "says that it has 3 games, but holds 2"),
    ({"positions": 3}, "says that it has 3 positions, but holds 7"),
    ({"name": None}, "not a text"),
    ({"oracle": {"name": "x", "version": "1"}}, "no 'visits'"),
    ({"oracle": {"name": "x", "version": "1", "visits": 1, "child_visits": "many"}}, "child_visits is many"),
    ({"rules": {"rows": 3}}, "no 'cols'"),
    ({"rules": {"rows": 99, "cols": 3, "ko": "simple", "suicide": False, "komi": 0, "name": ""}}, "99x3"),
    (
        {"rules": {"rows": 3, "cols": 3, "ko": "odd", "suicide": False, "komi": 0, "name": ""}},
        "ko rule 'odd'",
    ),
    (
        {"rules": {"rows": 3, "cols": 3, "ko": "simple", "suicide": False, "komi": "7", "name": ""}},
        "komi is '7'",
    ),
    (
        {"rules": {"rows": 3, "cols": 3, "ko": "simple", "suicide": False, "komi": HUGE, "name": ""}},
        "raw.jsonl.gz",
    ),
]


@pytest.mark.parametrize(("changes", "message"), HEADER_WRONG)
def test_a_wrong_header_is_named(raw: Put, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(raw(**changes))


def test_files_that_are_something_else_are_refused(tmp_path: Path, raw: Put) -> None:
    path = tmp_path / "odd.jsonl.gz"
    whole = raw().read_bytes()
    deep = gzip.compress(b'{"format": ' + b"[" * 100_000)
    for data in (b"", b"<html>", whole[: len(whole) // 2], gzip.compress(b""), gzip.compress(b"[]\n"), deep):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"odd.jsonl.gz"):
            read(path)
    with pytest.raises(DataError, match="there is no file"):
        read(tmp_path / "none.jsonl.gz")
    with pytest.raises(DataError, match="cannot read"):
        read(tmp_path)


def test_a_damaged_file_never_crashes_the_reader(raw: Put, tmp_path: Path) -> None:
    text, rng, path = gzip.decompress(raw().read_bytes()), random.Random(1), tmp_path / "bent.jsonl.gz"
    refused = 0
    for _ in range(400):
        bent = bytearray(text)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(bent))
            bent[at : at + rng.randint(0, 4)] = rng.choice(
                [b"", b"9", b"null", b"[]", b'"', b"-1", b"1e999", b"NaN"]
            )
        path.write_bytes(gzip.compress(bytes(bent), 1))
        try:
            read(path)
        except DataError:
            refused += 1
    assert refused > 200
