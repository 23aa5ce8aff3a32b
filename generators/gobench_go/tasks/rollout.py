"""Going on alone: from a position continue the game on one's own frames, both sides, for up to so many plies.

An unchanged frame is a pass, two passes end the game, and the first frame that shows no legal move ends the sample. A
rollout without a stone counts nothing.
Evidence: {"plies": [answer, ...], "stopped": why}, answers as in ``next_move``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.tasks import Ask, Exhibit, Metric, Table, View
from gobench.types import Array, Record
from gobench_go.tasks import reading, slices
from gobench_go.tasks.base import JudgedTask, ask
from gobench_go.tasks.line import STOPS, Line, follow

Floats = npt.NDArray[np.float64]

METRICS: Mapping[str, Metric] = {
    "plies_legal": Metric(
        "plies, passes among them, before the first frame that shows no legal move, up to the last ply asked (the cap); a "
        "game that two passes end counts as the cap, for no illegal move was there to come; a rollout in which no stone "
        "was drawn counts 0",
        unit="plies",
    ),
    "legal_rollout": Metric(
        "proportion of rollouts without an illegal or unreadable frame up to the last ply asked or two passes, in which "
        "a stone was drawn: a picture that stands still proves nothing and counts 0"
    ),
    "board_consistency": Metric(
        "share of a rollout's frames whose board, as read, is that of the rules after the moves so far; a frame that "
        "shows no legal move is none of them"
    ),
    "captures_drawn": Metric(
        "share of a rollout's captures whose stones, all of them, are gone in the same frame; over rollouts with captures"
    ),
    "ended": Metric(
        "proportion of rollouts in which the model passed twice in a row, so that the game ended"
    ),
}


@dataclass(eq=False)
class Rollout(JudgedTask):
    """As ``gobench.tasks.Task``."""

    headline: str = "plies_legal"
    chained: bool = True
    metrics: Mapping[str, Metric] = field(init=False)
    kinds: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.metrics, self.kinds = METRICS, STOPS

    @property
    def plies(self) -> int:
        """How many plies a rollout has at most."""
        return int(self.settings["plies"])

    def line(self, sample: str) -> Line:
        """The game of a sample, nothing continued yet."""
        game, ply = self.position(sample)
        return Line(self.judged.rules, game, ply, self.plies)

    def trial(self, sample: str, view: View) -> RolloutTrial:
        """Start a sample. Raises DataError for an unknown one, UsageError for a view that cannot be drawn."""
        return RolloutTrial(self, sample, view)

    def truth(self, sample: str, view: View) -> Array:
        """The game as it went on, up to the last ply asked: uint8 [n, H, W, 3]."""
        from gobench_go.video.render import frames

        game, ply = self.position(sample)
        return frames(self.look(view), game.boards[ply + 1 : ply + 1 + self.plies])

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        """The sample drawn for a report."""
        from gobench_go import exhibits

        return exhibits.rollout(self, sample, row, frames)

    def reread(self, sample: str, row: Record, frames: Mapping[str, Array]) -> Record:
        """The row as it would be if the kept frames ("ply00", ...) were read now, up to where it stops.

        Raises:
            DataError: a row that this task cannot have written.
        """
        self.table([row])
        line, plies = self.line(sample), list[Record]()
        for number, answer in enumerate(row["plies"]):
            if line.stopped:
                break
            frame = frames.get(f"ply{number:02d}")
            if frame is not None:
                look = self.look(View(frame.shape[0], frame.shape[1], 1))
                answer = {**answer, **reading.read(look, frame).record()}
            line.step(answer, sample)
            plies.append(answer)
        return {**row, "plies": plies, "stopped": line.stopped}

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        """Evidence as columns; see ``gobench.tasks.Task``."""
        found, places = self.sorted_rows(rows)
        ids = [self.ids[place] for place in places.tolist()]
        lines = [self._followed(row, name) for row, name in zip(found, ids, strict=True)]
        parts = {name: mask[places] for name, mask in self.slices.items()}
        parts |= slices.by_training(ids, novel)
        kinds = [line.stopped for line in lines]
        clean = np.array([line.clean for line in lines], np.bool_)
        return Table(ids, self.clusters[places], _columns(lines), kinds, clean, parts)

    @cached_property
    def slices(self) -> Mapping[str, npt.NDArray[np.bool_]]:
        """Parts of all samples by where they start: slice -> bool [n]."""
        return slices.by_place(self.judged.rules, self.starts, self.colors)

    def _followed(self, row: Record, name: str) -> Line:
        if not isinstance(row.get("plies"), list):
            raise DataError(f"{name}: the evidence has no list of plies; it is of another task.")
        return follow(self.line(name), row["plies"], name)


def _columns(lines: Sequence[Line]) -> dict[str, Floats]:
    columns = {
        "plies_legal": [line.credited for line in lines],
        "legal_rollout": [line.legal for line in lines],
        "board_consistency": [line.consistent / max(line.frames, 1) for line in lines],
        "captures_drawn": [line.drawn / line.captures if line.captures else np.nan for line in lines],
        "ended": [line.stopped == "end" for line in lines],
    }
    return {name: np.array(values, np.float64) for name, values in columns.items()}


class RolloutTrial:
    """One rollout on its way, as ``gobench.tasks.Trial``."""

    def __init__(self, task: Rollout, sample: str, view: View) -> None:
        self.task, self.sample, self.view = task, sample, view
        self.look = task.look(view)
        self.line = task.line(sample)
        self.shown = list(task.prompt(sample, view))  # the last frames, the model's own among them
        self.answers: list[Record] = []
        self.frames: dict[str, tuple[Array, bool]] = {}  # name -> frame, whether it was read cleanly

    def ask(self) -> Ask | None:
        """The last frames of what was shown so far, until the rollout stops."""
        if self.line.stopped:
            return None
        context = self.task.context(self.sample, len(self.answers), self.line.color)
        return ask(np.stack(self.shown[-self.view.frames :]), 1, context)

    def tell(self, frames: Array) -> None:
        """Read the next frame, and make the move that it shows."""
        if not len(frames):
            self.answers.append({"missing": True})
            self.line.step(self.answers[-1], self.sample)
            return
        answer = reading.read(self.look, frames[-1]).record()
        clean = self.line.step(answer, self.sample)
        self.frames[f"ply{len(self.answers):02d}"] = (frames[-1], clean)
        self.answers.append(answer)
        self.shown = (
            [*self.shown[1 - self.view.frames :], frames[-1]] if self.view.frames > 1 else [frames[-1]]
        )

    def evidence(self) -> Record:
        """{"plies": [...], "stopped": why}."""
        return {"plies": self.answers, "stopped": self.line.stopped}

    def kept(self, everything: bool) -> Mapping[str, Array]:
        """The frames "ply00", ...: all, or those not read as a pass or one clean move."""
        return {name: frame for name, (frame, clean) in self.frames.items() if everything or not clean}
