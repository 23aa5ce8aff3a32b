"""The small sets: games and headers follow from their recipes, and the judge was checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import named
from gobench_go.judged import make_small, open_set
from gobench_go.judged.judging import Judge
from gobench_go.judged.make_small import RECIPES, Recipe, games, note
from gobench_go.teachers import teacher

NOW = teacher("mcts:1").name.partition(":")[0]
TINY = Recipe(
    5, 25.0, 4, (1, 3), 3, (0.2, 0.8), 50, 8, NOW, player="mcts:20", umpire="mcts:100", most_plies=12
)


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_set_is_that_of_its_recipe(name: str) -> None:
    judged, recipe = open_set(name), RECIPES[name]
    assert judged.rules == replace(recipe.rules, note="")
    asked = Judge.of(f"mcts:{recipe.visits}", recipe.child_visits, recipe.seed).oracle
    kind, version = recipe.made_by.split("@")
    assert judged.oracle == asked | {"name": kind, "version": version}
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
def test_a_set_of_another_version_of_the_teacher_is_not_made_anew(name: str, tmp_path: Path) -> None:
    assert RECIPES[name].made_by != NOW
    with pytest.raises(UsageError, match=f"{name} was made by mcts@1.*{NOW}.*another name.*gobench go judge"):
        make_small.make(name, tmp_path / "set.jsonl.gz")
    assert not list(tmp_path.iterdir())


def test_a_set_is_made_again_the_same_by_its_own_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_small, "RECIPES", {"tiny": TINY})
    one, two = (make_small.make("tiny", tmp_path / f"{k}.jsonl.gz") for k in "ab")
    assert one.digest == two.digest and (one.name, len(one.games)) == ("tiny", TINY.games)
    assert f"{one.oracle['name']}@{one.oracle['version']}" == NOW
    assert [tuple(game.moves) for game in one.games] == [game.moves for game in games(TINY)]


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


def test_an_unknown_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown small set 'go6-lite'.*go5-lite"):
        make_small.make("go6-lite", tmp_path)


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
