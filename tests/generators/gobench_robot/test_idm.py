"""Inverse dynamics: what it answers, what its files say, and what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gobench.errors import DataError
from gobench_robot.idm import load, shipped
from gobench_robot.idm.artifact import description, names
from gobench_robot.idm.augment import disturbed
from gobench_robot.idm.config import Config
from gobench_robot.idm.episodes import tasks_of
from gobench_robot.idm.measures import measures
from gobench_robot.idm.networks import Inverse, mean_places

CONFIG = Config(
    "metaworld",
    "static",
    32,
    ("dx", "close"),
    ("x (m)",),
    (0.1,),
    (0.2,),
    (0.01,),
    widths=(4, 8),
    points=4,
    hidden=16,
)
MOST_BYTES = 1_500_000


def written(path: Path, config: Config = CONFIG) -> Path:
    torch.manual_seed(0)
    save_file(Inverse(config).state_dict(), path, description(config, {"seed": 0}, {"actions": 0}))
    return path


def frames(n: int, size: int = 32) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), np.uint8)


def test_frames_become_actions_in_the_box(tmp_path: Path) -> None:
    model = load(written(tmp_path / "mine.safetensors"))
    assert (model.name, model.scene, model.size) == ("mine", "metaworld", 32)
    assert model.action_names == ("dx", "close") and len(model.sha256) == 64
    for n in (1, 2, 7):
        found = model.actions(frames(n + 1))
        assert found.shape == (n, 2) and found.dtype == np.float64 and (np.abs(found) <= 1).all()
    assert np.array_equal(
        model.actions(frames(4)), load(str(tmp_path / "mine.safetensors")).actions(frames(4))
    )


def test_frames_of_any_square_size_are_taken_and_left_as_they_are(tmp_path: Path) -> None:
    model = load(written(tmp_path / "mine.safetensors"))
    small = frames(3)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    before = large.copy()
    large.flags.writeable = False
    assert np.allclose(model.actions(large), model.actions(small), atol=1e-6)
    assert np.array_equal(large, before)


def test_asking_leaves_the_threads_and_the_randomness_of_torch_alone(tmp_path: Path) -> None:
    model = load(written(tmp_path / "mine.safetensors"))
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    model.actions(frames(3))
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((1, 32, 32, 3), np.uint8), "n >= 1"),
        (np.zeros((2, 32, 32, 3), np.float32), "uint8"),
        (np.zeros((2, 32, 40, 3), np.uint8), "square"),
        (np.zeros((2, 32, 32), np.uint8), "n >= 1"),
    ],
)
def test_other_frames_are_refused(tmp_path: Path, given: np.ndarray, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(DataError, match=words):
        load(written(tmp_path / "mine.safetensors")).actions(given)


def test_what_is_no_inverse_dynamics_is_refused(tmp_path: Path) -> None:
    good = written(tmp_path / "good.safetensors").read_bytes()
    length = struct.unpack("<Q", good[:8])[0]
    head = json.loads(good[8 : 8 + length])
    other = json.dumps(
        {**head, "__metadata__": {"idm": head["__metadata__"]["idm"].replace("idm-1", "idm-9")}}
    )
    wrong = {
        "empty": b"", "cut": good[:4], "page": b"<html>" * 99, "half": good[: len(good) // 2],
        "later": struct.pack("<Q", len(other)) + other.encode() + good[8 + length :],
        "untold": struct.pack("<Q", 2) + b"{}", "list": struct.pack("<Q", 2) + b"[]",
    }  # fmt: skip
    for name, data in wrong.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(data)
        with pytest.raises(DataError, match=name):
            load(path)
    for absent in ("cor", tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(DataError):
            load(absent)


def test_a_config_that_cannot_be_is_refused() -> None:
    good = CONFIG.to_json()
    assert Config.from_json(json.loads(json.dumps(good)), "it") == CONFIG
    for key, value in {
        "size": 4096, "widths": [3], "centre": [1.0, 2.0], "spread": ["x"], "window": [1, 2], "points": True,
        "action_names": [], "hidden": 0,
    }.items():  # fmt: skip
        with pytest.raises(DataError, match="it"):
            Config.from_json({**good, key: value}, "it")
    with pytest.raises(DataError, match="scene"):
        Config.from_json({key: value for key, value in good.items() if key != "scene"}, "it")


def test_points_are_where_maps_are_bright() -> None:
    maps = torch.zeros(1, 1, 5, 5)
    maps[0, 0, 0, 4] = 100
    assert torch.allclose(mean_places(maps), torch.tensor([[-1.0, 1.0]]))


def test_an_action_is_read_off_neighbouring_frames_alone() -> None:
    network = Inverse(
        Config(**{**dict(zip(CONFIG.__slots__, CONFIG_VALUES, strict=True)), "window": (0, 1)})
    ).eval()
    runs = torch.rand(1, 6, 3, 32, 32) - 0.5
    changed = runs.clone()
    changed[:, 4:] = 0
    told, other = (network(row)[0] for row in (runs, changed))
    assert torch.allclose(told[:, :3], other[:, :3], atol=1e-5) and not torch.allclose(
        told[:, 3:], other[:, 3:]
    )


CONFIG_VALUES = [getattr(CONFIG, name) for name in CONFIG.__slots__]


def test_disturbed_pictures_follow_from_the_seed_and_a_still_run_stays_still_but_for_noise() -> None:
    runs = (torch.rand(3, 1, 3, 32, 32) - 0.5).expand(3, 4, 3, 32, 32)
    one, two = (disturbed(runs, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two) and one.shape == runs.shape and not torch.equal(one, runs)
    assert float((one[:, 1:] - one[:, :1]).abs().mean()) < 0.06


def test_measures_of_actions() -> None:
    true = np.array([[1.0, 0.0], [-1.0, 0.0]])
    found = measures(["dx", "dy"], [(true * [0.5, 1], true), (true, true)])
    assert found["each"][0] == {"action": "dx", "mae": 0.25, "r2": 0.875, "sign": 1.0}
    assert found["each"][1] == {"action": "dy", "mae": 0.0} and found["actions"] == 4
    assert measures(["dx"], [])["actions"] == 0


def test_the_task_of_each_frame_of_a_chain() -> None:
    record = {"tasks": ["a", "b", "c"], "starts": [0, 2, -1], "frames": 4}
    assert tasks_of(record) == ("a", "a", "b", "b")
    assert tasks_of({"tasks": [], "starts": [], "frames": 2}) == ("", "")


@pytest.mark.parametrize("name", names())
def test_those_that_are_shipped(name: str) -> None:
    found = shipped(name)
    assert found.path.stat().st_size < MOST_BYTES
    model = load(name)
    assert model.sha256 == found.sha256
    still = np.repeat(frames(1, model.size), 6, axis=0)
    assert model.actions(still).shape == (5, len(model.action_names))
    assert found.measures["actions"] > 50 and found.provenance["labels_used"] == ["actions", "proprio"]


def test_core_is_shipped_and_an_unknown_name_says_so() -> None:
    assert "core" in names()
    with pytest.raises(DataError, match="core"):
        shipped("cores")
