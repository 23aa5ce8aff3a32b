"""``meta/`` of a LeRobot dataset: its version, features, episodes and tasks, and where an episode's files lie."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gobench.canonical import sha256
from gobench.errors import DataError
from gobench.types import Json
from gobench_robot.readers import arrays
from gobench_robot.readers.contract import BrokenError, Floats
from gobench_robot.readers.folder import Folder
from gobench_robot.readers.parquet import rows

INFO = "meta/info.json"
VERSIONS = ("v2.0", "v2.1", "v3.0")
DATA = {2: "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        3: "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"}  # fmt: skip
VIDEOS = {2: "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
          3: "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"}  # fmt: skip
MOST_EPISODES = 10_000_000
_FIELD = re.compile(r"\{(\w+)(?::0?(\d))?(d?)\}")
_MOST_BYTES = 1 << 30
_HELP = "Get one with `hf download --repo-type dataset OWNER/NAME --local-dir DIR` and give DIR."


@dataclass(frozen=True, slots=True)
class Row:
    """What the metadata say of one episode."""

    index: int
    length: int
    tasks: tuple[str, ...]
    data: Mapping[str, Any]  # fields of the path of its rows
    videos: Mapping[str, Mapping[str, Any]]  # camera -> fields of the path of its video
    begins: Mapping[str, float]  # camera -> seconds into that video


class Meta:
    """The metadata of one dataset, read whole; ``hashes`` has the sha256 of each of its files."""

    def __init__(self, folder: Folder) -> None:
        self.hashes: dict[str, str] = {}
        self._folder = folder
        try:
            self._read_info()
            self._found = {int(row["episode_index"]): row for row in self._rows()}
            self._tasks = dict(self._task_table())
        except BrokenError as error:
            raise DataError(
                f"no LeRobot dataset can be read in {folder.name}: {error.detail} {_HELP}"
            ) from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError(
                f"{folder.name}: meta/ is not that of a LeRobot dataset ({error!r:.100}). {_HELP}"
            ) from error
        self.episodes = max([self._total, *(index + 1 for index in self._found)])
        if not 0 < self.episodes <= MOST_EPISODES:
            raise DataError(f"{folder.name}: meta/ tells of {self.episodes:,} episodes. {_HELP}")

    def _read_info(self) -> None:
        info = self._json(INFO, self._read(INFO))
        version = info.get("codebase_version")
        if version not in VERSIONS:
            raise BrokenError(
                "metadata", f"{INFO} says codebase_version {version!r}; read are {', '.join(VERSIONS)}."
            )
        self._major = int(version[1])
        self._chunk = int(info.get("chunks_size") or 1000)
        self._total = int(info.get("total_episodes") or 0)
        self._features: Mapping[str, Mapping[str, Json]] = {
            str(n): dict(f) for n, f in info["features"].items()
        }
        self._data_path = str(info.get("data_path") or DATA[self._major])
        self._video_path = str(info.get("video_path") or VIDEOS[self._major])
        self.fps = float(info["fps"])
        if not 0 < self.fps < math.inf or self._chunk < 1:
            raise ValueError(f"fps {self.fps}, chunks_size {self._chunk}")

    def _read(self, place: str) -> bytes:
        data = self._folder.read(place, _MOST_BYTES)
        self.hashes[place] = sha256(data)
        return data

    def _json(self, place: str, data: bytes) -> dict[str, Json]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            raise BrokenError("unreadable", f"{place} is no JSON.") from None
        if not isinstance(found, dict):
            raise BrokenError("metadata", f"{place} is no table.")
        return found

    def _lines(self, place: str) -> Iterator[dict[str, Json]]:
        for number, line in enumerate(self._read(place).splitlines(), 1):
            if line.strip():
                yield self._json(f"{place}, line {number}", line)

    def _rows(self) -> Iterator[Mapping[str, Json]]:
        if self._major == 2:
            yield from self._lines("meta/episodes.jsonl")
            return
        for chunk in self._folder.names("meta/episodes", folders=True):
            for name in self._folder.names(f"meta/episodes/{chunk}"):
                if name.endswith(".parquet"):
                    yield from self._parquet(f"meta/episodes/{chunk}/{name}", self._columns())

    def _columns(self) -> list[str]:
        own = ["episode_index", "tasks", "length", "data/chunk_index", "data/file_index"]
        parts = ("chunk_index", "file_index", "from_timestamp")
        return own + [f"videos/{c}/{part}" for c in self.cameras if self.in_video(c) for part in parts]

    def _task_table(self) -> Iterator[tuple[int, str]]:
        if self._major == 2:
            found: Sequence[Mapping[str, Json]] = list(self._lines("meta/tasks.jsonl"))
        else:
            found = self._parquet("meta/tasks.parquet", None)
        for row in found:
            text = row["task"] if "task" in row else row["__index_level_0__"]
            yield int(row["task_index"]), str(text)

    def _parquet(self, place: str, columns: list[str] | None) -> list[Mapping[str, Json]]:
        self._read(place)
        found: list[Mapping[str, Json]] = rows(self._folder.file(place), columns, None, place).to_pylist()
        return found

    @property
    def cameras(self) -> tuple[str, ...]:
        """Features that are pictures and no depth maps."""
        kinds = {
            name: about for name, about in self._features.items() if about.get("dtype") in ("video", "image")
        }
        return tuple(name for name, about in kinds.items() if not _is_depth(about))

    def in_video(self, camera: str) -> bool:
        """Whether a camera's frames lie in mp4 files (else in the parquet files)."""
        return bool(self._features[camera]["dtype"] == "video")

    def row(self, index: int) -> Row:
        """What is said of an episode. Raises BrokenError."""
        if index not in self._found:
            raise BrokenError(
                "metadata", f"meta/episodes says nothing of episode {index}, of {self._total} in {INFO}."
            )
        row = self._found[index]
        try:
            length, tasks = int(row["length"]), tuple(str(task) for task in row.get("tasks") or ())
            return Row(index, length, tasks, *self._places(index, row))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BrokenError("metadata", f"meta/episodes, episode {index}: {error!r:.100}") from None

    def _places(self, index: int, row: Mapping[str, Json]) -> tuple[Any, Any, Any]:
        cameras = [camera for camera in self.cameras if self.in_video(camera)]
        if self._major == 2:
            own = {"episode_chunk": index // self._chunk, "episode_index": index}
            return own, dict.fromkeys(cameras, own), dict.fromkeys(cameras, 0.0)
        data = {part: int(row[f"data/{part}"]) for part in ("chunk_index", "file_index")}
        files = {c: {part: int(row[f"videos/{c}/{part}"]) for part in data} for c in cameras}
        return data, files, {c: float(row[f"videos/{c}/from_timestamp"]) for c in cameras}

    def data_place(self, row: Row) -> str:
        """Where the rows of an episode lie, relative. Raises BrokenError."""
        return _filled(self._data_path, row.data)

    def video_place(self, row: Row, camera: str) -> str:
        """Where the video of an episode lies, relative. Raises BrokenError."""
        return _filled(self._video_path, {**row.videos[camera], "video_key": camera})

    def names(self, feature: str, prefix: str, count: int) -> tuple[str, ...]:
        """Names of a feature's numbers: its own where they are so many."""
        found = (self._features.get(feature) or {}).get("names")
        while isinstance(found, dict | list) and len(found) == 1 != count:  # {"motors": [...]}, [[...]]
            found = next(iter(found.values() if isinstance(found, dict) else found))
        names = tuple(map(str, found)) if isinstance(found, list | dict) else ()
        return names if len(names) == count else arrays.named(prefix, count)

    def task_names(self, row: Row, indices: Floats) -> list[tuple[str, int]]:
        """The tasks of an episode and the frames at which they begin. Raises BrokenError."""
        found: list[tuple[str, int]] = []
        last = None
        for frame, number in enumerate(indices.tolist()):
            if number != last:
                if number not in self._tasks:
                    raise BrokenError(
                        "metadata",
                        f"episode {row.index} has the task {number:g}, which meta/tasks does not name.",
                    )
                found.append((self._tasks[int(number)], frame))
            last = number
        return found


def _is_depth(feature: Mapping[str, Json]) -> bool:
    told = (feature, feature.get("info"), feature.get("video_info"))
    return any(
        about.get(key)
        for about in told
        if isinstance(about, dict)
        for key in ("is_depth_map", "video.is_depth_map")
    )


def _filled(pattern: str, fields: Mapping[str, Any]) -> str:
    """A path pattern with its fields put in; fields are numbers with leading zeros or names, nothing cleverer."""

    def one(match: re.Match[str]) -> str:
        name, width, _ = match.groups()
        if name not in fields:
            raise BrokenError("metadata", f"{INFO}: the path {pattern} asks for {name}.")
        return str(fields[name]).zfill(int(width or 0))

    path = _FIELD.sub(one, pattern)
    if "{" in path or "}" in path:
        raise BrokenError("metadata", f"{INFO}: the path {pattern} is not of a known form.")
    return path
