"""GNU Go itself: as an engine, a player and a teacher."""

from __future__ import annotations

import math
import os
import signal

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.arena.engine_player import GtpPlayer
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.referee import Fixture, Limits, play
from gobench_go.engines.commands import engine_command
from gobench_go.engines.faults import EngineError
from gobench_go.engines.find import program
from gobench_go.engines.gtp import GtpEngine
from gobench_go.engines.presets import PRESETS
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers import teacher

PLACE = program(PRESETS["gnugo"].programs)
pytestmark = pytest.mark.skipif(PLACE is None, reason="needs GNU Go: apt install gnugo")
RULES = Rules(5, 5, komi=25.0)
NINE = Rules(9, 9)


def self_play(engine: GtpEngine, rules: Rules, seed: int, plies: int = 24) -> list[int]:
    engine.begin(rules, seed)
    position = Position.start(rules)
    while position.plies < plies and not position.over:
        engine.set_up(position)
        position = position.play(engine.genmove(position.to_move))
    return [int(m) for m in np.array(position.history)]


def test_a_game_follows_from_its_seed_alone() -> None:
    engine = GtpEngine(engine_command("gnugo:1"))
    one, two, again = (self_play(engine, NINE, seed) for seed in (1, 2, 1))
    assert one == again != two
    kept = GtpEngine(engine_command(f"gtp:{PLACE} --mode gtp --level 1"))
    games = [self_play(kept, NINE, seed, 12) for seed in (1, 2)]
    pid = kept.pid
    assert self_play(kept, NINE, 1, 12) == games[0] != games[1]
    assert kept.pid == pid, "a command without a seed keeps its process"
    engine.close()
    kept.close()


def test_a_game_in_the_middle_goes_on_the_same() -> None:
    """The moves of an engine that is started again in the middle are those of the one that played all along."""
    engine, position = GtpEngine(engine_command("gnugo:1")), Position.start(RULES)
    engine.begin(RULES, 3)
    for _ in range(6):
        engine.set_up(position)
        position = position.play(engine.genmove(position.to_move))
    engine.set_up(position)
    on = engine.genmove(position.to_move)
    assert position.is_legal(on)
    engine.close()
    engine.set_up(position)
    assert position.is_legal(engine.genmove(position.to_move))
    engine.close()


def test_an_engine_that_is_killed_is_a_crash_and_starts_again() -> None:
    player = open_player("gnugo:1")
    assert isinstance(player, GtpPlayer)
    player.begin(RULES, 1)
    start = Position.start(RULES)
    first = player.reply(start, 0)
    assert player.engine.pid
    os.kill(player.engine.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="was ended by SIGKILL") as error:
        player.reply(start.play(first.move).play(25), 0)
    assert error.value.fault == "crash"
    player.begin(RULES, 1)
    assert player.reply(start, 0) == first
    player.close()


def test_a_match_game_is_played_out_and_repeats() -> None:
    games = []
    for _ in range(2):
        players = open_player("gnugo:1", Conditions(seconds=20)), open_player("random")
        fixture = Fixture("g00000", "a/b/o000", "a", "b", opening=(12, 7), seeds=(4, 5))
        games.append(play(fixture, RULES, players, limits=Limits()))
        for player in players:
            player.close()
    assert games[0] == games[1] and games[0].end in ("passes", "resign")
    assert games[0].moves[:2] == (12, 7) and games[0].illegal == (0, 0)


def test_who_it_is() -> None:
    player = open_player("gnugo:3")
    identity = player.identity
    assert (player.name, identity["program"], identity["kind"]) == ("gnugo:3", "GNU Go", "engine")
    assert identity["version"] and "/" not in str(identity["command"])
    assert identity == open_player("gnugo:3").identity
    any_command = open_player(f"gtp:{PLACE} --mode gtp --level 3")
    assert any_command.name == "gtp:gnugo --mode gtp --level 3"
    assert any_command.identity["version"] == identity["version"]
    with pytest.raises(UsageError, match="square boards only, and this one is 3x4"):
        player.begin(Rules(3, 4), 1)
    player.close()


def test_it_teaches() -> None:
    one = teacher("gnugo:1")
    assert one.external and one.name.startswith("gnugo:1 (GNU Go 3.")
    position = Position.start(NINE).play(40).play(24)
    said = one.judge(position, 5)
    assert said.policy.sum() == said.policy[said.best] == 1 and position.is_legal(said.best)
    assert math.isnan(said.value) and math.isnan(said.lead) and np.isnan(said.values).all()
    one.judge(Position.start(NINE), 1)
    assert one.judge(position, 5).best == said.best
    game = one.game(RULES, {"plies": 3, "region": 3}, [(9, 1.0)], 60, 11)
    assert game == teacher(one.name).game(RULES, {"plies": 3, "region": 3}, [(9, 1.0)], 60, 11)
    assert len(game.targets) == len(game.moves) and game.values == [] and game.moves[3:] == game.targets[3:]
    with pytest.raises(UsageError, match=r"GNU Go 1\.0 is wanted, and here is GNU Go 3"):
        _ = teacher("gnugo:1 (GNU Go 1.0)").name
    with pytest.raises(UsageError, match="the game is over"):
        one.judge(position.play(81).play(81), 1)


def test_a_board_that_was_set_up() -> None:
    board = Position.of_text(RULES, ".X... XX.O. ..OO. .O.XX .....", 2)
    engine = GtpEngine(engine_command("gnugo:1"))
    engine.set_up(board.play(24))
    black, white = (engine.ask(f"list_stones {color}").split() for color in ("black", "white"))
    assert (len(black), len(white)) == (5, 5)
    assert board.play(24).is_legal(engine.genmove(1))
    engine.close()
