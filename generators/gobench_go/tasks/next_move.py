"""The next frame: from a position's last frames generate one more, and the benchmark reads the move off it.

Evidence of a sample: {"tries": [answer, ...]}, asked until the first legal move or the last try. An answer is
{"board": R*C of ".XO" as most likely read, "unsure": points, "confidence": the least}, or {"missing": true}, or
{"unreadable": why}. Where answers are videos (``settings["answer"]`` is "video") see ``videos`` for what it has beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.tasks import Ask, Exhibit, Metric, Table, View
from gobench.types import Array, Record
from gobench_go.tasks import reading, scores, slices, videos
from gobench_go.tasks.base import Ints, JudgedTask, ask
from gobench_go.video.themes import Look


@dataclass(eq=False)
class NextMove(JudgedTask):
    """Positions whose best move is a stone; an unchanged frame is illegal. As ``gobench.tasks.Task``."""

    headline: str = "accuracy"
    chained: bool = False

    metrics: Mapping[str, Metric] = field(init=False)
    kinds: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.metrics = scores.metrics(self.tries, self.settings["scored_try"])
        self.kinds = reading.KINDS

    @property
    def tries(self) -> int:
        """How often a sample is asked at most."""
        return int(self.settings["tries"])

    @property
    def videos(self) -> bool:
        """Whether an answer is a video of any size and length, and not one frame."""
        return bool(self.settings["answer"] == "video")

    @cached_property
    def judgements(self) -> scores.Judgements:
        """What the judge thinks, in the order of ``ids``."""
        return scores.judgements(self.judged, self.samples)

    @property
    def difficulty(self) -> npt.NDArray[np.float64]:
        """How unsure the judge's policy is of each sample, float64 [n], nats; reports show the hardest right answers."""
        return slices.entropy(self.judgements.policy)

    def exact_players(self) -> Mapping[str, Mapping[str, float]]:
        """Players whose scores follow from the judgements, without a run: name -> metric -> expectation."""
        from gobench_go.floors.expectation import NAME, uniform_expectation

        return {NAME: uniform_expectation(self)}

    @cached_property
    def captures(self) -> npt.NDArray[np.bool_]:
        """The empty points of each sample where a stone captures, bool [n, R*C]."""
        return reading.capturing(self.judged.rules, self.boards, self.colors)

    def trial(self, sample: str, view: View) -> NextMoveTrial:
        """Start a sample. Raises DataError for an unknown one, UsageError for a view that cannot be drawn."""
        return NextMoveTrial(self, sample, view)

    def judge(self, sample: str, answer: Record) -> tuple[bool, bool]:
        """Whether an answer, as it stands in evidence, shows a legal move, and whether it was read cleanly."""
        here = slice(self.places[sample], self.places[sample] + 1)
        rules = self.judged.rules
        answers = reading.parse([answer], rules.points, [sample])
        found = reading.changes(rules, self.boards[here], answers, self.colors[here])
        legal = found.moves[0] >= 0 and self.judgements.legal[here][0, found.moves[0]]
        return bool(legal), bool(found.are(*reading.CLEAN)[0])

    def truth(self, sample: str, view: View) -> Array:
        """The board after the best move, uint8 [1, H, W, 3]."""
        from gobench_go.video.render import frames

        rules, place = self.judged.rules, self.places[sample]
        before, best = self.boards[place : place + 1].copy(), self.judgements.best[place : place + 1]
        before[reading.captured(rules, before, best, self.colors[place : place + 1])] = 0
        before[0, best[0]] = self.colors[place]
        return frames(self.look(view), before.reshape(1, rules.rows, rules.cols))

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        """The sample drawn for a report."""
        from gobench_go import exhibits

        return exhibits.next_move(self, sample, row, frames)

    def reread(self, sample: str, row: Record, frames: Mapping[str, Array]) -> Record:
        """The row as it would be if the kept frames ("try0", ...) were read now; other answers stay as they are.

        A frame that was given again and again was kept once: answers equal to the one before it follow it. What was
        asked after an answer that is legal now is left out.

        Raises:
            DataError: a row that this task cannot have written.
        """
        self.table([row])
        tries: list[Record] = []
        for number, answer in enumerate(row["tries"]):
            if tries and self.judge(sample, tries[-1])[0]:
                break
            frame = frames.get(f"try{number}")
            if frame is not None:
                look = self.look(View(frame.shape[0], frame.shape[1], 1))
                tries.append({**answer, **reading.read(look, frame).record()})
            else:
                again = number > 0 and answer == row["tries"][number - 1]
                tries.append(tries[-1] if again else answer)
        return {**row, "tries": tries}

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        """Evidence as columns; see ``gobench.tasks.Task``."""
        found, places = self.sorted_rows(rows)
        ids = [self.ids[place] for place in places.tolist()]
        tries = self._tries(found, ids, places)
        judged = self.judgements.of(places)
        scored = tries.scored(self.settings["scored_try"])
        legal = tries.legal[scored]
        move = np.where(legal, tries.changes.moves[scored], -1)
        exact = legal & tries.changes.are(*reading.CLEAN)[scored]
        captures = legal & tries.changes.taken[scored].any(axis=1)
        columns = {
            "legal_first_try": tries.legal[tries.first].astype(np.float64),
            "legal_within_k": tries.any_legal().astype(np.float64),
            **scores.judged_columns(judged, move),
            "exact_frame": exact.astype(np.float64),
            "exact_capture": np.where(captures, exact, np.nan),
        }
        kinds = [reading.NAMES[code] for code in tries.changes.kinds[scored]]
        clean = tries.changes.are(*reading.CLEAN)[scored]
        parts = {name: mask[places] for name, mask in self.slices.items()}
        parts |= slices.by_training(ids, novel)
        return Table(ids, self.clusters[places], columns, kinds, clean, parts)

    @cached_property
    def slices(self) -> Mapping[str, npt.NDArray[np.bool_]]:
        """Parts of all samples: slice -> bool [n]."""
        rules, j = self.judged.rules, self.judgements
        low, high = self.settings["slices"]["entropies"]
        return {
            **slices.by_place(rules, self.starts, self.colors),
            **slices.by_board(rules, self.boards, self.captures & j.legal[:, :-1]),
            **slices.by_entropy(j.policy, (low, high)),
        }

    def _tries(self, rows: Sequence[Record], ids: Sequence[str], places: Ints) -> Tries:
        """All answers of all rows, judged, after checking that they can have come about."""
        for row, name in zip(rows, ids, strict=True):
            if not isinstance(row.get("tries"), list) or not 1 <= len(row["tries"]) <= self.tries:
                raise DataError(
                    f"{name}: the evidence has no 1 to {self.tries} tries; it is of another protocol."
                )
        lengths = np.array([len(row["tries"]) for row in rows], np.int64)
        owner = np.repeat(np.arange(len(rows)), lengths)
        where = [ids[n] for n in owner.tolist()]
        answers = reading.parse([a for row in rows for a in row["tries"]], self.judged.rules.points, where)
        at = places[owner]
        found = reading.changes(self.judged.rules, self.boards[at], answers, self.colors[at])
        legal = (found.moves >= 0) & self.judgements.legal[at, np.maximum(found.moves, 0)]
        tries = Tries(owner, np.cumsum(lengths) - lengths, lengths, found, legal)
        if len(bad := tries.strange(self.tries, answers.missing)):
            raise DataError(f"{ids[bad[0]]}: the evidence does not stop at its first legal move or last try.")
        return tries


class Tries(NamedTuple):
    """All answers in a row: M tries of N samples."""

    owner: Ints  # [M] whose it is
    first: Ints  # [N] the place of each one's first try
    lengths: Ints  # [N]
    changes: reading.Changes  # of M tries
    legal: npt.NDArray[np.bool_]  # [M]

    @property
    def last(self) -> Ints:
        """The place of each one's last try, the only one that can be legal: int64 [N]."""
        last: Ints = self.first + self.lengths - 1
        return last

    def any_legal(self) -> npt.NDArray[np.bool_]:
        """Whether a sample has a legal try: bool [N]."""
        return self.legal[self.last]

    def scored(self, which: str) -> Ints:
        """The place of the try that counts, "first" or "first-legal" (without one: the first): int64 [N]."""
        return self.first if which == "first" else np.where(self.any_legal(), self.last, self.first)

    def strange(self, most: int, missing: npt.NDArray[np.bool_]) -> Ints:
        """Samples that went on after a legal or missing answer, or stopped without one."""
        ends = self.legal | missing
        early = np.setdiff1d(np.flatnonzero(ends), self.last)
        short = np.flatnonzero(~ends[self.last] & (self.lengths < most))
        strange: Ints = np.union1d(self.owner[early], short)
        return strange


class NextMoveTrial:
    """One position on its way, as ``gobench.tasks.Trial``."""

    def __init__(self, task: NextMove, sample: str, view: View) -> None:
        self.task, self.sample = task, sample
        self.look: Look = task.look(view)
        self.prompt = task.prompt(sample, view)
        self.answers: list[Record] = []
        self.frames: dict[str, tuple[Array, bool]] = {}  # name -> frame, whether it was read cleanly
        self.done = False
        place = task.places[sample]
        self.board, self.color = task.boards[place], int(task.colors[place])
        self.legal, self.captures = task.judgements.legal[place], task.captures[place]
        self.last: Array | None = None  # the frame read last

    def ask(self) -> Ask | None:
        """The prompt, until a legal move was shown or no try is left."""
        if self.done:
            return None
        n = 0 if self.task.videos else 1
        return ask(self.prompt, n, self.task.context(self.sample, len(self.answers), self.color))

    def tell(self, frames: Array) -> None:
        """Read an answer."""
        if not len(frames):
            self.answers.append({"missing": True})
            self.done = True
            return
        answer, legal = self._video(frames) if self.task.videos else self._frame(frames[-1])
        self.answers.append(answer)
        self.done = legal or len(self.answers) == self.task.tries

    def _frame(self, frame: Array) -> tuple[Record, bool]:
        if self.last is not None and np.array_equal(frame, self.last):
            return self.answers[-1], False  # had it been legal, nobody would have asked again
        found = reading.read(self.look, frame)
        legal, clean = self._judge(found)
        self.frames[f"try{len(self.answers)}"] = (frame, clean)
        self.last = frame
        return found.record(), legal

    def _judge(self, found: reading.Reading) -> tuple[bool, bool]:
        """``NextMove.judge``, quick for the two usual answers: one stone more, or nothing changed."""
        after = found.board.reshape(-1)
        differ = np.flatnonzero(after != self.board)
        if len(differ) == 0 or found.unsure:
            return self.task.judge(self.sample, found.record()) if found.unsure else (False, False)
        move = int(differ[0])
        if len(differ) > 1 or self.board[move] or self.captures[move] or after[move] != self.color:
            return self.task.judge(self.sample, found.record())
        return bool(self.legal[move]), True

    def _video(self, frames: Array) -> tuple[Record, bool]:
        found = videos.read(self.look, frames, self.prompt[-1])
        legal, clean = self.task.judge(self.sample, found.record)
        number = len(self.answers)
        self.frames[f"try{number}" if found.readable else f"raw{number}"] = (found.picture, clean)
        return found.record, legal

    def evidence(self) -> Record:
        """{"tries": [...]}."""
        return {"tries": self.answers}

    def kept(self, everything: bool) -> Mapping[str, Array]:
        """The answers "try0", ...: all, or those not read as one clean move."""
        return {name: frame for name, (frame, clean) in self.frames.items() if everything or not clean}
