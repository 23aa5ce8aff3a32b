"""Videos with their actions beside them: what ``gymnasium.wrappers.RecordVideo`` and a few lines of numpy leave behind.

    NAME.mp4            T frames: one after ``reset``, one after each step
    NAME.actions.npy    [T - 1, A] numbers (or [T - 1]); or ``actions`` in NAME.npz
    NAME.proprio.npy    [T, P] numbers, optional; or ``proprio`` in NAME.npz
    NAME.json           optional: {"instruction": "…", "wordings": ["…"], "task": "…", "fps": 20,
                        "action_names": ["…"], "proprio_names": ["…"]}

Folders below are searched too; the origin is the name without ``.mp4``.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gobench.canonical import sha256
from gobench.errors import DataError
from gobench.types import Array
from gobench_robot.readers import arrays, videos
from gobench_robot.readers.base import FolderReader
from gobench_robot.readers.contract import BrokenError, Floats, Real
from gobench_robot.readers.folder import natural
from gobench_robot.readers.options import COMMON, Option
from gobench_robot.readers.pickles import array_file

CAMERA = "video"
SIDECARS = (".actions.npy", ".proprio.npy", ".npz", ".json")
_MOST_BYTES = 256 << 20
_HELP = (
    "Expected are NAME.mp4 and beside it NAME.actions.npy, [frames - 1, numbers]; see docs/robot-readers.md."
)


class Recorded(FolderReader):
    """See the head of this file."""

    name = "recorded"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        **COMMON,
        "actions": Option("required", "Whether videos without actions are taken.", ("required", "optional")),
    }

    def _open(self) -> Sequence[str]:
        root, found = self.folder.root, []
        for place, below, names in os.walk(root):
            below.sort()
            found += [os.path.relpath(os.path.join(place, n), root)[:-4] for n in names if n.endswith(".mp4")]
        if not found:
            raise DataError(f"no recorded videos in {self.folder.name}. {_HELP}")
        return sorted(found, key=natural)

    def _cameras(self) -> tuple[str, ...]:
        return tuple(self.options["cameras"]) or (CAMERA,)

    def _inputs(self) -> Mapping[str, str]:
        told = hashlib.sha256()
        for place in (origin + suffix for origin in self.origins for suffix in SIDECARS):
            if self.folder.has(place):
                told.update(f"{place}\0{self._told(place)}\n".encode())
        return {"sidecars": told.hexdigest(), "files": self.folder.digest([""])}

    def _told(self, place: str) -> str:
        try:
            return sha256(self.folder.read(place, _MOST_BYTES))
        except BrokenError as error:
            return error.reason

    def _length(self, index: int) -> int:
        return len(self._track(index).shown)

    def _track(self, index: int) -> videos.Track:
        place = f"{self.origins[index]}.mp4"
        return videos.track(self.folder.file(place), place)

    def _episode(self, index: int) -> Real:
        origin, track = self.origins[index], self._track(index)
        if self.cameras != (CAMERA,):
            raise BrokenError(
                "missing", f"a recorded video has the one camera {CAMERA!r}, not {', '.join(self.cameras)}."
            )
        about, frames = self._about(f"{origin}.json"), len(track.shown)
        actions = self._numbers(origin, "actions", frames - 1)
        proprio = self._numbers(origin, "proprio", frames)
        fps = about.get("fps", track.rate)
        if not 0 < fps < math.inf:
            raise BrokenError(
                "metadata", f"{origin}: the video does not tell its rate; give fps in {origin}.json."
            )
        return Real(
            origin=origin,
            tasks=tuple(filter(None, [about.get("task", "")])),
            starts=(0,) if about.get("task") else (),
            instruction=about.get("instruction", ""),
            wordings=tuple(about.get("wordings", ())),
            fps=float(fps),
            frames=frames,
            sizes={CAMERA: track.size},
            actions=actions,
            proprio=proprio,
            action_names=_names(about, "action", actions.shape[1]),
            proprio_names=_names(about, "proprio", proprio.shape[1]),
        )

    def _about(self, place: str) -> Mapping[str, Any]:
        if not self.folder.has(place):
            return {}
        try:
            found = json.loads(self.folder.read(place, _MOST_BYTES))
        except (ValueError, RecursionError):
            raise BrokenError("unreadable", f"{place} is no JSON.") from None
        if not isinstance(found, dict):
            raise BrokenError("metadata", f"{place} is no table.")
        for key, fits in _KEYS.items():
            if key in found and not fits(found[key]):
                raise BrokenError("metadata", f"{place}: {key} is {found[key]!r:.100}.")
        return found

    def _numbers(self, origin: str, key: str, rows: int) -> Floats:
        for place, read in ((f"{origin}.{key}.npy", self._npy), (f"{origin}.npz", self._npz)):
            if self.folder.has(place):
                found = read(place, key)
                if found is not None:
                    return arrays.numbers(found, f"{key} in {place}")
        if key == "actions" and self.options["actions"] == "required":
            raise BrokenError(
                "missing",
                f'{origin}.actions.npy is not there (the option actions = "optional" does without).',
            )
        return np.zeros((rows, 0))

    def _npy(self, place: str, key: str) -> Any:
        return array_file(self.folder.read(place, _MOST_BYTES), place)

    def _npz(self, place: str, key: str) -> Any:
        with arrays.opened(self.folder.file(place), place) as file:
            return file.array(key) if file.has(key) else None

    def _pixels(self, index: int, camera: str, wanted: range) -> Array:
        place = f"{self.origins[index]}.mp4"
        return videos.decoded(self.folder.file(place), list(wanted), place)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6


_KEYS = {
    "instruction": _text,
    "task": _text,
    "wordings": _texts,
    "fps": _rate,
    "action_names": _texts,
    "proprio_names": _texts,
}
"""What NAME.json may say; other keys are left alone."""


def _names(about: Mapping[str, Any], kind: str, count: int) -> tuple[str, ...]:
    return tuple(about.get(f"{kind}_names", ())) or arrays.named(kind, count)
