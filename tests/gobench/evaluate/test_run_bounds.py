"""What tells runs apart, what is refused before anything is lost, and what a run survives."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from gobench import evidence, models
from gobench.canonical import sha256_file
from gobench.errors import BuildError, DataError, UsageError
from gobench.evaluate import evaluate
from gobench.evaluate.begin import named
from gobench.evaluate.folder import default_out
from gobench.models.describe import ModelInfo
from gobench.results import read_result

EXAMPLE = Path(__file__).parents[3] / "examples" / "cmd_model.py"

pytestmark = pytest.mark.usefixtures("quiz")


def run(out: Path, model: str = "dotquiz:Guesser", **changed: Any) -> Path:
    return evaluate(model, **{"suite": "dots", "out": out, "batch": 8, "limit": 16, **changed})


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): sha256_file(path) for path in files}


def test_models_of_one_class_with_other_arguments_are_not_mixed(tmp_path: Path) -> None:
    folder = run(tmp_path / "out", "dotquiz:Guesser:small")
    with pytest.raises(BuildError, match="text_sha256 was"):
        run(folder, "dotquiz:Guesser:large")


@pytest.mark.parametrize(
    ("form", "one", "other", "same"),
    [
        ("python", "m:Model:a", "m:Model:b", False),
        ("python", "/home/a/m.py:Model:1", "/srv/b/m.py:Model:1", True),
        ("python", "a/m.py:Model:1", "a/m.py:Model:2", False),
        ("cmd", "cmd:python m.py --fast", "cmd:python m.py --slow", False),
        ("predictions", "predictions:a", "predictions:b", True),
        ("file", "a/model.pt", "b/model.pt", True),
        ("installed", "teacher:mcts:50", "teacher:mcts:200", False),
    ],
)
def test_the_text_counts_but_for_places_of_files(form: str, one: str, other: str, same: bool) -> None:
    prints = {named(ModelInfo("m", text, form)) for text in (one, other)}
    assert (len(prints) == 1) == same


def test_folders_are_named_by_arguments_protocol_and_limit() -> None:
    def out(text: str, protocol: str = "standard", limit: int | None = None) -> str:
        model = models.load(text)
        model.close()
        return default_out(model, "dots", protocol, limit).as_posix()

    assert out("dotquiz:Guesser") == "runs/eval/Guesser-dots"
    names = {out(f"dotquiz:Guesser:{argument}") for argument in ("small", "large", "nets/small")}
    assert len(names) == 3 and all(re.fullmatch(r"runs/eval/Guesser-[a-z.-]+-dots", name) for name in names)
    assert out("cmd:" + shlex.join([sys.executable, str(EXAMPLE)])) == "runs/eval/cmd_model-dots"
    assert out("dotquiz:Guesser", "strict", 20) == "runs/eval/Guesser-dots-strict-limit20"
    long = [out("dotquiz:Guesser:" + "x" * 200 + end) for end in "ab"]
    assert long[0] != long[1] and all(len(name) < 90 for name in long)


def test_a_part_and_the_whole_lie_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    part, whole = evaluate("dotquiz:Guesser", "dots", limit=4), evaluate("dotquiz:Guesser", "dots")
    assert (read_result(part).status, read_result(whole).status) == ("partial", "complete")


@pytest.mark.parametrize(
    "changed",
    [
        {"tasks": ["jump"]},
        {"suite": "dot"},
        {"protocol": "loose"},
        {"trained_on": ["nowhere"]},
        {"model": "dotquiz:Nobody"},
        {"model": "dotquiz:Boastful"},
        {"model": "dotquiz:Covered:0"},
        {"batch": 0},
    ],
)
def test_nothing_is_overwritten_for_what_cannot_be(tmp_path: Path, changed: dict[str, Any]) -> None:
    folder = run(tmp_path / "out")
    before = hashes(folder)
    with pytest.raises((UsageError, DataError)):
        run(folder, overwrite=True, **changed)
    assert hashes(folder) == before


def test_a_model_that_says_what_a_result_cannot_hold_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"dotquiz:Boastful'.*weights_sha256"):
        run(tmp_path / "out", "dotquiz:Boastful")
    assert not (tmp_path / "out").exists()


def test_a_batch_check_that_fails_keeps_the_result_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setenv("DOTQUIZ_ALONE", "no")
    # samples of one length of prompts fill a bunch of their own: no bunch of one while playing
    folder = run(tmp_path / "out", "dotquiz:Crowded", tasks=["next"], protocol="strict", notice=told.append)
    task = read_result(folder).task("dots/next")
    assert task.n == 16 and task.metrics["hit"] is not None
    assert task.batch_check is None and "RuntimeError: too few" in (task.batch_check_failed or "")
    assert len(told) == 1 and told[0].startswith("dots/next: it is not known whether")
    assert read_result(run(tmp_path / "again", tasks=["next"])).task("dots/next").batch_check_failed is None


@pytest.mark.parametrize("lose", ["all", "tar", "exchange"])
def test_lost_frames_are_asked_again_to_the_same_bytes(tmp_path: Path, lose: str) -> None:
    folder = run(tmp_path / "out")
    before = hashes(folder)
    tars = sorted((folder / evidence.FRAMES / "dots-next").iterdir())
    assert len(tars) == 2
    if lose == "all":
        shutil.rmtree(folder / evidence.FRAMES)
    elif lose == "tar":
        tars[0].unlink()
    else:
        tars[0].write_bytes(tars[1].read_bytes())
    assert hashes(run(folder)) == before


def test_ready_made_answers_are_counted_first(tmp_path: Path) -> None:
    told: list[str] = []
    run(tmp_path / "out", "dotquiz:Covered:9", notice=told.append)
    assert told == ["dots/next: 9 of 16 answers are there; the others count as missing."]
    with pytest.raises(DataError, match=r"holds no answer to any of dots/next, dots/walk.*export-prompts"):
        run(tmp_path / "none", "dotquiz:Covered:0")
    assert not (tmp_path / "none").exists()


def test_what_is_declared_stands_in_the_result(tmp_path: Path) -> None:
    folder = run(tmp_path / "out")
    assert (read_result(folder).model.org, read_result(folder).model.attempts) == ("", None)
    run(folder, org="The Dot Company", attempts=2)
    model = read_result(run(folder)).model
    assert (model.org, model.attempts) == ("The Dot Company", 2), "and stays there"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"environment": {}}, "environment has no 'packages'"),
        ({"environment": {"packages": {}, "git": 3}}, "git"),
        ({"fingerprint": {}}, "fingerprint has no 'suite'"),
        ({"fingerprint": {"suite": "dots", "protocol": "standard", "seed": 0, "batch": 8}}, "limit"),
        (
            {"fingerprint": {"suite": "dots", "protocol": "standard", "seed": 0, "batch": 0, "limit": None}},
            "batch and limit are at least 1",
        ),
        ({"tasks": {"dots/next": {"samples": 4}}}, "missing"),
        ({"format": 9}, "has format 9"),
    ],
)
def test_a_damaged_run_is_told(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    folder = run(tmp_path / "out")
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(DataError, match=said):
        run(folder)
