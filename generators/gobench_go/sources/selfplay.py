"""Games that a teacher plays against itself: unit ``i`` is game ``i``, decided by the root seed and ``i``
alone.

An opening of ``plies`` random moves in the middle ``region`` points of each side makes games differ; then
moves are drawn by the teacher's visits with the temperature of the first row ``[ply, temperature]`` whose ply
lies ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gobench.seeds import seed64
from gobench.types import Episode, Json, Rejection
from gobench_go.game.kernels import alternating
from gobench_go.game.rules import Rules
from gobench_go.sources.record import Game, episode
from gobench_go.teachers import shared

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

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """Game ``index``."""
        player, seed = shared(self.teacher), seed64(self.seed, "selfplay", self.first + index) >> SHIFT
        played = player.game(self.rules, self.opening, self.temperature, self.max_plies, seed)
        judged = len(played.targets) > 0
        yield episode(
            Game(
                rules=self.rules,
                moves=played.moves,
                colors=alternating(len(played.moves)),
                source="selfplay",
                origin=f"selfplay/{self.first + index}",
                black=player.name,
                white=player.name,
                teacher=player.name if judged else "",
                targets=played.targets,
                values=played.values,
                seed=seed,
            )
        )
