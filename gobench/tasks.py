"""What is asked of a model, and what its answers are worth: the contract between domains and the evaluation.

    suite -> task -> trial: ask, tell, ask, tell ... -> evidence (one plain record a sample)
                            evidence -> table: one row a sample, one column a metric -> intervals

A **task** is a frozen list of samples. A **trial** is one sample being played: it says what to ask the model, takes
its frames, and ends as a plain record. A **table** is made from those records alone, without model, engine or frames, so
that every number can be derived again. The core draws the means, intervals, slices and comparisons from tables and
knows no game.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gobench.types import Array, Json, Record

ALWAYS_ASKED = ("id", "task", "ask")  # context that every question has
CEILING_KEYS = ("simulator",)  # context that only ceilings may read
CONTEXT_KEYS = (
    *ALWAYS_ASKED,
    "to_move",
    "instruction",
    *CEILING_KEYS,
)  # context that some suite or protocol has
MOST_FRAMES = 8  # the longest prompt of any task, in frames


class View(NamedTuple):
    """How a model wants to be asked."""

    height: int  # pixels of a frame
    width: int
    frames: int  # T, the longest prompt it takes, 1 to MOST_FRAMES; early in an episode there are fewer


class Ask(NamedTuple):
    """One question: continue these frames."""

    frames: Array  # uint8 [T', H, W, 3], 1 <= T' <= view.frames, oldest first
    n: int  # how many frames the answer has; 0: any number, also none (nothing was answered)
    context: (
        Record  # "id", "task", "ask" (0, 1, ... within the sample), "to_move" ("black"), "instruction", ...
    )


class Trial(Protocol):
    """One sample on its way. ``ask`` and ``tell`` alternate until ``ask`` gives None."""

    def ask(self) -> Ask | None:
        """What to ask next, or None when the sample is done."""
        ...

    def tell(self, frames: Array) -> None:
        """The model's answer, uint8 [n, H, W, 3] (any length and size where ``Ask.n`` is 0)."""
        ...

    def evidence(self) -> Record:
        """What was read of the answers, as plain data: all that the table needs. The core adds "id", "frames", "kept".

        Confidences and other floats are rounded to 4 digits.
        """
        ...

    def kept(self, everything: bool) -> Mapping[str, Array]:
        """Frames worth keeping as evidence, name -> uint8 [H, W, 3]: those that were not read cleanly, or all.

        Names are short slugs unique in the sample, such as "try0".
        """
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of a table: what it means and how it is read."""

    about: str  # one line; the formula, in the words of the card
    better: str = "higher"  # or "lower"
    unit: str = "proportion"  # "proportion" in [0, 1], "points", "plies", "ratio"
    source: str = ""  # paper and section, where there is one
    conditional: bool = False  # defined on some samples only, whatever was answered


class Exhibit(NamedTuple):
    """A sample to look at, for reports and comparisons."""

    title: str
    pictures: Sequence[tuple[str, Array]]  # caption, uint8 [H, W, 3]
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Evidence as columns, one row a sample, in the order of the task's ids. NaN: not defined there."""

    ids: Sequence[str]
    clusters: npt.NDArray[np.int64]  # [n] samples with equal numbers belong together (positions of one game)
    columns: Mapping[str, npt.NDArray[np.float64]]  # metric -> [n]
    kinds: Sequence[str]  # [n] the decode audit: a key of Task.kinds
    clean: npt.NDArray[np.bool_]  # [n] the answer was read cleanly
    slices: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)  # "phase: opening" -> [n]
    strata: Sequence[
        str
    ] = ()  # [n] or none: groups that count alike in means over all samples, however large


class Faced(NamedTuple):
    """One finished game of the model against an opponent."""

    sample: str
    opponent: str
    points: float  # of the model: 1 for a win, 0.5 for a draw
    first: bool  # whether the model made the first move
    cluster: str  # games that belong together
    illegal: int  # answers of the model that were no legal move
    forfeit: bool  # whether the model lost by them
    moves: str  # equal for games that went alike


class Chosen(NamedTuple):
    """Samples that a report may show."""

    rule: str  # how they were chosen, for the reader
    rows: Sequence[int]  # of the table, the first ones first


class Task(Protocol):
    """A frozen test.

    ``settings`` is everything that changes a number, as plain data with the digest of the test set: the protocol hash
    is made of it, the name and the version. ``public`` is what a model is told before the first sample.

    More may be there; it is looked up by name:

    ``reread(sample, row, frames) -> row``: the row as it would be if the kept ``frames`` (name -> uint8 [H, W, 3], all
    that ``row["kept"]`` names) were read now; keys of the core ("id", "frames", "kept") stay as they are. Raises
    DataError for frames or rows that cannot be. Without it `gobench score --reread` says that the task cannot be read
    again, and fails.

    ``difficulty() -> float64 [n]``: how hard each sample of ``ids`` is, larger is harder: reports show the hardest right
    answers first.

    ``chosen(table, rows) -> Mapping[str, Chosen]``: how its own samples are chosen for a report's "best", "worst" and
    "strangest", where the report's rules do not suit.

    ``acts: bool``: trials also take actions, by ``act(actions float [n, A])`` in place of ``tell``: a model that has
    ``generate_actions`` is asked for these. Raises ChildError for what is no action.

    ``alike: Sequence[str]``: keys of rows that say under what a sample was played, such as what drew its pictures: results
    in which they differ are not compared.

    ``optional: bool``: a result is complete without this task.

    ``unavailable() -> str``: why it cannot be run on this machine, in a line that says what to do; "" where it can.

    ``most_together: int``: how many samples are played at once at most, where a group is to be finished soon.

    ``games(rows) -> sequence of Faced``: of samples that are games against opponents; the result then has a match for each
    opponent. ``ladder: Mapping[str, float]``: opponents' ratings, which give the model one;
    ``opponents: Mapping[str, float | None]``: all opponents, None for those without a rating, the weakest first.

    ``records(rows, model) -> Mapping[str, bytes]``: files made of the rows for people and other programs, by their names
    below ``games/TASK/``; ``model`` is what the result says of it.
    """

    name: str  # "go9/next-move"
    version: str
    headline: str  # the metric that stands first
    settings: Mapping[str, Json]
    public: Mapping[str, Json]
    metrics: Mapping[str, Metric]
    kinds: Mapping[str, str]  # decode audit: kind -> one line
    oracle: Mapping[str, Json]  # who judged: name, version, net, visits, rules, komi; empty where nobody did
    chained: (
        bool  # whether later asks depend on earlier answers' frames, so that ready-made answers cannot serve
    )

    @property
    def ids(self) -> Sequence[str]:
        """The samples, unique, in a fixed order."""
        ...

    def trial(self, sample: str, view: View) -> Trial:
        """Start a sample afresh. Pure: the same asks for the same answers."""
        ...

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        """Evidence rows (any order, any subset of the ids) as columns.

        Args:
            novel: sample -> whether its position is absent from the training data, where that is known; adds slices.

        Raises:
            DataError: a row that this task cannot have written, or of an unknown sample.
        """
        ...

    def positions(self) -> npt.NDArray[np.uint64]:
        """For each id the hash under which a training set's sketch would know it, uint64 [n]; empty if there is none."""
        ...

    def truth(self, sample: str, view: View) -> Array:
        """The right answer, uint8 [n, H, W, 3], n >= 1."""
        ...

    def wording(self, sample: str) -> Mapping[str, str]:
        """Words to fill into an instruction for models that take text: "to_move", "rules", ..."""
        ...

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        """The sample drawn: the prompt, what was generated (``frames``, as kept), the truth, what the oracle thinks."""
        ...


class Suite(NamedTuple):
    """A named set of tasks."""

    name: str
    about: str
    tasks: Sequence[Task]


class Benchmark(Protocol):
    """What a domain offers beside ``gobench.types.Domain`` when models can be evaluated in it."""

    name: str

    def suites(self) -> Mapping[str, str]:
        """Suite name -> one line about it; the first one is the default."""
        ...

    def suite(self, name: str, protocol: str = "standard") -> Suite:
        """Open a suite under a named protocol; "NAME:PART" is a part of one where the domain has such.

        Raises:
            UsageError: an unknown name or protocol.
            DataError: its test set is missing or broken; says how to make it.
        """
        ...

    def protocols(self) -> Mapping[str, str]:
        """Protocol name -> one line about it; "standard" among them."""
        ...
