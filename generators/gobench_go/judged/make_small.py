"""The small shipped sets, made by the embedded teacher from nothing but a seed.

    python -m gobench_go.judged.make_small go7-lite [FILE.jsonl.gz]

Openings are random legal plies in the middle of the board, kept where the teacher gives both sides a fair chance; then
the teacher plays against itself, its moves drawn with temperature, some straight at random, so that quality varies;
then every position is judged with far more visits. A recipe names the version of the teacher that makes its set:
with another one the games and judgements would differ, so ``make`` refuses instead of giving a known name anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gobench.errors import UsageError, unknown
from gobench.seeds import stream
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import Rules, named
from gobench_go.judged.judging import Game, Judge
from gobench_go.judged.names import SHIPPED, SUFFIX
from gobench_go.judged.pieces import Progress, Text, judge_games
from gobench_go.judged.sets import JudgedSet


@dataclass(frozen=True)
class Recipe:
    """How a small set is made."""

    side: int
    komi: float
    games: int
    opening: tuple[int, int]  # least and most plies
    region: int  # side of the middle square in which they fall
    fair: tuple[float, float]  # Black's chance of winning after the opening
    visits: int  # of each judgement
    child_visits: int
    made_by: str  # the teacher with its version
    player: str = "mcts:1000"
    umpire: str = "mcts:3000"  # who says whether an opening is fair
    most_plies: int = 50
    heat: tuple[tuple[int, float], ...] = ((8, 1.0), (16, 0.4), (1000, 0.15))  # before which ply, what
    random: float = 0.05  # share of the moves that are any legal play
    seed: int = 1
    version: str = "1"
    best_visits: int = 0  # found: what the best move got, in the median of the positions that are asked
    minutes: int = 0  # found: of one core, for games and judgements
    checked: str = ""  # found: what is known of the judge

    @property
    def rules(self) -> Rules:
        """The benchmark's, on this board."""
        return named("benchmark", self.side, self.side, self.komi)


RECIPES: Mapping[str, Recipe] = {
    "go7-lite": Recipe(
        7, 9.0, 80, (1, 4), 5, (0.35, 0.65), visits=16_000, child_visits=256, made_by="mcts@1", best_visits=11_040, minutes=10,
        checked="Checked on 60 positions: with another seed the search makes the same choice in 75%, with 64,000 visits "
        "in 67%; the choice of the longer search gives up 0.006 of value in the mean as judged here.",
    ),
    "go5-lite": Recipe(
        5, 25.0, 60, (1, 4), 3, (0.2, 0.8), visits=40_000, child_visits=600, made_by="mcts@1", most_plies=24,
        best_visits=34_225, minutes=3,
        checked="5x5 is solved, Black takes it all from the centre, and so does the judge: it opens there and, "
        "playing itself, keeps all 25 points; its mean lead is of the right order only late in a game, 10 of the 25 "
        "points on the empty board. Checked on 40 positions: with another seed the search makes the same choice in "
        "68%, with 160,000 visits in 65%; the choice of the longer search gives up 0.003 of value in the mean.",
    ),
}  # fmt: skip


def make(name: str, out: Path, workers: int = 1, progress: Progress | None = None) -> JudgedSet:
    """Play and judge the games of a recipe. Raises UsageError for an unknown name, or another teacher's set."""
    if name not in RECIPES:
        raise unknown("small set", name, RECIPES)
    recipe = RECIPES[name]
    _check_teacher(name, recipe.made_by)
    judge = Judge.of(f"mcts:{recipe.visits}", recipe.child_visits, recipe.seed)
    text = Text(name, recipe.version, note=note(recipe))
    return judge_games(games(recipe), recipe.rules, judge, out, text, workers=workers, progress=progress)


def _check_teacher(name: str, made_by: str) -> None:
    from gobench_go.teachers import teacher

    current = teacher("mcts:1").name.partition(":")[0]
    if made_by != current:
        raise UsageError(
            f"{name} was made by {made_by}, and this release has {current}, which would make another set; use the "
            f"shipped one, write a recipe of another name, or judge games of your own: gobench go judge."
        )


def note(recipe: Recipe) -> str:
    """What the header of the set says for people."""
    low, high = recipe.fair
    least, most = recipe.opening
    return (
        f"Self-play of {recipe.player} on {recipe.side}x{recipe.side}, komi {recipe.komi:g}, at most "
        f"{recipe.most_plies} plies; {least} to {most} random opening plies in the middle "
        f"{recipe.region}x{recipe.region}, kept where {recipe.umpire} gives Black a chance of {low:g} to {high:g}; moves "
        f"drawn by visits with falling temperature, {recipe.random:.0%} of them any play it looked at. Every position "
        f"judged by mcts with {recipe.visits} visits, of which the best move got {recipe.best_visits} in the median; "
        f"every legal move that got fewer than {recipe.child_visits} has a search of {recipe.child_visits} of the "
        f"position after it. It took {recipe.minutes} minutes of one core. Values and leads are means over simulations "
        f"that end in random play: right in their order more than in their size. {recipe.checked}"
    )


def games(recipe: Recipe) -> list[Game]:
    """The games of a recipe, all different."""
    found: dict[tuple[int, ...], Game] = {}
    openings = _openings(recipe)
    for number in range(recipe.games):
        opening = next(openings)
        moves = tuple(_played(recipe, opening, number))
        game = Game(moves, tuple(1 + ply % 2 for ply in range(len(moves))), opening=len(opening))
        found[game.moves] = game
    return list(found.values())


def _openings(recipe: Recipe) -> Iterator[list[int]]:
    """Fair openings, one after the other, each board once."""
    seen, number = set[tuple[int, int]](), 0
    low, high = recipe.fair
    while True:
        moves = _drawn(recipe, stream(recipe.seed, "opening", number))
        position = _after(recipe.rules, moves)
        number += 1
        if (board := (position.black, position.white)) in seen:
            continue
        seen.add(board)
        if low <= _black_wins(recipe, position) <= high:
            yield moves


def _drawn(recipe: Recipe, rng: np.random.Generator) -> list[int]:
    """Random legal plays in the middle."""
    first = (recipe.side - recipe.region) // 2
    lines = range(first, first + recipe.region)
    middle = [row * recipe.side + col for row in lines for col in lines]
    moves = list[int]()
    for _ in range(int(rng.integers(recipe.opening[0], recipe.opening[1] + 1))):
        position = _after(recipe.rules, moves)
        moves.append(int(rng.choice([move for move in middle if position.is_legal(move)])))
    return moves


def _after(rules: Rules, moves: Sequence[int]) -> Position:
    position = Position.start(rules)
    for move in moves:
        position = position.play(move)
    return position


def _black_wins(recipe: Recipe, position: Position) -> float:
    from gobench_go.teachers import shared

    value = shared(recipe.umpire).judge(position, recipe.seed).value
    return value if position.to_move == BLACK else 1.0 - value


def _played(recipe: Recipe, opening: list[int], number: int) -> list[int]:
    """All moves of a game that goes on from an opening."""
    rng, moves = stream(recipe.seed, "game", number), list(opening)
    position = _after(recipe.rules, moves)
    while not position.over and position.plies < recipe.most_plies:
        moves.append(_choose(recipe, position, rng))
        position = position.play(moves[-1])
    return moves


def _choose(recipe: Recipe, position: Position, rng: np.random.Generator) -> int:
    from gobench_go.teachers import shared

    found = shared(recipe.player).judge(position, int(rng.integers(1 << 62)))
    points, wild = recipe.rules.points, rng.random() < recipe.random
    if found.best == points:
        return points
    if wild:
        return int(rng.choice(np.flatnonzero(found.visits[:points] > 0)))
    heat = next(heat for until, heat in recipe.heat if position.plies < until)
    chances = found.visits[:points].astype(np.float64) ** (1.0 / heat)
    return int(rng.choice(points, p=chances / chances.sum()))


if __name__ == "__main__":
    wanted = sys.argv[1]
    make(wanted, Path(sys.argv[2]) if len(sys.argv) > 2 else SHIPPED / f"{wanted}{SUFFIX}")
