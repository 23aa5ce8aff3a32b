"""RLBench's layout, made by the tests with classes of RLBench's names: what is read, and what is rejected."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gobench.errors import DataError
from gobench.types import Rejection
from gobench_robot.readers import Real, open_reader

FRAMES = 5
TEXTS = ["open the top drawer", "pull the top drawer out"]


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """``Demo`` and ``Observation`` as RLBench's pickles name them."""
    found = []
    for place, name in (("rlbench.demo", "Demo"), ("rlbench.backend.observation", "Observation")):
        kind = type(name, (), {"__module__": place})
        parts = place.split(".")
        for end in range(1, len(parts) + 1):
            full = ".".join(parts[:end])
            if full not in sys.modules:
                monkeypatch.setitem(sys.modules, full, ModuleType(full))
        vars(sys.modules[place])[name] = kind
        found.append(kind)
    return found[0], found[1]


def pose(frame: int) -> list[float]:
    return [frame / 10, 0, 1, 0, 0, 0, 1]


@pytest.fixture
def make(classes: tuple[Any, Any]) -> Callable[..., Path]:
    """Write one episode; ``change`` is set on the attributes of its third observation."""

    def write(place: Path, frames: int = FRAMES, own_texts: bool = False, **change: Any) -> Path:
        observations = []
        for frame in range(frames):
            step = classes[1]()
            step.__dict__.update(
                front_rgb=None, gripper_pose=np.array(pose(frame)), joint_positions=np.arange(7.0) + frame,
                gripper_open=1.0 if frame < 3 else 0.0, joint_velocities=np.zeros(7),
                task_low_dim_state=np.array([1.0]), misc={"front_camera_extrinsics": np.eye(4), "variation_index": 0},
            )  # fmt: skip
            observations.append(step)
        if frames > 2:
            observations[2].__dict__.update(change)
        demo = classes[0]()
        demo.__dict__.update(
            _observations=observations, random_seed=np.random.RandomState(0).get_state(), num_reset_attempts=1
        )
        for camera, size in (("front_rgb", (24, 16)), ("wrist_rgb", (8, 8))):
            (place / camera).mkdir(parents=True)
            for frame in range(frames):
                Image.new("RGB", size, (frame, 10, 20)).save(place / camera / f"{frame}.png")
        (place / "low_dim_obs.pkl").write_bytes(pickle.dumps(demo))
        texts = place if own_texts else place.parent.parent
        (texts / "variation_descriptions.pkl").write_bytes(pickle.dumps(TEXTS))
        return place

    return write


@pytest.fixture
def folder(make: Callable[..., Path], tmp_path: Path) -> Path:
    for number in (0, 2, 10):
        make(tmp_path / f"rl/open_drawer/variation0/episodes/episode{number}")
    make(tmp_path / "rl/push_button/all_variations/episodes/episode0", own_texts=True)
    return tmp_path / "rl"


def only(reader: Any, index: int = 0) -> Any:
    (found,) = reader.unit(index)
    return found


def reason(folder: Path, **options: Any) -> str:
    found = only(open_reader("rlbench", str(folder), options))
    assert isinstance(found, Rejection), found
    assert str(folder) not in found.detail
    return found.reason


def test_demonstrations(folder: Path) -> None:
    reader = open_reader("rlbench", str(folder), {"cameras": ["wrist_rgb", "front_rgb"]})
    assert [only(reader, index).origin for index in range(reader.units)] == [
        *(f"open_drawer/variation0/episodes/episode{number}" for number in (0, 2, 10)),
        "push_button/all_variations/episodes/episode0",
    ]
    found = only(reader)
    assert (found.tasks, found.instruction, found.wordings) == (("open_drawer",), TEXTS[0], tuple(TEXTS))
    assert (found.frames, found.fps) == (FRAMES, 20.0)
    assert found.sizes == {"wrist_rgb": (8, 8), "front_rgb": (16, 24)}
    assert found.actions.shape == (FRAMES - 1, 8) and found.proprio.shape == (FRAMES, 15)
    assert found.actions[:, 0].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert found.actions[:, 7].tolist() == [1, 1, 0, 0]
    frames = reader.frames(found.origin, "front_rgb")
    assert frames.shape == (FRAMES, 16, 24, 3) and frames[:, 0, 0].tolist() == [
        [f, 10, 20] for f in range(FRAMES)
    ]
    assert only(reader, 3).instruction == TEXTS[0]
    assert "rlbench.demo" in sys.modules and not hasattr(found, "_observations")


def test_a_tasks_own_folder_other_actions_strides_and_pieces(folder: Path) -> None:
    options = {"actions": "joint-positions", "stride": 2, "max_frames": 2, "fps": 10}
    reader = open_reader("rlbench", str(folder / "open_drawer"), options)
    pieces = list(reader.unit(1))
    assert [p.origin for p in pieces] == [f"variation0/episodes/episode2#{span}" for span in ("0-3", "2-5")]
    assert [p.tasks for p in pieces] == [("open_drawer",)] * 2
    assert pieces[1].actions.tolist() == [[4, 5, 6, 7, 8, 9, 10, 0]] and pieces[1].fps == 5.0
    assert reader.frames(pieces[1].origin, "front_rgb")[:, 0, 0, 0].tolist() == [2, 4]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def _noise(path: Path) -> None:
    path.write_bytes(b"not a picture")


def _larger(path: Path) -> None:
    Image.new("RGB", (9, 9)).save(path)


def _more(path: Path) -> None:
    Image.new("RGB", (24, 16)).save(path.with_name(f"{FRAMES}.png"))


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [("front_rgb/3.png", Path.unlink, "missing"), ("front_rgb/4.png", Path.unlink, "length"),
     ("front_rgb/3.png", _more, "length"), ("front_rgb/3.png", _cut, "unreadable"), ("front_rgb/3.png", _noise, "unreadable"),
     ("front_rgb/3.png", _larger, "shape"), ("low_dim_obs.pkl", Path.unlink, "missing"), ("low_dim_obs.pkl", _cut, "unreadable"),
     ("../../variation_descriptions.pkl", _cut, "unreadable")],
)  # fmt: skip
def test_partial_and_broken_copies(
    folder: Path, name: str, change: Callable[[Path], None], expected: str
) -> None:
    change(folder / "open_drawer/variation0/episodes/episode0" / name)
    assert reason(folder) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"gripper_pose": np.zeros(6)}, "shape"), ({"gripper_pose": None}, "shape"), ({"joint_positions": "x"}, "shape"),
     ({"gripper_open": float("nan")}, "not-finite")],
)  # fmt: skip
def test_wrong_observations(
    make: Callable[..., Path], tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    make(tmp_path / "rl/a/variation0/episodes/episode0", **change)
    assert reason(tmp_path / "rl") == expected


@pytest.mark.parametrize("content", [[], [1, 2], "x", {"a": 1}])
def test_pickles_of_something_else(folder: Path, content: Any) -> None:
    place = folder / "open_drawer/variation0/episodes/episode0/low_dim_obs.pkl"
    place.write_bytes(pickle.dumps(content))
    assert reason(folder) in ("shape", "length")


class _Runs:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("name", ["episodes/episode0/low_dim_obs.pkl", "variation_descriptions.pkl"])
def test_a_pickle_that_runs_a_program_does_not(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "open_drawer/variation0" / name).write_bytes(pickle.dumps([_Runs(f"touch {tmp_path}/ran")]))
    assert reason(folder) == "refused"
    assert not (tmp_path / "ran").exists()


def test_damaged_pixels_are_found_by_the_option_check(folder: Path) -> None:
    path = folder / "open_drawer/variation0/episodes/episode0/front_rgb/2.png"
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 0xFF
    path.write_bytes(bytes(data))
    assert isinstance(only(open_reader("rlbench", str(folder))), Real)
    assert reason(folder, check="pixels") == "unreadable"


def test_nothing_is_read_through_links_that_lead_out(folder: Path, tmp_path: Path) -> None:
    place = folder / "open_drawer/variation0/episodes/episode0/front_rgb"
    place.rename(tmp_path / "away")
    place.symlink_to(tmp_path / "away", target_is_directory=True)
    assert reason(folder) == "outside"
    (folder / "zzz").symlink_to(tmp_path / "away", target_is_directory=True)
    with pytest.raises(DataError, match="leads out of the folder"):
        open_reader("rlbench", str(folder))


def test_missing_cameras_and_folders_of_another_kind(folder: Path, tmp_path: Path) -> None:
    assert reason(folder, cameras=["overhead_rgb"]) == "missing"
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="Expected are TASK/variationN/episodes/episodeN"):
        open_reader("rlbench", str(tmp_path / "other"))


def test_one_frame_is_too_short(make: Callable[..., Path], tmp_path: Path) -> None:
    make(tmp_path / "rl/a/variation0/episodes/episode0", frames=1)
    assert reason(tmp_path / "rl") == "too-short"
