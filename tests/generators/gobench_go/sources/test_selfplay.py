"""Self-play, mixtures and reannotation: complete records, decided by seed and number alone."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from typing import Any

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench.types import Episode, Source
from gobench_go.game.kernels import replay
from gobench_go.game.position import Position
from gobench_go.sources import make_source, record
from gobench_go.sources.mixed import Mixed
from gobench_go.teachers import teacher


def options(*sources: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"rows": 5, "cols": 5, "komi": 0.5, "sources": list(sources), **keys}


def selfplay(name: str = "mcts:8", **keys: Any) -> dict[str, Any]:
    return {
        "kind": "selfplay",
        "teacher": name,
        "opening": {"plies": 2, "region": 3},
        "max_plies": 30,
        **keys,
    }


def games(source: Source) -> list[dict[str, Any]]:
    found = [each for index in range(source.units) for each in source.unit(index)]
    assert all(isinstance(each, Episode) for each in found), found
    return [each.record for each in found if isinstance(each, Episode)]


@pytest.mark.parametrize("name", ["random", "mcts:8"])
def test_records_are_complete_and_legal(name):
    source = make_source(options(selfplay(name)), 6, 1)
    assert (source.units, dict(source.inputs)) == (6, {})
    for number, game in enumerate(games(source)):
        assert tuple(game) == record.KEYS
        assert json.loads(json.dumps(game, allow_nan=False)) == game
        assert (game["source"], game["origin"]) == ("selfplay", f"selfplay/{number}")
        rules = record.rules_of(game)
        _, captures, illegal = replay(rules, None, game["moves"], game["colors"])
        assert (illegal, captures.tolist()) == (-1, game["captures"])
        assert len(game["moves"]) <= 30
        assert game["result"] == (record.result_text(game["score"]) if game["over"] else "?")
        assert 0 <= game["seed"] < 1 << 64


def test_targets_and_values_of_the_search():
    for game in games(make_source(options(selfplay("mcts:8")), 3, 1)):
        assert game["teacher"] == game["black"] == game["white"] == teacher("mcts:8").name
        assert len(game["targets"]) == len(game["values"]) == len(game["moves"])
        for position, target in zip(positions(game), game["targets"], strict=True):
            assert position.is_legal(target)
        assert all(value == round(value, 4) for value in game["values"])


def positions(game: dict[str, Any]) -> list[Position]:
    from gobench_go.sources.reannotate import positions as before_each

    return list(before_each(game))


def test_games_differ_and_repeat_by_seed_alone():
    first = games(make_source(options(selfplay()), 8, 1))
    assert len({tuple(g["moves"]) for g in first}) == 8
    again = make_source(options(selfplay()), 8, 1)
    assert [next(iter(again.unit(i))).record for i in (7, 0, 3)] == [first[i] for i in (7, 0, 3)]
    assert games(make_source(options(selfplay()), 3, 1)) == first[:3]
    assert games(make_source(options(selfplay()), 3, 2)) != first[:3]


def _unit(source: Source) -> list[Any]:
    return list(source.unit(2))


def test_other_processes_make_the_same_games():
    source = pickle.loads(pickle.dumps(make_source(options(selfplay()), 3, 1)))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_unit, (source,)) == list(source.unit(2))


def test_several_teachers_share_the_episodes():
    source = make_source(options(selfplay("random"), selfplay("mcts:8", share=3)), 8, 1)
    found = games(source)
    assert [g["origin"] for g in found] == [f"selfplay/{i}" for i in range(8)]
    assert [g["black"] == teacher("random").name for g in found] == [True] * 2 + [False] * 6
    assert make_source(options(selfplay("random"), selfplay("random")), 7, 1).units == 7


def test_archives_and_self_play_one_after_another(data):
    both = options(
        selfplay("random"), {"kind": "sgf", "paths": [str(data / "go9_katago_sgf.zip")]}, rows=9, cols=9
    )
    source = make_source(both, 4, 1)
    assert isinstance(source, Mixed)
    assert source.units == 114
    assert set(source.inputs) == {"go9_katago_sgf.zip"}
    assert [next(iter(source.unit(i))).record["source"] for i in (0, 3, 4, 113)] == ["selfplay"] * 2 + [
        "sgf"
    ] * 2
    assert pickle.loads(pickle.dumps(source)).units == 114


def test_inputs_of_the_same_name_stay_apart(tmp_path):
    paths = []
    for name in "xy":
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "g.sgf")
        paths[-1].write_text(f"(;SZ[5]GN[{name}];B[aa])")
    source = make_source(options(*({"kind": "sgf", "paths": [str(p)]} for p in paths)), 0, 1)
    assert set(source.inputs) == {"g.sgf", "g.sgf@1"}


def test_a_recipe_without_sources_says_what_to_add():
    with pytest.raises(UsageError, match=r"no source of games.*--sgf"):
        make_source(options(), 5, 1)


def test_reannotation_keeps_the_moves_and_replaces_the_targets(data):
    archive = {"kind": "sgf", "paths": [str(data / "go9_katago_sgf.zip")]}
    plain = make_source(options(archive, rows=9, cols=9), 0, 1)
    judged = make_source(options(archive, rows=9, cols=9, reannotate="mcts:8"), 0, 1)
    before, after = (next(iter(s.unit(3))).record for s in (plain, judged))
    changed = {key for key in record.KEYS if before[key] != after[key]}
    assert changed == {"teacher", "targets", "values"}
    assert after["teacher"] == teacher("mcts:8").name
    assert len(after["targets"]) == len(after["values"]) == len(after["moves"])
    for position, target in zip(positions(after), after["targets"], strict=True):
        assert position.is_legal(target)
    assert next(iter(judged.unit(3))).record == after
    assert judged.inputs == plain.inputs
    other = make_source(options(archive, rows=9, cols=9, reannotate="mcts:8"), 0, 2)
    assert next(iter(other.unit(3))).record["targets"] != after["targets"]


def test_reannotation_of_setups_and_colours_that_do_not_alternate(tmp_path):
    path = tmp_path / "g.sgf"
    path.write_text("(;SZ[5]AB[bb][cc]AW[dd];W[aa];W[ba];B[ee];B[];W[])(;SZ[5];B[zz])")
    source = make_source(options({"kind": "sgf", "paths": [str(path)]}, reannotate="mcts:8"), 0, 1)
    good, bad = source.unit(0)
    assert isinstance(good, Episode)
    assert [p.to_move for p in positions(good.record)] == [2, 2, 1, 1, 2]
    assert len(good.record["targets"]) == 5
    assert not isinstance(bad, Episode)


def test_reannotation_sees_the_stones_of_a_colour_that_moves_twice(tmp_path):
    """Black's first move fills White's last liberty but one, the middle: taken for a white stone it would make
    a liberty more, and the middle could not be played."""
    ring = "AB[ca][da][ab][eb][ac][ec][ad][ed][be][ce][de]AW[bb][cb][db][bc][dc][bd][cd][dd]"
    path = tmp_path / "g.sgf"
    path.write_text(f"(;SZ[5]KM[14.5]{ring};B[ba];B[cc])")
    source = make_source(options({"kind": "sgf", "paths": [str(path)]}, reannotate="mcts:100"), 0, 1)
    (each,) = source.unit(0)
    assert isinstance(each, Episode)
    assert each.record["targets"][1] == 12
    assert each.record["values"][1] > 0.9


def test_values_are_rounded_without_minus_zero():
    assert str(record.rounded(np.array([-0.00001, 0.123456], np.float32))) == "[0.0, 0.1235]"
