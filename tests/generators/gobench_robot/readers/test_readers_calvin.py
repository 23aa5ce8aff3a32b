"""CALVIN's layout, made by the tests: what is read, and what is rejected for which reason."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError, UsageError
from gobench.types import Rejection
from gobench_robot.readers import Real, open_reader
from gobench_robot.readers.arrays import Npz

FIRST, LAST = 100, 120
SEGMENTS = [((100, 108), "open_drawer", "pull the handle"), ((104, 112), "open_drawer", "open the drawer"),
            ((113, 121), "turn_on_led", "press the button")]  # fmt: skip


def timestep(number: int) -> dict[str, Any]:
    chance = np.random.default_rng(number)
    return {
        "rgb_static": np.full((48, 60, 3), number, np.uint8),
        "rgb_gripper": np.full((8, 8, 3), number + 50, np.uint8),
        "actions": np.arange(7) + number,
        "rel_actions": np.append(np.full(6, number / 1000), 1 if number % 2 else -1),
        "robot_obs": chance.normal(size=15),
        "scene_obs": np.zeros(24),
    }


def make_split(folder: Path, name: str, segments: Any = tuple(SEGMENTS), compressed: bool = True) -> Path:
    split = folder / name
    (split / "lang_annotations").mkdir(parents=True)
    for number in range(FIRST, LAST + 1):
        (np.savez_compressed if compressed else np.savez)(
            split / f"episode_{number:07d}.npz", **timestep(number)
        )
    np.save(split / "ep_start_end_ids.npy", np.array([[FIRST, FIRST + 9], [FIRST + 10, LAST]]))
    pairs, tasks, texts = zip(*segments, strict=True)
    notes = {"language": {"ann": list(texts), "task": list(tasks), "emb": np.zeros((len(texts), 1, 4), np.float32)},
             "info": {"episodes": [], "indx": list(pairs)}}  # fmt: skip
    np.save(split / "lang_annotations/auto_lang_ann.npy", notes)  # type: ignore[arg-type]
    return split


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_split(tmp_path / "calvin", "training")
    make_split(tmp_path / "calvin", "validation", SEGMENTS[:1], compressed=False)
    return tmp_path / "calvin"


def only(reader: Any, index: int = 0) -> Any:
    (found,) = reader.unit(index)
    return found


def reason(folder: Path, index: int = 0, **options: Any) -> str:
    found = only(open_reader("calvin", str(folder), options), index)
    assert isinstance(found, Rejection), found
    assert str(folder) not in found.detail
    return found.reason


def test_annotated_segments(folder: Path) -> None:
    reader = open_reader("calvin", str(folder))
    assert reader.units == 4
    found = only(reader)
    assert isinstance(found, Real)
    assert (found.origin, found.tasks, found.starts) == ("training/segment-00000", ("open_drawer",), (0,))
    assert found.instruction == "pull the handle"
    assert found.wordings == ("pull the handle", "open the drawer")
    assert (found.frames, found.fps, found.sizes) == (8, 30.0, {"rgb_static": (48, 60)})
    assert found.actions.shape == (7, 7) and found.proprio.shape == (8, 15)
    assert np.allclose(found.actions[2], timestep(102)["rel_actions"])
    assert np.allclose(found.proprio[7], timestep(107)["robot_obs"])
    assert len(found.action_names) == 7 and len(found.proprio_names) == 15
    assert only(reader, 3).origin == "validation/segment-00000"
    assert [only(reader, 2).instruction, only(reader, 2).frames] == ["press the button", 8]


def test_frames_are_a_function_of_the_origin(folder: Path) -> None:
    reader = pickle.loads(
        pickle.dumps(open_reader("calvin", str(folder), {"cameras": ["rgb_gripper", "rgb_static"]}))
    )
    assert only(reader).sizes == {"rgb_gripper": (8, 8), "rgb_static": (48, 60)}
    frames = reader.frames("training/segment-00001", "rgb_static")
    assert frames.dtype == np.uint8 and frames.shape == (8, 48, 60, 3)
    assert frames[:, 0, 0, 0].tolist() == list(range(104, 112))
    assert reader.frames("training/segment-00001", "rgb_gripper")[0, 0, 0, 0] == 154
    with pytest.raises(UsageError, match="segment-00009 is no episode"):
        reader.frames("training/segment-00009", "rgb_static")
    with pytest.raises(UsageError, match="unknown camera 'front'"):
        reader.frames("training/segment-00001", "front")


def test_metadata_decode_no_pixels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, asked = Npz.array, list[str]()
    monkeypatch.setattr(Npz, "array", lambda self, name: whole(self, (asked.append(name), name)[1]))
    only(open_reader("calvin", str(folder)))
    assert set(asked) == {"rel_actions", "robot_obs"}


def test_whole_recordings_absolute_actions_and_one_split(folder: Path) -> None:
    options = {"segments": "all", "actions": "absolute", "split": "training"}
    reader = open_reader("calvin", str(folder), options)
    assert reader.units == 2
    found = only(reader, 1)
    assert (found.origin, found.frames, found.tasks, found.instruction) == (
        "training/recording-00001",
        11,
        (),
        "",
    )
    assert found.actions[0].tolist() == (np.arange(7) + 110).tolist()
    inside = open_reader("calvin", str(folder / "training"), {"segments": "all"})
    assert only(inside).origin == "recording-00000" and only(inside).frames == 10


@pytest.mark.parametrize(
    ("options", "moves", "gripper"),
    [({}, 0.1 + 0.101 + 0.102, -1), ({"merge": "last"}, 0.102, -1), ({"merge": "mean"}, 0.101, -1 / 3),
     ({"actions": "absolute"}, 102, 108)],
)  # fmt: skip
def test_a_stride_merges_actions(
    folder: Path, options: Mapping[str, Any], moves: float, gripper: float
) -> None:
    reader = open_reader("calvin", str(folder), {"stride": 3, **options})
    found = only(reader)
    assert (found.frames, found.fps) == (3, 10.0) and found.actions.shape == (2, 7)
    assert np.allclose(found.actions[0, [0, 6]], [moves, gripper])
    assert np.allclose(found.proprio[1], timestep(103)["robot_obs"])
    assert reader.frames(found.origin, "rgb_static")[:, 0, 0, 0].tolist() == [100, 103, 106]


def test_long_episodes_become_pieces_that_share_a_frame(folder: Path) -> None:
    whole = only(open_reader("calvin", str(folder)))
    reader = open_reader("calvin", str(folder), {"max_frames": 4})
    pieces = list(reader.unit(0))
    assert [piece.origin.partition("#")[2] for piece in pieces] == ["0-4", "3-7", "6-8"]
    assert np.array_equal(np.concatenate([piece.actions for piece in pieces]), whole.actions)
    assert {piece.tasks for piece in pieces} == {("open_drawer",)}
    shown = [reader.frames(piece.origin, "rgb_static")[:, 0, 0, 0].tolist() for piece in pieces]
    assert shown == [[100, 101, 102, 103], [103, 104, 105, 106], [106, 107]]
    with pytest.raises(DataError, match="no frame 8"):
        reader.frames("training/segment-00000#6-9", "rgb_static")


def test_partial_and_broken_copies_are_rejected_one_by_one(folder: Path) -> None:
    (folder / "training/episode_0000102.npz").unlink()
    broken = folder / "training/episode_0000110.npz"
    broken.write_bytes(broken.read_bytes()[:-40])
    np.savez(folder / "training/episode_0000115.npz", **{**timestep(115), "robot_obs": np.zeros(14)})
    reader = open_reader("calvin", str(folder))
    found = [only(reader, index) for index in range(4)]
    assert [getattr(one, "reason", "") for one in found] == ["missing", "unreadable", "shape", ""]
    assert found[0].detail == "training/episode_0000102.npz is not there."
    assert "robot_obs is float64 [14], not [15] numbers" in found[2].detail


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"rgb_static": np.zeros((48, 60), np.uint8)}, "shape"), ({"rgb_static": np.zeros((48, 60, 3), np.float32)}, "shape"),
     ({"rgb_static": np.zeros((48, 61, 3), np.uint8)}, "shape"), ({"rel_actions": np.full(7, np.nan)}, "not-finite"),
     ({"robot_obs": np.array([object()] * 15)}, "unreadable"), ({"rel_actions": np.array(["a"] * 7)}, "shape")],
)  # fmt: skip
def test_wrong_arrays_are_rejected(folder: Path, change: Mapping[str, Any], expected: str) -> None:
    np.savez(folder / "training/episode_0000103.npz", **{**timestep(103), **change})
    assert reason(folder) == expected


def test_damaged_heads_of_arrays_are_unreadable(folder: Path) -> None:
    path = folder / "validation/episode_0000103.npz"
    path.write_bytes(path.read_bytes().replace(b"(48, 60, 3), }", b"(48, 60, 3(, }"))
    assert reason(folder, split="validation") == "unreadable"


def test_damaged_pixels_are_found_by_the_option_check(folder: Path) -> None:
    path = folder / "validation/episode_0000103.npz"
    data = bytearray(path.read_bytes())
    at = data.index(bytes([103] * 100))
    data[at + 50] ^= 0xFF
    path.write_bytes(bytes(data))
    reader = open_reader("calvin", str(folder), {"split": "validation"})
    assert isinstance(only(reader), Real)
    with pytest.raises(
        DataError, match=r"validation/segment-00000, rgb_static: validation/episode_0000103\.npz"
    ):
        reader.frames("validation/segment-00000", "rgb_static")
    assert reason(folder, split="validation", check="pixels") == "unreadable"


def test_nothing_is_read_through_links_that_lead_out(folder: Path, tmp_path: Path) -> None:
    path = folder / "training/episode_0000103.npz"
    path.rename(tmp_path / "elsewhere.npz")
    path.symlink_to(tmp_path / "elsewhere.npz")
    assert reason(folder) == "outside"
    path.unlink()
    path.symlink_to(folder / "training/episode_0000104.npz")
    assert isinstance(only(open_reader("calvin", str(folder))), Real)
    path.unlink()
    os.mkfifo(path)
    assert reason(folder) == "missing"
    (folder / "validation").rename(tmp_path / "validation")
    (folder / "validation").symlink_to(tmp_path / "validation")
    with pytest.raises(DataError, match="leads out of the folder"):
        open_reader("calvin", str(folder))


class _Runs:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_annotations_that_would_run_a_program_do_not(folder: Path, tmp_path: Path) -> None:
    np.save(folder / "training/lang_annotations/auto_lang_ann.npy", _Runs(f"touch {tmp_path}/ran"))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"posix\.system, which is never run"):
        open_reader("calvin", str(folder))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "notes",
    [{}, {"info": 3}, [], {"language": {"ann": ["a"], "task": []}, "info": {"indx": [(1, 2)]}},
     {"language": {"ann": ["a"], "task": ["b"]}, "info": {"indx": [(-5, 2)]}},
     {"language": {"ann": ["a"], "task": ["b"]}, "info": {"indx": ["ab"]}}],
)  # fmt: skip
def test_annotations_of_another_form_are_data_errors(folder: Path, notes: Any) -> None:
    np.save(folder / "training/lang_annotations/auto_lang_ann.npy", np.array(notes, object))
    with pytest.raises(DataError, match=r"auto_lang_ann\.npy does not hold"):
        open_reader("calvin", str(folder))


def test_segments_without_two_frames_are_rejected(tmp_path: Path) -> None:
    make_split(tmp_path, "training", [((105, 106), "a", "b"), ((107, 105), "a", "b"), ((105, 107), "a", "b")])
    assert [reason(tmp_path, index) for index in (0, 1)] == ["too-short", "too-short"]
    assert reason(tmp_path, 2, stride=2) == "too-short"


def test_folders_of_another_kind_say_what_was_looked_for(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"training or validation is not there.*download_data\.sh"):
        open_reader("calvin", str(tmp_path))
    with pytest.raises(DataError, match="is not a folder"):
        open_reader("calvin", str(tmp_path / "nowhere"))
    (folder / "training/lang_annotations/auto_lang_ann.npy").unlink()
    with pytest.raises(DataError, match='segments = "all"'):
        open_reader("calvin", str(folder))
    (folder / "training/ep_start_end_ids.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"ep_start_end_ids\.npy"):
        open_reader("calvin", str(folder), {"segments": "all"})


def test_options_are_checked(folder: Path) -> None:
    for options, message in (
        ({"strid": 2}, "unknown option of the reader calvin 'strid'. Did you mean 'stride'"),
        ({"stride": 0}, "stride is a whole number, 1 or more; got 0"),
        ({"stride": True}, "stride is a whole number"),
        ({"cameras": "rgb_static"}, "cameras is a list of names"),
        ({"segments": "some"}, "unknown segments 'some'"),
        ({"max_frames": 1}, "max_frames is 2 or more"),
    ):
        with pytest.raises(UsageError) as caught:
            open_reader("calvin", str(folder), options)
        assert message in str(caught.value)
    with pytest.raises(UsageError, match=r"unknown reader 'calvn'\. Did you mean 'calvin'"):
        open_reader("calvn", str(folder))


def test_inputs_follow_the_files(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    def inputs(place: Path) -> Mapping[str, str]:
        return open_reader("calvin", str(place)).inputs

    before = inputs(folder)
    assert set(before) == {"files", "training/lang_annotations/auto_lang_ann.npy",
                           "validation/lang_annotations/auto_lang_ann.npy"}  # fmt: skip
    folder.rename(tmp_path / "moved")
    assert inputs(tmp_path / "moved") == before
    (tmp_path / "moved/training/episode_0000105.npz").unlink()
    changed = inputs(tmp_path / "moved")
    assert {key for key in before if changed[key] != before[key]} == {"files"}
