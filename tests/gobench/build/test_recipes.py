"""A recipe becomes a config: what is filled in, what is refused, what decides the hash."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gobench.build.recipes import BuildConfig, configure, differences
from gobench.canonical import dumps, loads
from gobench.errors import DataError, UsageError
from gobench.types import Domain


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Domain:
    monkeypatch.syspath_prepend(Path(__file__).parents[1])  # where bouncing.py lies
    made: Domain = importlib.import_module("bouncing").Bouncing()
    return made


def test_a_recipe_is_filled_in_by_the_domain(domain: Domain) -> None:
    config = configure(domain, "dot-tiny", {"episodes": 9, "seed": None}, {"size": 48})
    assert (config.domain, config.recipe, config.episodes, config.seed, config.codec) == (
        "dot",
        "dot-tiny",
        9,
        0,
        "png",
    )
    assert config.options == {"size": 48, "frames": 6, "starts": 1000, "reject_every": 7, "place": ""}
    assert list(config.splits) == ["train", "validation", "test"]


def test_what_is_local_is_neither_stored_nor_hashed(domain: Domain) -> None:
    here = configure(domain, "dot-tiny", options={"place": "/home/me"})
    assert here.hash == configure(domain, "dot-tiny").hash
    assert "/home/me" not in json.dumps(here.to_json())
    assert here.all_options["place"] == "/home/me"


def test_a_config_comes_back_from_json(domain: Domain) -> None:
    config = configure(domain, "dot-tiny")
    again = BuildConfig.from_json(loads(dumps(config.to_json()), "plan"))
    assert again == config
    assert again.hash == config.hash
    with pytest.raises(DataError, match="no_such_key"):
        BuildConfig.from_json({**config.to_json(), "no_such_key": 1})


def test_the_hash_is_a_fact() -> None:
    config = BuildConfig("dot", "r", "png", options={"b": [1, 2], "a": "ü"})
    assert config.hash == BuildConfig("dot", "r", "png", options={"a": "ü", "b": (1, 2)}).hash
    assert config.hash == "08b5f43ebed75ba5d217720f861cb95bdaa7f6649ae35d0b4575e8b0c1a2dfb8"
    assert config.hash != replace(config, seed=1).hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episodes": -1}, "episodes is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"shard_size": 0}, "shard_size is 0; allowed"),
        ({"shards": True}, "shards is True"),
        ({"dedup": "exct"}, "Did you mean 'exact'"),
        ({"splits": {"train": 0.5, "test": 0.4}}, "add up to 0.9"),
        ({"splits": {"train": 1.5}}, "splits.train is 1.5"),
        ({"splits": {"training": 1}}, "Did you mean 'train'"),
        ({"options": {"x": float("nan")}}, "not plain data"),
        ({"options": {"x": {1, 2}}}, "not plain data"),
    ],
)
def test_bad_values_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        BuildConfig(**{"domain": "dot", "recipe": "r", "codec": "png", **change})  # type: ignore[arg-type]


def test_unknown_names_list_what_exists(domain: Domain) -> None:
    with pytest.raises(UsageError, match=r"unknown recipe 'dot-tinny'.*Did you mean 'dot-tiny'"):
        configure(domain, "dot-tinny")
    with pytest.raises(UsageError, match=r"'shard_sise'.*Did you mean 'shard_size'"):
        configure(domain, "dot-tiny", {"shard_sise": 3})
    with pytest.raises(UsageError, match="unknown option 'colour'"):
        configure(domain, "dot-tiny", options={"colour": "red"})


def test_differences_name_the_key() -> None:
    old = {"codec": "png", "options": {"theme": "wood", "size": 64}, "seed": 0}
    new = {"codec": "png", "options": {"theme": "ink", "size": 64, "marks": True}, "seed": 1}
    assert list(differences(old, new)) == [
        "options.marks is not there, true was asked for",
        'options.theme is "wood" there, "ink" was asked for',
        "seed is 0 there, 1 was asked for",
    ]
    assert next(differences(new, old)) == "options.marks is true there, nothing was asked for"
    assert list(differences({"n": 1}, {"n": 2}, now="in the shard")) == ["n is 1 there, 2 in the shard"]
    assert list(differences(old, old)) == []


def test_differences_go_down_into_lists_of_tables() -> None:
    old = {"sources": [{"kind": "selfplay", "teacher": "mcts@2:50", "share": 1}], "sizes": [1, 2]}
    new = {"sources": [{"kind": "selfplay", "teacher": "gnugo:1", "share": 1}, {"kind": "sgf"}], "sizes": [1]}
    assert list(differences(old, new, "options")) == [
        "options.sizes is [1,2] there, [1] was asked for",
        'options.sources[0].teacher is "mcts@2:50" there, "gnugo:1" was asked for',
        'options.sources[1] is not there, {"kind":"sgf"} was asked for',
    ]


def test_long_values_are_cut_around_where_they_differ() -> None:
    (line,) = differences({"path": "a" * 200 + "x" + "b" * 200}, {"path": "a" * 200 + "y" + "b" * 200})
    same, rest = "…" + "a" * 20, "b" * 59 + "…"
    assert line == f"path is {same}x{rest} there, {same}y{rest} was asked for"


def test_canonical_json_is_one_way_of_writing() -> None:
    assert dumps({"b": 1, "a": "ü€"}) == '{"a":"ü€","b":1}'.encode()
    odd = {"name": "game\udce9.sgf"}  # a file name that is not UTF-8
    assert loads(dumps(odd), "x") == odd
    with pytest.raises(ValueError):
        dumps(float("inf"))
    with pytest.raises(DataError, match="x is not JSON"):
        loads(b"{", "x")
    with pytest.raises(DataError, match="x is not JSON"):
        loads(b"[" * 100_000, "x")
