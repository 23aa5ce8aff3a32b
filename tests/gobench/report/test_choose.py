"""Which samples a report shows: rules that can be checked on a table of a few rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from gobench.report.choose import choose, confidence, difficulty, strangest
from gobench.tasks import Chosen, Metric, Table

IDS = [f"s{i}" for i in range(8)]
KINDS = ["clean", "clean", "clean", "blank", "blank", "blank", "torn", "clean"]


def task(**more: Any) -> Any:
    metrics = {
        "right": Metric("is it right"),
        "half": Metric("loss where it is defined", better="lower", conditional=True),
        "loss": Metric("how far off", better="lower", unit="points"),
    }
    return SimpleNamespace(ids=IDS, headline="right", metrics=metrics, **more)


def table() -> Table:
    columns = {
        "right": np.array([1, 1, 1, 0, 0, 0, 0, 0], float),
        "half": np.full(8, np.nan),
        "loss": np.array([0, 0, 0, 9, 9, 5, 7, 1], float),
    }
    clusters = np.array([0, 0, 1, 2, 2, 3, 4, 5])
    return Table(IDS, clusters, columns, KINDS, np.array([k == "clean" for k in KINDS]))


def rows() -> list[dict[str, Any]]:
    sure = [0.9, 0.2, 0.5, 1.0, 1.0, 1.0, 1.0, 0.1]
    return [
        {"id": name, "tries": [{"confidence": 1.0}, {"confidence": s}]}
        for name, s in zip(IDS, sure, strict=True)
    ]


def chosen(count: int, **more: Any) -> dict[str, list[str]]:
    return {g.name: list(g.ids) for g in choose(task(**more), table(), rows(), count)}


def test_best_are_right_and_of_different_clusters_first() -> None:
    assert chosen(3)["best"] == ["s0", "s2", "s1"]
    assert chosen(2)["best"] == ["s0", "s2"]


def test_the_hardest_come_first_where_the_task_says_what_is_hard() -> None:
    hard = np.array([1, 3, 2, 0, 0, 0, 0, 0], float)
    assert chosen(3, difficulty=hard)["best"] == ["s1", "s2", "s0"]
    assert chosen(3, difficulty=lambda: hard)["best"] == ["s1", "s2", "s0"]
    assert list(difficulty(task(), table())) == [0] * 8


def test_worst_have_the_largest_loss_and_no_cluster_twice_before_another() -> None:
    assert chosen(3)["worst"] == ["s3", "s6", "s5"]
    assert chosen(5)["worst"] == ["s3", "s6", "s5", "s7", "s4"]


def test_strangest_are_rare_kinds_and_then_unsure_ones() -> None:
    kinds = ["clean"] * 40 + ["torn"] + ["blank"] * 9
    ids = [f"t{i:02d}" for i in range(50)]
    columns = {name: np.ones(50) for name in ("right", "half", "loss")}
    whole = Table(ids, np.arange(50), columns, kinds, np.array([k == "clean" for k in kinds]))
    sure = [{"id": name, "confidence": 0.1 if name == "t07" else 0.9} for name in ids]
    assert [ids[n] for n in strangest(whole, sure)[:3]] == ["t40", "t07", "t00"]
    task_ = SimpleNamespace(ids=ids, headline="right", metrics=task().metrics)
    group = choose(task_, whole, sure, 2)[2]
    assert group.rule.startswith("answers of rare kinds (below 5%), then those") and "t40" in group.ids


def test_without_rare_kinds_the_strangest_are_those_least_sure() -> None:
    assert [IDS[n] for n in strangest(table(), rows())[:3]] == ["s7", "s1", "s2"]
    rule = choose(task(), table(), rows(), 1)[2].rule
    assert rule == "those that were read with the least confidence (no kind is rare)"


def test_no_sample_is_shown_twice() -> None:
    shown = [name for ids in chosen(4).values() for name in ids]
    assert len(shown) == len(set(shown)) == 8


def test_the_rule_says_which_metrics_were_used() -> None:
    rules = [group.rule for group in choose(task(), table(), rows(), 1)]
    assert "right" in rules[0] and "order of their names" in rules[0] and "loss by loss" in rules[1]


def test_confidence_is_the_least_anywhere() -> None:
    assert confidence({"a": [{"confidence": 0.4}, {"b": {"confidence": 0.3}}]}) == 0.3
    assert confidence({"missing": True}) == float("inf")


def test_a_task_may_choose_by_rules_of_its_own() -> None:
    own = task(
        chosen=lambda table, rows: {"worst": Chosen("lost games", [4, 6]), "strangest": Chosen("odd", [])}
    )
    groups = {group.name: group for group in choose(own, table(), rows(), 3)}
    assert (groups["worst"].rule, groups["worst"].ids) == ("lost games", ["s4", "s6"])
    assert (groups["strangest"].ids, len(groups["best"].ids)) == ([], 3)
