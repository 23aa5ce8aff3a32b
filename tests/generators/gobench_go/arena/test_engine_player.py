"""Engines as players, at the referee's table: what an engine does wrong ends its game by the right rule."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gobench.seeds import seed64
from gobench_go.arena.engine_player import GtpPlayer
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.referee import Fixture, Limits, play
from gobench_go.arena.result import GameResult
from gobench_go.engines.commands import engine_seed
from gobench_go.game.rules import Rules

HOSTILE = Path(__file__).parents[1] / "engines" / "hostile.py"
RULES = Rules(5, 5, komi=25.0)
ENDS = {"move": ("passes", "move-limit")}
"""What the table of the hostile engine says -> how a game may end; all others are ends themselves."""


def hostile() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile", HOSTILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def player(mode: str, seconds: float) -> GtpPlayer:
    text = f"gtp:{sys.executable} -S -E {HOSTILE} {mode} --seed {{seed}}"
    found = open_player(text, Conditions(seconds))
    assert isinstance(found, GtpPlayer)
    return found


def game(mode: str, seed: int = 1, color: int = 1) -> GameResult:
    late = hostile().MODES[mode if mode != "any" else hostile().drawn(engine_seed(seed))] == "late"
    bad, other = player(mode, 0.4 if late else 20.0), open_player("random")
    names = ("bad", "good") if color == 1 else ("good", "bad")
    fixture = Fixture("g00000", "bad/good/o000", *names, opening=(12,), seeds=(seed, seed + 1))
    try:
        return play(fixture, RULES, (bad, other) if color == 1 else (other, bad), limits=Limits(60, 1))
    finally:
        bad.close()


def check(found: GameResult, expected: str) -> None:
    assert found.end in ENDS.get(expected, (expected,)), (expected, found)
    loser = {1: found.white, 2: found.black, 0: ""}[found.winner]
    assert expected == "move" or loser == "bad"
    assert len(found.voided) == (expected == "crash")


@pytest.mark.parametrize("mode", ["sane", "resign", "occupied", "off-board", "refuse-all", "slow", "fork"])
@pytest.mark.parametrize("color", [1, 2])
def test_what_becomes_of_a_game(mode: str, color: int) -> None:
    check(game(mode, color=color), hostile().MODES[mode])


def test_games_with_a_process_each_repeat() -> None:
    assert game("sane", 5) == game("sane", 5) != game("sane", 6)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_many_games_with_whatever_comes() -> None:
    before, table = len(os.listdir("/proc/self/fd")), hostile()
    for seed in (seed64(1, "hostile", i) for i in range(40)):
        mode = table.drawn(engine_seed(seed))
        check(game("any", seed), table.MODES[mode])
    assert len(os.listdir("/proc/self/fd")) == before


def test_identity_is_plain_data_without_places() -> None:
    bad = player("sane", 20.0)
    identity = bad.identity
    assert json.loads(json.dumps(identity)) == identity and str(HOSTILE.parent) not in json.dumps(identity)
    assert (identity["program"], identity["version"]) == ("Hostile", "1")
    assert identity["seeding"] == "a new process for each game, {seed} in its command"
    assert list(identity["files"]) == ["hostile.py"] and not bad.engine.running
    bad.close()
