"""KataGo as a teacher and as a player."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.arena.names import Conditions, open_player
from gobench_go.engines.faults import EngineError
from gobench_go.engines.nets import found_nets
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules, named
from gobench_go.judged import open_set
from gobench_go.teachers import teacher
from gobench_go.teachers.external import drawn
from gobench_go.teachers.katago import SECONDS, KataGoTeacher, as_people

RULES = Rules(4, 4, komi=2.0)
Katago = Callable[..., str]


def test_it_judges_as_it_was_recorded(katago: Katago) -> None:
    kata, known = teacher(katago(known=1)), open_set("go9-lite").games[0]
    position = Position.start(named("benchmark"))
    for ply in range(8):
        found, judged = kata.judge(position, 1), known.positions[ply]
        assert found.best == judged.best and found.visits.tolist() == judged.visits.tolist()
        assert (found.value, found.lead) == pytest.approx((judged.root_value, judged.root_lead))
        looked = found.visits > 0
        assert np.isnan(found.values[~looked]).all() and np.isfinite(found.leads[looked]).all()
        assert found.values[judged.best] == pytest.approx(judged.value[judged.best])
        assert np.allclose(found.policy, judged.policy / judged.policy.sum(), atol=1e-6)
        position = position.play(known.moves[ply])
    kata.close()  # type: ignore[attr-defined]


def test_its_name_says_who_answers_and_can_be_read_again(katago: Katago, tmp_path: Path) -> None:
    katago()
    kata = teacher(f"katago:{tmp_path}/nets/tiny.bin.gz?visits=5")
    assert kata.external and kata.name == "katago:tiny?visits=5 (KataGo 1.17.2)"
    assert teacher(kata.name).name == kata.name
    with pytest.raises(UsageError, match=r"KataGo 1.16.0 is wanted, and here is 1.17.2"):
        assert teacher("katago:tiny?visits=5 (KataGo 1.16.0)").name
    assert isinstance(kata, KataGoTeacher)
    assert {
        "name": "KataGo",
        "version": "1.17.2",
        "net": "g170-b6c96-s175395328-d26788732",
        "visits": 5,
    }.items() <= (kata.identity.items())
    other = teacher("katago:tiny?visits=9")
    assert isinstance(other, KataGoTeacher) and other.engine is kata.engine  # one process for all
    for one in (kata, other):
        one.judge(Position.start(RULES), 1)
    kata.close()
    assert other.engine.pid and other.judge(Position.start(RULES), 1)  # who is still asking keeps it
    other.close()
    assert other.engine.pid is None


def test_a_game_is_over_or_an_engine_is_wrong(katago: Katago) -> None:
    kata = teacher(katago(illegal=True))
    with pytest.raises(UsageError, match="the game is over"):
        kata.judge(Position.start(RULES).play(16).play(16), 1)
    with pytest.raises(EngineError, match="disagree on what Black may play"):
        kata.judge(Position.start(RULES), 1)
    with pytest.raises(UsageError, match="KataGo plays on boards"):
        kata.judge(Position.start(Rules(1, 5)), 1)


def test_it_plays_against_itself(katago: Katago) -> None:
    kata = teacher(katago())
    game = kata.game(RULES, {"plies": 3, "region": 2}, [(6, 1.0), (99, 0.0)], 12, 5)
    assert 3 < len(game.moves) == len(game.targets) == len(game.values) <= 12
    assert set(game.moves[:3]) <= {5, 6, 9, 10}
    assert game.moves[6:] == game.targets[6:] and game == kata.game(
        RULES, {"plies": 3, "region": 2}, [(6, 1.0), (99, 0.0)], 12, 5
    )  # the server repeats itself; KataGo does not
    position = Position.start(RULES)
    for move in game.moves:
        position = position.play(move)
    people = teacher("katago:tiny?profile=rank_1d").game(RULES, 0, [(99, 1.0)], 6, 5)
    assert people.moves != game.moves[:6]


def test_a_move_is_drawn_by_visits_and_heat(katago: Katago) -> None:
    found, rng = teacher(katago()).judge(Position.start(RULES), 1), np.random.default_rng(1)
    shares = found._replace(visits=np.array([90, 10, *[0] * 15], np.int32), best=1)
    assert drawn(shares, 0.0, rng) == 1
    assert {drawn(shares, 1e-4, rng) for _ in range(50)} == {0}
    often = np.bincount([drawn(shares, 1.0, rng) for _ in range(2000)], minlength=2) / 2000
    assert often[0] == pytest.approx(0.9, abs=0.03)


def test_a_player_plays_and_is_late_or_gone(katago: Katago, tmp_path: Path) -> None:
    player = open_player(katago(), Conditions(seconds=5))
    assert player.name == "katago:tiny?visits=64"
    assert (player.identity["kind"], player.identity["version"]) == ("engine", "1.17.2")
    assert str(tmp_path) not in str(player.identity)
    player.begin(RULES, 1)
    position = Position.start(RULES)
    reply = player.reply(position, 7)
    assert position.is_legal(reply.move) and 0 <= reply.value <= 1 and reply.said.startswith("lead ")
    player.close()
    for fault, name in (({"mute_after": 0}, "late"), ({"die_after": 0}, "crash")):
        broken = open_player(katago(**fault), Conditions(seconds=0.5))
        broken.begin(RULES, 1)
        with pytest.raises(EngineError) as caught:
            broken.reply(position, 7)
        assert caught.value.fault == name
        katago()
        assert position.is_legal(broken.reply(position, 7).move)  # started again in the middle of a game
        broken.close()


def test_people_do_not_always_play_the_same(katago: Katago) -> None:
    player = open_player(katago() + "?profile=rank_3k", Conditions())
    player.begin(RULES, 1)
    moves = [player.reply(Position.start(RULES), seed).move for seed in range(40)]
    assert max(set(moves), key=moves.count) == 1 and len(set(moves)) > 1 and 16 not in moves
    player.close()


def test_people_pass_when_the_search_does(katago: Katago) -> None:
    """Else games of people would go on until nothing can be filled any more."""
    rng, found = np.random.default_rng(1), teacher(katago()).judge(Position.start(RULES), 1)
    policy = np.full(17, 0.05, np.float32)
    policy[16] = 0.2
    done = as_people(found._replace(policy=policy, best=16))
    assert {drawn(done, heat, rng) for heat in (0.0, 0.1, 1.0, 5.0)} == {16}
    on = as_people(found._replace(policy=policy, best=3))
    moves = {drawn(on, 1.0, rng) for _ in range(200)}
    assert 16 not in moves and len(moves) > 9 and not on.visits.any()


def test_a_long_search_may_take_longer(katago: Katago, monkeypatch: pytest.MonkeyPatch) -> None:
    kata, patience = KataGoTeacher.of(katago()), list[float | None]()
    submit = kata.engine.submit
    monkeypatch.setattr(
        kata.engine,
        "submit",
        lambda query, seconds=None, *more: patience.append(seconds) or submit(query, seconds, *more),
    )
    for visits in (1, 100_000):
        kata.ask(Position.start(RULES), visits)
    kata.ask(Position.start(RULES), 100_000, seconds=2)
    kata.close()
    few, many, told = [each for each in patience if each is not None]
    assert few == pytest.approx(SECONDS, rel=0.01) and many > 5000 and told == 2


def test_a_real_katago_where_there_is_one() -> None:
    """Everything that the server pretends, by KataGo itself."""
    import shutil

    nets = [net for net in found_nets() if "human" not in net.name]
    if not shutil.which("katago") or not nets:
        pytest.skip("needs katago on the PATH and a network in its folders")
    kata = KataGoTeacher.of(f"katago:{nets[0]}?visits=8")
    position = Position.start(named("benchmark"))
    for _ in range(6):
        found = kata.judge(position, 1)
        assert found.visits.sum() > 0 and abs(found.policy.sum() - 1) < 1e-3
        position = position.play(found.best)
    assert kata.identity["version"] and len(kata.identity["net_sha256"]) == 64
    kata.close()
