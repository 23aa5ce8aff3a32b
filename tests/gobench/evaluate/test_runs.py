"""Runs: neither order nor workers nor kills change a byte of the result; nothing is mixed; faults keep evidence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gobench import evidence
from gobench.canonical import sha256_file
from gobench.errors import BuildError, ChildError, DataError, StoppedError, UsageError
from gobench.evaluate import evaluate, score
from gobench.evaluate.begin import public_text
from gobench.results import Result, read_result

pytestmark = pytest.mark.usefixtures("quiz")
GUESSER, TORCH = "dotquiz:Guesser", "tiny_torch:TinyTorch"


def run(out: Path, model: str = GUESSER, **changed: Any) -> Path:
    return evaluate(model, **{"suite": "dots", "out": out, "batch": 8, **changed})


def hashes(folder: Path) -> dict[str, str]:
    """Everything a run leaves but what says how it was run -> sha256."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != ".lock"]
    return {str(p.relative_to(folder)): sha256_file(p) for p in files}


def command(out: Path, model: str, *more: str) -> list[str]:
    words = ["evaluate", model, "--suite", "dots", "--out", str(out), "--batch", "8", "--no-report", *more]
    return [sys.executable, "-m", "gobench", *words]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Model -> the files of an undisturbed run; filled by ``expected``."""
    return {}


def expected(whole: dict[str, dict[str, str]], model: str, tmp_path: Path) -> dict[str, str]:
    if model not in whole:
        whole[model] = hashes(run(tmp_path / "undisturbed", model))
    return whole[model]


def test_a_run_writes_what_it_promises(tmp_path: Path) -> None:
    folder = run(tmp_path / "out")
    result = read_result(folder)
    assert (result.status, result.suite.domain, result.model.name) == ("complete", "quiz", "Guesser")
    task = result.task("dots/next")
    assert (task.n, task.of, task.complete, task.missing) == (60, 60, True, None)
    _, rows = evidence.read(folder, "dots/next")
    hit = task.metrics["hit"]
    assert hit is not None and 0.3 < hit.value < 0.8
    assert task.audit == {
        "clean": sum(row["places"][0] >= 0 for row in rows),
        "unreadable": sum(row["places"][0] < 0 for row in rows),
    }
    off, clean = task.metrics["off"], task.clean["hit"]
    assert off is not None and off.n == task.audit["clean"], "defined on some samples only"
    assert clean is not None and clean.n == task.audit["clean"] and clean.value > hit.value
    assert task.slices["half: none"].n == 0 and task.slices["half: none"].metrics["hit"] is None, (
        "missing is null"
    )
    assert [e.sha256 for e in result.evidence] == [
        sha256_file(evidence.path_of(folder, name)) for name in ("dots/next", "dots/walk")
    ]
    assert task.batch_check is not None and (task.batch_check.asked, task.batch_check.different) == (8, 0)


def test_nothing_of_this_machine_or_moment_is_in_a_result(tmp_path: Path) -> None:
    text = (run(tmp_path / "out") / "result.json").read_text()
    assert str(tmp_path) not in text and str(Path.cwd()) not in text and "workers" not in text


@pytest.mark.parametrize("model", [GUESSER, TORCH])
def test_two_workers_change_no_byte(tmp_path: Path, model: str, whole: dict[str, dict[str, str]]) -> None:
    assert hashes(run(tmp_path / "two", model, workers=2)) == expected(whole, model, tmp_path)


@pytest.mark.parametrize(("model", "workers"), [(GUESSER, "1"), (GUESSER, "2"), (TORCH, "1")])
def test_a_kill_in_the_middle_changes_no_byte(
    tmp_path: Path,
    model: str,
    workers: str,
    whole: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    slow = {**os.environ, "DOTQUIZ_SLEEP": "0.1"}
    child = subprocess.Popen(command(out, model, "--workers", workers), env=slow, stderr=subprocess.DEVNULL)
    path = evidence.path_of(out, "dots/next")
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") > 8)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL and not (out / "result.json").exists()
    with path.open("ab") as file:
        file.write(b'{"frames":"torn')
    run(out, model, workers=int(workers))
    assert hashes(out) == expected(whole, model, tmp_path)


def wait_for(happened: Any, seconds: float = 60) -> None:
    stop = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < stop, "it did not happen in time"
        time.sleep(0.01)


def test_a_worker_that_is_killed_keeps_the_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOTQUIZ_TRAP", f"d007:kill:{tmp_path / 'mark'}")
    with pytest.raises(
        BuildError, match=r"was ended by SIGKILL.* of 120 samples are kept in .*the same command"
    ):
        run(tmp_path / "out", workers=2)
    assert read_result(run(tmp_path / "out")).status == "complete"


def test_an_interruption_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOTQUIZ_TRAP", f"d007:interrupt:{tmp_path / 'mark'}")
    with pytest.raises(StoppedError, match=r"^stopped. The answers to \d+ of 120 samples are kept"):
        run(tmp_path / "out")
    assert read_result(run(tmp_path / "out")).status == "complete"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_fails_is_named_and_the_evidence_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setenv("DOTQUIZ_TRAP", f"d007:fail:{tmp_path / 'mark'}")
    with pytest.raises(
        ChildError, match=r"dotquiz:Guesser' failed: ZeroDivisionError: the trap.*are kept in"
    ):
        run(tmp_path / "out", workers=workers)
    assert read_result(run(tmp_path / "out")).status == "complete"


def test_a_model_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("DOTQUIZ_SLEEP", "1.5")
        with pytest.raises(ChildError, match=r"did not answer within 0.3 s.* No sample was finished"):
            run(tmp_path / "out", timeout=0.3)
    assert read_result(run(tmp_path / "out")).status == "complete"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batch": 4}, "batch was 8 and is now 4"),
        ({"seed": 1}, "seed was 0 and is now 1"),
        ({"limit": 9}, "limit was null and is now 9"),
        ({"protocol": "strict"}, 'protocol was "standard" and is now "strict"'),
        ({"model": TORCH}, 'model was "Guesser" and is now "TinyTorch"'),
    ],
)
def test_runs_are_not_mixed(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    folder = run(tmp_path / "out")
    before = hashes(folder)
    with pytest.raises(BuildError) as error:
        run(folder, **changed)
    assert said in str(error.value) and "--overwrite" in str(error.value)
    assert hashes(folder) == before
    run(folder, overwrite=True, **changed)
    assert hashes(folder) != before


def test_a_finished_run_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = run(tmp_path / "out")
    before = hashes(folder)
    monkeypatch.setenv("DOTQUIZ_TRAP", f"d007:fail:{tmp_path / 'mark'}")
    assert hashes(run(folder)) == before and not (tmp_path / "mark").exists()


def test_a_part_is_marked_as_one_and_is_a_fair_part(tmp_path: Path) -> None:
    folder = run(tmp_path / "out", limit=20, tasks=["next"])
    result = read_result(folder)
    one, other = result.tasks
    assert (result.status, one.n, one.of, one.complete) == ("partial", 20, 60, False)
    assert not evidence.path_of(folder, "dots/walk").exists()
    assert other.missing == "not asked for in this run" and other.metrics == dict.fromkeys(one.metrics)
    first = {row["id"] for row in evidence.read(folder, "dots/next")[1]}
    assert first != {f"d{i:03d}" for i in range(20)}
    _, whole = evidence.read(run(tmp_path / "whole", limit=40), "dots/next")
    assert first < {row["id"] for row in whole}


def test_later_tasks_join_the_same_folder(tmp_path: Path, whole: dict[str, dict[str, str]]) -> None:
    run(tmp_path / "out", tasks=["dots/walk"])
    assert hashes(run(tmp_path / "out")) == expected(whole, GUESSER, tmp_path)


def test_ready_made_answers_are_not_asked_to_follow_each_other(tmp_path: Path) -> None:
    result = read_result(run(tmp_path / "out", "dotquiz:ReadyMade"))
    assert result.task("dots/next").n == 60
    walk = result.task("dots/walk")
    assert walk.n == 0 and walk.missing is not None and "made beforehand" in walk.missing
    assert result.status == "partial"


def test_positions_seen_in_training_become_a_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from gobench import sketch

    seen = sketch.sized(20)
    seen.add(np.arange(20, dtype=np.uint64))
    data = tmp_path / "dots-tiny"
    data.mkdir()
    (data / sketch.SKETCH).write_bytes(seen.to_bytes())
    (data / "manifest.json").write_text("{}")
    folder = run(tmp_path / "out")
    assert "novel" not in read_result(folder).tasks[0].slices
    again = read_result(run(folder, trained_on=[data]))
    assert 38 <= again.tasks[0].slices["novel"].n <= 40
    assert [(w.name, w.manifest_sha256) for w in again.trained_on] == [
        ("dots-tiny", sha256_file(data / "manifest.json"))
    ]
    for path in data.iterdir():
        path.unlink()
    assert score(folder) == again, "scored without the dataset"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"suite": "dot"}, "unknown suite 'dot'. Did you mean 'dots'?"),
        ({"protocol": "loose"}, "unknown protocol 'loose'"),
        ({"tasks": ["jump"]}, "unknown task 'jump'"),
        ({"batch": 0}, "batch is 0"),
        ({"workers": 0}, "workers is 0"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        run(tmp_path / "out", **changed)
    assert said in str(error.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("[!.]*"))


def test_a_missing_test_set_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Draw them again"):
        run(tmp_path / "out", suite="dots-lost")


def test_foreign_folders_and_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BuildError, match=r"holds no run of `gobench evaluate` \(thesis.txt\)"):
        run(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    from gobench.evaluate.folder import occupied

    with occupied(tmp_path / "busy"), pytest.raises(BuildError, match="another run is at work"):
        run(tmp_path / "busy")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BuildError, match="cannot be written"):
        run(tmp_path / "out")


def test_a_file_where_the_folder_should_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BuildError, match="cannot be written"):
        run(tmp_path / "out")


def test_a_full_disk_ends_the_run_and_it_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, dict[str, str]]
) -> None:
    real, calls = os.write, []

    def full(handle: int, data: Any) -> int:
        calls.append(len(data))
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        return real(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(BuildError, match=r"no room to write .*24 of 120 samples are kept"):
            run(tmp_path / "out")
    assert hashes(run(tmp_path / "out")) == expected(whole, GUESSER, tmp_path)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("/home/me/runs/model.pt", "model.pt"),
        ("~/model.pt", "model.pt"),
        ("runs/model.pt", "runs/model.pt"),
        ("cmd:/usr/bin/python /home/me/a.py --x=/data/w.bin", "cmd:python a.py --x=w.bin"),
        ("predictions:/scratch/me/answers", "predictions:answers"),
        ("package.module:Class", "package.module:Class"),
        ("teacher:mcts:200", "teacher:mcts:200"),
    ],
)
def test_private_places_are_cut(text: str, public: str) -> None:
    assert public_text(text) == public


def test_the_domain_that_a_model_names_gives_the_suite_and_the_folder_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = evaluate("guesser", limit=4)
    assert folder == Path("runs/eval/guesser-dots-limit4")
    result: Result = read_result(folder)
    assert result.model.form == "installed"
    assert json.loads((folder / "run.json").read_bytes())["suite"]["name"] == "dots"
