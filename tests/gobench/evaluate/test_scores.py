"""Scoring from evidence alone, reading again, and what makes two numbers comparable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import evidence
from gobench.errors import DataError, UsageError
from gobench.evaluate import evaluate, open_suite, score
from gobench.evaluate import protocol as rules
from gobench.evaluate.again import read_again
from gobench.evaluate.protocol import default_suite, fully_kept, grouped, order, protocol_hash
from gobench.results import FILE

pytestmark = pytest.mark.usefixtures("quiz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return evaluate("dotquiz:Guesser", suite="dots", out=tmp_path / "out", batch=8)


def test_scoring_twice_gives_the_same_bytes(folder: Path) -> None:
    before = (folder / FILE).read_bytes()
    (folder / FILE).unlink()
    score(folder)
    assert (folder / FILE).read_bytes() == before
    score(folder, reread=True)
    assert (folder / FILE).read_bytes() == before


def test_means_are_those_of_the_rows(folder: Path) -> None:
    _, rows = evidence.read(folder, "dots/next")
    right = [row["places"][0] == (int(row["id"][1:]) * 5 + 3) % 24 for row in rows]
    hit = score(folder).task("dots/next").metrics["hit"]
    assert hit is not None and hit.value == round(float(np.mean(right)), 6)
    assert hit.interval is not None and hit.interval[0] < hit.value < hit.interval[1]


def edit(folder: Path, change: Any) -> None:
    """Rewrite the evidence of dots/next, line by line."""
    path = evidence.path_of(folder, "dots/next")
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))


def test_missing_samples_are_counted_and_scored_only_when_allowed(folder: Path) -> None:
    edit(folder, lambda lines: lines[:21])
    with pytest.raises(DataError, match=r"holds 20 of 60 samples.*--partial"):
        score(folder)
    result = score(folder, partial=True)
    assert (result.status, result.tasks[0].n, result.tasks[0].complete) == ("partial", 20, False)
    edit(folder, lambda lines: lines[:1])
    none = score(folder, partial=True).tasks[0]
    assert (none.n, none.missing, none.metrics["hit"]) == (0, "no sample was finished yet", None)
    evidence.path_of(folder, "dots/next").unlink()
    with pytest.raises(DataError, match="cannot read"):
        score(folder)


def test_evidence_of_another_version_is_refused(folder: Path) -> None:
    def older(lines: list[Any]) -> list[Any]:
        return [{"header": {**lines[0]["header"], "version": "0"}}, *lines[1:]]

    edit(folder, older)
    with pytest.raises(DataError, match="was made under version 0, and dots/next has 1 now"):
        score(folder)


def test_a_changed_scoring_constant_is_another_protocol(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rules.SCORING, "draws", 100)
    with pytest.raises(DataError, match="was made under protocol_hash"):
        score(folder)


def test_reading_again_finds_rows_that_say_otherwise(folder: Path) -> None:
    again = read_again(folder)
    assert again.samples == 120 and again.changed == []

    def lie(lines: list[Any]) -> list[Any]:
        lines[5]["places"][0] += 1
        return lines

    edit(folder, lie)
    (change,) = read_again(folder).changed
    assert (change.task, change.sample) == ("dots/next", "d004")
    assert change.before["places"][0] == change.now["places"][0] + 1
    with pytest.raises(
        DataError, match=r"reads differently now: d004 of dots/next. 120 samples read again, 1 differ"
    ):
        score(folder, reread=True)


def test_folders_without_a_run_are_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match=r"holds no run\.json"):
        score(tmp_path)
    (folder / "run.json").write_text('{"format": 1}')
    with pytest.raises(DataError, match=r"run\.json has no 'fingerprint'"):
        score(folder)


def test_the_hash_knows_settings_and_protocol() -> None:
    suites = [open_suite("dots"), open_suite("dots", "strict")]
    hashes = {protocol_hash(task) for suite in suites for task in suite.tasks}
    assert len(hashes) == 3, "walks are the same under both"
    assert protocol_hash(suites[0].tasks[0]) == protocol_hash(open_suite("dots").tasks[0])


def test_the_order_is_mixed_fixed_and_cut_by_limit() -> None:
    task = open_suite("dots").tasks[0]
    samples = order("dots", task)
    assert sorted(samples) == list(task.ids) and samples != list(task.ids)
    assert order("dots", task, 7) == samples[:7]
    assert order("other", task) != samples
    assert grouped(samples, 25) == [samples[:25], samples[25:50], samples[50:]]


def test_a_seeded_part_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    task = open_suite("dots").tasks[0]
    monkeypatch.setattr(rules, "KEPT", 10)
    chosen = fully_kept(task, task.ids, 0)
    assert len(chosen) == 10 and chosen == fully_kept(task, list(reversed(task.ids)), 0)
    assert chosen != fully_kept(task, task.ids, 1)


def test_suites_are_found_by_domain() -> None:
    assert default_suite("quiz") == "dots"
    with pytest.raises(UsageError, match="unknown domain"):
        default_suite("chess")
