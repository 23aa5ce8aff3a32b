"""`gobench go render` and `gobench go read`, end to end."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gobench.errors import DataError, GobenchError, UsageError
from gobench_go.commands.pictures import read, render
from gobench_go.video import files
from gobench_go.video import render as drawing
from gobench_go.video.themes import look


def run(command: object, *args: object) -> Result:
    result = CliRunner().invoke(command, [str(a) for a in args], catch_exceptions=True)  # type: ignore[arg-type]
    if isinstance(result.exception, GobenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def game(data: Path, tmp_path: Path) -> Path:
    with ZipFile(data / "go9_katago_sgf.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith(".sgf"))
        path = tmp_path / "game.sgf"
        path.write_bytes(archive.read(name))
    return path


def test_an_empty_board_is_the_golden_one(tmp_path: Path) -> None:
    run(render, "--moves", "", tmp_path / "empty.png")
    assert (files.read(tmp_path / "empty.png") == look("videoworld", 256, 9, 9).atlas[0]).all()


def test_moves_alternate_and_capture(tmp_path: Path) -> None:
    run(
        render,
        "--board",
        "5",
        "--theme",
        "paper",
        "--size",
        "120",
        "--moves",
        "A2 A1 B1",
        tmp_path / "out.png",
    )
    assert run(read, tmp_path / "out.png").stdout.split() == [".....", ".....", ".....", "X....", ".X..."]


def test_read_says_what_it_found(tmp_path: Path) -> None:
    run(
        render,
        "--theme",
        "wood",
        "--coordinates",
        "--last-move",
        "--moves",
        "E5 pass, c3",
        tmp_path / "out.jpg",
    )
    told = json.loads(run(read, tmp_path / "out.jpg", "--json").stdout)
    assert (told["theme"], told["rows"], told["cols"], told["coordinates"]) == ("wood", 9, 9, True)
    assert told["board"][4] == "....X...." and told["board"][6] == "..X......"
    assert 0.3 < told["confidence"] <= told["mean_confidence"] < 1
    named = run(read, tmp_path / "out.jpg", "--theme", "wood", "--board", "9x9").stdout
    assert named.split() == told["board"]


def test_a_game_as_picture_gif_and_video(game: Path, tmp_path: Path) -> None:
    from PIL import Image

    from gobench.codec import codec

    for suffix in ("png", "gif", "mp4"):
        run(
            render,
            "--sgf",
            game,
            "--size",
            "128",
            "--theme",
            "dark",
            "--fps",
            "8",
            tmp_path / f"game.{suffix}",
        )
    last = files.read(tmp_path / "game.png")
    video = codec("h264").decode({"mp4": (tmp_path / "game.mp4").read_bytes()})
    assert isinstance(video, np.ndarray)
    assert abs(video[-1].astype(int) - last).mean() < 3
    with Image.open(tmp_path / "game.gif") as gif:
        assert gif.info["duration"] == 120 and gif.n_frames > 20
        gif.seek(gif.n_frames - 1)
        assert abs(np.asarray(gif.convert("RGB"), int) - last).mean() < 3


def test_a_variation_is_drawn(tmp_path: Path) -> None:
    run(render, "--variation", "3", "--moves", "E5", tmp_path / "a.png")
    board = np.zeros((9, 9), np.uint8)
    board[4, 4] = 1
    want = drawing.board(look("videoworld", 256, 9, 9, variation=3), board)
    assert (files.read(tmp_path / "a.png") == want).all()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--moves", "E5 E5", "a.png"), "White cannot play E5"),
        (("--moves", "I5", "a.png"), "columns have no I"),
        (("--moves", "", "a.webm"), r"one of \.png, \.jpg, \.jpeg, \.gif, \.mp4"),
        (("--moves", "", "--theme", "wod", "a.png"), "Did you mean 'wood'"),
        (("--moves", "", "--size", "36", "--board", "19", "a.png"), "choose 71"),
        (("--moves", "", "--board", "9y9", "a.png"), "no board size"),
        (("--moves", "", "--size", "255", "a.mp4"), "even"),
        (("a.png",), "give --moves .* or --sgf"),
        (("--moves", "E5", "--game", "0", "a.png"), "--game picks a game of --sgf"),
        (("--sgf", "a.sgf", "--board", "9x9", "a.png"), "--board goes with --moves"),
        (("--moves", "", "--sgf", "a.sgf", "a.png"), "choose one"),
    ],
)
def test_wrong_requests(args: tuple[str, ...], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        run(render, *args[:-1], tmp_path / args[-1])
    assert not list(tmp_path.iterdir())


def test_broken_files(tmp_path: Path) -> None:
    (tmp_path / "bad.sgf").write_text("(;GM[1]SZ[9];B[ee];W[ee])")
    (tmp_path / "no.sgf").write_text("hello")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(DataError, match="White cannot play E5"):
        run(render, "--sgf", tmp_path / "bad.sgf", tmp_path / "a.png")
    with pytest.raises(DataError, match="no game found"):
        run(render, "--sgf", tmp_path / "no.sgf", tmp_path / "a.png")
    with pytest.raises(UsageError, match="does not exist"):
        run(render, "--sgf", tmp_path / "gone.sgf", tmp_path / "a.png")
    with pytest.raises(DataError, match="no picture"):
        run(read, tmp_path / "bad.png")
    with pytest.raises(DataError, match="cannot be read"):
        run(read, tmp_path / "gone.png")
    with pytest.raises(UsageError, match="unknown theme"):
        run(read, tmp_path / "bad.png", "--theme", "oil")


def test_any_game_of_an_archive_can_be_drawn(data: Path, tmp_path: Path) -> None:
    archive = data / "go9_katago_sgf.zip"
    for number in ("0", "7"):
        run(render, "--size", "64", "--sgf", archive, "--game", number, tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() != (tmp_path / "7.png").read_bytes()
    with pytest.raises(UsageError, match="from 0 to 109"):
        run(render, "--sgf", archive, "--game", "110", tmp_path / "a.png")


def zipped(path: Path, members: dict[str, str]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_picture_of_something_else_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(DataError, match="this picture cannot be read: of this board"):
        run(read, tmp_path / "noise.png", "--board", "9x9", "--theme", "wood")


def test_other_files_in_an_archive_are_passed_over(tmp_path: Path) -> None:
    game = "(;GM[1]SZ[9];B[ee];W[cc])"
    archive = zipped(tmp_path / "games.zip", {"README.md": "games", "a.sgf": game, "b.sgf": "hello"})
    run(render, "--size", "64", "--sgf", archive, tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()
    with pytest.raises(DataError, match=r"games\.zip/b\.sgf: no game found"):
        run(render, "--sgf", archive, "--game", "1", tmp_path / "b.png")
    with pytest.raises(UsageError, match="holds 2 games: --game goes from 0 to 1"):
        run(render, "--sgf", archive, "--game", "2", tmp_path / "b.png")
    outside = zipped(tmp_path / "bad.zip", {"../a.sgf": game, "b.sgf": game})
    with pytest.raises(DataError, match=r"bad\.zip/.*leads outside"):
        run(render, "--sgf", outside, tmp_path / "b.png")
    run(render, "--size", "64", "--sgf", outside, "--game", "1", tmp_path / "c.png")
    none = zipped(tmp_path / "none.zip", {"README.md": "nothing"})
    with pytest.raises(DataError, match="holds no games"):
        run(render, "--sgf", none, tmp_path / "b.png")


def test_jpeg_has_two_suffixes(tmp_path: Path) -> None:
    for suffix in ("jpg", "jpeg"):
        run(render, "--size", "64", "--moves", "E5", tmp_path / f"a.{suffix}")
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "a.jpeg").read_bytes()


def test_a_gif_is_drawn_frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, whole = [], drawing.GoClip.rgb

    def rgb(clip: drawing.GoClip, start: int = 0, stop: int | None = None, step: int = 1) -> object:
        frames = whole(clip, start, stop, step)
        drawn.append(len(frames))
        return frames

    monkeypatch.setattr(drawing.GoClip, "rgb", rgb)
    boards = np.zeros((40, 9, 9), np.uint8)
    for t in range(1, 40):
        boards[t:].reshape(40 - t, -1)[:, t] = 1 + t % 2
    files.WRITERS[".gif"](drawing.GoClip(look("wood", 64, 9, 9), boards))
    assert drawn == [1] * 40


def test_a_board_of_another_theme_is_refused(data: Path, tmp_path: Path) -> None:
    picture, archive = tmp_path / "p.png", data / "go9_katago_sgf.zip"
    run(render, "--sgf", archive, "--game", "3", "--theme", "paper", "--coordinates", picture)
    run(render, "--moves", "E5 C3 G7", tmp_path / "v.png")
    for path in (picture, tmp_path / "v.png"):
        with pytest.raises(DataError, match=r"cannot be read|is not of the theme"):
            run(read, path, "--theme", "wood")
    told = run(read, picture, "--theme", "paper")
    assert told.stderr == "theme paper, 9x9, likeness 1.00\n"
    assert len(told.stdout.split()) == 9


def test_the_last_frame_of_an_animation_is_read(game: Path, tmp_path: Path) -> None:
    for suffix in ("gif", "png"):
        run(render, "--sgf", game, "--size", "128", "--theme", "paper", tmp_path / f"game.{suffix}")
    animation, still = (run(read, tmp_path / f"game.{suffix}") for suffix in ("gif", "png"))
    assert animation.stdout == still.stdout and "X" in still.stdout
    assert "frames: this is the last one" in animation.stderr
    assert "frames" not in still.stderr
