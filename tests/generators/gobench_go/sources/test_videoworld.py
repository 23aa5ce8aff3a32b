"""The released tars, made by our renderer: moves and targets come back, or the game is refused."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gobench.errors import UsageError
from gobench.types import Episode, Rejection
from gobench_go.game import sgf
from gobench_go.game.kernels import random_game, replay
from gobench_go.game.rules import named
from gobench_go.sources import record
from gobench_go.sources.record import NO_TARGET
from gobench_go.sources.videoworld import (
    MOST_PICTURES,
    REASONS,
    RefusedError,
    VideoworldSource,
    pictures,
)
from gobench_go.video.render import frames
from gobench_go.video.themes import look

RULES = named("benchmark")
PASS = RULES.points
LOOK = look("videoworld", 256, 9, 9)
OPTIONS = {"teacher": "katago", "max_bytes": 64 << 20}


def png(picture: np.ndarray[Any, Any], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).convert(mode).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def drawn(board: np.ndarray[Any, Any]) -> bytes:
    return png(frames(LOOK, board[None])[0])


def boards_of(moves: Sequence[int], colors: Sequence[int] | None = None) -> np.ndarray[Any, Any]:
    played = replay(RULES, None, list(moves), colors)
    assert played.first_illegal == -1
    return played.boards


def files_of(moves: Sequence[int], first: int = 0, prefix: str = "000000007/") -> dict[str, bytes]:
    """Pictures of a game as the original draws them: none for passes, ``i_`` for a late first one."""
    boards = boards_of(moves)
    numbers = [n for n, move in enumerate(moves) if n >= first and move != PASS]
    late = numbers[0] if first else -1
    names = {n: f"{prefix}{'i_' if n == late else ''}{n}.png" for n in numbers}
    return {names[n]: drawn(boards[n + 1]) for n in numbers}


@pytest.fixture
def convert(
    tmp_path: Path, make_tar: Callable[..., Path], tar_of: Callable[..., bytes]
) -> Callable[..., Any]:
    """Files of one inner tar -> what the source makes of them."""

    def run(files: Mapping[str, bytes]) -> Episode | Rejection:
        path = make_tar(tmp_path / "000000000.tar", {"000000007.tar": tar_of(files)}, "w")
        found = VideoworldSource.of([str(path)], OPTIONS, RULES)
        (each,) = found.unit(0)
        assert isinstance(each, Episode) or each.reason in REASONS
        return each

    return run


def engine_game(data: Path, number: int) -> list[int]:
    with zipfile.ZipFile(data / "go9_katago_sgf.zip") as archive:
        (game,) = sgf.read(archive.read(f"game_{number:04d}.sgf"))
    assert isinstance(game, sgf.SgfGame)
    return list(game.moves)


@pytest.mark.parametrize("number", [0, 1, 2, 17])
def test_a_game_with_captures_and_passes_comes_back(convert, data, number):
    moves = engine_game(data, number)
    found = convert(files_of(moves)).record
    while moves[-1] == PASS:
        moves.pop()
    assert found["moves"] == moves
    assert found["colors"] == [1 + i % 2 for i in range(len(moves))]
    assert found["captures"] == replay(RULES, None, moves).captures.tolist()
    assert tuple(found) == record.KEYS
    assert json.loads(json.dumps(found)) == found
    assert (found["source"], found["origin"]) == ("videoworld", "000000000.tar/000000007.tar")
    assert (found["teacher"], found["targets"], found["result"], found["over"]) == ("", [], "?", False)


def test_random_games_with_many_captures(convert):
    for seed in range(3):
        moves = [int(m) for m in random_game(RULES, seed, 90)]
        while moves[-1] == PASS:
            moves.pop()
        assert convert(files_of(moves)).record["moves"] == moves


@pytest.mark.parametrize("first", [3, 4])
def test_a_game_that_begins_in_the_middle(convert, data, first):
    moves = engine_game(data, 0)[:30]
    boards = boards_of(moves)
    found = convert(files_of(moves, first)).record
    assert found["setup"] == "".join(".XO"[p] for p in boards[first + 1].ravel())
    assert found["moves"] == moves[first + 1 :]
    assert found["colors"] == [1 + n % 2 for n in range(first + 1, 30)]


def extra(boards: np.ndarray[Any, Any], ply: int, move: int) -> bytes:
    """The board after ``move`` in place of the ply's own."""
    color = 1 + ply % 2
    return drawn(replay(RULES, boards[ply], [move], [color]).boards[1])


def test_targets_of_extra_pictures(convert, data):
    moves = engine_game(data, 0)[:20]
    boards = boards_of(moves)
    files = files_of(moves)
    wanted = {4: 0, 6: moves[6], 11: 8, 0: 44}
    for ply, move in wanted.items():
        files[f"000000007/extra_{ply}.png"] = extra(boards, ply, move)
    found = convert(files).record
    assert found["moves"] == moves
    assert found["teacher"] == "katago"
    assert found["targets"] == [wanted.get(ply, NO_TARGET) for ply in range(20)]
    assert found["values"] == []


def test_extra_pictures_named_by_the_state_they_start_from(convert, data):
    moves = engine_game(data, 0)[:12]
    boards = boards_of(moves)
    files = files_of(moves)
    files["000000007/extra_4.png"] = extra(boards, 5, 0)
    assert convert(files).record["targets"][5] == 0


def test_targets_with_captures(convert):
    moves = [10, 9, 0, 40, 80]  # white 9 has one liberty left, which the annotator wants taken at ply 4
    boards = boards_of(moves)
    files = files_of(moves)
    taken = replay(RULES, boards[4], [18], [1])
    assert taken.captures.tolist() == [1]
    files["000000007/extra_4.png"] = drawn(taken.boards[1])
    assert convert(files).record["targets"] == [NO_TARGET] * 4 + [18]


def test_a_target_after_the_last_ply_is_left_out(convert, data):
    moves = engine_game(data, 0)[:6]
    files = files_of(moves)
    files["000000007/extra_6.png"] = extra(boards_of(moves), 6, 0)
    assert convert(files).record["targets"] == [NO_TARGET] * 6


def test_an_extra_picture_of_something_else(convert, data):
    moves = engine_game(data, 0)[:10]
    files = files_of(moves)
    files["000000007/extra_8.png"] = drawn(np.zeros((9, 9), np.uint8))
    found = convert(files)
    assert (found.reason, found.ply) == ("bad-extra", 8)


def test_a_missing_picture_is_bridged_when_only_one_pair_fits(convert, data):
    moves = engine_game(data, 0)[:20]
    files = files_of(moves)
    del files["000000007/7.png"]
    del files["000000007/0.png"]
    assert convert(files).record["moves"] == moves


def test_a_longer_gap_is_refused(convert, data):
    moves = engine_game(data, 0)[:20]
    files = files_of(moves)
    for n in (7, 8):
        del files[f"000000007/{n}.png"]
    found = convert(files)
    assert (found.reason, found.ply) == ("not-a-move", 7)


def test_a_pass_in_the_middle(convert):
    moves = [40, PASS, 41, 42]
    found = convert(files_of(moves)).record
    assert (found["moves"], found["colors"]) == (moves, [1, 2, 1, 2])


def test_names_without_a_folder_and_rgba_pictures(convert, data):
    moves = engine_game(data, 0)[:8]
    boards = boards_of(moves)
    files = {f"{n}.png": png(frames(LOOK, boards[n + 1][None])[0], "RGBA") for n in range(8)}
    files["readme.txt"] = b"hello"
    assert convert(files).record["moves"] == moves


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("3.png", b"no picture", "bad-picture"),
        ("3.png", b"", "bad-picture"),
        ("3.png", png(np.zeros((256, 255, 3), np.uint8)), "bad-picture"),
        ("3.png", png(np.zeros((8, 8, 3), np.uint8)), "bad-picture"),
        ("3.png", png(np.zeros((128, 128, 3), np.uint8)), "bad-picture"),
        ("3.png", png(np.full((256, 256, 3), (255, 165, 0), np.uint8))[:-300], "bad-picture"),
    ],
)
def test_broken_pictures(convert, data, name, content, reason):
    files = files_of(engine_game(data, 0)[:6])
    files[f"000000007/{name}"] = content
    assert convert(files).reason == reason


def test_a_picture_of_something_else(convert, data):
    files = files_of(engine_game(data, 0)[:6])
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    files["000000007/3.png"] = png(noise)
    assert convert(files).reason in ("unclear-picture", "not-a-move")


def test_tars_that_are_none(tmp_path, make_tar, tar_of):
    inner = {"a.tar": b"junk", "b.tar": tar_of({"x.txt": b""}), "c.tar": b"", "d.json": b"{}"}
    path = make_tar(tmp_path / "000000000.tar", inner, "w")
    found = VideoworldSource.of([str(path)], OPTIONS, RULES)
    got = [each for index in range(found.units) for each in found.unit(index)]
    assert [e.reason for e in got] == ["unreadable", "no-pictures", "unreadable", "not-wanted"]


def test_a_folder_of_tars_pickles_and_repeats(tmp_path, make_tar, tar_of, data):
    folder = tmp_path / "set"
    folder.mkdir()
    for n in range(2):
        games = {f"{n}{k}.tar": tar_of(files_of(engine_game(data, k)[:5])) for k in range(2)}
        make_tar(folder / f"{n:09d}.tar", games, "w")
    found = VideoworldSource.of([str(folder)], OPTIONS, RULES)
    again = pickle.loads(pickle.dumps(found))
    assert found.units == 4
    assert list(again.unit(3)) == list(found.unit(3))
    assert set(found.inputs) == {"set/000000000.tar", "set/000000001.tar"}


DEAD = np.array([[1, 2, 0], [2, 0, 0], [0, 0, 0]], np.uint8)


@pytest.mark.parametrize("more", [0, 1])
def test_a_first_picture_with_a_dead_chain_is_refused_alone(tmp_path, make_tar, tar_of, data, more):
    dead = np.zeros((9, 9), np.uint8)
    dead[:3, :3] = DEAD
    files = {"5.png": drawn(dead)}
    if more:
        dead[4, 4] = 1
        files["6.png"] = drawn(dead)
    games = {"a.tar": tar_of(files), "b.tar": tar_of(files_of(engine_game(data, 0)[:3]))}
    path = make_tar(tmp_path / "000000000.tar", games, "w")
    found = VideoworldSource.of([str(path)], OPTIONS, RULES)
    (bad,), (good,) = found.unit(0), found.unit(1)
    assert isinstance(bad, Rejection) and isinstance(good, Episode)
    assert (bad.reason, bad.ply) == ("setup-dead", 0)


@pytest.mark.parametrize("kind", ["back", "one-back", "pax-back", "many-headers", "cut-sparse"])
def test_an_inner_tar_whose_headers_lie(hostile, tar_of, kind):
    picture = tar_of({"0.png": b"picture"})[:1024]
    with pytest.raises(RefusedError) as error:
        pictures(picture + hostile[kind]("1.png"))
    assert error.value.reason == "unreadable"


def test_a_sparse_picture_is_never_unpacked(hostile, tar_of):
    inner = hostile["sparse"]("1.png") + tar_of({"0.png": b"picture"})
    states, extras = pictures(inner)
    assert (states, extras) == ({0: b"picture"}, {})


def test_an_inner_tar_that_ends_inside_a_picture(tar_of):
    with pytest.raises(RefusedError, match=r"ends inside 0\.png"):
        pictures(tar_of({"0.png": bytes(3000)})[:2000])


def test_too_many_pictures_are_counted_before_they_are_kept(tar_of):
    many = {f"{n}.png": b"x" for n in range(MOST_PICTURES)}
    assert len(pictures(tar_of(many))[0]) == MOST_PICTURES
    with pytest.raises(RefusedError, match="more than"):
        pictures(tar_of({**many, "extra_1.png": b"x"}))


def test_two_drawn_passes_end_a_game(convert):
    moves = [40, 41, PASS, PASS]
    boards = boards_of(moves)
    files = {f"{n}.png": drawn(boards[n + 1]) for n in range(4)}
    found = convert(files).record
    assert (found["moves"], found["over"]) == (moves, True)
    assert found["result"] == record.result_text(found["score"])


def test_a_path_that_is_missing(tmp_path):
    with pytest.raises(UsageError, match="videoworld-tars"):
        VideoworldSource.of([str(tmp_path / "no")], OPTIONS, RULES)
