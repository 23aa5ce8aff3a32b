"""Two evaluated models of a known difference, compared through their evidence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.canonical import dumps
from gobench.compare import Comparison, compare, page, write_page
from gobench.compare.differences import Columns, Difference, moved, slice_differences
from gobench.compare.pairing import CLEAN
from gobench.compare.sides import unlike_models
from gobench.errors import DataError, UsageError
from gobench.statistics import Estimate, Weights, mcnemar
from gobench.tasks import Metric


@pytest.fixture(scope="module")
def found(runs: Path) -> Comparison:
    return compare(runs / "worse", runs / "better")


def table(comparison: Comparison, side: str, metric: str) -> dict[str, float]:
    read = getattr(comparison.tasks[0], side)
    return dict(zip(read.table.ids, read.table.columns[metric].tolist(), strict=True))


def test_differences_are_those_of_the_samples(found: Comparison) -> None:
    task = found.tasks[0]
    a, b = table(found, "a", "hit"), table(found, "b", "hit")
    hit = task.metrics["hit"]
    assert (task.n, task.clusters, task.metric) == (240, 40, "hit")
    assert hit is not None
    assert hit.change.value == pytest.approx(np.mean([b[i] - a[i] for i in a]))
    assert hit.only_b == sum(b[i] > a[i] for i in a) and hit.only_a == sum(a[i] > b[i] for i in a)
    assert hit.mcnemar == mcnemar(hit.only_a, hit.only_b)
    assert hit.verdict == "better" and hit.p < 0.001
    off = task.metrics["off"]
    assert off is not None and off.change.value < 0
    assert off.mcnemar is None
    assert off.change.excludes_zero and off.p > 0.05 and off.verdict == ""


def test_conditional_metrics_keep_their_own_samples(found: Comparison) -> None:
    bright = found.tasks[0].metrics["bright"]
    assert bright is not None and bright.change.n == 120
    assert bright.verdict == "worse"
    assert found.tasks[0].metrics["nowhere"] is None


def test_the_slice_that_was_taught_moved_and_no_other(found: Comparison) -> None:
    task = found.tasks[0]
    assert [s.name for s in task.slices] == ["half: first", "half: second", CLEAN]
    assert task.moved[0].name == "half: second" and task.moved[0].holds
    first = task.slices[0]
    assert first.name not in {s.name for s in task.moved if s.difference.verdict == "better"}
    assert all(s.adjusted >= s.difference.p for s in task.slices)


def test_only_slices_whose_interval_excludes_0_hold() -> None:
    clusters, rng = np.repeat(np.arange(30), 8), np.random.default_rng(0)
    lift = np.where(clusters < 10, 0.0, 1.5) + (clusters >= 20) * rng.normal(0, 1, 240)
    columns = Columns(
        [str(i) for i in range(240)], clusters, {"x": np.zeros(240)}, {"x": lift},
        {"same": clusters < 10, "constant": clusters // 10 == 1, "few": clusters > 26, "told": clusters >= 20},
        Weights(clusters, draws=500), 0.95,
    )  # fmt: skip
    rows = {s.name: s for s in slice_differences(columns, "x", Metric("", unit="ratio"))}
    assert [rows[s].difference.change.interval is None for s in ("same", "constant", "few")] == [True] * 3
    assert (
        {s for s, row in rows.items() if row.holds} == {"told"} == {s.name for s in moved([*rows.values()])}
    )
    assert rows["constant"].difference.verdict == "" and rows["constant"].plain()["p"] is None


def test_flips_are_listed_with_the_most_telling_first(found: Comparison) -> None:
    flips = found.tasks[0].flips
    a, b = table(found, "a", "hit"), table(found, "b", "hit")
    assert {f.sample for f in flips.gained} == {i for i in a if b[i] > a[i]}
    assert {f.sample for f in flips.lost} == {i for i in a if b[i] < a[i]}
    off_a, off_b = table(found, "a", "off"), table(found, "b", "off")
    first, last = flips.gained[0].sample, flips.gained[-1].sample
    assert off_a[first] - off_b[first] == 4 > off_a[last] - off_b[last]


def test_another_metric_can_be_asked_for(runs: Path) -> None:
    task = compare(runs / "worse", runs / "better", metric="off").tasks[0]
    assert task.flips.metric == "off"
    assert all(f.b < f.a for f in task.flips.gained) and all(f.b > f.a for f in task.flips.lost)
    drops = [f.a - f.b for f in task.flips.gained]
    assert drops == sorted(drops, reverse=True)
    with pytest.raises(UsageError, match=r"hitt.*Did you mean 'hit'"):
        compare(runs / "worse", runs / "better", metric="hitt")


def test_the_audit_counts_kinds_of_both(found: Comparison) -> None:
    task = found.tasks[0]
    assert set(task.kinds) == {"clean", "dark"}
    assert task.kinds["dark"] == (task.a.table.kinds.count("dark"), task.b.table.kinds.count("dark"))


def test_turned_round_every_sign_turns(found: Comparison, runs: Path) -> None:
    back = compare(runs / "better", runs / "worse").tasks[0]
    ours, theirs = found.tasks[0].metrics["hit"], back.metrics["hit"]
    assert ours is not None and theirs is not None
    assert theirs.change.value == -ours.change.value and theirs.p == ours.p
    assert theirs.verdict == "worse"
    assert [f.sample for f in back.flips.lost] == [f.sample for f in found.tasks[0].flips.gained]


def test_a_model_against_itself_is_not_told_apart(runs: Path) -> None:
    task = compare(runs / "worse", runs / "worse" / "result.json").tasks[0]
    assert not task.moved and not task.flips.gained and not task.flips.lost
    for difference in task.metrics.values():
        assert difference is None or (difference.verdict == "" and difference.p == 1.0)


def test_equal_continuous_metrics_have_no_interval(runs: Path) -> None:
    off = compare(runs / "worse", runs / "worse").tasks[0].metrics["off"]
    assert off is not None and (off.change.interval, off.change.method) == (None, "constant")


def test_better_needs_the_interval_and_p() -> None:
    told = Estimate(0.1, 0.01, 0.19, 50, 10, "cluster-bootstrap")
    facts: dict[str, Any] = {
        "a": 0.1, "b": 0.2, "change": told, "better": "higher", "unit": "ratio",
        "only_a": None, "only_b": None, "mcnemar": None,
    }  # fmt: skip
    assert Difference(p=0.05, **facts).verdict == "better"
    assert Difference(p=0.06, **facts).verdict == Difference(p=float("nan"), **facts).verdict == ""
    wide = replace(told, low=-0.01)
    assert Difference(p=0.04, **facts | {"change": wide}).verdict == ""


def test_models_that_were_told_other_things_are_noted(found: Comparison) -> None:
    assert not any("conditions" in note for note in found.notes)
    a = found.a.result
    b = a.model_copy(
        update={
            "model": a.model.model_copy(update={"context_keys": (), "kind": "state", "video_only": False})
        }
    )
    assert unlike_models(a, b) == [
        "Not the same conditions: context is id in A and nothing in B.",
        "Not the same conditions: kind is video in A and state in B.",
        "Not the same conditions: video_only is yes in A and no in B.",
    ]


def test_samples_of_one_side_only_are_left_out_and_said(runs: Path) -> None:
    short = compare(runs / "worse", runs / "short")
    assert short.tasks[0].n == 100
    assert any("140 samples are left out, which only A has answered" in note for note in short.notes)


def test_unlike_protocols_are_refused_unless_forced(runs: Path) -> None:
    with pytest.raises(
        UsageError, match=r"protocol is 'standard' in A and 'strict' in B.*protocol hash.*--force"
    ):
        compare(runs / "worse", runs / "strict")
    forced = compare(runs / "worse", runs / "strict", force=True)
    assert any("Not the same test" in note for note in forced.notes)
    assert forced.tasks[0].n == 240


def copied(runs: Path, name: str, place: Path) -> Path:
    shutil.copytree(runs / name, place / name)
    return place / name


def test_foreign_or_missing_evidence_is_refused(runs: Path, tmp_path: Path) -> None:
    touched = copied(runs, "better", tmp_path)
    rows = touched / "evidence" / "lamps-next.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b'"lit":-1', b'"lit":2'))
    with pytest.raises(DataError, match="not the evidence that"):
        compare(runs / "worse", touched)
    rows.unlink()
    with pytest.raises(DataError, match="no evidence beside it"):
        compare(runs / "worse", touched)
    with pytest.raises(DataError, match="cannot read"):
        compare(runs / "worse", tmp_path / "nowhere.json")


def test_results_of_another_version_of_the_task_are_refused(runs: Path, tmp_path: Path) -> None:
    both = [copied(runs, name, tmp_path) for name in ("worse", "better")]
    for folder in both:
        result = json.loads((folder / "result.json").read_text())
        result["tasks"][0]["protocol_hash"] = "0" * 64
        (folder / "result.json").write_text(json.dumps(result))
    with pytest.raises(DataError, match="another version of lamps/next"):
        compare(*both)
    assert compare(*both, force=True).tasks[0].n == 240


def test_results_without_a_common_task_are_refused(runs: Path, tmp_path: Path) -> None:
    other = copied(runs, "better", tmp_path)
    result = json.loads((other / "result.json").read_text())
    result["tasks"][0]["name"] = "lamps/last"
    (other / "result.json").write_text(json.dumps(result))
    with pytest.raises(UsageError, match="no answered task in common: A has lamps/next, B has lamps/last"):
        compare(runs / "worse", other)


def test_slices_of_novel_positions_are_those_novel_to_both(runs: Path, tmp_path: Path) -> None:
    both = [copied(runs, name, tmp_path) for name in ("worse", "better")]
    for folder, known in zip(both, (["g00-t0"], ["g00-t0", "g01-t1"]), strict=True):
        run = json.loads((folder / "run.json").read_text())
        run["known"] = {"lamps/next": known}
        (folder / "run.json").write_text(json.dumps(run))
    slices = {s.name: s.difference.change.n for s in compare(*both).tasks[0].slices}
    assert slices["novel"] == 238
    assert "novel" not in {s.name for s in compare(both[0], runs / "better").tasks[0].slices}


def test_the_same_comparison_gives_the_same_bytes(found: Comparison, runs: Path) -> None:
    again = compare(runs / "worse", runs / "better")
    assert dumps(again.plain()) == dumps(found.plain())
    assert page(again, 2) == page(found, 2)


def test_the_page_holds_everything_and_loads_nothing(found: Comparison, tmp_path: Path) -> None:
    text = write_page(found, tmp_path / "page.html", most=3).read_text()
    gained, lost = found.tasks[0].flips.gained, found.tasks[0].flips.lost
    assert text.count('<li class="flip">') == min(3, len(gained)) + min(3, len(lost))
    for flip in gained[:3]:
        assert f"&lt;{flip.sample}&gt;" in text
    assert f"<{gained[0].sample}>" not in text
    assert gained[3].sample not in text
    assert "http" not in text.replace("http-equiv", "") and "<script" not in text and "style=" not in text
    assert "default-src &#39;none&#39;" in text and "prefers-color-scheme: dark" in text
    assert "half: second" in text and "none &lt;or several&gt;" in text


def test_pictures_that_both_share_are_drawn_once(found: Comparison) -> None:
    text = page(found, most=1)
    # of each flip: prompt and truth once, and an answer a side
    assert text.count("<img ") == 2 * (2 + 1 + 1)
    assert text.count(">prompt</figcaption>") == 2 and text.count(">answer</figcaption>") == 4
