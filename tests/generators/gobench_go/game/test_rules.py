"""The table of rule sets, and what a rule set refuses."""

from __future__ import annotations

import dataclasses

import pytest

from gobench.errors import UsageError
from gobench_go.game.rules import KO, RULES, Rules, default_komi, named


def test_the_benchmark_row() -> None:
    rules = named("benchmark")
    assert (rules.rows, rules.cols, rules.ko, rules.suicide, rules.komi) == (9, 9, "positional", False, 7.0)
    assert rules.points == 81
    assert dataclasses.replace(rules, name="custom", note="") == Rules()


def test_the_other_rows() -> None:
    assert list(RULES) == ["benchmark", "chinese", "tromp-taylor", "aga-like", "japanese"]
    assert [name for name, row in RULES.items() if row.suicide] == ["tromp-taylor"]
    assert {name: row.ko for name, row in RULES.items() if row.ko != "positional"} == {
        "chinese": "simple",
        "aga-like": "situational",
        "japanese": "simple",
    }
    assert "area" in RULES["japanese"].note
    assert all(name == row.name and row.note for name, row in RULES.items())


def test_another_board_and_komi() -> None:
    assert named("chinese").rows == 19 and named("chinese").komi == 7.5
    assert named("benchmark", 5).komi == default_komi(5, 5)
    assert (named("benchmark", 3, 4).rows, named("benchmark", 3, 4).cols) == (3, 4)
    assert (named("benchmark", cols=7).rows, named("benchmark", cols=7).cols) == (7, 7)
    assert named("japanese", 9, komi=0.5).komi == 0.5
    assert named("benchmark", 9, 9).komi == 7.0


def test_default_komi() -> None:
    assert [default_komi(n, n) for n in (2, 3, 4, 5, 6, 7, 8)] == [1, 9, 2, 25, 4, 9, 10]
    assert default_komi(9, 9) == default_komi(13, 13) == default_komi(19, 19) == default_komi(7, 9) == 7.0
    assert default_komi(1, 5) == default_komi(3, 4) == 0.0


@pytest.mark.parametrize("komi", [0, 7, 7.5, -3.5, 0.5, 100, -0.0])
def test_komi_in_halves(komi: float) -> None:
    rules = Rules(komi=komi)
    assert rules.komi == komi and isinstance(rules.komi, float)
    assert str(rules.komi) != "-0.0"


@pytest.mark.parametrize("komi", [0.25, 7.3, float("nan"), float("inf"), -float("inf"), 1e9])
def test_other_komi_is_refused(komi: float) -> None:
    with pytest.raises(UsageError, match=r"multiple of 0\.5"):
        Rules(komi=komi)


@pytest.mark.parametrize("size", [(0, 9), (9, 0), (20, 9), (9, 20), (-1, -1)])
def test_boards_outside_1_to_19_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="1 to 19"):
        Rules(*size)


def test_unknown_names_list_what_exists() -> None:
    with pytest.raises(UsageError, match="Known: aga-like, benchmark, chinese, japanese, tromp-taylor"):
        named("benchmrk")
    with pytest.raises(UsageError, match="Did you mean 'simple'"):
        Rules(ko="simpel")
    for ko in KO:
        assert Rules(ko=ko).ko == ko


def test_rules_are_values() -> None:
    assert named("benchmark") == named("benchmark") and hash(named("benchmark")) == hash(named("benchmark"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        named("benchmark").komi = 3.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        RULES["mine"] = Rules()  # type: ignore[index]
