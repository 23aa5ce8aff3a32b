"""LeRobot's layouts v2.1 and v3.0, made by the tests: what is read, and what is rejected for which reason."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gobench.errors import DataError, UsageError
from gobench.types import Rejection
from gobench_robot.readers import Real, open_reader

FPS = 10
LENGTHS = (12, 7, 9)
TASKS = ("pick the cube", "place the cube")
CAMERA = "observation.images.top"
Changes = Mapping[str, Any]


def info(version: str, video: bool, **change: Any) -> dict[str, Any]:
    camera = {
        "dtype": "video" if video else "image",
        "shape": [48, 64, 3],
        "names": ["height", "width", "channels"],
    }
    paths = {
        "v2.1": ("data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
                 "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"),
        "v3.0": ("data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
                 "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"),
    }[version]  # fmt: skip
    return {
        "codebase_version": version, "fps": FPS, "total_episodes": len(LENGTHS), "chunks_size": 2,
        "data_path": paths[0], "video_path": paths[1] if video else None,
        "features": {
            "action": {"dtype": "float32", "shape": [2], "names": {"motors": ["pan.pos", "grip.pos"]}},
            "observation.state": {"dtype": "float32", "shape": [3], "names": None},
            CAMERA: camera,
            "observation.images.depth": {**camera, "info": {"video.is_depth_map": True}},
            "reward": {"dtype": "float32", "shape": [1], "names": None},
        },
        **change,
    }  # fmt: skip


def table(episode: int, picture: Callable[[int], Any] | None, change: Changes) -> pa.Table:
    frames = LENGTHS[episode]
    first = sum(LENGTHS[:episode])
    columns: dict[str, Any] = {
        "action": pa.FixedSizeListArray.from_arrays(
            pa.array(np.arange(2 * frames, dtype=np.float32) + 100 * episode), 2
        ),
        "observation.state": pa.array([[f, 0.5, -1.0] for f in range(frames)], pa.list_(pa.float32())),
        "reward": pa.array(np.zeros(frames, np.float32)),
        "timestamp": pa.array((np.arange(frames) / FPS).astype(np.float32)),
        "frame_index": pa.array(range(frames), pa.int64()),
        "episode_index": pa.array([episode] * frames, pa.int64()),
        "task_index": pa.array([int(f >= 5 and episode == 0) for f in range(frames)], pa.int64()),
    }
    if picture:
        columns[CAMERA] = pa.array([{"bytes": _png(picture(first + f)), "path": None} for f in range(frames)])
    return pa.table({**columns, **change})


def _png(picture: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def make(
    tmp_path: Path, make_video: Callable[..., Path], picture: Callable[[int], Any]
) -> Callable[..., Path]:
    """Write a dataset; ``change`` is of the columns of episode 1, the other keywords of ``info``."""

    def write(version: str, change: Changes | None = None, video: bool = True, **told: Any) -> Path:
        root = tmp_path / f"lerobot-{version}"
        (root / "meta").mkdir(parents=True)
        (root / "meta/info.json").write_text(json.dumps(info(version, video, **told)))
        drawn = None if video else picture
        tables = [
            table(episode, drawn, (change or {}) if episode == 1 else {}) for episode in range(len(LENGTHS))
        ]
        (_write_v2 if version == "v2.1" else _write_v3)(root, tables, make_video if video else None)
        return root

    return write


def _write_v2(root: Path, tables: Sequence[pa.Table], make_video: Callable[..., Path] | None) -> None:
    rows = [
        {"episode_index": e, "tasks": list(TASKS[: 2 - bool(e)]), "length": n} for e, n in enumerate(LENGTHS)
    ]
    (root / "meta/episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tasks = [{"task_index": i, "task": task} for i, task in enumerate(TASKS)]
    (root / "meta/tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tasks))
    for episode, one in enumerate(tables):
        place = root / f"data/chunk-{episode // 2:03d}/episode_{episode:06d}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(one, place)
        if make_video:
            video = root / f"videos/chunk-{episode // 2:03d}/{CAMERA}/episode_{episode:06d}.mp4"
            make_video(video, LENGTHS[episode], FPS, sum(LENGTHS[:episode]))


def _write_v3(root: Path, tables: Sequence[pa.Table], make_video: Callable[..., Path] | None) -> None:
    pa_tasks = pa.table({"task_index": [0, 1], "__index_level_0__": list(TASKS)})
    pq.write_table(pa_tasks, root / "meta/tasks.parquet")
    rows = []
    for e, n in enumerate(LENGTHS):
        begin = sum(LENGTHS[:e])
        row = {"episode_index": e, "tasks": list(TASKS[: 2 - bool(e)]), "length": n, "dataset_from_index": begin,
               "data/chunk_index": 0, "data/file_index": 0, "stats/action/mean": [0.0, 0.0]}  # fmt: skip
        if make_video:  # the first two share a file
            row |= {f"videos/{CAMERA}/chunk_index": 0, f"videos/{CAMERA}/file_index": int(e == 2),
                    f"videos/{CAMERA}/from_timestamp": 0.0 if e == 2 else begin / FPS,
                    f"videos/{CAMERA}/to_timestamp": (n if e == 2 else begin + n) / FPS}  # fmt: skip
        rows.append(row)
    episodes = root / "meta/episodes/chunk-000"
    episodes.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), episodes / "file-000.parquet")
    data = root / "data/chunk-000/file-000.parquet"
    data.parent.mkdir(parents=True)
    with pq.ParquetWriter(data, tables[0].schema) as writer:
        for one in tables:
            writer.write_table(one.cast(tables[0].schema))
    if make_video:
        videos = root / f"videos/{CAMERA}/chunk-000"
        make_video(videos / "file-000.mp4", LENGTHS[0] + LENGTHS[1], FPS)
        make_video(videos / "file-001.mp4", LENGTHS[2], FPS, LENGTHS[0] + LENGTHS[1])


def only(reader: Any, index: int = 1) -> Any:
    (found,) = reader.unit(index)
    return found


def reason(folder: Path, index: int = 1, **options: Any) -> str:
    found = only(open_reader("lerobot", str(folder), options), index)
    assert isinstance(found, Rejection), found
    assert str(folder) not in found.detail
    return found.reason


VERSIONS = ("v2.1", "v3.0")


@pytest.mark.parametrize("video", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_episodes_and_their_frames(
    make: Callable[..., Path], numbers: Callable[[Any], list[int]], version: str, video: bool
) -> None:
    reader = pickle.loads(
        pickle.dumps(open_reader("lerobot", str(make(version, video=video)), {"check": "pixels"}))
    )
    assert (reader.units, reader.cameras) == (3, (CAMERA,))
    episodes = [only(reader, index) for index in range(3)]
    assert all(isinstance(found, Real) for found in episodes), episodes
    assert [found.frames for found in episodes] == list(LENGTHS)
    first, second, _ = episodes
    assert (first.origin, first.tasks, first.starts) == ("episode_000000", TASKS, (0, 5))
    assert first.instruction == "pick the cube; place the cube"
    assert (second.tasks, second.instruction, second.fps) == (TASKS[:1], TASKS[0], 10.0)
    assert second.actions.tolist() == [[100 + 2 * f, 101 + 2 * f] for f in range(6)]
    assert second.proprio[:, 0].tolist() == list(range(7))
    assert second.action_names == ("pan.pos", "grip.pos")
    assert second.proprio_names == ("state_0", "state_1", "state_2")
    assert second.sizes == {CAMERA: (48, 64)}
    for index, found in enumerate(episodes):
        begin = sum(LENGTHS[:index])
        assert numbers(reader.frames(found.origin, CAMERA)) == list(range(begin, begin + LENGTHS[index]))


@pytest.mark.parametrize("version", VERSIONS)
def test_strides_and_pieces(
    make: Callable[..., Path], numbers: Callable[[Any], list[int]], version: str
) -> None:
    reader = open_reader("lerobot", str(make(version)), {"stride": 2, "max_frames": 4, "state": ""})
    pieces = list(reader.unit(0))
    assert [piece.origin for piece in pieces] == ["episode_000000#0-7", "episode_000000#6-11"]
    assert [(piece.tasks, piece.starts) for piece in pieces] == [(TASKS, (0, 3)), (TASKS[1:], (0,))]
    assert pieces[0].actions[:, 0].tolist() == [2, 6, 10]
    assert pieces[0].proprio.shape == (4, 0)
    assert numbers(reader.frames(pieces[1].origin, CAMERA)) == [6, 8, 10]


def test_metadata_decode_no_pixels(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make("v3.0")
    monkeypatch.setattr("gobench_robot.readers.videos.decoded", None)
    assert isinstance(only(open_reader("lerobot", str(folder))), Real)


BAD_COLUMNS: Mapping[str, tuple[Any, str]] = {
    "action": (pa.array([[float("nan"), 1.0]] * 7, pa.list_(pa.float32(), 2)), "not-finite"),
    "observation.state": (pa.array([[1.0]] * 6 + [[1.0, 2.0]], pa.list_(pa.float32())), "shape"),
    "frame_index": (pa.array([0, 1, 2, 3, 4, 6, 5]), "length"),
    "task_index": (pa.array([7] * 7), "metadata"),
    "timestamp": (pa.array(np.arange(7, dtype=np.float32)), "length"),
    "reward": (pa.array([1.0] * 7, pa.float32()), ""),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("column", BAD_COLUMNS)
def test_wrong_columns_reject_their_episode_alone(
    make: Callable[..., Path], version: str, column: str
) -> None:
    values, expected = BAD_COLUMNS[column]
    folder = make(version, {column: values})
    reader = open_reader("lerobot", str(folder))
    assert getattr(only(reader, 1), "reason", "") == expected
    assert isinstance(only(reader, 0), Real)


def test_times_that_are_no_numbers(make: Callable[..., Path]) -> None:
    times = [*(f / FPS for f in range(6)), float("nan")]
    assert reason(make("v2.1", {"timestamp": pa.array(times, pa.float32())})) == "length"


def test_rows_and_videos_of_other_lengths(make: Callable[..., Path], make_video: Callable[..., Path]) -> None:
    folder = make("v2.1")
    video = folder / f"videos/chunk-000/{CAMERA}/episode_000001.mp4"
    make_video(video, 6, FPS)
    assert reason(folder) == "length"
    make_video(video, 9, FPS)  # a few frames more than there are rows do no harm
    assert isinstance(only(open_reader("lerobot", str(folder))), Real)
    data = folder / "data/chunk-000/episode_000001.parquet"
    pq.write_table(pq.read_table(data).slice(0, 6), data)
    assert reason(folder) == "length"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _noise(path: Path) -> None:
    path.write_bytes(b"noise" * 100)


def _unknown_codec(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))


def _playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")


DATA, VIDEO = "data/chunk-000/episode_000001.parquet", f"videos/chunk-000/{CAMERA}/episode_000001.mp4"


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [(DATA, Path.unlink, "missing"), (DATA, _cut, "unreadable"), (DATA, _noise, "unreadable"),
     (VIDEO, Path.unlink, "missing"), (VIDEO, _cut, "unreadable"), (VIDEO, _noise, "unreadable"),
     (VIDEO, _playlist, "unreadable"), (VIDEO, _unknown_codec, "unreadable")],
)  # fmt: skip
def test_partial_and_broken_copies(
    make: Callable[..., Path], name: str, change: Callable[[Path], None], expected: str
) -> None:
    folder = make("v2.1")
    change(folder / name)
    assert reason(folder) == expected
    assert isinstance(only(open_reader("lerobot", str(folder)), 2), Real)


def test_damaged_video_is_found_by_the_option_check(make: Callable[..., Path]) -> None:
    folder = make("v2.1")
    video = folder / f"videos/chunk-000/{CAMERA}/episode_000001.mp4"
    data = bytearray(video.read_bytes())
    at = data.index(b"mdat") + 720  # after the encoder's own words
    data[at : at + 60] = bytes(60)
    video.write_bytes(bytes(data))
    assert isinstance(only(open_reader("lerobot", str(folder))), Real)
    assert reason(folder, check="pixels") == "unreadable"
    with pytest.raises(DataError, match=r"episode_000001, observation\.images\.top"):
        open_reader("lerobot", str(folder)).frames("episode_000001", CAMERA)


@pytest.mark.parametrize("version", VERSIONS)
def test_episodes_that_the_metadata_lack_are_rejected(make: Callable[..., Path], version: str) -> None:
    folder = make(version, total_episodes=5)
    reader = open_reader("lerobot", str(folder))
    assert reader.units == 5
    assert [getattr(only(reader, index), "reason", "") for index in range(5)] == [
        "",
        "",
        "",
        "metadata",
        "metadata",
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("../../{episode_index}.parquet", "outside"), ("/etc/passwd", "outside"), ("{episode_index.__class__}", "metadata"),
     ("{episode_index:09999999999d}", "metadata"), ("{secret}", "metadata"), ("a\0b", "outside"), ("meta", "missing")],
)  # fmt: skip
def test_paths_in_the_metadata_never_lead_out(make: Callable[..., Path], path: str, expected: str) -> None:
    assert reason(make("v2.1", data_path=path)) == expected


def test_links_that_lead_out_are_not_followed(make: Callable[..., Path], tmp_path: Path) -> None:
    folder = make("v3.0")
    video = folder / f"videos/{CAMERA}/chunk-000/file-000.mp4"
    video.rename(tmp_path / "blob")
    video.symlink_to(tmp_path / "blob")
    assert reason(folder) == "outside"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("info.json", "{", "is no JSON"), ("info.json", "[]", "is no table"),
     ("info.json", '{"codebase_version": "v1.6"}', "v1.6"), ("info.json", '{"codebase_version": "v2.1"}', "features"),
     ("info.json", '{"codebase_version": "v2.1", "fps": 1, "features": {"a": 3}}', "meta/"),
     ("episodes.jsonl", "{}\n", "episode_index"), ("episodes.jsonl", "", "0 episodes"),
     ("tasks.jsonl", '{"task": 3}\n', "task_index")],
)  # fmt: skip
def test_metadata_of_another_form_are_data_errors(
    make: Callable[..., Path], name: str, content: str, message: str
) -> None:
    folder = make("v2.1", total_episodes=0)
    (folder / "meta" / name).write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        open_reader("lerobot", str(folder))
    assert "hf download" in str(caught.value)


def test_other_folders_cameras_and_features(make: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match=r"meta/info\.json is not there.*hf download"):
        open_reader("lerobot", str(tmp_path / "other"))
    folder = make("v2.1")
    with pytest.raises(UsageError, match="unknown camera 'top'"):
        open_reader("lerobot", str(folder), {"cameras": ["top"]})
    assert reason(folder, action="acton") == "metadata"
    assert only(open_reader("lerobot", str(folder), {"action": "reward"})).actions.shape == (6, 1)


def test_inputs_are_the_metadata_and_the_files(make: Callable[..., Path]) -> None:
    assert set(open_reader("lerobot", str(make("v3.0"))).inputs) == {
        "meta/info.json", "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet", "files"}  # fmt: skip
