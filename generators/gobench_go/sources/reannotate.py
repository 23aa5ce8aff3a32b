"""Games of any source with a teacher's moves as targets: states stay the games', what to learn is the
teacher's.

This is how the original treats human games. ``moves`` stays what was played; ``targets`` and ``values``
become what the teacher says of each position before a ply, seeded by the root seed, the game's origin and the
ply. ``values`` are empty where the teacher knows none. An external teacher is asked once, and its answers are written
down (``gobench.types.AskingSource``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gobench.build.journal import asking, let_go, retold
from gobench.errors import DataError, UsageError
from gobench.seeds import seed64
from gobench.types import Episode, Json, Record, Rejection, Source
from gobench_go.engines.faults import EngineError
from gobench_go.game.position import Position
from gobench_go.sources.outside import answered, checked, dismiss, known, rejection
from gobench_go.sources.record import rules_of, start_of
from gobench_go.teachers import Teacher, is_external


@dataclass(frozen=True)
class Reannotated:
    """A source whose episodes carry another teacher's targets."""

    source: Source
    teacher: str
    seed: int

    @property
    def units(self) -> int:
        """Those of the wrapped source."""
        return self.source.units

    @property
    def inputs(self) -> Mapping[str, str]:
        """Those of the wrapped source."""
        return self.source.inputs

    @property
    def asking(self) -> Sequence[int]:
        """All units for an external teacher, else those about which the wrapped source asks."""
        return range(self.units) if is_external(self.teacher) else asking(self.source)

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The wrapped source's candidates, judged."""
        for each in self.source.unit(index):
            yield self._judged(each, self._ask(each)) if isinstance(each, Episode) else each

    def ask(self, index: int) -> Record:
        """``games``: what the teacher says of each candidate, in order; ``source``: what the wrapped one was told."""
        inner = self.source.ask(index) if index in asking(self.source) else {}  # type: ignore[attr-defined]
        games = self._episodes(index, inner) if is_external(self.teacher) else ()
        return {"source": inner, "games": [self._ask(each) for each in games if isinstance(each, Episode)]}

    def told(self, index: int, answer: Json) -> Iterator[Episode | Rejection]:
        """The wrapped source's candidates, judged as was answered."""
        games = answer.get("games") if isinstance(answer, dict) and "source" in answer else None
        if not isinstance(games, list):
            raise DataError(f"the journal holds no answer about unit {index} of these games. Was it edited?")
        said = iter(games)
        for each in self._episodes(index, answer["source"]):
            if isinstance(each, Episode):
                yield self._judged(each, next(said, None) if is_external(self.teacher) else self._ask(each))
            else:
                yield each

    def close(self) -> None:
        """End what the teacher and the wrapped source have started."""
        dismiss(self.teacher)
        let_go(self.source)

    def _episodes(self, index: int, inner: Json) -> Iterator[Episode | Rejection]:
        return retold(self.source, index, lambda place: inner)

    def _ask(self, each: Episode) -> Record:
        return answered(self.teacher, lambda player: judgements(each.record, player, self.seed))

    def _judged(self, each: Episode, answer: Json) -> Episode | Rejection:
        origin = each.record["origin"]
        said = checked(answer, origin, ("targets", "values"))
        if "fault" in said:
            return rejection(origin, said)
        if len(said["targets"]) != len(each.record["moves"]):
            raise DataError(f"{origin}: the journal judges another game. Was it edited?")
        return Episode(judged(each.record, said))


def judged(record: Record, said: Mapping[str, Json]) -> Record:
    """The record with what a teacher said of it."""
    return {**record, "teacher": said["by"], "targets": said["targets"], "values": said["values"]}


def judgements(record: Record, player: Teacher, seed: int) -> Record:
    """``targets`` and ``values`` (of the side to move): the teacher's best move and value before every ply.

    Raises EngineError for what it cannot judge, breakdowns included.
    """
    try:
        said = [
            player.judge(position, seed64(seed, "reannotate", record["origin"], ply))
            for ply, position in enumerate(positions(record))
        ]
    except UsageError as error:  # a board or a komi that this engine does not know
        raise EngineError("refused", str(error)) from error
    return {"targets": [int(each.best) for each in said], "values": known(each.value for each in said)}


def positions(record: Mapping[str, Json]) -> Iterator[Position]:
    """The Position before each ply, the ply's colour to move."""
    position = start_of(record, rules_of(record))
    for move, color in zip(record["moves"], record["colors"], strict=True):
        yield position if position.to_move == color else position.turned(color)
        position = position.play(move, color)
