"""What the Go tasks share: a set of judged games, samples that are positions of them, and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.tasks import Ask, View
from gobench.types import Array, Json, Record
from gobench_go.judged import JudgedGame, JudgedSet
from gobench_go.tasks import asking
from gobench_go.tasks.asking import THEME
from gobench_go.tasks.samples import Sample
from gobench_go.video.themes import Look

Ints = npt.NDArray[np.int64]


@dataclass(eq=False)
class JudgedTask:
    """A task on positions of judged games.

    ``settings`` is all that changes a number, ``public`` what a model is told before the first sample, ``oracle`` who
    judged and by which rules. Nothing of it is changed once it is made.
    """

    name: str
    judged: JudgedSet
    samples: Sequence[Sample]
    settings: Mapping[str, Json]
    public: Mapping[str, Json]
    version: str = "1"
    theme: str = THEME
    oracle: Mapping[str, Json] = field(init=False)

    def __post_init__(self) -> None:
        rules = self.judged.rules
        facts = {"rules": rules.name, "komi": rules.komi, "judged": self.judged.name}
        self.oracle = {**self.judged.oracle, **facts}

    @cached_property
    def ids(self) -> Sequence[str]:
        """The samples' names, such as "g000-p010": the game and how many moves were made before."""
        return tuple(sample.id for sample in self.samples)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Sample id -> its place in ``ids``."""
        return {name: place for place, name in enumerate(self.ids)}

    def sample(self, sample: str) -> Sample:
        """Raises DataError for an unknown sample."""
        if sample not in self.places:
            raise DataError(f"{self.name} has no sample {sample!r}; the first one is {self.ids[0]!r}.")
        return self.samples[self.places[sample]]

    def position(self, sample: str) -> tuple[JudgedGame, int]:
        """The game of a sample and the ply: how many moves were made before."""
        found = self.sample(sample)
        return self.judged.games[found.game], found.ply

    def look(self, view: View) -> Look:
        """How prompts are drawn for a model. Raises UsageError for a view that is not square or too small."""
        return asking.square_look(self.name, self.theme, view, self.judged.rules)

    def prompt(self, sample: str, view: View) -> Array:
        """The last ``view.frames`` boards up to a sample's, drawn: uint8 [T, H, W, 3]."""
        game, ply = self.position(sample)
        return asking.prompt(self.look(view), game.boards[: ply + 1], view.frames)

    def context(self, sample: str, ask: int, color: int) -> Record:
        """What a model may be told with a question; ``color`` is to move."""
        return asking.context(sample, self.name, ask, color)

    def wording(self, sample: str) -> Mapping[str, str]:
        """Words for an instruction: who is to move and the rules."""
        return asking.wording(self.judged.rules, self.sample(sample).color)

    def positions(self) -> npt.NDArray[np.uint64]:
        """The hash of each sample's board and side to move, equal under symmetries: uint64 [n]."""
        from gobench_go.positions import hashes

        shape = (len(self.samples), self.judged.rules.rows, self.judged.rules.cols)
        return hashes(self.boards.reshape(shape), self.colors.astype(np.uint8))

    @cached_property
    def boards(self) -> Array:
        """The board of each sample, uint8 [n, R*C]."""
        boards = [self.judged.games[s.game].boards[s.ply].reshape(-1) for s in self.samples]
        return np.stack(boards) if boards else np.zeros((0, self.judged.rules.points), np.uint8)

    @cached_property
    def colors(self) -> Ints:
        """Who is to move in each sample, int64 [n]."""
        return _ints(s.color for s in self.samples)

    @cached_property
    def starts(self) -> Ints:
        """How many moves were made before each sample, int64 [n]."""
        return _ints(s.ply for s in self.samples)

    @cached_property
    def clusters(self) -> Ints:
        """The game of each sample, int64 [n]."""
        return _ints(s.game for s in self.samples)

    def sorted_rows(self, rows: Sequence[Record]) -> tuple[list[Record], Ints]:
        """Evidence rows in the order of ``ids``, and their places in it.

        Raises:
            DataError: a row without an id, of an unknown sample, or a second one of a sample.
        """
        found: dict[int, Record] = {}
        for row in rows:
            name = row.get("id") if isinstance(row, Mapping) else row
            place = self.places.get(name, -1) if isinstance(name, str) else -1
            if place < 0:
                raise DataError(
                    f"{self.name} has no sample {str(name)[:100]!r}: this evidence is of another task."
                )
            if place in found:
                raise DataError(f"{self.name}: the evidence has two rows of {row['id']!r}.")
            found[place] = row
        order = sorted(found)
        return [found[place] for place in order], np.array(order, np.int64)


def ask(frames: Array, n: int, context: Record) -> Ask:
    """A question whose frames nobody changes by mistake."""
    frames.flags.writeable = False
    return Ask(frames, n, context)


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), np.int64)
