"""Reading pictures: exact on clean ones, robust on worn ones, and detection of unknown ones."""

from __future__ import annotations

import io

import numpy as np
import pytest

from gobench.errors import DataError
from gobench.types import Array
from gobench_go.video import read, render
from gobench_go.video.styles import THEMES
from gobench_go.video.themes import look


def some_boards(rows: int, cols: int, count: int = 12, seed: int = 0) -> Array:
    """Random boards of every density, the empty and the full ones among them."""
    random = np.random.default_rng(seed)
    full = random.integers(1, 3, (count, rows, cols))
    boards = np.where(random.random((count, rows, cols)) < np.linspace(0, 1, count)[:, None, None], full, 0)
    boards[1], boards[-2] = 1, 2
    return boards.astype(np.uint8)


def marks_on(boards: Array) -> list[int]:
    return [int(np.flatnonzero(b)[-1]) if b.any() else -1 for b in boards]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("size", "lines"), [(36, 9), (64, 9), (256, 9), (500, 5), (90, 19), (256, 19)])
@pytest.mark.parametrize(
    "options", [{}, {"last_move": True}, {"variation": 2}], ids=["plain", "mark", "varied"]
)
def test_clean_pictures_are_read_exactly(theme: str, size: int, lines: int, options: dict[str, int]) -> None:
    drawn = look(theme, size, lines, lines, **options)
    boards = some_boards(lines, lines)
    points, confidence = read.boards(drawn, render.frames(drawn, boards, marks_on(boards)))
    assert (points == boards).all()
    assert confidence.min() > 0.99
    if size % 2 == 0:
        points, confidence = read.boards(drawn, render.yuv(drawn, boards, marks_on(boards)).y)
        assert (points == boards).all()


@pytest.mark.parametrize("theme", THEMES)
def test_boards_that_are_not_square(theme: str) -> None:
    drawn = look(theme, 200, 3, 11)
    boards = some_boards(3, 11)
    assert (read.boards(drawn, render.frames(drawn, boards))[0] == boards).all()


def jpeg(picture: Array, quality: int) -> Array:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def blurred(picture: Array, radius: float) -> Array:
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def noisy(picture: Array, sigma: float) -> Array:
    noise = np.random.default_rng(0).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def lit(picture: Array, strength: float) -> Array:
    gain = np.linspace(1 - strength, 1 + strength, picture.shape[1])[None, :, None]
    return np.clip(picture * gain, 0, 255).astype(np.uint8)


WEAR = {
    "jpeg 30": lambda p: jpeg(p, 30),
    "blur": lambda p: blurred(p, 2.0),
    "noise": lambda p: noisy(p, 25),
    "light": lambda p: lit(p, 0.15),
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("wear", WEAR)
def test_worn_pictures_are_read(theme: str, wear: str) -> None:
    drawn = look(theme, 256, 9, 9)
    boards = some_boards(9, 9, 8)
    worn = np.stack([WEAR[wear](frame) for frame in render.frames(drawn, boards)])
    points, confidence = read.boards(drawn, worn)
    assert (points == boards).all()
    assert confidence.min() < 0.99


@pytest.mark.parametrize("theme", THEMES)
def test_compressed_video_is_read(theme: str) -> None:
    from gobench.codec import codec

    boards = some_boards(9, 9, 8)
    drawn = look(theme, 256, 9, 9)
    h264 = codec("h264")
    members = h264.members(render.GoClip(drawn, boards))
    assert (read.boards(drawn, h264.decode(members))[0] == boards).all()
    assert (read.boards(drawn, h264.decode(members, form="yuv").y)[0] == boards).all()


def test_a_picture_of_nothing_is_not_believed() -> None:
    drawn = look("videoworld", 128, 9, 9)
    grey = np.full((1, 128, 128, 3), 127, np.uint8)
    half = render.board(drawn, np.zeros((9, 9))) // 2 + render.board(drawn, np.ones((9, 9))) // 2
    assert read.boards(drawn, grey)[1].max() < 0.5
    assert read.board(drawn, half)[1].mean() < 0.35


def test_other_shapes_are_refused() -> None:
    drawn = look("videoworld", 128, 9, 9)
    for shape in ((1, 64, 64, 3), (128, 128, 3), (1, 128, 128, 4)):
        with pytest.raises(DataError, match="this look reads"):
            read.boards(drawn, np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="this look reads"):
        read.boards(drawn, np.zeros((1, 128, 128, 3), np.float32))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("size", "lines", "labels"), [(128, 9, False), (256, 19, True), (120, 5, False)])
def test_an_unknown_picture_finds_its_look(theme: str, size: int, lines: int, labels: bool) -> None:
    drawn = look(theme, size, lines, lines, labels, True)
    board = some_boards(lines, lines)[6]
    seen = read.detect(render.board(drawn, board, marks_on(board[None])[0]))
    assert (seen.look.theme, seen.look.rows, seen.look.coordinates) == (theme, lines, labels)
    assert (seen.points == board).all() and seen.error == 0


def test_a_large_unknown_picture_is_read_at_its_size() -> None:
    drawn = look("wood", 700, 13, 13)
    board = some_boards(13, 13)[7]
    seen = read.detect(jpeg(render.board(drawn, board), 80))
    assert seen.look.size == 700 and seen.look.theme == "wood"
    assert (seen.points == board).all()


def test_pictures_that_hold_no_board_are_refused() -> None:
    with pytest.raises(DataError, match="square"):
        read.detect(np.zeros((100, 120, 3), np.uint8))
    with pytest.raises(DataError, match="too small"):
        read.detect(np.zeros((20, 20, 3), np.uint8))


@pytest.mark.parametrize("theme", ["videoworld", "dark"])
@pytest.mark.parametrize("lines", [3, 6, 8, 10, 11, 15])
def test_unusual_squares_are_found(theme: str, lines: int) -> None:
    board = some_boards(lines, lines)[5]
    seen = read.detect(jpeg(render.board(look(theme, 180, lines, lines), board), 70))
    assert (seen.look.theme, seen.look.rows, seen.likeness > 0.9) == (theme, lines, True)
    assert (seen.points == board).all()


def test_the_size_of_an_empty_board_is_found() -> None:
    for lines in (4, 9, 15):
        seen = read.detect(render.board(look("videoworld", 128, lines, lines), np.zeros((lines, lines))))
        assert (seen.look.rows, seen.points.any()) == (lines, False)


def pictures_of_nothing() -> dict[str, Array]:
    random = np.random.default_rng(0)
    down, across = np.mgrid[:128, :128]
    ramp = np.stack([down, across, down + across], axis=-1)
    colours = np.kron(random.integers(0, 256, (8, 8, 3)), np.ones((16, 16, 1), int))
    return {
        "noise": random.integers(0, 256, (128, 128, 3)).astype(np.uint8),
        "grey": np.full((128, 128, 3), 127, np.uint8),
        "board colour": np.full((128, 128, 3), (255, 165, 0), np.uint8),
        "ramp": ramp.astype(np.uint8),
        "colours": colours.astype(np.uint8),
    }


@pytest.mark.parametrize("name", pictures_of_nothing())
def test_pictures_of_something_else_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"cannot be read: of square boards.*name --board"):
        read.detect(pictures_of_nothing()[name], ["videoworld", "paper"])


def test_a_board_that_is_not_square_is_found_by_its_size() -> None:
    boards = some_boards(9, 8)
    picture = render.board(look("paper", 128, 9, 8), boards[6])
    seen = read.detect(picture, sizes=[(9, 8)])
    assert (seen.points == boards[6]).all() and seen.likeness == pytest.approx(1)


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_that_it_is_not_is_refused(theme: str) -> None:
    board = some_boards(9, 9)[4]
    picture = render.board(look(theme, 128, 9, 9, coordinates=True), board)
    for other in [name for name in THEMES if name != theme][:2]:
        with pytest.raises(DataError, match=f"cannot be read|of the theme {other}: {theme} is nearer"):
            read.detect(picture, [other])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("wear", WEAR)
def test_the_theme_that_it_is_is_read(theme: str, wear: str) -> None:
    board = some_boards(9, 9)[4]
    seen = read.detect(WEAR[wear](render.board(look(theme, 128, 9, 9, wear == "light"), board)), [theme])
    assert seen.likeness > read.SURE
    assert seen.points.shape == board.shape and (seen.points == board).mean() > 0.97
