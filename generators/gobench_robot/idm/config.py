"""What a network is built from: sizes of the picture and of its layers, names and scales of what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from gobench.canonical import check
from gobench.errors import DataError
from gobench.types import Json, Record

SIZES = (32, 256)  # pixels of the pictures that a network looks at
GROUPS = 4  # of channels that are normalised together
SCALES = ("centre", "spread", "change")


@dataclass(frozen=True, slots=True)
class Config:
    """Of inverse dynamics, and of the eye that the labelled policy shares."""

    scene: str
    camera: str
    size: int  # pixels of a square picture
    action_names: tuple[str, ...]
    proprio_names: tuple[str, ...]
    centre: tuple[float, ...]  # [P] mean of proprioception in training
    spread: tuple[float, ...]  # [P] its standard deviation
    change: tuple[float, ...]  # [P] standard deviation of its change in a frame
    window: tuple[int, ...] = (-2, -1, 0, 1, 2, 3)  # frames that an action is read off, 0 the one before it
    widths: tuple[int, ...] = (16, 32, 32)  # channels of the convolutions, the first two halve the picture
    points: int = 32  # places in the picture that are followed
    code: int = 8  # numbers a frame beside what the robot feels
    hidden: int = 128

    def to_json(self) -> Record:
        """Plain data."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_json(cls, table: Mapping[str, Json], where: str) -> Self:
        """The same back; DataError that names ``where`` for anything else."""
        check(table, SHAPE, where)
        known = {key: table[key] for key in SHAPE}
        for key in SCALES:
            if not all(isinstance(value, int | float) for value in known[key]):
                raise DataError(f"{where}: {key} is {known[key]!r:.60}, not a list of numbers.")
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in known.items()}
        made = cls(**values)
        made.verify(where)
        return made

    def verify(self, where: str) -> None:
        """DataError for sizes that cannot be."""
        each = (self.centre, self.spread, self.change)
        sizes = (*self.widths, self.points, self.code, self.hidden)
        if {len(row) for row in each} != {len(self.proprio_names)} or not self.action_names:
            raise DataError(f"{where}: its names of actions and proprioception do not fit its scales.")
        if min(sizes) < 1 or max(sizes) > 1024 or any(width % GROUPS for width in self.widths):
            raise DataError(f"{where}: its layers cannot be {sizes}.")
        if not SIZES[0] <= self.size <= SIZES[1] or 0 not in self.window:
            raise DataError(
                f"{where}: its pictures of {self.size} pixels, or its window {self.window}, cannot be."
            )


def _shape(field: Any) -> Any:
    kinds = {
        "str": str,
        "int": int,
        "tuple[str, ...]": [str],
        "tuple[int, ...]": [int],
        "tuple[float, ...]": list,
    }
    return kinds[field.type]


SHAPE: Record = {field.name: _shape(field) for field in fields(Config)}
