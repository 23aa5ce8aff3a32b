"""Games as the preview page plays them."""

from __future__ import annotations

from typing import Any

import pytest

from gobench.errors import DataError
from gobench.preview.clips import difference
from gobench_go.game import coords
from gobench_go.replay import replay

GAME: dict[str, Any] = {
    "key": "go-000000000",
    "rows": 3,
    "cols": 3,
    "rules": "benchmark",
    "ko": "positional",
    "suicide": False,
    "komi": 7.0,
    "setup": "",
    "moves": [1, 0, 3, 9],  # Black B3, White A3, Black A2 takes it, White passes
    "colors": [1, 2, 1, 2],
    "captures": [0, 0, 1, 0],
    "result": "B+2",
    "black": "a",
    "white": "b",
    "teacher": "mcts@2:50",
    "targets": [4, 4, 3, 9],
    "values": [0.5, 0.4, 0.9, 0.2],
    "origin": "test/1",
    "theme": "wood",
    "size": 64,
    "split": "train",
    "first_ply": 0,
    "frames": 5,
}


def test_boards_captures_and_words() -> None:
    played = replay(GAME)
    assert played["boards"] == [".........", ".X.......", "OX.......", ".X.X.....", ".X.X....."]
    assert difference(played["boards"][2], played["boards"][3]) == "0.3X"
    assert played["labels"] == ["the start", "Black B3", "White A3", "Black A2, takes 1", "White pass"]
    assert played["last"] == [-1, 1, 0, 3, -1]
    assert played["hints"] == [4, 4, 3, -1, -1], "a pass is no point"
    assert played["values"] == [0.5, 0.6, 0.9, 0.8, -1], "as Black sees it"
    assert played["columns"] == ["A", "B", "C"] and played["lines"] == ["3", "2", "1"]
    lengths = {len(played[key]) for key in ("boards", "labels", "last", "hints", "values")}
    assert lengths == {5}


def test_title() -> None:
    assert replay(GAME)["title"] == "B+2 · a – b"
    assert replay({**GAME, "white": "a"})["title"] == "B+2 · a"


def test_without_a_teacher() -> None:
    played = replay({**GAME, "teacher": "", "targets": [], "values": []})
    assert "hints" not in played and "values" not in played


def test_illegal_moves_are_told() -> None:
    with pytest.raises(DataError, match="illegal"):
        replay({**GAME, "moves": [1, 1, 3, 9]})


def test_dots_are_the_star_points_of_the_pictures() -> None:
    big = {**GAME, "rows": 13, "cols": 13, "moves": [], "colors": [], "captures": [], "targets": []}
    assert replay({**big, "values": []})["dots"] == [r * 13 + c for r, c in coords.stars(13, 13)]
    assert replay(GAME)["dots"] == []
    small = replay({**big, "rows": 5, "cols": 5, "values": []})
    assert small["dots"] == [12]
