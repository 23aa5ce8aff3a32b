"""LeRobot datasets v2.0, v2.1 and v3.0: parquet, mp4 and ``meta/`` (the layouts of huggingface/lerobot).

    v2  data/chunk-000/episode_000000.parquet       an episode a file
        videos/chunk-000/CAMERA/episode_000000.mp4
    v3  data/chunk-000/file-000.parquet             episodes one after the other
        videos/CAMERA/chunk-000/file-000.mp4        likewise, from_timestamp to to_timestamp

Row t holds the state at frame t and the action taken there, so that the last row's action has no frame after it and is left
out. Cameras are the features of type ``video``, or ``image`` (pictures in the parquet files); depth maps are no cameras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gobench.errors import DataError, unknown
from gobench.types import Array, Json
from gobench_robot.readers import pictures, videos
from gobench_robot.readers.base import FolderReader
from gobench_robot.readers.contract import BrokenError, Floats, Real, Size
from gobench_robot.readers.lerobot_meta import INFO, Meta, Row
from gobench_robot.readers.options import COMMON, Option
from gobench_robot.readers.parquet import column, rows

NOTHING = ""  # the option state = "" reads no states


class LeRobot(FolderReader):
    """See the head of this file."""

    name = "lerobot"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        **COMMON,
        "action": Option("action", "The feature that holds the actions."),
        "state": Option("observation.state", 'The feature that holds the states; "" for none.'),
    }

    def _open(self) -> Sequence[str]:
        self._meta = Meta(self.folder)
        return [f"episode_{index:06d}" for index in range(self._meta.episodes)]

    def _cameras(self) -> tuple[str, ...]:
        known = self._meta.cameras
        if not known:
            raise DataError(
                f"{self.folder.name} has no cameras: no feature of {INFO} is of type video or image."
            )
        if strange := [name for name in self.options["cameras"] if name not in known]:
            raise unknown("camera", strange[0], known)
        return tuple(self.options["cameras"]) or known[:1]

    def _inputs(self) -> Mapping[str, str]:
        below = [name for name in ("data", "videos", "images") if self.folder.has(name)]
        return {**self._meta.hashes, "files": self.folder.digest(below)}

    def _length(self, index: int) -> int:
        return self._meta.row(index).length

    def _episode(self, index: int) -> Real:
        row = self._meta.row(index)
        table = self._table(row, [n for n in (self.options["action"], self.options["state"]) if n])
        names = self._meta.task_names(row, column(table, "task_index", "data")[:, 0])
        tasks, starts = zip(*names, strict=True) if names else ((), ())
        actions = self._feature(table, self.options["action"])
        state = self.options["state"]
        proprio = self._feature(table, state) if state != NOTHING else np.zeros((row.length, 0))
        return Real(
            origin=self.origins[index],
            tasks=tasks,
            starts=starts,
            instruction="; ".join(dict.fromkeys(tasks or row.tasks)),
            wordings=(),
            fps=self._meta.fps,
            frames=row.length,
            sizes={camera: self._size(row, camera, table) for camera in self.cameras},
            actions=actions[:-1],
            proprio=proprio,
            action_names=self._meta.names(self.options["action"], "action", actions.shape[1]),
            proprio_names=self._meta.names(state, "state", proprio.shape[1]),
        )

    def _table(self, row: Row, features: Sequence[str]) -> Any:
        """The rows of an episode in the order of its frames. Raises BrokenError."""
        place = self._meta.data_place(row)
        wanted = ["episode_index", "frame_index", "timestamp", "task_index", *features]
        table = rows(self.folder.file(place), wanted, row.index, place)
        if table.num_rows != row.length:
            raise BrokenError(
                "length", f"{place} has {table.num_rows} rows of episode {row.index}, not {row.length}."
            )
        if not np.array_equal(column(table, "frame_index", place)[:, 0], np.arange(row.length)):
            raise BrokenError(
                "length", f"{place}: the frames of episode {row.index} are not 0, 1, … {row.length - 1}."
            )
        return table

    def _feature(self, table: Any, name: str) -> Floats:
        return column(table, name, f"feature {name}")

    def _size(self, row: Row, camera: str, table: Any) -> Size:
        if self._meta.in_video(camera):
            place = self._meta.video_place(row, camera)
            track = videos.track(self.folder.file(place), place)
            self._shown(row, camera, track, column(table, "timestamp", place)[:, 0])
            return track.size
        found = self._pictures(row, camera)
        return pictures.one_size(
            (pictures.picture_size(data, f"{camera}, {i}") for i, data in enumerate(found)), camera
        )

    def _shown(self, row: Row, camera: str, track: videos.Track, times: Floats) -> list[int]:
        """Which frames of the file are the episode's. Raises BrokenError where they are not one by one where they should be."""
        wanted = row.begins[camera] + times
        found = track.nearest(wanted)
        far = ~(np.abs(track.shown[found] * track.tick - wanted) <= 0.5 / self._meta.fps)  # NaN is far
        if far.any() or (np.diff(found) <= 0).any():
            wrong = int(np.argmax(far)) if far.any() else int(np.argmax(np.diff(found) <= 0)) + 1
            raise BrokenError(
                "length",
                f"{camera}: the video has no frame of its own at {wanted[wrong]:.3f} s (frame {wrong}).",
            )
        return [int(number) for number in found]

    def _pixels(self, index: int, camera: str, wanted: range) -> Array:
        row = self._meta.row(index)
        if not wanted or wanted[-1] >= row.length:
            raise BrokenError("length", f"{row.length} frames, fewer than asked for.")
        if not self._meta.in_video(camera):
            found = self._pictures(row, camera)
            return pictures.stacked((pictures.decoded(found[i], f"{camera}, {i}") for i in wanted), camera)
        place = self._meta.video_place(row, camera)
        path = self.folder.file(place)
        times = column(self._table(row, []), "timestamp", place)[:, 0]
        shown = self._shown(row, camera, videos.track(path, place), times)
        return videos.decoded(path, [shown[i] for i in wanted], place)

    def _pictures(self, row: Row, camera: str) -> list[bytes]:
        """The pictures of an episode that lie in the parquet file, as they are encoded. Raises BrokenError."""
        cells: list[Json] = self._table(row, [camera]).column(camera).to_pylist()
        found = [cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells]
        if lost := [frame for frame, data in enumerate(found) if not isinstance(data, bytes)]:
            raise BrokenError("missing", f"{camera}: frame {lost[0]} is not in the parquet file.")
        return [data for data in found if data is not None]
