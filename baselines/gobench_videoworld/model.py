"""VideoWorld as the benchmark meets it: clips in, clips out. Torch is imported when a model is made, not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gobench import registry
from gobench.errors import DataError, UsageError
from gobench.tasks import MOST_FRAMES
from gobench.types import Array, Json, Record
from gobench_videoworld.config import VideoWorldConfig, from_json
from gobench_videoworld.configure import with_settings

if TYPE_CHECKING:
    from torch import Tensor

    from gobench_videoworld.answers import Answers

HOW = (
    "videoworld is a trained model: name its file, as in `gobench evaluate model.pt`, or with other settings of its sampler "
    "videoworld:model.pt?temperature=0.5. `gobench train videoworld` makes one."
)


class VideoWorld:
    """A trained VideoWorld: model.pt itself, or videoworld:model.pt?temperature=0.5 with other settings of the sampler.

    Its answer to a prompt depends on prompt and seed alone, not on what else is asked with it.
    """

    context_keys = ()
    config: VideoWorldConfig
    provenance: Record
    parameters: int

    def __init__(self, argument: str = "", device: str = "cpu", dtype: str = "float32") -> None:
        """Open ``FILE`` or ``FILE?KEY=VALUE&KEY=VALUE`` with keys of the table ``sampler``.

        Raises:
            UsageError: no file, another model's file, or no such setting.
            DataError: a file that is broken.
        """
        from gobench.models.files import read
        from gobench.models.weights import weights_hash

        place, mark, settings = argument.partition("?")
        if not place:
            raise UsageError(HOW)
        head, tensors = read(Path(place))
        if head["model"] != "videoworld":
            raise UsageError(
                f"{place} is for the model {head['model']!r}: name it without videoworld: before it."
            )
        given = [f"sampler.{setting}" for setting in settings.split("&") if setting]
        config = with_settings(from_json(head["config"]), given)
        self._become(config, tensors, device, dtype)
        self.provenance = dict(head["provenance"])
        self.name = f"{self.provenance.get('name') or Path(place).stem}{mark}{settings}"
        self.weights_sha256 = weights_hash({"model": head["model"], "config": config.to_json()}, tensors)

    @classmethod
    def from_checkpoint(
        cls,
        config: Mapping[str, Json],
        tensors: Mapping[str, Tensor],
        device: str = "cpu",
        dtype: str = "float32",
    ) -> Self:
        """A model of ``VideoWorldConfig.to_json()`` and named tensors. Raises DataError where they do not fit."""
        made = cls.__new__(cls)
        made._become(from_json(config), tensors, device, dtype)
        return made

    def _become(
        self, config: VideoWorldConfig, tensors: Mapping[str, Tensor], device: str, dtype: str
    ) -> None:
        from gobench_videoworld.answers import answers

        self.config = config
        self.answers: Answers = answers(config, tensors, device, dtype)
        self.parameters = sum(self.answers.networks.parameters().values())
        self.provenance = {}

    @property
    def kind(self) -> str:
        """ "video", or "state" where prompts are read and answers drawn by the domain."""
        return "state" if self.config.input == "state" else "video"

    @property
    def video_only(self) -> bool:
        """Whether it sees and says nothing but frames."""
        return self.kind == "video"

    @property
    def domain(self) -> str:
        """The domain that it was trained in."""
        return self.config.domain

    @property
    def frame_size(self) -> tuple[int, int]:
        """(height, width) in pixels of the frames that it watched: prompts and answers have them too."""
        return self.config.frame_size

    @property
    def max_frames(self) -> int:
        """How many frames of a prompt it looks at."""
        return min(self.config.transformer.history, MOST_FRAMES)

    def begin(self, public: Mapping[str, Json]) -> None:
        """Take in a task's public settings. Raises UsageError for another domain, board or theme than it watched."""
        for what, own, asked in self._differences(public):
            raise UsageError(
                f"this model watched the {what} {own} and cannot answer the {what} {asked} of {public.get('task', 'the task')}: "
                "choose a suite that fits, or train a model on a dataset that does."
            )

    def _differences(self, public: Mapping[str, Json]) -> list[tuple[str, str, str]]:
        """(what, the model's, the task's) for each thing in which a task is not of the model's world."""
        own = self.config
        suites, _ = registry.suites() if "suite" in public else ({}, [])
        domain = suites.get(str(public.get("suite")), own.domain)
        found = [("domain", own.domain, domain)]
        if domain == own.domain:
            board = (public.get("rows", own.board[0]), public.get("cols", own.board[1]))
            found.append(("board", "{}x{}".format(*own.board), "{}x{}".format(*board)))
            found.append(("theme", own.theme, str(public.get("theme", own.theme))))
        return [row for row in found if row[1] != row[2]]

    def generate(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> Array:
        """Continue B clips; see ``gobench.types.VideoModel``.

        Args:
            frames: uint8 [B, T, H, W, 3]; of more frames than ``max_frames`` the last ones count, of fewer the first one
                is repeated.
            n: frames to add.
            seeds: uint64 [B].
            context: not looked at.

        Returns:
            uint8 [B, n, H, W, 3].

        Raises:
            DataError: frames of another size than ``frame_size``.
        """
        if frames.ndim != 5 or frames.shape[2:4] != self.frame_size or not frames.shape[1]:
            raise DataError(
                f"this model takes clips uint8 [B, T, {self.frame_size[0]}, {self.frame_size[1]}, 3], not {list(frames.shape)}."
            )
        return self.answers.continued(prompt(frames, self.config.transformer.history), n, seeds)


def prompt(frames: Any, history: int) -> Any:
    """Clips [B, T, ...] as [B, history, ...]: the last frames, and before them the first one as often as it takes."""
    last = frames[:, -history:]
    if missing := history - last.shape[1]:
        last = np.concatenate([np.repeat(last[:, :1], missing, axis=1), last], axis=1)
    return np.ascontiguousarray(last)
