"""CALVIN as its authors ship it: one ``.npz`` file a timestep (Mees et al., RA-L 2022; the layout of mees/calvin).

    training/, validation/
        episode_0358482.npz      rgb_static [200, 200, 3], rgb_gripper [84, 84, 3], actions [7], rel_actions [7],
                                 robot_obs [15], scene_obs [24]
        ep_start_end_ids.npy     [n, 2] first and last timestep of each recorded stretch, both included
        lang_annotations/auto_lang_ann.npy
                                 {"language": {"ann": texts, "task": names, "emb": ...}, "info": {"indx": [(first, end)]}}

A segment is ``first <= timestep < end``: CALVIN's annotator labelled 64 timesteps and wrote ``first + 64`` as their end.
Nothing is unpickled freely; embeddings are not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gobench.canonical import sha256
from gobench.errors import DataError
from gobench.types import Array
from gobench_robot.readers import arrays
from gobench_robot.readers.base import FolderReader
from gobench_robot.readers.contract import BrokenError, Real, Size
from gobench_robot.readers.options import COMMON, Option
from gobench_robot.readers.pickles import array_file
from gobench_robot.readers.pictures import one_size, stacked

FPS = 30.0
SPLITS = ("training", "validation")
IDS = "ep_start_end_ids.npy"
ANNOTATIONS = ("lang_annotations/auto_lang_ann.npy", "auto_lang_ann.npy")
_POSE = ("x", "y", "z", "euler_x", "euler_y", "euler_z")
ACTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "relative": (
        "rel_actions",
        (
            *(f"d{n} (m * 50)" for n in _POSE[:3]),
            *(f"d{n} (rad * 20)" for n in _POSE[3:]),
            "gripper (-1 close, 1 open)",
        ),
    ),
    "absolute": (
        "actions",
        (*(f"{n} (m)" for n in _POSE[:3]), *(f"{n} (rad)" for n in _POSE[3:]), "gripper (-1 close, 1 open)"),
    ),
}
PROPRIO = (
    *(f"{n} (m)" for n in _POSE[:3]),
    *(f"{n} (rad)" for n in _POSE[3:]),
    "gripper width (m)",
    *(f"joint_{i} (rad)" for i in range(1, 8)),
    "gripper action (-1 close, 1 open)",
)
_HELP = (
    "Download it with mees/calvin's dataset/download_data.sh (`sh download_data.sh debug` is 1.3 GB), unpack it, and give "
    "the folder that holds training/ and validation/."
)
_MOST_METADATA = 2 << 30
Segment = tuple[int, int, str, str]  # first timestep, end (not included), task, instruction


class Calvin(FolderReader):
    """See the head of this file."""

    name = "calvin"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        **COMMON,
        "segments": Option(
            "language", 'Episodes are annotated segments, or "all" that was recorded.', ("language", "all")
        ),
        "split": Option("all", "Which of CALVIN's folders are read.", ("all", *SPLITS)),
        "actions": Option("relative", "Which of the recorded actions are taken.", tuple(ACTIONS)),
    }

    def _open(self) -> Sequence[str]:
        self._wordings: dict[str, tuple[str, ...]] = {}
        self._segments: list[tuple[str, Segment]] = []
        self._hashes: dict[str, str] = {}
        origins = []
        for split in self._splits():
            annotated = self.options["segments"] == "language"
            kind = "segment" if annotated else "recording"
            for number, segment in enumerate((self._annotated if annotated else self._recorded)(split)):
                self._segments.append((split, segment))
                origins.append(f"{_under(split, kind)}-{number:05d}")
        return origins

    def _splits(self) -> list[str]:
        asked = SPLITS if self.options["split"] == "all" else (self.options["split"],)
        if found := [split for split in asked if self.folder.has(split)]:
            return found
        if self.options["split"] == "all" and self.folder.has(IDS):
            return [""]  # a split's own folder
        raise DataError(f"no CALVIN data in {self.folder.name}: {' or '.join(asked)} is not there. {_HELP}")

    def _recorded(self, split: str) -> list[Segment]:
        pairs = _pairs(self._array(_under(split, IDS)), _under(split, IDS))
        return [(first, last + 1, "", "") for first, last in pairs]

    def _annotated(self, split: str) -> list[Segment]:
        places = [_under(split, place) for place in ANNOTATIONS]
        found = [place for place in places if self.folder.has(place)]
        if not found:
            raise DataError(
                f'{places[0]} is not there. With the option segments = "all" recordings are read without annotations.'
            )
        data = self._array(found[0])
        try:
            pairs = _pairs(data["info"]["indx"], found[0])
            tasks, texts = ([str(text) for text in data["language"][key]] for key in ("task", "ann"))
            segments = [(*pair, task, text) for pair, task, text in zip(pairs, tasks, texts, strict=True)]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise DataError(
                f"{found[0]} does not hold info.indx, language.task and language.ann of one length."
            ) from None
        for _, _, task, text in segments:
            known = self._wordings.get(task, ())
            self._wordings[task] = known if text in known else (*known, text)
        return segments

    def _array(self, place: str) -> Any:
        """A metadata file; a broken one says nothing about any episode, so it ends the reading."""
        try:
            data = self.folder.read(place, _MOST_METADATA)
            self._hashes[place] = sha256(data)
            return array_file(data, place)
        except BrokenError as error:
            raise DataError(f"{error.detail} {_HELP}") from error

    def _cameras(self) -> tuple[str, ...]:
        return tuple(self.options["cameras"]) or ("rgb_static",)

    def _inputs(self) -> Mapping[str, str]:
        return {**self._hashes, "files": self.folder.digest(sorted({split for split, _ in self._segments}))}

    def _length(self, index: int) -> int:
        _, (first, end, _, _) = self._segments[index]
        return end - first

    def _episode(self, index: int) -> Real:
        _, (_, _, task, text) = self._segments[index]
        steps = range(self._length(index))
        if len(steps) < 2:
            raise BrokenError("too-short", f"{len(steps)} timesteps; an episode has two or more.")
        files = [self._file(index, step) for step in steps]
        key, names = ACTIONS[self.options["actions"]]
        actions, states, sizes = (
            np.zeros((len(steps), 7)),
            np.zeros((len(steps), len(PROPRIO))),
            list[list[Size]](),
        )
        for step, (path, what) in enumerate(files):
            with arrays.opened(path, what) as file:
                actions[step] = file.vector(key, 7)
                states[step] = file.vector("robot_obs", len(PROPRIO))
                sizes.append([file.picture_size(camera) for camera in self.cameras])
        return Real(
            origin=self.origins[index],
            tasks=(task,) if task else (),
            starts=(0,) if task else (),
            instruction=text,
            wordings=self._wordings.get(task, ()),
            fps=FPS,
            frames=len(steps),
            sizes={c: one_size((s[i] for s in sizes), c) for i, c in enumerate(self.cameras)},
            actions=actions[:-1],
            proprio=states,
            action_names=names,
            proprio_names=PROPRIO,
        )

    def _pixels(self, index: int, camera: str, wanted: range) -> Array:
        return stacked((self._picture(index, step, camera) for step in wanted), camera)

    def _picture(self, index: int, step: int, camera: str) -> Array:
        if step >= self._length(index):
            raise BrokenError("length", f"there is no frame {step}.")
        path, what = self._file(index, step)
        with arrays.opened(path, what) as file:
            file.picture_size(camera)
            return np.asarray(file.array(camera), np.uint8)

    def _file(self, index: int, step: int) -> tuple[str, str]:
        split, (first, _, _, _) = self._segments[index]
        what = _under(split, f"episode_{first + step:07d}.npz")
        return self.folder.file(what), what

    def _auto_merges(self, whole: Real) -> Sequence[str]:
        """Relative moves add up; the gripper, and what is absolute, is what it was last."""
        moves = "sum" if self.options["actions"] == "relative" else "last"
        return [*[moves] * 6, "last"]


def _under(split: str, name: str) -> str:
    return f"{split}/{name}" if split else name


def _pairs(values: Any, what: str) -> list[tuple[int, int]]:
    try:
        found = np.asarray(values)
        if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "iu" or (found < 0).any():
            raise ValueError
    except (ValueError, TypeError):
        raise DataError(f"{what} does not hold pairs of timesteps, [n, 2] whole numbers.") from None
    return [(int(first), int(second)) for first, second in found]
