"""``gobench report``: where the page goes, and what is said when there is nothing to draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gobench.cli.report import report
from gobench.errors import DataError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gobench.evaluate import evaluate

    out = tmp_path_factory.mktemp("report") / "run"
    return evaluate("copy-frame", suite="go9-lite", out=out, limit=8, tasks=["go9/next-move"])


def test_the_page_lies_beside_the_result_unless_told_otherwise(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(report, [str(run)], catch_exceptions=False)
    assert done.output.strip() == str(run / "report.html") and (run / "report.html").exists()
    other = tmp_path / "new" / "page.html"
    done = CliRunner().invoke(
        report,
        [str(run / "result.json"), "--out", str(other), "--most", "0", "--json"],
        catch_exceptions=False,
    )
    assert json.loads(done.output) == {"report": str(other), "bytes": other.stat().st_size}
    assert other.stat().st_size < (run / "report.html").stat().st_size


def test_a_task_that_was_not_run_says_why(run: Path) -> None:
    CliRunner().invoke(report, [str(run)], catch_exceptions=False)
    assert "This task was not run: not asked for in this run" in (run / "report.html").read_text()


def test_errors_say_what_is_missing(tmp_path: Path) -> None:
    done = CliRunner().invoke(report, [])
    assert done.exit_code == 2 and "RESULT" in done.output
    with pytest.raises(DataError):
        CliRunner().invoke(report, [str(tmp_path)], catch_exceptions=False)
    assert CliRunner().invoke(report, [str(tmp_path), "--most", "-3"]).exit_code == 2


def test_it_prints_the_card_of_the_benchmark() -> None:
    done = CliRunner().invoke(report, ["--benchmark-card"], catch_exceptions=False)
    assert done.output.startswith("# Benchmark card") and done.output.endswith(".\n")
