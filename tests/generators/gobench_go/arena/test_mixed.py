"""Players between random and mcts:1."""

from __future__ import annotations

import pytest

from gobench.errors import UsageError
from gobench_go.arena.names import open_player
from gobench_go.game.position import Position
from gobench_go.game.rules import named


def test_a_mixed_player_plays_the_moves_of_its_two_parts() -> None:
    position = Position.start(named("benchmark", 5, 5))
    mixed, strong, weak = (open_player(text) for text in ("mixed:30", "mcts:1", "random"))
    good = 0
    for seed in range(200):
        move = mixed.reply(position, seed).move
        answers = strong.reply(position, seed).move, weak.reply(position, seed).move
        assert move in answers
        good += move == answers[0] != answers[1]
    assert 30 <= good <= 80
    assert mixed.reply(position, 7) == mixed.reply(position, 7)
    assert mixed.name == "mixed:30" and "mcts@" in mixed.identity["teacher"]


def test_the_clumsy_play_any_legal_stone_or_as_random() -> None:
    position = Position.start(named("benchmark", 5, 5))
    clumsy, never, random = (open_player(text) for text in ("clumsy:50", "clumsy:0", "random"))
    moves = {never.reply(position, seed).move for seed in range(300)}
    assert moves == set(range(25)), "any stone, no pass"
    for seed in range(100):
        answers = never.reply(position, seed).move, random.reply(position, seed).move
        assert clumsy.reply(position, seed).move in answers
    assert clumsy.identity["teacher"] == "random@1/any legal stone"


@pytest.mark.parametrize("text", ["mixed:0", "mixed:100", "mixed:x", "mixed", "clumsy:100"])
def test_shares_that_cannot_be(text: str) -> None:
    with pytest.raises(UsageError, match=r"mixed:1 to mixed:99|clumsy:0 to clumsy:99"):
        open_player(text)
