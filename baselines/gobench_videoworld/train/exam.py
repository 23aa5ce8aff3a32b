"""A look at what a model in training would answer: episodes of the validation split, judged by the domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench import registry
from gobench.errors import UsageError
from gobench.loader import ClipDataset, View
from gobench.seeds import seed64, stream
from gobench.types import Array, Json, Record
from gobench_videoworld.answers import Answers
from gobench_videoworld.options import ALL

UNCHANGED = "no-change"  # a domain's word for an answer that shows what was shown


class Exam:
    """Some prompts of a split, always the same ones, with what came next."""

    def __init__(
        self, folder: Path | str, split: str, history: int, questions: int, seed: int, turns: str = ALL
    ) -> None:
        """Choose the prompts.

        Args:
            turns: whose turns are asked about, as ``data.windows.Windows`` has it.

        Raises:
            DataError, UsageError: the dataset does not have such clips.
        """
        self._clips = ClipDataset(folder, split, View(length=history + 1, hop=1, record=True))
        self._chosen = np.sort(self._drawn(questions, seed, turns))
        self.seeds = np.array([seed64(seed, "exam", int(n)) for n in self._chosen], np.uint64)
        config = self._clips.episodes.data.plan.config  # type: ignore[attr-defined]
        self._domain: Any = registry.domain(config.domain)
        self._options: Json = config.options
        self._times: list[int] = []
        self._records: list[Record] = []

    def _drawn(self, questions: int, seed: int, turns: str) -> npt.NDArray[np.int64]:
        draws, many = stream(seed, "exam"), min(questions, len(self._clips))
        if turns == ALL:
            return draws.choice(len(self._clips), many, replace=False)
        order = draws.permutation(len(self._clips))
        found = list(islice((n for n in order.tolist() if self._first_mover_is_next(n)), many))
        if not found:
            raise UsageError(
                f"no prompt of this split is before a turn of the side that moves first: turns {turns!r}."
            )
        return np.array(found, np.int64)

    def _first_mover_is_next(self, clip: int) -> bool:
        """Whether an even number of plies was made before the clip's last but one frame; no move is looked at."""
        row, start = self._clips.table.locate(clip)
        time = start + self._clips.view.length - 2
        first = self._clips.episodes.sample(row).record().get("first_ply", 0)
        return (int(first) + time) % 2 == 0

    @cached_property
    def frames(self) -> Array:
        """uint8 [Q, h + 1, H, W, 3]: prompts, and what came next."""
        items = [self._clips[int(n)] for n in self._chosen]
        self._times = [int(item["start"]) + self._clips.view.length - 2 for item in items]
        self._records = [item["record"] for item in items]
        return np.stack([np.asarray(item["frames"]) for item in items])

    def answered(self, answers: Answers, rows: slice = slice(None)) -> Array:
        """One frame for each prompt, or for some of them, uint8 [Q, H, W, 3]."""
        return answers.continued(self.frames[rows, :-1], 1, self.seeds[rows])[:, 0]

    def marks(self, given: Array) -> dict[str, float]:
        """Shares of answers: legal, unchanged, the move that was played, exactly the board that came; as far as the
        domain can tell.
        """
        truth, found = self.frames[:, -1], {}
        if hasattr(self._domain, "verdicts"):
            verdicts = [v for row in range(len(given)) for v in self._verdict(row, given)]
            found["legal"] = float(np.mean([v.legal for v in verdicts]))
            found["unchanged"] = float(np.mean([v.kind == UNCHANGED for v in verdicts]))
        if hasattr(self._domain, "states"):
            read = [self._domain.states(self._options, frames) for frames in (given, truth)]
            found["as_played"] = float((read[0] == read[1]).all(axis=1).mean())
        return found

    def _verdict(self, row: int, given: Array) -> Sequence[Any]:
        found: Sequence[Any] = self._domain.verdicts(
            self._records[row], [self._times[row]], given[row : row + 1]
        )
        return found

    def states(self, frames: Array) -> npt.NDArray[np.integer[Any]]:
        """What the domain's reader sees in frames uint8 [N, H, W, 3] of the dataset's size: [N, cells]."""
        found: npt.NDArray[np.integer[Any]] = self._domain.states(self._options, frames)
        return found

    @property
    def reads(self) -> bool:
        """Whether the domain reads states from frames."""
        return hasattr(self._domain, "states")
