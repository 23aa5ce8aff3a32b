"""The shipped openings, taken from judged games: positions after a few plies in which both sides have a fair chance.

    python -m gobench_go.arena.make_openings [FOLDER]

Of each game the fairest positions are taken in turn, so that few come of one game; a position is there once, whichever
way round it stands, whoever has which colour and however it came about. The same judged set gives the same file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gobench import atomic
from gobench_go.arena.openings import SHIPPED, SUFFIX
from gobench_go.game import coords
from gobench_go.judged import JudgedGame, JudgedSet, open_set

OPENINGS_VERSION = "1"


@dataclass(frozen=True)
class Recipe:
    """Which positions of which judged set are openings."""

    judged: str
    plies: tuple[int, int]  # least and most
    fair: tuple[float, float]  # the mover's chance of winning
    a_game: int  # at most so many of one game


RECIPES: Mapping[str, Recipe] = {
    "9x9": Recipe("go9-lite", (2, 8), (0.42, 0.58), 3),
    "7x7": Recipe("go7-lite", (2, 8), (0.42, 0.58), 3),
    "5x5": Recipe("go5-lite", (4, 10), (0.42, 0.58), 3),
}


def make(name: str) -> bytes:
    """The file of a shipped set of openings."""
    recipe = RECIPES[name]
    judged = open_set(recipe.judged)
    rows, cols = judged.rules.rows, judged.rules.cols
    lines = [" ".join(coords.gtp(move, rows, cols) for move in moves) for moves in _chosen(judged, recipe)]
    return "\n".join([*_header(name, recipe, judged), *lines, ""]).encode()


def _header(name: str, recipe: Recipe, judged: JudgedSet) -> list[str]:
    low, high = recipe.fair
    least, most = recipe.plies
    oracle = judged.oracle
    return [
        f"# Balanced openings on {name}, version {OPENINGS_VERSION}: {least} to {most} plies, Black first.",
        f"# Positions of {recipe.judged} (digest {judged.digest[:16]}) in which {oracle['name']} {oracle['version']} with",
        f"# {oracle['visits']} visits gives the side to move a chance of {low:g} to {high:g} at komi "
        f"{judged.rules.komi:g}; at most {recipe.a_game} of a game,",
        "# each position once under symmetry, exchange of colours and transposition.",
        f"# Licence: {judged.licence}",
    ]


def _chosen(judged: JudgedSet, recipe: Recipe) -> list[tuple[int, ...]]:
    """Openings in the order of rounds: the fairest of every game first, then the second, and so on."""
    left = [_fair(game, recipe) for game in judged.games]
    seen: set[int] = set()
    found: list[tuple[int, ...]] = []
    for _ in range(recipe.a_game):
        for game, plies in zip(judged.games, left, strict=True):
            fresh = next((ply for ply in plies if _identity(game, ply) not in seen), None)
            if fresh is not None:
                plies.remove(fresh)
                seen.add(_identity(game, fresh))
                found.append(tuple(game.moves[:fresh]))
    return found


def _fair(game: JudgedGame, recipe: Recipe) -> list[int]:
    """The plies before which the position is fair, the fairest first. None of games whose colours do not alternate."""
    least, most = recipe.plies
    low, high = recipe.fair
    if game.boards[0].any() or any(color != 1 + ply % 2 for ply, color in enumerate(game.colors)):
        return []
    values = {ply: game.positions[ply].root_value for ply in range(least, min(most + 1, len(game.moves)))}
    fair = [ply for ply, value in values.items() if low <= value <= high and not _passed(game, ply)]
    return sorted(fair, key=lambda ply: (abs(values[ply] - 0.5), ply))


def _passed(game: JudgedGame, ply: int) -> bool:
    return game.boards[0].size in game.moves[:ply]


def _identity(game: JudgedGame, ply: int) -> int:
    from gobench_go.positions import hashes

    return int(hashes(game.boards[ply : ply + 1], [game.colors[ply]])[0])


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED
    for each in RECIPES:
        atomic.write(folder / f"{each}{SUFFIX}", make(each))
