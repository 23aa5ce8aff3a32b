"""Episodes of real data: whatever a reader finds, as records; their pictures are read when they are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gobench.types import Episode, Json, Rejection
from gobench_robot.sources.record import labels

if TYPE_CHECKING:
    from gobench_robot.readers import Reader


def open_source(source: Mapping[str, Json]) -> Reader:
    """The reader of a configured source. Raises DataError where its folder is not of its kind."""
    from gobench_robot.readers import open_reader

    own = {key: value for key, value in source.items() if key not in ("kind", "path")}
    return open_reader(source["kind"], source["path"], own)


@dataclass(frozen=True)
class RealData:
    """As ``gobench.types.Source``, over a reader."""

    reader: Reader
    limit: int

    @property
    def units(self) -> int:
        """How many episodes the folder has."""
        return self.reader.units

    @property
    def inputs(self) -> Mapping[str, str]:
        """What was read, by the reader's names."""
        return {f"{self.reader.name}/{name}": digest for name, digest in self.reader.inputs.items()}

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The candidates of one of the folder's episodes."""
        for found in self.reader.unit(index):
            if isinstance(found, Rejection):
                yield found
                continue
            record: dict[str, Json] = {
                **labels(found.actions, found.proprio, found.action_names, found.proprio_names),
                "scene": self.reader.name,
                "source": self.reader.name,
                "origin": found.origin,
                "number": index,
                "tasks": list(found.tasks),
                "instruction": found.instruction,
                "starts": list(found.starts) or [0],
                "appearance": "",
                "noise": 0.0,
                "seed": 0,
                "frames": found.frames,
                "fps": max(1, round(found.fps)),
                "success": True,
                "success_frame": found.frames - 1,
            }
            yield Episode(record)
