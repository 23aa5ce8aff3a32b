"""Every notation of every point goes there and back."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game import coords

SIZES = [(1, 1), (1, 5), (5, 1), (3, 4), (9, 9), (13, 13), (19, 19)]


@pytest.mark.parametrize(("rows", "cols"), SIZES)
def test_all_moves_survive_every_notation(rows: int, cols: int) -> None:
    for move in range(rows * cols + 1):
        assert coords.index_of_gtp(coords.gtp(move, rows, cols), rows, cols) == move
        assert coords.index_of_gtp(coords.gtp(move, rows, cols).lower(), rows, cols) == move
        assert coords.index_of_sgf(coords.sgf(move, rows, cols), rows, cols) == move


@pytest.mark.parametrize(
    ("move", "gtp", "sgf"),
    [(0, "A9", "aa"), (40, "E5", "ee"), (80, "J1", "ii"), (81, "pass", "")],
)
def test_the_table_of_the_docstring(move: int, gtp: str, sgf: str) -> None:
    assert coords.gtp(move, 9, 9) == gtp
    assert coords.sgf(move, 9, 9) == sgf
    assert coords.__doc__ is not None
    assert str(move) in coords.__doc__ and (sgf or "empty") in coords.__doc__ and gtp in coords.__doc__


def test_gtp_agrees_with_the_library_that_reads_sgf() -> None:
    from sgfmill import common

    for size in (5, 9, 19):
        for move in range(size * size + 1):
            row, col = divmod(move, size)
            pair = None if row == size else (size - 1 - row, col)
            assert common.format_vertex(pair) == coords.gtp(move, size, size)


def test_passes_of_sgf() -> None:
    assert coords.index_of_sgf("tt", 9, 9) == coords.index_of_sgf("", 9, 9) == 81
    assert coords.index_of_sgf("tt", 19, 19) == 361
    assert coords.index_of_sgf("ss", 19, 19) == 360


@pytest.mark.parametrize("text", ["", "I5", "E0", "E10", "K1", "resign", "E", "5E", "E5 ", "É5", "E٥", "E-1"])
def test_text_that_is_no_gtp_move_of_9x9(text: str) -> None:
    if text == "E5 ":
        assert coords.index_of_gtp(text, 9, 9) == 40  # blanks around are harmless
        return
    with pytest.raises(UsageError, match="A1 to J9"):
        coords.index_of_gtp(text, 9, 9)


@pytest.mark.parametrize("text", ["a", "abc", "aj", "ja", "AA", "a1", "é", "zz"])
def test_text_that_is_no_sgf_point_of_9x9(text: str) -> None:
    with pytest.raises(UsageError):
        coords.index_of_sgf(text, 9, 9)


@pytest.mark.parametrize("move", [-1, 82, 1000])
def test_moves_off_the_board_have_no_name(move: int) -> None:
    for name in (coords.gtp, coords.sgf):
        with pytest.raises(UsageError, match="0 to 81"):
            name(move, 9, 9)


def test_sizes() -> None:
    assert coords.size("3x4") == (3, 4)
    assert coords.size("9") == coords.size(" 9X9 ") == (9, 9)
    for text in ("", "x", "3x", "3x4x5", "-3x3", "3 4", "nine"):
        with pytest.raises(UsageError, match="9x9"):
            coords.size(text)
    for text in ("0x3", "3x0", "20", "3x20", "999x999"):
        with pytest.raises(UsageError, match="1 to 19"):
            coords.size(text)


@pytest.mark.parametrize(("rows", "cols"), SIZES)
def test_symmetries_are_a_group_that_keeps_neighbours(rows: int, cols: int) -> None:
    table = coords.symmetries(rows, cols)
    assert table.shape == (8 if rows == cols else 4, rows * cols + 1)
    assert (np.sort(table, axis=1) == np.arange(rows * cols + 1)).all()
    assert (table[0] == np.arange(rows * cols + 1)).all()
    assert (table[:, -1] == rows * cols).all()
    assert not table.flags.writeable
    known = {row.tobytes() for row in table}
    assert {a[b].tobytes() for a in table for b in table} == known
    row, col = np.divmod(table[:, :-1], cols)
    for near in (1, cols):
        step = np.abs(row[:, near:] - row[:, :-near]) + np.abs(col[:, near:] - col[:, :-near])
        inner = slice(None) if near == cols else (np.arange(1, rows * cols) % cols != 0)
        assert (step[:, inner] == 1).all()


@pytest.mark.parametrize(("rows", "cols"), [(3, 3), (2, 5)])
def test_symmetries_are_the_documented_picture_operations(rows: int, cols: int) -> None:
    board = np.arange(rows * cols).reshape(rows, cols)
    for k, moved in enumerate(coords.symmetries(rows, cols)[:, :-1]):
        new = np.empty(rows * cols, np.int64)
        new[moved] = board.ravel()
        picture = board.T if k & 4 else board
        picture = picture[::-1] if k & 2 else picture
        picture = picture[:, ::-1] if k & 1 else picture
        assert (new.reshape(rows, cols) == picture).all()


@pytest.mark.parametrize(
    ("rows", "cols", "count"),
    [
        *((5, 5, 1), (7, 7, 1), (9, 9, 5), (11, 11, 5), (13, 13, 5), (15, 15, 9), (17, 17, 9), (19, 19, 9)),
        *((8, 8, 0), (9, 8, 0), (9, 13, 9), (3, 4, 0)),
    ],
)
def test_stars_of_every_side(rows: int, cols: int, count: int) -> None:
    stars = coords.stars(rows, cols)
    assert len(set(stars)) == len(stars) == count
    assert {(rows - 1 - row, cols - 1 - col) for row, col in stars} == set(stars)


def test_stars_of_9x9_are_those_of_the_original() -> None:
    assert coords.stars(9, 9) == ((2, 2), (2, 6), (4, 4), (6, 2), (6, 6))
