"""The small sets: games and headers follow from their recipes, and the judge was checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import named
from gobench_go.judged import make_small, open_set
from gobench_go.judged.judging import Judge
from gobench_go.judged.make_small import RECIPES, Recipe, games, note
from gobench_go.teachers import teacher

TINY = Recipe(5, 25.0, 4, (1, 3), 3, (0.2, 0.8), 50, 8, player="mcts:20", umpire="mcts:100", most_plies=12)


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_set_is_that_of_its_recipe(name: str) -> None:
    judged, recipe = open_set(name), RECIPES[name]
    assert judged.rules == replace(recipe.rules, note="")
    assert judged.oracle == Judge.of(f"mcts:{recipe.visits}", recipe.child_visits, recipe.seed).oracle
    assert (judged.name, judged.version, judged.note) == (name, recipe.version, note(recipe))
    assert judged.licence == "CC0-1.0" and len(judged.games) == recipe.games
    for game in judged.games:
        assert recipe.opening[0] <= game.opening <= recipe.opening[1]
        assert len(game.moves) <= recipe.most_plies
    assert len({tuple(game.moves) for game in judged.games}) == recipe.games


@pytest.mark.parametrize("name", RECIPES)
def test_the_header_says_what_visits_the_best_moves_got(name: str) -> None:
    judged = open_set(name)
    asked = [
        p for game in judged.games for p in game.positions[game.opening :] if p.best < judged.rules.points
    ]
    median = int(np.median([p.visits[p.best] for p in asked]))
    assert median == RECIPES[name].best_visits
    assert f"the best move got {median} in the median" in judged.note


@pytest.mark.parametrize("name", RECIPES)
def test_the_first_game_is_played_again_the_same(name: str) -> None:
    again = games(replace(RECIPES[name], games=1))[0]
    first = open_set(name).games[0]
    assert (list(again.moves), again.opening) == (first.moves, first.opening)


@pytest.mark.parametrize("name", RECIPES)
def test_a_position_is_judged_again_the_same(name: str) -> None:
    judged, recipe = open_set(name), RECIPES[name]
    game = judged.games[0]
    position = Position.start(judged.rules)
    for move in game.moves[:-1]:
        position = position.play(move)
    record = Judge.of(f"mcts:{recipe.visits}", recipe.child_visits, recipe.seed).position(position)
    last = game.positions[-1]
    assert (record["best"], record["winrate"], record["lead"]) == (last.best, last.root_value, last.root_lead)
    assert {int(m): v for m, (v, _, _) in record["search"].items()} == {
        int(m): int(last.visits[m]) for m in np.flatnonzero(last.visits)
    }


@pytest.mark.parametrize("name", RECIPES)
def test_openings_are_fair(name: str) -> None:
    recipe = RECIPES[name]
    low, high = recipe.fair
    for game in open_set(name).games:
        after = game.positions[game.opening]
        black = after.root_value if game.colors[game.opening] == BLACK else 1 - after.root_value
        assert low - 0.15 <= black <= high + 0.15, game.id


def test_games_follow_from_the_seed_and_are_legal() -> None:
    first = games(TINY)
    assert games(TINY) == first and games(replace(TINY, seed=2)) != first
    for game in first:
        position = Position.start(TINY.rules)
        for move, color in zip(game.moves, game.colors, strict=True):
            assert position.to_move == color
            position = position.play(move)
        assert position.over or position.plies == TINY.most_plies
        middle = {6, 7, 8, 11, 12, 13, 16, 17, 18}
        assert set(game.moves[: game.opening]) <= middle


def test_an_unknown_set_is_named(tmp_path: object) -> None:
    with pytest.raises(UsageError, match=r"unknown small set 'go6-lite'.*go5-lite"):
        make_small.make("go6-lite", tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("visits", [2000, 8000])
def test_the_judge_takes_all_of_5x5_from_the_centre(visits: int) -> None:
    """5x5 is solved: Black owns every point after the centre (van der Werf, van den Herik, Uiterwijk 2003)."""
    player, position = teacher(f"mcts:{visits}"), Position.start(named("benchmark", 5))
    assert player.judge(position, 1).best == 12
    while not position.over and position.plies < 60:
        position = position.play(player.judge(position, 1).best)
    assert position.over and position.score() == 0.0  # 25 points, and komi 25


@pytest.mark.slow
def test_the_judge_of_go5_lite_opens_in_the_centre_and_keeps_the_board() -> None:
    recipe = RECIPES["go5-lite"]
    player, position = teacher(f"mcts:{recipe.visits}"), Position.start(recipe.rules)
    assert player.judge(position, 1).best == 12
    while not position.over and position.plies < 60:
        position = position.play(player.judge(position, 1).best)
    assert position.over and position.score() == 0.0
