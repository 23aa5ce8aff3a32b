"""Frames: the golden pictures, incremental drawing, planes and damage."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gobench.errors import UsageError
from gobench.types import Array
from gobench_go.video import render, sprites
from gobench_go.video.styles import THEMES
from gobench_go.video.themes import Look, look

OPTIONS = (
    {},
    {"coordinates": True, "last_move": True},
    {"last_move": True, "variation": 4},
)


def golden(path: Path) -> dict[str, tuple[Array, Array]]:
    """Every golden picture with its board."""
    from PIL import Image

    with zipfile.ZipFile(path / "videoworld_frames.zip") as archive:
        rows = [json.loads(line) for line in archive.read("boards.jsonl").splitlines()]
        return {
            row["picture"]: (
                np.asarray(Image.open(io.BytesIO(archive.read(row["picture"]))).convert("RGB")),
                np.array([[".XO".index(c) for c in line] for line in row["rows"]], np.uint8),
            )
            for row in rows
        }


def wandering(rows: int, cols: int, length: int = 30, seed: int = 0) -> tuple[Array, npt.NDArray[np.int32]]:
    """Boards that change like a game's, with captures, recaptures and passes; and the last moves."""
    random = np.random.default_rng(seed)
    boards, last = np.zeros((length, rows, cols), np.uint8), np.full(length, -1, np.int32)
    for t in range(1, length):
        boards[t] = boards[t - 1]
        if t % 7 == 0:
            last[t] = rows * cols  # a pass
            continue
        boards[t].flat[random.integers(rows * cols, size=t % 4)] = 0
        last[t] = random.integers(rows * cols)
        boards[t].flat[last[t]] = 1 + t % 2
    return boards, last


def converted(rgb: Array) -> tuple[npt.NDArray[np.int64], ...]:
    """RGB to 4:2:0 as the contract says, written plainly."""
    full = [rgb[..., k].astype(np.int64) for k in range(3)]
    r, g, b = full
    y = ((66 * r + 129 * g + 25 * b + 128) >> 8) + 16
    r, g, b = ((c[:, ::2, ::2] + c[:, 1::2, ::2] + c[:, ::2, 1::2] + c[:, 1::2, 1::2] + 2) >> 2 for c in full)
    u = ((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128
    return y, u, ((112 * r - 94 * g - 18 * b + 128) >> 8) + 128


@pytest.fixture(params=[(t, o) for t in THEMES for o in range(len(OPTIONS))], ids=lambda p: f"{p[0]}-{p[1]}")
def drawn(request: pytest.FixtureRequest) -> Look:
    theme, option = request.param
    return look(theme, 128, 9, 9, **OPTIONS[option])


def test_golden_pictures_pixel_for_pixel(data: Path) -> None:
    pictures = golden(data)
    assert len(pictures) == 48
    original = look("videoworld", 256, 9, 9)
    for name, (picture, board) in pictures.items():
        assert (render.board(original, board) == picture).all(), name
    boards = np.stack([board for _, board in pictures.values()])
    assert (render.frames(original, boards) == np.stack([picture for picture, _ in pictures.values()])).all()


def test_the_stored_states_are_the_golden_ones(data: Path) -> None:
    pictures = golden(data)
    for state, name in zip(sprites.original(), ("empty", "full_black", "full_white"), strict=True):
        assert (state == pictures[f"{name}.png"][0]).all()


def test_incremental_is_the_same_as_from_scratch(drawn: Look) -> None:
    boards, last = wandering(9, 9)
    frames = render.frames(drawn, boards, last)
    for t in range(len(boards)):
        assert (frames[t] == render.board(drawn, boards[t], int(last[t]))).all()


def test_planes_are_the_converted_frames(drawn: Look) -> None:
    boards, last = wandering(9, 9)
    planes = render.yuv(drawn, boards, last)
    for got, want in zip(planes, converted(render.frames(drawn, boards, last)), strict=True):
        assert got.dtype == np.uint8
        assert (got == want).all()


@pytest.mark.parametrize(("size", "rows", "cols"), [(36, 9, 9), (74, 19, 19), (256, 13, 5), (254, 19, 19)])
def test_planes_on_other_boards(size: int, rows: int, cols: int) -> None:
    boards, _ = wandering(rows, cols, 60)
    for theme in ("videoworld", "wood"):
        drawn = look(theme, size, rows, cols)
        for got, want in zip(render.yuv(drawn, boards), converted(render.frames(drawn, boards)), strict=True):
            assert (got == want).all()


@pytest.mark.parametrize("size", [128, 100])
def test_damage_covers_every_change_and_little_more(size: int) -> None:
    boards, last = wandering(9, 9)
    drawn = look("wood", size, 9, 9, last_move=True)
    frames = render.frames(drawn, boards, last)
    blocks = -(-size // 16)
    padded = np.pad(frames, ((0, 0), (0, 16 * blocks - size), (0, 16 * blocks - size), (0, 0)))
    changed = (padded[1:] != padded[:-1]).any(-1).reshape(-1, blocks, 16, blocks, 16).any((2, 4))
    damage = render.damage(drawn, boards, last)
    assert damage.shape == (len(boards), blocks, blocks) and damage[0].all()
    assert not (changed & ~damage[1:]).any()
    assert damage[1:].sum() < 1.5 * changed.sum()


def test_a_mark_is_drawn_only_where_asked_and_moves_on() -> None:
    board = np.zeros((9, 9), np.uint8)
    board[4, 4], board[2, 2] = 1, 2
    for theme in THEMES:
        marked, plain = look(theme, 128, 9, 9, last_move=True), look(theme, 128, 9, 9)
        bare = render.board(plain, board)
        assert (render.board(plain, board, 40) == bare).all()
        assert (render.board(marked, board) == bare).all()
        assert (render.board(marked, board, 81) == bare).all()
        y0, y1, x0, x1 = marked.boxes[4, 4]
        differ = (render.board(marked, board, 40) != bare).any(-1)
        assert differ[y0:y1, x0:x1].sum() == differ.sum() > 0


def test_a_clip_gives_any_part() -> None:
    boards, last = wandering(9, 9)
    drawn = look("dark", 64, 9, 9, last_move=True)
    clip = render.GoClip(drawn, boards, last)
    whole = render.frames(drawn, boards, last)
    assert (clip.length, clip.height, clip.width) == (30, 64, 64)
    for part in ((0, None, 1), (3, 20, 1), (5, None, 4), (29, 30, 1)):
        assert (clip.rgb(*part) == whole[slice(*part)]).all()
        assert (clip.yuv(*part).y == converted(whole[slice(*part)])[0]).all()
    assert (clip.damage() == render.damage(drawn, boards, last)).all()


def test_frames_into_a_given_array() -> None:
    boards, _ = wandering(9, 9)
    drawn = look("paper", 64, 9, 9)
    out = np.empty((30, 64, 64, 3), np.uint8)
    assert render.frames(drawn, boards, out=out) is out
    assert (out == render.frames(drawn, boards)).all()
    assert render.frames(drawn, boards[:0]).shape == (0, 64, 64, 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda drawn: render.frames(drawn, np.zeros((2, 7, 7))), "this look draws"),
        (lambda drawn: render.frames(drawn, np.full((1, 9, 9), 3)), "points are 0 empty"),
        (
            lambda drawn: render.frames(drawn, np.zeros((1, 9, 9)), out=np.empty((2, 64, 64, 3), np.uint8)),
            "out is",
        ),
        (lambda drawn: render.frames(drawn, np.zeros((1, 9, 9)), [1, 2]), "one a frame"),
        (lambda drawn: render.yuv(look("wood", 65, 9, 9), np.zeros((1, 9, 9))), "choose 66"),
    ],
)
def test_wrong_shapes_are_explained(call: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call(look("wood", 64, 9, 9, last_move=True))  # type: ignore[operator]


def test_pictures_without_a_cache_folder() -> None:
    """Where neither the package nor the user's folders can be written, compiled code still loads."""
    program = (
        "from numba.core import caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from gobench_go.video import kernels, read_kernels\n"
        "print(kernels.luma(255, 255, 255))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "235", done.stderr
