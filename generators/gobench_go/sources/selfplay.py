"""Games that a teacher plays against itself: unit ``i`` is game ``i``, decided by the root seed and ``i``
alone, or, where the teacher is a program of others, by what it answered once (``gobench.types.AskingSource``).

An opening of ``plies`` random moves in the middle ``region`` points of each side makes games differ; then
moves are drawn by the teacher's visits with the temperature of the first row ``[ply, temperature]`` whose ply
lies ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gobench.seeds import seed64
from gobench.types import Episode, Json, Record, Rejection
from gobench_go.game.kernels import alternating
from gobench_go.game.rules import Rules
from gobench_go.sources.outside import answered, checked, dismiss, known, rejection
from gobench_go.sources.record import Game, episode
from gobench_go.teachers import Teacher, is_external

SHIFT = 11  # seeds of 53 bits: what every reader of JSON keeps exactly


@dataclass(frozen=True)
class SelfPlay:
    """Self-play as ``gobench.types.Source``: games ``first`` to ``first + units`` of a root seed."""

    rules: Rules
    teacher: str
    opening: Mapping[str, int]
    temperature: tuple[tuple[int, float], ...]
    max_plies: int
    first: int
    units: int
    seed: int

    @classmethod
    def of(cls, rules: Rules, options: Mapping[str, Json], first: int, units: int, seed: int) -> SelfPlay:
        """From the options of a source of the kind ``selfplay`` (see ``sources.options``)."""
        return cls(
            rules=rules,
            teacher=options["teacher"],
            opening=dict(options["opening"]),
            temperature=tuple((ply, heat) for ply, heat in options["temperature"]),
            max_plies=options["max_plies"],
            first=first,
            units=units,
            seed=seed,
        )

    @property
    def inputs(self) -> Mapping[str, str]:
        """Nothing from outside."""
        return {}

    @property
    def asking(self) -> Sequence[int]:
        """Every game of an external teacher."""
        return range(self.units) if is_external(self.teacher) else ()

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """Game ``index``."""
        return self.told(index, self.ask(index))

    def ask(self, index: int) -> Record:
        """Game ``index`` as the teacher plays it: ``by``, ``moves``, ``targets`` and ``values``."""
        return answered(self.teacher, lambda player: self._played(player, index))

    def told(self, index: int, answer: Json) -> Iterator[Episode | Rejection]:
        """The game that was played."""
        origin = f"selfplay/{self.first + index}"
        said = checked(answer, origin, ("moves", "targets", "values"))
        if "fault" in said:
            yield rejection(origin, said)
            return
        yield episode(
            Game(
                rules=self.rules,
                moves=said["moves"],
                colors=alternating(len(said["moves"])),
                source="selfplay",
                origin=origin,
                black=said["by"],
                white=said["by"],
                teacher=said["by"] if said["targets"] else "",
                targets=said["targets"],
                values=said["values"],
                seed=self._seed(index),
            )
        )

    def close(self) -> None:
        """End what the teacher has started."""
        dismiss(self.teacher)

    def _seed(self, index: int) -> int:
        return seed64(self.seed, "selfplay", self.first + index) >> SHIFT

    def _played(self, player: Teacher, index: int) -> Record:
        game = player.game(self.rules, self.opening, self.temperature, self.max_plies, self._seed(index))
        moves, targets = (np.asarray(each, np.int64).tolist() for each in (game.moves, game.targets))
        return {"moves": moves, "targets": targets, "values": known(game.values)}
