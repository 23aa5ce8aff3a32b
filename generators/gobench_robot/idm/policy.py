"""The labelled policy: acts as the experts did in labelled episodes. A ceiling, since no video model is told actions.

A video model that reads actions off what it imagines is to be compared with what the same labels teach by themselves.
Torch is imported when a model is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gobench.canonical import check
from gobench.errors import DataError, UsageError
from gobench.types import Array, Json, Record
from gobench_robot.idm.config import Config

if TYPE_CHECKING:
    from torch import Tensor

NAME = "robot-policy"
HOW = (
    f"{NAME} is a trained model: name its file, as in `gobench evaluate policy.pt`. "
    "`gobench train policy --data DIR --out policy.pt` makes one."
)
SHAPE: Record = {"eye": dict, "tasks": [str], "wordings": dict, "chunk": int}
MOST_CHUNK = 64
Context = Sequence[Mapping[str, Json]] | None


class RobotPolicy:
    """Behaviour cloning: the last two frames and the instruction give the next ``chunk`` actions."""

    kind = "ceiling"
    video_only = False
    domain = "robot"
    max_frames = 2
    context_keys = ("instruction",)
    parameters: int
    provenance: Record

    def __init__(self, argument: str = "") -> None:
        """Open a file. Raises UsageError without one or for another model's, DataError for one that is broken."""
        from gobench.models.files import read
        from gobench.models.weights import weights_hash

        if not argument:
            raise UsageError(HOW)
        head, tensors = read(Path(argument))
        if head["model"] != NAME:
            raise UsageError(
                f"{argument} is for the model {head['model']!r}: name it without {NAME}: before it."
            )
        self._become(head["config"], tensors)
        self.provenance = dict(head["provenance"])
        self.weights_sha256 = weights_hash({"model": NAME, "config": head["config"]}, tensors)

    @classmethod
    def from_checkpoint(
        cls,
        config: Mapping[str, Json],
        tensors: Mapping[str, Tensor],
        device: str = "cpu",
        dtype: str = "float32",
    ) -> Self:
        """A model of plain data and named tensors; always on the CPU in float32. Raises DataError where they do not fit."""
        made = cls.__new__(cls)
        made._become(config, tensors)
        return made

    def _become(self, config: Mapping[str, Json], tensors: Mapping[str, Tensor]) -> None:
        from gobench_robot.idm.networks import Chooser

        check(config, SHAPE, "the model's config")
        self.config = Config.from_json(config["eye"], "the model's config: eye")
        self.tasks: list[str] = list(config["tasks"])
        self.wordings: dict[str, Json] = dict(config["wordings"])
        if not 1 <= config["chunk"] <= MOST_CHUNK or not set(map(str, self.wordings.values())) <= set(
            self.tasks
        ):
            raise DataError("the model's config: its chunk or the tasks of its wordings cannot be.")
        self.network: Any = Chooser(self.config, len(self.tasks), config["chunk"])
        try:
            self.network.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise DataError(f"the model's tensors do not fit its config: {str(error)[:200]}.") from error
        self.network.eval()
        self.parameters = sum(p.numel() for p in self.network.parameters())
        self.provenance = {}

    @property
    def frame_size(self) -> tuple[int, int]:
        """Pixels of the frames it learnt from."""
        return self.config.size, self.config.size

    def begin(self, public: Mapping[str, Json]) -> None:
        """Take in a task's public settings. Raises UsageError for another scene or camera than it learnt in."""
        for key, own in (("scene", self.config.scene), ("camera", self.config.camera)):
            if public.get(key, own) != own:
                raise UsageError(f"this policy learnt with the {key} {own} and is asked about {public[key]}.")

    def generate(
        self, frames: Array, n: int, seeds: npt.NDArray[np.uint64], context: Context = None
    ) -> Array:
        """A still video: whoever acts does not draw."""
        return np.repeat(frames[:, -1:], n, axis=1)

    def generate_actions(
        self, frames: Array, n: int, seeds: npt.NDArray[np.uint64], context: Context = None
    ) -> npt.NDArray[np.float32]:
        """uint8 [B, T, H, W, 3] and each sample's "instruction" -> float32 [B, n, A] in [-1, 1].

        Beyond ``chunk`` the last action is repeated. Samples are answered one by one, so that none changes another's answer.

        Raises:
            DataError: frames of another size than ``frame_size``.
            UsageError: no instruction, or one that it never learnt.
        """
        if frames.ndim != 5 or frames.shape[2:4] != self.frame_size or not frames.shape[1]:
            raise DataError(
                f"this policy takes clips uint8 [B, T, {self.config.size}, {self.config.size}, 3], not {list(frames.shape)}."
            )
        rows = context or [{}] * len(frames)
        return np.stack([self._answer(clip, n, row) for clip, row in zip(frames, rows, strict=True)])

    def _answer(self, clip: Array, n: int, row: Mapping[str, Json]) -> npt.NDArray[np.float32]:
        import torch

        from gobench_robot.idm.networks import to_input
        from gobench_robot.idm.training import one_thread

        wanted = torch.zeros(1, len(self.tasks))
        wanted[0, self.task(row)] = 1
        seen = torch.tensor(np.stack([clip[max(0, len(clip) - 2)], clip[-1]]))
        with one_thread(), torch.inference_mode():
            told, _ = self.network(to_input(seen)[None], wanted)
        found: npt.NDArray[np.float32] = told[0].clamp(-1, 1).numpy()
        return found[np.minimum(np.arange(n), len(found) - 1)]

    def task(self, row: Mapping[str, Json]) -> int:
        """The number of the task that an instruction means."""
        said = str(row.get("instruction", ""))
        if said not in self.wordings:
            raise UsageError(
                f"this policy does not know the instruction {said[:80]!r}; it learnt {', '.join(self.tasks)}."
            )
        return self.tasks.index(str(self.wordings[said]))
