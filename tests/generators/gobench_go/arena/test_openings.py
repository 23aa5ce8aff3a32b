"""Openings: the shipped ones are legal, fair, all different and made again from judged games; users bring their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from gobench.errors import DataError, UsageError
from gobench_go.arena import make_openings
from gobench_go.arena.openings import SHIPPED, SUFFIX, find, shipped
from gobench_go.game import coords, sgf
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules, named
from gobench_go.judged import open_set
from gobench_go.positions import hashes

DIGESTS = {
    "9x9": "f2a10210e3235b9bee2418b7da610f0f7ba18439cf1333f56d747013cae1976f",
    "7x7": "272a57f3ad4adf45dc561b1b6927d1effa95749967b7e91c7b9b197ee487da48",
    "5x5": "d83681be7bcce6b4f6237e1dd82d84d16fc01f062cb22c814f0d80a09aa64650",
}
LEAST = {"9x9": 200, "7x7": 100, "5x5": 60}


def rules_of(name: str) -> Rules:
    return named("benchmark", *coords.size(name))


def after(rules: Rules, line: tuple[int, ...]) -> Position:
    position = Position.start(rules)
    for move in line:
        position = position.play(move)
    return position


def test_each_recipe_is_shipped() -> None:
    assert set(shipped()) == set(make_openings.RECIPES) == set(DIGESTS)


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_shipped_openings_are_fixed_many_and_all_different(name: str) -> None:
    rules = rules_of(name)
    found = find("auto", rules)
    assert (found.name, found.digest) == (name, DIGESTS[name])
    assert len(found.lines) >= LEAST[name]
    ends = [after(rules, line) for line in found.lines]
    keys = [int(hashes(end.board[None], [end.to_move])[0]) for end in ends]
    assert len(set(keys)) == len(keys), "unique under symmetry, colours and transposition"


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_shipped_openings_are_fair_by_the_judge(name: str) -> None:
    recipe = make_openings.RECIPES[name]
    judged = open_set(recipe.judged)
    assert judged.rules.komi == rules_of(name).komi
    fair = {
        tuple(game.moves[:ply])
        for game in judged.games
        for ply in range(recipe.plies[0], min(recipe.plies[1] + 1, len(game.moves)))
        if recipe.fair[0] <= game.positions[ply].root_value <= recipe.fair[1]
    }
    assert set(find(name, rules_of(name)).lines) <= fair


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_the_shipped_file_is_made_again(name: str) -> None:
    assert make_openings.make(name) == (SHIPPED / f"{name}{SUFFIX}").read_bytes()


def test_boards_without_shipped_openings_begin_empty() -> None:
    assert find("auto", Rules(4, 6)).lines == find("none", Rules(9, 9)).lines == ((),)


def test_own_openings_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("# mine\nE5 C3\n\ne5 pass g7 # a comment\n")
    found = find(str(file), Rules(9, 9))
    assert (found.name, found.lines) == ("mine", ((40, 56), (40, 81, 24)))


def test_own_openings_of_an_sgf(tmp_path: Path) -> None:
    games = [
        {"rows": 9, "cols": 9, "komi": 7, "moves": moves, "colors": [1, 2]} for moves in ([40, 56], [0, 1])
    ]
    file = tmp_path / "mine.sgf"
    file.write_bytes(b"".join(sgf.write(game) for game in games))
    assert find(str(file), Rules(9, 9)).lines == ((40, 56), (0, 1))
    with pytest.raises(UsageError, match="9x9; the match is on 7x7"):
        find(str(file), Rules(7, 7))


@pytest.mark.parametrize(
    ("text", "words"),
    [("E5 E5", "occupied"), ("Z9", "no move"), ("A1 pass pass", "ends the game"), ("9x9 E5", "no move")],
)
def test_openings_that_cannot_be_are_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.txt").write_text(f"C3\n{text}\n")
    with pytest.raises(UsageError, match=words):
        find(str(tmp_path / "bad.txt"), Rules(9, 9))


def test_no_openings_at_all_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(DataError, match="hold no line"):
        find(str(tmp_path / "empty.txt"), Rules(9, 9))
    with pytest.raises(UsageError, match="unknown set of openings"):
        find("nowhere", Rules(9, 9))
    with pytest.raises(UsageError):
        find("9x9", Rules(5, 5))
