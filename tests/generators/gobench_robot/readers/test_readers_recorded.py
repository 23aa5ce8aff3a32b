"""Videos with actions beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError
from gobench.types import Rejection
from gobench_robot.readers import Real, open_reader

FRAMES = 9
NAME = "rl-video-episode-0"
ABOUT = {
    "instruction": "walk",
    "wordings": ["go", "walk"],
    "task": "walking",
    "fps": 25,
    "action_names": ["a", "b"],
}


@pytest.fixture
def folder(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    make_video(tmp_path / f"videos/{NAME}.mp4", FRAMES)
    make_video(tmp_path / "videos/more/rl-video-episode-1.mp4", 4, first=20)
    np.save(tmp_path / f"videos/{NAME}.actions.npy", np.arange(2.0 * (FRAMES - 1)).reshape(-1, 2))
    np.savez(
        tmp_path / "videos/more/rl-video-episode-1.npz", actions=np.array([3, 1, 2]), proprio=np.ones((4, 5))
    )
    (tmp_path / f"videos/{NAME}.json").write_text(json.dumps(ABOUT))
    return tmp_path / "videos"


def only(reader: Any, index: int = 0) -> Any:
    (found,) = reader.unit(index)
    return found


def reason(folder: Path, index: int = 1, **options: Any) -> str:
    found = only(open_reader("recorded", str(folder), options), index)
    assert isinstance(found, Rejection), found
    assert str(folder) not in found.detail
    return found.reason


def test_videos_and_what_lies_beside_them(folder: Path, numbers: Callable[[Any], list[int]]) -> None:
    reader = open_reader("recorded", str(folder))
    assert (reader.units, tuple(reader.cameras)) == (2, ("video",))
    second, first = only(reader, 0), only(reader, 1)
    assert (first.origin, first.tasks, first.instruction) == (NAME, ("walking",), "walk")
    assert (first.wordings, first.fps, first.frames) == (("walk", "go"), 25.0, FRAMES)
    assert first.action_names == ("a", "b") and first.actions[1].tolist() == [2, 3]
    assert first.proprio.shape == (FRAMES, 0) and first.sizes == {"video": (48, 64)}
    assert (second.origin, second.fps, second.tasks) == ("more/rl-video-episode-1", 10.0, ())
    assert second.actions.tolist() == [[3], [1], [2]] and second.proprio.shape == (4, 5)
    assert numbers(reader.frames(NAME, "video")) == list(range(FRAMES))
    assert numbers(reader.frames(second.origin, "video")) == [20, 21, 22, 23]


def test_videos_without_actions_may_be_asked_for(folder: Path) -> None:
    (folder / f"{NAME}.actions.npy").unlink()
    (folder / f"{NAME}.json").unlink()
    assert reason(folder) == "missing"
    found = only(open_reader("recorded", str(folder), {"actions": "optional"}), 1)
    assert isinstance(found, Real) and found.actions.shape == (FRAMES - 1, 0) and found.action_names == ()


@pytest.mark.parametrize(
    ("actions", "expected"),
    [(np.zeros((FRAMES, 2)), "length"), (np.zeros((FRAMES - 1, 3)), "shape"), (np.zeros((FRAMES - 1, 2, 2)), "shape"),
     (np.full((FRAMES - 1, 2), np.inf), "not-finite"), (np.array(["a"] * (FRAMES - 1)), "shape"),
     (np.array([print], object), "refused"), (np.array([None], object), "shape")],
)  # fmt: skip
def test_wrong_actions(folder: Path, actions: Any, expected: str) -> None:
    np.save(folder / f"{NAME}.actions.npy", actions, allow_pickle=True)
    assert reason(folder) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [("{", "unreadable"), ("[1]", "metadata"), ('{"fps": 0}', "metadata"), ('{"fps": NaN}', "metadata"),
     ('{"instruction": 3}', "metadata"), ('{"wordings": "go"}', "metadata"), ('{"action_names": ["a"]}', "shape")],
)  # fmt: skip
def test_wrong_words(folder: Path, content: str, expected: str) -> None:
    (folder / f"{NAME}.json").write_text(content)
    assert reason(folder) == expected


def test_broken_videos_and_links(folder: Path, tmp_path: Path) -> None:
    video = folder / f"{NAME}.mp4"
    whole = video.read_bytes()
    for content in (b"", whole[:100], whole[:-200], b"\0" * 1000):
        video.write_bytes(content)
        assert reason(folder) == "unreadable"
    video.unlink()
    (tmp_path / "away.mp4").write_bytes(whole)
    video.symlink_to(tmp_path / "away.mp4")
    assert reason(folder) == "outside"
    video.unlink()
    video.write_bytes(whole)
    actions = folder / f"{NAME}.actions.npy"
    actions.rename(tmp_path / "away.npy")
    actions.symlink_to(tmp_path / "away.npy")
    assert reason(folder) == "outside"
    assert reason(folder, actions="optional") == "outside"


def test_folders_without_videos_and_other_cameras(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"NAME\.actions\.npy"):
        open_reader("recorded", str(tmp_path / "empty"))
    assert reason(folder, cameras=["front"]) == "missing"


def test_inputs_follow_sidecars(folder: Path) -> None:
    before = open_reader("recorded", str(folder)).inputs
    np.save(folder / f"{NAME}.actions.npy", np.ones((FRAMES - 1, 2)))
    after = open_reader("recorded", str(folder)).inputs
    assert {key for key in before if before[key] != after[key]} == {"sidecars"}
