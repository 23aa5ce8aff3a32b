"""RLBench demonstrations as its dataset generator saves them: PNG trees and a pickle (the layout of stepjam/RLBench).

    open_drawer/variation0/
        variation_descriptions.pkl             list of instructions
        episodes/episode0/
            low_dim_obs.pkl                    rlbench.demo.Demo of rlbench.backend.observation.Observation
            front_rgb/0.png, wrist_rgb/0.png, left_shoulder_rgb/…, right_shoulder_rgb/…, overhead_rgb/…

``all_variations/`` in place of ``variationN/`` and descriptions in the episode's own folder are read too. RLBench itself is
neither needed nor imported: the pickle's objects become plain attributes (see ``pickles``). Demonstrations hold no actions:
action t is what the arm and the gripper had become at frame t + 1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gobench.errors import DataError
from gobench.types import Array
from gobench_robot.readers.base import FolderReader
from gobench_robot.readers.contract import BrokenError, Floats, Real, Size
from gobench_robot.readers.folder import why
from gobench_robot.readers.options import COMMON, Option
from gobench_robot.readers.pickles import Inert, unpickled
from gobench_robot.readers.pictures import MOST_BYTES, decoded, one_size, png_size, stacked

FPS = 20.0
"""CoppeliaSim's and PyRep's default time step is 50 ms; the files do not say."""
DEMO, DESCRIPTIONS = "low_dim_obs.pkl", "variation_descriptions.pkl"
CLASSES = frozenset({"rlbench.demo.Demo", "rlbench.backend.observation.Observation"})
_POSE = ("x (m)", "y (m)", "z (m)", "qx", "qy", "qz", "qw")
_JOINTS = tuple(f"joint_{i} (rad)" for i in range(1, 8))
_OPEN = "gripper open (0 to 1)"
ACTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "gripper-pose": ("gripper_pose", (*_POSE, _OPEN)),
    "joint-positions": ("joint_positions", (*_JOINTS, _OPEN)),
}
PROPRIO = (*_POSE, *_JOINTS, _OPEN)
_HELP = "Expected are TASK/variationN/episodes/episodeN, as RLBench's dataset_generator saves them (a TASK folder will do)."
_MOST_PICKLE = 256 << 20


class RLBench(FolderReader):
    """See the head of this file."""

    name = "rlbench"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        **COMMON,
        "actions": Option(
            "gripper-pose", "What an action holds, taken from the frame after it.", tuple(ACTIONS)
        ),
        "fps": Option(FPS, "Frames a second of the recordings, which do not say it.", least=0.1),
    }

    def _open(self) -> Sequence[str]:
        try:
            found = [f"{v}/episodes/{e}" for v in self._variations() for e in self._episodes_of(v)]
        except BrokenError as error:
            raise DataError(f"no RLBench data can be read: {error.detail}") from error
        if not found:
            raise DataError(f"no RLBench data in {self.folder.name}. {_HELP}")
        return found

    def _variations(self) -> list[str]:
        own = [name for name in self.folder.names(folders=True) if _is_variation(name)]
        if own:
            return own
        tasks = self.folder.names(folders=True)
        return [f"{t}/{v}" for t in tasks for v in self.folder.names(t, folders=True) if _is_variation(v)]

    def _episodes_of(self, variation: str) -> list[str]:
        place = f"{variation}/episodes"
        names = self.folder.names(place, folders=True) if self.folder.has(place) else []
        return [name for name in names if name.startswith("episode") and name[7:].isdecimal()]

    def _cameras(self) -> tuple[str, ...]:
        return tuple(self.options["cameras"]) or ("front_rgb",)

    def _inputs(self) -> Mapping[str, str]:
        return {"files": self.folder.digest(sorted({o.split("/episodes/")[0] for o in self.origins}))}

    def _length(self, index: int) -> int:
        return max(map(len, (self._pictures(index, camera) for camera in self.cameras)))

    def _episode(self, index: int) -> Real:
        origin = self.origins[index]
        demo = self._demo(f"{origin}/{DEMO}")
        key, names = ACTIONS[self.options["actions"]]
        pose, joints, opened = (
            _column(demo, *one) for one in (("gripper_pose", 7), ("joint_positions", 7), ("gripper_open", 1))
        )
        reached = np.concatenate([{"gripper_pose": pose, "joint_positions": joints}[key], opened], 1)
        task = origin.split("/")[0] if origin.count("/") == 3 else self.folder.name
        texts = self._descriptions(origin)
        return Real(
            origin=origin,
            tasks=(task,),
            starts=(0,),
            instruction=texts[0] if texts else "",
            wordings=texts,
            fps=self.options["fps"],
            frames=len(demo),
            sizes={camera: self._size(index, camera, len(demo)) for camera in self.cameras},
            actions=reached[1:],
            proprio=np.concatenate([pose, joints, opened], 1),
            action_names=names,
            proprio_names=PROPRIO,
        )

    def _demo(self, place: str) -> list[Mapping[str, Any]]:
        """The attributes of each observation."""
        demo = unpickled(self.folder.read(place, _MOST_PICKLE), place, CLASSES)
        steps = demo.attributes.get("_observations") if isinstance(demo, Inert) else demo
        if not isinstance(steps, list) or not all(isinstance(step, Inert) for step in steps):
            raise BrokenError("shape", f"{place} is no demonstration: a list of observations is not in it.")
        return [step.attributes for step in steps]

    def _descriptions(self, origin: str) -> tuple[str, ...]:
        for place in (f"{origin}/{DESCRIPTIONS}", f"{origin.split('/episodes/')[0]}/{DESCRIPTIONS}"):
            if self.folder.has(place):
                found = unpickled(self.folder.read(place, MOST_BYTES), place)
                if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
                    raise BrokenError("metadata", f"{place} is no list of texts.")
                return tuple(str(text) for text in found)
        return ()

    def _size(self, index: int, camera: str, frames: int) -> Size:
        pictures = self._pictures(index, camera)
        if len(pictures) != frames:
            raise BrokenError(
                "length", f"{camera}: {len(pictures)} pictures, where {DEMO} has {frames} observations."
            )
        return one_size((png_size(self._bytes(place), place) for place in pictures), camera)

    def _pictures(self, index: int, camera: str) -> list[str]:
        """The frames 0, 1, … of an episode; none may be missing between them."""
        place = f"{self.origins[index]}/{camera}"
        if not os.path.isdir(self.folder.path(place)):
            raise BrokenError("missing", f"{place} is not there.")
        names = {name for name in self.folder.names(place) if name.endswith(".png")}
        frames = [f"{frame}.png" for frame in range(len(names))]
        if lost := next((name for name in frames if name not in names), ""):
            raise BrokenError("missing", f"{place}/{lost} is not there.")
        return [f"{place}/{name}" for name in frames]

    def _bytes(self, place: str) -> bytes:
        return self.folder.read(place, MOST_BYTES)

    def _pixels(self, index: int, camera: str, wanted: range) -> Array:
        places = self._pictures(index, camera)
        if not wanted or wanted[-1] >= len(places):
            raise BrokenError("length", f"{len(places)} pictures, fewer than asked for.")
        return stacked((decoded(self._bytes(places[frame]), places[frame]) for frame in wanted), camera)


def _is_variation(name: str) -> bool:
    return name == "all_variations" or (name.startswith("variation") and name[9:].isdecimal())


def _column(demo: Sequence[Mapping[str, Any]], key: str, width: int) -> Floats:
    """One attribute of all observations, float64 [T, width]. Raises BrokenError."""
    rows = np.zeros((len(demo), width))
    for frame, step in enumerate(demo):
        try:
            value = np.asarray(step.get(key), np.float64).reshape(-1)
        except (TypeError, ValueError) as error:
            raise BrokenError("shape", f"{DEMO}: {key} of observation {frame}: {why(error)}") from None
        if value.shape != (width,):
            raise BrokenError(
                "shape", f"{DEMO}: {key} of observation {frame} has {value.size} numbers, not {width}."
            )
        rows[frame] = value
    return rows
