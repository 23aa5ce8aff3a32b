"""``gobench export-prompts`` as a user runs it, and what its reference answers score."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gobench.cli import cli
from gobench.cli.prompts import ANSWERS, FORMATS
from gobench.errors import GobenchError
from gobench.types import Record
from gobench.zeroshot import prompts, references

LIMIT = 24


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, words)))


def test_the_choices_are_those_of_the_tables() -> None:
    assert set(FORMATS) == set(prompts.FORMATS)
    assert set(ANSWERS) == set(references.REFERENCES)


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    done = run("export-prompts", "go5-lite", "--out", tmp_path / "out", "--limit", "3", "--size", "64")
    assert done.exit_code == 0, done.output
    assert "3 prompts in" in done.output and "README.md" in done.output
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "gobench evaluate predictions:ANSWERS --suite go5-lite --protocol zero-shot --limit 3" in readme
    done = run(
        "export-prompts", "go5-lite", "--out", tmp_path / "out", "--limit", "3", "--size", "64", "--json"
    )
    assert json.loads(done.stdout)["samples"] == 3


def test_wrong_words_are_user_errors(tmp_path: Path) -> None:
    done = run("export-prompts", "go6-lite", "--out", tmp_path / "out")
    assert isinstance(done.exception, GobenchError) and "Did you mean" in str(done.exception)
    assert run("export-prompts", "go5-lite", "--out", tmp_path / "out", "--answers", "best").exit_code == 2


def scored(model: str, out: Path, protocol: str) -> Record:
    """The next-move task of a result: metrics' values and the decode audit without zeros."""
    from gobench.evaluate import evaluate

    evaluate(model, "go5-lite", out, protocol=protocol, limit=LIMIT)
    task = json.loads((out / "result.json").read_text())["tasks"][0]
    values = {name: m and m["value"] for name, m in task["metrics"].items()}
    return {**values, "audit": {kind: n for kind, n in task["audit"].items() if n}}


def references_in(folder: Path, answers: str, form: str, protocol: str) -> str:
    words = ["--limit", str(LIMIT), "--answers", answers, "--format", form, "--protocol", protocol]
    done = run("export-prompts", "go5-lite", "--out", folder, *words, "--size", "192")
    assert done.exit_code == 0, done.output
    return f"predictions:{folder}"


@pytest.mark.parametrize(
    ("form", "protocol"), [("frames", "zero-shot"), ("vbvr", "zero-shot"), ("vbvr", "standard")]
)
def test_true_answers_score_everything(tmp_path: Path, form: str, protocol: str) -> None:
    found = scored(references_in(tmp_path / "a", "true", form, protocol), tmp_path / "run", protocol)
    assert found["accuracy"] == found["legal_first_try"] == found["exact_frame"] == 1
    assert set(found["audit"]) <= {"clean", "capture"} and found["score_loss"] == 0


@pytest.mark.parametrize("protocol", ["zero-shot", "standard"])
def test_static_answers_score_nothing(tmp_path: Path, protocol: str) -> None:
    found = scored(references_in(tmp_path / "a", "static", "vbvr", protocol), tmp_path / "run", protocol)
    assert found["accuracy"] == found["legal_first_try"] == 0 and found["audit"] == {"no-change": LIMIT}


@pytest.mark.parametrize("protocol", ["zero-shot", "standard"])
def test_random_legal_answers_score_what_the_model_of_that_name_does(tmp_path: Path, protocol: str) -> None:
    found = scored(
        references_in(tmp_path / "a", "random-legal", "vbvr", protocol), tmp_path / "run", protocol
    )
    assert found["legal_first_try"] == 1 and found["accuracy"] < 0.5
    assert found == scored("random-legal", tmp_path / "model", protocol)


def test_missing_answers_are_counted_as_such(tmp_path: Path) -> None:
    model = references_in(tmp_path / "a", "true", "vbvr", "zero-shot")
    next((tmp_path / "a" / "go5-next-move").glob("*.mp4")).unlink()
    found = scored(model, tmp_path / "run", "zero-shot")
    assert found["audit"]["missing"] == 1 and found["accuracy"] == pytest.approx(1 - 1 / LIMIT, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("answers", ANSWERS)
def test_reference_answers_score_what_the_guide_says(tmp_path: Path, answers: str) -> None:
    """The numbers of docs/zero-shot.md: go9-lite, all 500 samples; the scores do not depend on the size."""
    from gobench.evaluate import evaluate

    guide = (Path(__file__).parents[3] / "docs" / "zero-shot.md").read_text()
    line = next(line for line in guide.splitlines() if line.startswith(f"| `{answers}` |"))
    words = ["--size", "128", "--answers", answers, "--format", "vbvr"]
    assert run("export-prompts", "go9-lite", "--out", tmp_path / "a", *words).exit_code == 0
    evaluate(f"predictions:{tmp_path / 'a'}", "go9-lite", tmp_path / "run", protocol="zero-shot")
    task = json.loads((tmp_path / "run" / "result.json").read_text())["tasks"][0]
    told = {name: float(value) for name, value in re.findall(r"`(\w+)` ([\d.]+\d|\d)", line)}
    assert {name: round(task["metrics"][name]["value"], 4) for name in told} == told
    if answers == "static":
        assert task["audit"]["no-change"] == 500 and "500 times `no-change`" in line
    if answers == "true":
        audit = task["audit"]
        assert f"{audit['clean']} clean, {audit['capture']} captures" in line
