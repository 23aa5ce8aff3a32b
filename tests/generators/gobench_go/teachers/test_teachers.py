"""The embedded teachers: names, legality of every move, repeatability, and that search finds what it must."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game import kernels
from gobench_go.game.position import Position
from gobench_go.game.rules import KO, Rules
from gobench_go.teachers import teacher
from gobench_go.teachers.base import GameRecord

HEAT = [(8, 1.0), (30, 0.5), (400, 0.1)]


def play(name: str, rules: Rules, seed: int, plies: int = 200) -> GameRecord:
    return teacher(name).game(rules, {"plies": 3, "region": 3}, HEAT, plies, seed)


@pytest.mark.parametrize(
    ("text", "name"),
    [("random", "random@1"), ("random@1", "random@1"), ("mcts:50", "mcts@1:50"), ("mcts@1:7", "mcts@1:7")],
)
def test_names_carry_a_version(text: str, name: str) -> None:
    assert teacher(text).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alphago", "unknown teacher 'alphago'.*mcts:VISITS, random"),
        ("", "unknown teacher"),
        ("mcts:abc", "mcts:VISITS.*'mcts:50'"),
        ("mcts", "mcts:VISITS"),
        ("mcts:0", "1 to 1000000"),
        ("mcts:10000000", "1 to 1000000"),
        ("mcts:٣", "mcts:VISITS"),
        ("mcts@2:50", "version 1.*mcts@1"),
        ("random:3", "'random'"),
    ],
)
def test_a_wrong_name_says_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        teacher(text)


@pytest.mark.parametrize(("ko", "suicide"), list(itertools.product(KO, (False, True))))
def test_every_move_of_a_game_is_legal(ko: str, suicide: bool) -> None:
    for (rows, cols), name in itertools.product(
        [(1, 1), (1, 4), (2, 2), (3, 4), (6, 5)], ("random", "mcts:12")
    ):
        rules = Rules(rows, cols, ko, suicide, 0.5)
        for seed in range(3):
            game = play(name, rules, seed)
            position = Position.start(rules)
            for move in game.moves:
                position = position.play(move)
            assert position.over or len(game.moves) == 200
            assert len(game.targets) == len(game.values) == (len(game.moves) if name != "random" else 0)


def test_targets_are_legal_and_values_are_chances() -> None:
    rules = Rules(5, 5, komi=0.5)
    game = play("mcts:20", rules, 4)
    position = Position.start(rules)
    for move, target, value in zip(game.moves, game.targets, game.values, strict=True):
        assert position.is_legal(target)
        assert 0.0 <= value <= 1.0
        position = position.play(move)
    assert set(game.moves[:3]) <= {6, 7, 8, 11, 12, 13, 16, 17, 18}


def test_a_game_repeats_by_seed_also_after_other_games() -> None:
    rules, one = Rules(7, 7, komi=9), teacher("mcts:15")
    first = one.game(rules, 2, HEAT, 150, 11)
    others = [one.game(rules, 2, HEAT, 150, seed) for seed in (12, 13)]
    assert one.game(rules, 2, HEAT, 150, 11) == first == teacher("mcts:15").game(rules, 2, HEAT, 150, 11)
    assert first not in others
    assert one.game(Rules(5, 5), 2, HEAT, 150, 11) != first


def test_golden_games_stay_until_the_version_is_raised() -> None:
    digests = {
        name: hash(tuple(play(name, Rules(5, 5, komi=0.5), 1, 60).moves)) for name in ("random", "mcts:10")
    }
    assert digests.keys() >= GOLDEN.keys()


GOLDEN: dict[str, int] = {}


def position_of(rules: Rules, text: str, to_move: int = 1) -> Position:
    return Position.of_text(rules, text, to_move)


def test_search_takes_what_decides_the_game() -> None:
    rules = Rules(5, 5, komi=7)
    position = position_of(rules, ".X.O. .XO.O XXOOO XXXXX ..... ")
    assert position.is_legal(3 - 1)
    judgement = teacher("mcts:200").judge(position, 1)
    assert judgement.best in (2, 8)
    assert judgement.values[judgement.best] > 0.9


def test_search_saves_its_group() -> None:
    rules = Rules(5, 5, komi=0.5)
    position = position_of(rules, "..... .XOX. .OOX. ..OX. ..X..", 2)
    assert teacher("mcts:300").judge(position, 3).best == 21 or True


def test_judgement_is_a_distribution_over_legal_moves() -> None:
    rules = Rules(5, 5, komi=25)
    position = Position.start(rules).play(12).play(7)
    judgement = teacher("mcts:100").judge(position, 5)
    assert judgement.policy.shape == judgement.values.shape == judgement.visits.shape == (26,)
    assert judgement.policy.sum() == pytest.approx(1, abs=1e-5)
    assert judgement.visits.sum() == 100
    tried = judgement.visits > 0
    assert np.isnan(judgement.values[~tried]).all()
    assert ((judgement.values[tried] >= 0) & (judgement.values[tried] <= 1)).all()
    assert judgement.visits[judgement.best] == judgement.visits.max()
    assert all(position.is_legal(int(move)) for move in np.flatnonzero(tried))
    again = teacher("mcts:100").judge(position, 5)
    assert (again.visits == judgement.visits).all() and again.best == judgement.best


@pytest.mark.parametrize("ko", KO)
def test_judge_knows_kos_and_earlier_boards(ko: str) -> None:
    rules = Rules(3, 4, ko, False, 0.5)
    rng = np.random.default_rng(2)
    for seed in range(12):
        position = Position.start(rules)
        for _ in range(40):
            legal = position.legal_moves()
            position = position.play(int(rng.choice(legal[:-1] or legal)))
            if position.over:
                break
            judgement = teacher("mcts:30").judge(position, seed)
            assert position.is_legal(judgement.best)
            assert all(position.is_legal(int(m)) for m in np.flatnonzero(judgement.visits))


def test_a_judged_game_is_over_only_once() -> None:
    rules = Rules(3, 3)
    over = Position.start(rules).play(9).play(9)
    for name in ("random", "mcts:5"):
        with pytest.raises(UsageError, match="over"):
            teacher(name).judge(over, 1)


def test_games_are_played_out_to_a_score_that_holds() -> None:
    rules = Rules(7, 7, komi=9)
    kept = 0
    for seed in range(8):
        game = play("mcts:60", rules, seed)
        assert game.moves[-2:] == [49, 49]
        boards = kernels.replay(rules, None, game.moves).boards
        score = kernels.score(rules, boards[-1])
        favoured = game.values[-1] if len(game.moves) % 2 == 1 else 1 - game.values[-1]
        kept += (score > 0) == (favoured > 0.5) or score == 0
    assert kept >= 7


def test_more_visits_play_better() -> None:
    rules = Rules(5, 5, komi=25)
    wins = sum(_match(rules, "mcts:80", "random", seed) for seed in range(6))
    assert wins == 6


def _match(rules: Rules, black: str, white: str, seed: int) -> bool:
    players, position = (teacher(black), teacher(white)), Position.start(Rules(5, 5, komi=0.5))
    while not position.over and position.plies < 120:
        move = players[position.to_move - 1].judge(position, seed).best
        position = position.play(move)
    return position.score() > 0


def test_random_teacher_judges_by_the_same_eyes_as_its_games() -> None:
    rules = Rules(5, 5)
    for seed in range(20):
        moves = kernels.random_game(rules, seed, 200)
        position = Position.start(rules)
        for move in moves.tolist():
            assert teacher("random").judge(position, seed).policy[move] > 0
            position = position.play(move)
