"""The embedded teachers: names, legality of every move, repeatability, and that search finds what it must."""

from __future__ import annotations

import hashlib
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
    [("random", "random@1"), ("random@1", "random@1"), ("mcts:50", "mcts@2:50"), ("mcts@2:7", "mcts@2:7")],
)
def test_names_carry_a_version(text: str, name: str) -> None:
    assert teacher(text).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alphago", "unknown teacher 'alphago'.*mcts:VISITS.*random"),
        ("", "unknown teacher"),
        ("mcts:abc", "mcts:VISITS.*'mcts:50'"),
        ("mcts", "mcts:VISITS"),
        ("mcts:0", "1 to 1000000"),
        ("mcts:10000000", "1 to 1000000"),
        ("mcts:٣", "mcts:VISITS"),
        ("mcts@1:50", "version 2.*mcts@2"),
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


# sha256 of the moves: an edit that changes one of these must raise VERSION in the teacher's file
GOLDEN = {
    ("random", 9): "a1e37c3835b95775",
    ("mcts:10", 5): "0bebae7e5bbd52ba",
    ("mcts:25", 9): "84318f1964447f1a",
}


@pytest.mark.parametrize(("name", "size"), list(GOLDEN))
def test_golden_games_stay_until_the_version_is_raised(name: str, size: int) -> None:
    moves = play(name, Rules(size, size, komi=7), 1).moves
    assert hashlib.sha256(bytes(moves)).hexdigest()[:16] == GOLDEN[name, size]


def test_search_takes_what_stands_in_atari() -> None:
    ring = Position.of_text(Rules(5, 5, komi=14.5), ".XXX. XOOOX XO.OX XOOOX .XXX.")
    judgement = teacher("mcts:100").judge(ring, 1)
    assert judgement.best == 12
    assert judgement.value > 0.9


@pytest.mark.parametrize(("size", "komi", "centre"), [(3, 8.5, 4), (5, 24.5, 12)])
def test_search_opens_small_boards_in_the_centre(size: int, komi: float, centre: int) -> None:
    judgement = teacher("mcts:3000").judge(Position.start(Rules(size, size, komi=komi)), 1)
    assert judgement.best == centre
    assert judgement.policy[centre] > 0.5


def test_search_beats_random_from_both_sides() -> None:
    players = (teacher("mcts:40"), teacher("random"))
    for side in (0, 1, 0, 1):
        position = Position.start(Rules(6, 6, komi=0.5))
        while not position.over:
            who = players[(position.to_move - 1 + side) % 2]
            position = position.play(who.judge(position, position.plies).best)
        assert (position.score() > 0) == (side == 0)


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


def searched(position: Position) -> np.ndarray:
    """The board uint8 [R, C] from which a search of a position begins."""
    from gobench_go.game.kernels_board import COLOR
    from gobench_go.teachers import games, mcts

    rules, points = position.rules, position.rules.points
    player, scratch = mcts.MctsTeacher(2), mcts._scratch(position.plies + 1)
    tree, _ = player._memory(points)
    out = np.zeros(points + 1, np.int32), np.zeros(points + 1, np.float32)
    boards = position.boards().reshape(-1, points)
    rest = (boards, position.turns(), position.last, position.passes, *out)
    games.judge(tree, scratch, player._task(rules, 1), *rest)
    stride = rules.cols + 1
    field = scratch.root[COLOR : COLOR + (rules.rows + 1) * stride].reshape(-1, stride)
    return field[1:, 1:]


@pytest.mark.parametrize("ko", KO)
def test_a_search_begins_at_the_board_also_when_a_colour_moves_twice(ko: str) -> None:
    rng = np.random.default_rng(6)
    for game in range(6):
        position = Position.start(Rules(3, 4, ko, game % 2 == 1, 0.5))
        for _ in range(40):
            color = int(rng.integers(1, 3))
            if not (legal := position.legal_moves(color)):
                break
            position = position.play(int(rng.choice(legal)), color)
            if not position.over:
                for turned in (position, position.turned(color)):
                    assert np.array_equal(searched(turned), position.board)


def test_a_search_begins_at_the_board_after_a_suicide_out_of_turn() -> None:
    start = Position.of_text(Rules(3, 3, suicide=True), "X.O OO. ...", 2).turned(1)
    position = start.play(1, 1)
    assert position.captured == (0, 1)
    assert np.array_equal(searched(position.turned(1)), position.board)


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
    assert kept == 8


def test_few_visits_do_not_end_a_game_early() -> None:
    game = teacher("mcts:1").game(Rules(19, 19), 0, HEAT, 722, 3)
    assert len(game.moves) > 300


def test_random_teacher_judges_by_the_same_eyes_as_its_games() -> None:
    rules = Rules(5, 5)
    for seed in range(8):
        moves = kernels.random_game(rules, seed, 200)
        position = Position.start(rules)
        for move in moves.tolist():
            assert teacher("random").judge(position, seed).policy[move] > 0
            position = position.play(move)
