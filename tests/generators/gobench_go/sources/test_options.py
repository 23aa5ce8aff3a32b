"""Options of the games: defaults, and errors that name the key, the value and what is allowed."""

from __future__ import annotations

import json

import pytest

from gobench.errors import UsageError
from gobench_go.domain import GoDomain
from gobench_go.sources import configure_sources
from gobench_go.sources.options import KEYS

SELFPLAY = {"kind": "selfplay", "teacher": "random"}
SGF = {"kind": "sgf", "paths": ["games.zip"]}


def source(**keys: object) -> dict[str, object]:
    return configure_sources({"sources": [{**SELFPLAY, **keys}]})["sources"][0]


def test_everything_is_filled_in():
    full = configure_sources({"sources": [SELFPLAY, SGF, {"kind": "videoworld", "paths": ["tars"]}]})
    assert tuple(full) == KEYS
    assert (full["rows"], full["cols"], full["rules"], full["komi"], full["reannotate"]) == (
        9,
        9,
        "benchmark",
        7.0,
        "",
    )
    selfplay, sgf, tars = full["sources"]
    assert selfplay["max_plies"] == 162
    assert selfplay["opening"] == {"plies": 0, "region": 5}
    assert sgf["rules"] == "benchmark" and sgf["filters"]["results"] == "any"
    assert tars["teacher"] == "katago"
    assert None not in json.loads(json.dumps(full)).values()


def test_filling_in_twice_changes_nothing():
    full = configure_sources({"sources": [SELFPLAY, SGF, {"kind": "videoworld", "paths": ["tars"]}]})
    assert configure_sources(full) == full
    assert configure_sources(json.loads(json.dumps(full))) == full


def test_komi_follows_the_board_unless_given():
    assert configure_sources({"rows": 5, "cols": 5})["komi"] == 25.0
    assert configure_sources({"rows": 5, "cols": 5, "komi": 0})["komi"] == 0.0


def test_the_recipes_are_valid():
    for name, recipe in GoDomain().recipes().items():
        games = {key: recipe["options"][key] for key in KEYS if key in recipe["options"]}
        assert configure_sources(games)["rows"] in (5, 7, 9, 13, 19), name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"row": 9}, ["'row'", "rows"]),
        ({"rows": 20}, ["rows", "1 to 19", "20"]),
        ({"rows": 9.0}, ["rows", "9.0"]),
        ({"rows": True}, ["rows", "True"]),
        ({"rules": "chineese"}, ["rules", "chineese", "chinese", "as-written"]),
        ({"komi": 6.75}, ["komi", "6.75", "0.5"]),
        ({"komi": "7"}, ["komi", "'7'"]),
        ({"komi": float("nan")}, ["komi"]),
        ({"sources": "selfplay"}, ["sources", "selfplay"]),
        ({"sources": [{"teacher": "random"}]}, ["sources[0]", "kind", "selfplay, sgf, videoworld"]),
        ({"sources": [SELFPLAY, {"kind": "sfg"}]}, ["sources[1].kind", "sfg", "sgf"]),
        ({"sources": [{**SELFPLAY, "paths": []}]}, ["sources[0]", "paths", "max_plies"]),
        ({"sources": [{**SELFPLAY, "teacher": "mctsx"}]}, ["sources[0].teacher", "mctsx", "mcts"]),
        ({"sources": [{**SELFPLAY, "teacher": 5}]}, ["sources[0].teacher", "5"]),
        ({"sources": [{**SELFPLAY, "max_plies": 0}]}, ["sources[0].max_plies", "1 to"]),
        ({"sources": [{**SELFPLAY, "share": -1}]}, ["sources[0].share"]),
        ({"sources": [{**SELFPLAY, "opening": 4}]}, ["sources[0].opening", "plies, region"]),
        ({"sources": [{**SELFPLAY, "opening": {"ply": 4}}]}, ["opening", "'ply'", "plies"]),
        ({"sources": [{**SELFPLAY, "temperature": []}]}, ["temperature", "[[8, 1.0]"]),
        ({"sources": [{**SELFPLAY, "temperature": [[8, -1.0]]}]}, ["temperature", "0 to 100"]),
        ({"sources": [{**SELFPLAY, "temperature": [[8, 1.0], [8, 2.0]]}]}, ["temperature", "ascend"]),
        ({"sources": [{"kind": "sgf"}]}, ["sources[0].paths", "None"]),
        ({"sources": [{"kind": "sgf", "paths": "x.sgf"}]}, ["sources[0].paths", "list"]),
        ({"sources": [{**SGF, "rules": "go"}]}, ["sources[0].rules", "as-written"]),
        ({"sources": [{**SGF, "filters": {"min_rnk": "1d"}}]}, ["sources[0].filters", "min_rnk", "min_rank"]),
        ({"sources": [{**SGF, "filters": {"min_rank": "strong"}}]}, ["min_rank", "strong", "5d"]),
        ({"sources": [{**SGF, "filters": {"sizes": ["99x99"]}}]}, ["99x99"]),
        ({"sources": [{**SGF, "filters": {"results": "all"}}]}, ["results", "all", "decided"]),
        ({"sources": [{**SGF, "filters": {"max_moves": "9"}}]}, ["max_moves", "'9'"]),
        ({"sources": [{**SGF, "filters": {"rules": ["x"]}}]}, ["rules", "'x'", "japanese"]),
        ({"sources": [{**SGF, "filters": []}]}, ["sources[0].filters", "table"]),
        ({"reannotate": "gnugoo:1"}, ["reannotate", "gnugoo"]),
        ({"reannotate": 7}, ["reannotate", "7"]),
    ],
)
def test_errors_name_the_key_the_value_and_what_is_allowed(options, words):
    with pytest.raises(UsageError) as error:
        configure_sources(options)
    for word in words:
        assert word in str(error.value)
