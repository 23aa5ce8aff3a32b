"""``gobench evaluate``, ``score``, ``suites`` and ``schema`` as a person calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gobench.cli.scores import deviations, lines, shown
from gobench.results import parse, read_result

HERE = Path(__file__).parents[1] / "evaluate"  # where dotquiz.py lies
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that makes the domain ``quiz`` installed, through PYTHONPATH."""
    place = tmp_path_factory.mktemp("installed")
    facts = place / "dotquiz-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: dotquiz\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[gobench.domains]\nquiz = dotquiz:QuizDomain\n")
    return place


def gobench(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(place)])}
    return subprocess.run(
        [sys.executable, "-m", "gobench", *words], env=env, capture_output=True, text=True, timeout=120
    )


def test_evaluate_score_and_their_json(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = gobench(place, "evaluate", "dotquiz:Guesser", "--suite", "dots", "--out", str(out), "--no-report")
    assert done.returncode == 0, done.stderr
    assert (
        "* hit" in done.stdout and "answers: clean" in done.stdout and str(out / "result.json") in done.stdout
    )
    assert "120/120" in done.stderr and "Traceback" not in done.stderr
    before = (out / "result.json").read_bytes()
    again = gobench(place, "score", str(out), "--json", "--reread")
    assert again.returncode == 0 and parse(again.stdout.encode(), "stdout") == read_result(out)
    assert "120 samples read again, 0 differ" in again.stderr
    assert (out / "result.json").read_bytes() == before
    for tar in (out / "frames" / "dots-next").iterdir():
        tar.unlink()
    lost = gobench(place, "score", str(out), "--json", "--reread")
    assert lost.returncode == 3 and lost.stdout == "" and "Traceback" not in lost.stderr
    assert "60 could not be read again" in lost.stderr and (out / "result.json").read_bytes() == before


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_a_model_prints_is_not_in_the_json(place: Path, tmp_path: Path, workers: str) -> None:
    words = ["dotquiz:Printing", "--suite", "dots", "--out", str(tmp_path / "out"), "--json", "--no-report"]
    facts = ["--org", "The Dots", "--attempts", "3", "--limit", "16", "--batch", "8", "--workers", workers]
    done = gobench(place, "evaluate", *words, *facts)
    assert done.returncode == 0, done.stderr
    assert "made" in done.stderr and "asked" in done.stderr
    result = parse(done.stdout.encode(), "stdout")
    assert (result.model.org, result.model.attempts) == ("The Dots", 3)


def test_errors_are_one_line_and_have_their_exit_codes(place: Path, tmp_path: Path) -> None:
    unknown = gobench(place, "evaluate", "dotquiz:Guesser", "--suite", "dts", "--out", str(tmp_path / "out"))
    assert unknown.returncode == 2 and "Did you mean 'dots'?" in unknown.stderr
    nothing = gobench(place, "score", str(tmp_path))
    assert nothing.returncode == 3 and "holds no run.json" in nothing.stderr
    assert all(text.count("\n") == 1 for text in (unknown.stderr, nothing.stderr))


def test_suites_lists_what_there_is_and_what_is_lost(place: Path) -> None:
    listed = gobench(place, "suites")
    assert "dots/next 1: 60 samples, headline hit" in listed.stdout
    assert "not installed: the dots are lost" in listed.stdout
    one = json.loads(gobench(place, "suites", "dots", "--json").stdout)
    assert list(one) == ["dots"] and one["dots"]["tasks"]["dots/walk"]["samples"] == 60
    assert set(one["dots"]["protocols"]) == {"standard", "strict"}


def test_schema_prints_the_committed_file(place: Path) -> None:
    assert gobench(place, "schema").stdout == (ROOT / "cards" / "result.schema.json").read_text()


def test_help_answers_at_once(place: Path) -> None:
    gobench(place, "evaluate", "--help")
    start = time.monotonic()
    shown_help = gobench(place, "evaluate", "--help")
    assert time.monotonic() - start < 1 and "Examples:" in shown_help.stdout


def test_help_loads_nothing_heavy(place: Path) -> None:
    code = (
        "import sys; from gobench.cli import cli; cli(['evaluate', '--help'], standalone_mode=False);"
        "heavy = {'torch', 'numba', 'pandas', 'av', 'datasets', 'pydantic', 'jinja2'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_result_for_a_person(data: Path) -> None:
    result = read_result(data / "result.json")
    text = "\n".join(lines(result))
    assert "Guesser (state, reads id beside the frames) on dots, protocol standard, partial" in text
    assert "* hit                       0.4167  [0.3000, 0.5500]  n 60" in text
    assert "dots/walk: not run (not asked for in this run)" in text
    assert shown(None) == "-"
    assert deviations(result.task("dots/walk")) == []


def test_a_context_key_that_nobody_offers_is_refused_before_anything_is_written(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(
        "import numpy as np\n\n\nclass Odd:\n    frame_size = (24, 24)\n    context_keys = ('tomove',)\n\n"
        "    def generate(self, frames, n, seeds, context=None):\n        return np.repeat(frames[:, -1:], n, axis=1)\n"
    )
    model = f"{tmp_path / 'odd.py'}:Odd"
    done = gobench(place, "evaluate", model, "--suite", "dots", "--out", str(tmp_path / "out"))
    assert done.returncode == 2 and "'tomove'" in done.stderr and "Did you mean 'to_move'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_answers_that_do_not_repeat_are_told(place: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "import numpy as np\n\n\nclass Noise:\n    frame_size = (24, 24)\n\n"
        "    def generate(self, frames, n, seeds, context=None):\n"
        "        return np.random.default_rng().integers(0, 256, (len(frames), n, 24, 24, 3), np.uint8)\n"
    )
    model = f"{tmp_path / 'odd.py'}:Noise"
    done = gobench(
        place,
        "evaluate",
        model,
        "--suite",
        "dots",
        "--limit",
        "20",
        "--no-report",
        "--out",
        str(tmp_path / "o"),
    )
    assert done.returncode == 0 and "16 of 16 answers differ when asked again" in done.stderr
