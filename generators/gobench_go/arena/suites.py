"""Where the opponents of the suites of games stand: the shipped ladders, as anchors for ratings of evaluations."""

from __future__ import annotations

from gobench.errors import DataError, UsageError
from gobench_go.arena import ladder
from gobench_go.arena.outcomes import Faced, Games


def placed(games: Games) -> dict[str, float]:
    """Ratings of opponents in evaluations: player -> Elo; empty where there are none.

    As in the suite, an opponent of another version than was rated has none; programs are rated by their names.

    Raises:
        UsageError: evaluations on unlike boards, whose ladders say unlike things of one player.
    """
    found: dict[str, float] = {}
    for name, faced in games.faced:
        elo = _rating(faced)
        if elo is not None and found.setdefault(name, elo) != elo:
            raise UsageError(
                f"these evaluations are of unlike suites: on one ladder {name} stands at {found[name]:.0f}, on another "
                f"one at {elo:.0f}. Rate them apart, or give --anchor NAME=ELO."
            )
    return found


def _rating(faced: Faced) -> float | None:
    from gobench_go.tasks.rungs import LADDERS

    task = LADDERS.get(faced.task)
    if task is None or faced.name not in {rung.name for rung in task.rungs}:
        return None
    try:
        rungs = ladder.read(faced.rules["rows"], faced.rules["cols"])
    except DataError:  # a board without a ladder
        return None
    same = not task.embedded or rungs.identities.get(faced.name) == faced.identity
    return rungs.ratings.get(faced.name) if same else None


__all__ = ["placed"]
