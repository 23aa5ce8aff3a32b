"""Games of a model against opponents: what a result says of them, and files of them for people and other programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gobench import atomic, evidence
from gobench.canonical import sha256
from gobench.evaluate import folder as places
from gobench.evaluate.protocol import SCORING
from gobench.evaluate.rows import begun, read_rows
from gobench.results import rounded
from gobench.statistics import ratings
from gobench.tasks import Faced, Suite
from gobench.types import Json, Record

MODEL = "\x1f"  # stands for the model among its opponents: no opponent is called so


class Played(NamedTuple):
    """The games of one task."""

    task: str
    games: Sequence[Faced]
    ladder: Mapping[str, float]
    path: str  # of the file of games, relative to the folder
    sha256: str


def played(folder: Path, run: Mapping[str, Json], suite: Suite, partial: bool = False) -> list[Played]:
    """The games of all tasks that have any, from evidence; writes the files that are made of them.

    Raises as ``read_rows``; BuildError where the files cannot be written.
    """
    found = []
    for task in suite.tasks:
        games = getattr(task, "games", None)
        if games is None or not begun(run, task):
            continue
        rows = read_rows(folder, run, task, partial)
        if rows:
            files = task.records(rows, run["model"])  # type: ignore[attr-defined]
            path = _write(folder, task.name, files)
            ladder = dict(getattr(task, "ladder", {}))
            name, data = next(iter(files.items()))
            found.append(Played(task.name, tuple(games(rows)), ladder, f"{path}/{name}", sha256(data)))
    return found


def _write(folder: Path, task: str, files: Mapping[str, bytes]) -> str:
    """Write files of games that are not there yet as they should be; returns their folder, relative."""
    place = f"{places.GAMES}/{evidence.slug(task)}"
    for name, data in files.items():
        path = folder / place / name
        if not (path.is_file() and path.read_bytes() == data):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write(path, data)
    return place


def against(found: Sequence[Played]) -> list[Record]:
    """A match for each opponent, plain data for ``gobench.results.Match``, in the order of tasks and opponents."""
    return [match for task in found for match in _matches(task)]


def _matches(task: Played) -> Iterator[Record]:
    for opponent in dict.fromkeys(game.opponent for game in task.games):
        games = [game for game in task.games if game.opponent == opponent]
        points = [game.points for game in games]
        yield {
            "task": task.task,
            "opponent": opponent,
            "games": len(games),
            "wins": points.count(1.0),
            "draws": points.count(0.5),
            "losses": points.count(0.0),
            "illegal": sum(game.illegal for game in games),
            "forfeits": sum(game.forfeit for game in games),
            "timeouts": 0,  # an answer that is late ends the run
            "unique_games": len({game.moves for game in games}),
            "elo": _rating(games, {opponent: 0.0}),
            "path": task.path,
            "sha256": task.sha256,
        }


def standing(found: Sequence[Played]) -> Record | None:
    """The model's rating by all games, opponents of the ladder standing where it says; None without any of them."""
    games = [game for task in found for game in task.games]
    ladder = {name: elo for task in found for name, elo in task.ladder.items()}
    anchors = {game.opponent: ladder[game.opponent] for game in games if game.opponent in ladder}
    return {"elo": _rating(games, anchors), "anchors": dict(sorted(anchors.items()))} if anchors else None


def _rating(games: Sequence[Faced], anchors: Mapping[str, float]) -> Record:
    """Colours are balanced in every pair, so nothing is asked about the first move."""
    held = [
        ratings.Played(MODEL, game.opponent, game.points, f"{game.opponent}/{game.cluster}") for game in games
    ]
    found = ratings.rate(
        held, anchors, advantage=False, level=SCORING["level"], draws=SCORING["draws"], seed=SCORING["seed"]
    ).of(MODEL)
    ends = (found.low, found.high)
    return {
        "value": rounded(found.elo),
        "interval": None if any(map(math.isnan, ends)) else [_end(end) for end in ends],
        "bound": found.bound or None,
        "n": found.games,
    }


def _end(value: float) -> float | None:
    return rounded(value) if math.isfinite(value) else None
