"""Games of any source with a teacher's moves as targets: states stay the games', what to learn is the
teacher's.

This is how the original treats human games. ``moves`` stays what was played; ``targets`` and ``values``
become what the teacher says of each position before a ply, seeded by the root seed, the game's origin and the
ply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gobench.seeds import seed64
from gobench.types import Episode, Json, Record, Rejection, Source
from gobench_go.game.position import Position
from gobench_go.sources.record import rounded, rules_of, start_of
from gobench_go.teachers import Teacher, shared


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

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The wrapped source's candidates, judged."""
        for each in self.source.unit(index):
            yield (
                Episode(judged(each.record, shared(self.teacher), self.seed))
                if isinstance(each, Episode)
                else each
            )


def judged(record: Record, player: Teacher, seed: int) -> Record:
    """The record with the teacher's best move and value (of the side to move) before every ply."""
    said = [
        player.judge(position, seed64(seed, "reannotate", record["origin"], ply))
        for ply, position in enumerate(positions(record))
    ]
    targets = [int(each.best) for each in said]
    return {**record, "teacher": player.name, "targets": targets, "values": rounded([s.value for s in said])}


def positions(record: Mapping[str, Json]) -> Iterator[Position]:
    """The Position before each ply, the ply's colour to move."""
    position = start_of(record, rules_of(record))
    for move, color in zip(record["moves"], record["colors"], strict=True):
        yield position if position.to_move == color else position.turned(color)
        position = position.play(move, color)
