"""What ``gobench compare`` prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from gobench.cli.compare import compare


def typed(*words: str | Path) -> str:
    found = CliRunner().invoke(compare, list(map(str, words)), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_the_terminal_shows_metrics_slices_and_flips(runs: Path) -> None:
    text = typed(runs / "worse", runs / "better")
    assert "240 common samples in 40 clusters" in text
    row = next(line for line in text.splitlines() if line.startswith("hit "))
    assert row.split()[-1] == "better" and "<0.0001" in row
    assert "(defined on no common sample)" in text
    assert "half: second" in text and "after Holm's correction over 3" in text
    assert "--out" in text
    assert '"better" and "worse": the 95% interval excludes 0 and p' in text


def test_the_page_is_written_where_asked(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "page.html"
    text = typed(runs / "worse", runs / "better", "--out", out, "--most", 1, "--metric", "off")
    assert str(out) in text and out.read_text().count('<li class="flip">') == 2


def test_json_is_one_object_with_every_number(runs: Path) -> None:
    found = json.loads(typed(runs / "worse", runs / "better", "--json"))
    task = found["tasks"]["lamps/next"]
    assert task["metrics"]["hit"]["verdict"] == "better" and task["metrics"]["nowhere"] is None
    assert task["moved"][0] == "half: second"
    assert found["page"] is None and found["a"]["model"] == "Worse"


def test_a_model_against_itself_reads_well(runs: Path) -> None:
    assert "no slice moved: all 3 intervals of hit include 0" in typed(runs / "worse", runs / "worse")
