"""A record as a clip: an expert's episode is acted out again and drawn, pictures of real data are read where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gobench.canonical import dumps, loads
from gobench.clips import ArrayClip
from gobench.errors import DataError
from gobench.types import Array, Clip, Json, Yuv
from gobench_robot import envs
from gobench_robot.envs.world import Floats, World
from gobench_robot.rollout import Plan, roll
from gobench_robot.sources.real import open_source
from gobench_robot.sources.record import EXPERT

if TYPE_CHECKING:
    from gobench_robot.readers import Reader

STATIC = "static"  # of real data: the reader's first camera


class EpisodeClip:
    """An expert's episode, as ``gobench.types.Clip``. Frames are drawn once, when they are first asked for."""

    def __init__(self, record: Mapping[str, Json]) -> None:
        self.plan = Plan.of(record)
        self.size, self.camera, self.fps = record["size"], record["camera"], record["fps"]
        self.length = int(record["frames"])
        self._drawn: dict[int, Array] = {}

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.size)

    @property
    def width(self) -> int:
        """Pixels: two pictures side by side where both cameras are shown."""
        return int(self.size) * (2 if self.camera == "both" else 1)

    @cached_property
    def poses(self) -> Floats:
        """Float64 [T, S]. Raises DataError where the record is not what an episode becomes here."""
        found = roll(envs.own_world(self.plan.scene), self.plan).poses
        if len(found) != self.length:
            raise DataError(
                f"the episode of {'+'.join(self.plan.tasks)}, seed {self.plan.seed}, has {len(found)} frames here and "
                f"{self.length} in its record: another version of the simulator made it (gobench info names it)."
            )
        return found

    def rgb(self, start: int = 0, stop: int | None = None, step: int = 1) -> Array:
        """Frames ``range(start, stop, step)``, uint8 [T', H, W, 3]."""
        wanted = range(*slice(start, stop, step).indices(self.length))
        missing = [t for t in wanted if t not in self._drawn]
        if missing:
            self._draw(missing)
        if not wanted:
            return np.zeros((0, self.height, self.width, 3), np.uint8)
        return np.stack([self._drawn[t] for t in wanted])

    def _draw(self, times: list[int]) -> None:
        poses, world = self.poses, envs.own_world(self.plan.scene)
        world.reset(self.plan.tasks, self.plan.seed, self.plan.appearance)
        for t in times:
            world.show(poses[t])
            self._drawn[t] = picture(world, self.size, self.camera)

    def yuv(self, start: int = 0, stop: int | None = None, step: int = 1) -> Yuv:
        """The same frames as 4:2:0 planes."""
        return ArrayClip(self.rgb(start, stop, step), self.fps).yuv()

    def damage(self) -> npt.NDArray[np.bool_]:
        """The 16x16 blocks that differ from the frame before."""
        return ArrayClip(self.rgb(), self.fps).damage()


def picture(world: World, size: int, camera: str) -> Array:
    """A world as it stands, uint8 [size, size, 3], or twice as wide with both cameras; some worlds draw themselves."""
    if own := getattr(world, "picture", None):
        drawn: Array = own(size, camera)
        return drawn
    painter = envs.own_painter()
    if camera == "both":
        return np.concatenate([painter.paint(world, size, one) for one in ("static", "gripper")], axis=1)
    return painter.paint(world, size, camera)


def draw(record: Mapping[str, Json]) -> Clip:
    """The clip of a shipped record. Raises DataError for one of real data, whose frames lie in its shard alone."""
    if record["source"] != EXPERT:
        raise DataError(
            f"{record.get('key', 'a record')} is an episode of real data ({record['source']}): its frames lie in the "
            "shards and cannot be drawn from the record."
        )
    return EpisodeClip(record)


def film(record: Mapping[str, Json], options: Mapping[str, Json]) -> Clip:
    """The clip of a finished record while its dataset is built; frames of real data come from ``options``' folder."""
    if record["source"] == EXPERT:
        return EpisodeClip(record)
    reader = real_reader(dumps(options["sources"][0]))
    camera = reader.cameras[0] if options["camera"] == STATIC else options["camera"]
    frames = reader.frames(record["origin"], camera)
    return ArrayClip(fitted(frames, record["size"]), record["fps"])


@lru_cache(maxsize=4)
def real_reader(source: bytes) -> Reader:
    """The reader of a source as JSON, opened once a process."""
    return open_source(loads(source, "a source"))


def fitted(frames: Array, size: int) -> Array:
    """Pictures uint8 [T, h, w, 3] as uint8 [T, size, size, 3]: the middle square."""
    from gobench.loader.resize import resized

    _, height, width, _ = frames.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = frames[:, top : top + side, left : left + side]
    return resized(square, size, size)
