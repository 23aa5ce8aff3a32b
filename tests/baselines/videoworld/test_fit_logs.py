"""Rows of logs, progress on stderr, speeds."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gobench.errors import StoppedError
from gobench_videoworld.train import logs as module
from gobench_videoworld.train import progress
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.logs import Logs, read
from gobench_videoworld.train.meters import Meter
from gobench_videoworld.train.progress import Bar
from gobench_videoworld.train.schedule import Plan

sys.path.insert(0, str(Path(__file__).parent))
from training_toys import Toy


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_rows_are_told_in_both_files(tmp_path: Path) -> None:
    own = Logs(tmp_path, 0)
    own.row(1, {"loss": 2.5, "right": 0.25})
    own.row(2, {"loss": float("nan"), "lr": 1e-3})
    assert read(tmp_path) == [{"step": 1, "loss": 2.5, "right": 0.25}, {"step": 2, "lr": 1e-3}]
    assert [(row["step"], row["loss"], row["right"], row["lr"]) for row in table(tmp_path)] == [
        ("1", "2.5", "0.25", ""),
        ("2", "", "", "0.001"),
    ]


def test_a_new_column_is_there_for_all_rows(tmp_path: Path) -> None:
    own = Logs(tmp_path, 0)
    own.row(1, {"loss": 1.0})
    own.row(2, {"loss": 1.0, "eval/right": 0.5})
    own.row(3, {"loss": 1.0})
    assert [row["eval/right"] for row in table(tmp_path)] == ["", "0.5", ""]


def test_what_came_after_the_checkpoint_is_removed(tmp_path: Path) -> None:
    own = Logs(tmp_path, 0)
    for step in range(1, 6):
        own.row(step, {"loss": step, "late" if step > 3 else "early": 1})
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(b'{"step": 6, "lo')
    Logs(tmp_path, 3).row(4, {"loss": 0.5})
    assert [(row["step"], row["loss"]) for row in read(tmp_path)] == [(1, 1), (2, 2), (3, 3), (4, 0.5)]
    assert [row["step"] for row in table(tmp_path)] == ["1", "2", "3", "4"]
    assert "late" not in table(tmp_path)[0]


def test_garbage_at_the_end_of_a_log_is_removed(tmp_path: Path) -> None:
    Logs(tmp_path, 0).row(1, {"loss": 1.0})
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(bytes(20) + b"\n")
    Logs(tmp_path, 9).row(2, {"loss": 1.0})
    assert [row["step"] for row in read(tmp_path)] == [1, 2]


def test_a_training_logs_what_it_did(tmp_path: Path) -> None:
    stage = Toy()
    fit(
        stage,
        Plan(20, batch=8, lr=1e-2, warmup=0.0, log_every=8, evaluate_every=10),
        tmp_path,
        progress=False,
    )
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [8, 10, 16, 20]
    assert [
        set(row) >= {"loss", "lr", "grad_norm", "tokens", "tokens_per_second", "seconds", "mfu", "right"}
        for row in rows
    ] == [True] * 4
    assert [("eval/right" in row, "eval/none" in row) for row in rows] == [
        (x, False) for x in (False, True, False, True)
    ]
    assert [row["tokens"] for row in rows] == [row["step"] * stage.tokens for row in rows]
    assert rows[-1]["lr"] == pytest.approx(1e-3)


class Recorder:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def row(self, step: int, values: Any) -> None:
        self.told.append((step, dict(values)))

    def picture(self, step: int, image: Any) -> None:
        self.told.append((step, image.shape))

    def close(self) -> None:
        self.told.append("closed")


def test_other_places_are_told_too(tmp_path: Path) -> None:
    sink = Recorder()
    own = Logs(tmp_path, 0, [sink])
    own.row(1, {"loss": 1.0, "bad": float("inf")})
    own.picture(1, np.zeros((2, 3, 3), np.uint8))
    own.close()
    assert sink.told == [(1, {"loss": 1.0}), (1, (2, 3, 3)), "closed"]


def test_tensorboard_is_left_out_where_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert module.tensorboard(tmp_path, 0) == []


def test_tensorboard_gets_what_is_told(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for start in (0, 1):  # the second goes on from step 1
        (sink,) = module.tensorboard(tmp_path, start)
        for step in (1, 2) if start == 0 else (2, 3):
            sink.row(step, {"loss": float(10 * start + step)})
        sink.picture(2, np.zeros((2, 3, 3), np.uint8))
        sink.close()
        time.sleep(1.1)  # files are told apart by the second
    found = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(1, 1.0), (2, 12.0), (3, 13.0)]


class Wandb:
    """Stands in for the module: runs by id, with what was logged."""

    Image = list

    def __init__(self) -> None:
        self.runs: dict[str, list[Any]] = {}
        self.given: list[dict[str, Any]] = []

    def init(self, **given: Any) -> Any:
        self.given.append(given)
        name = given.get("id") or f"run{len(self.runs)}"
        assert (name in self.runs) == ("id" in given)
        told = self.runs.setdefault(name, [])

        def log(values: Any, step: int) -> None:
            told.append((step, sorted(values)))

        return SimpleNamespace(id=name, log=log, finish=lambda: told.append("finished"))


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Wandb:
    made = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", made)
    return made


LOGGED = Plan(2, batch=8, wandb="mine", log_every=1, evaluate_every=0)


def test_wandb_gets_what_is_told(tmp_path: Path, wandb: Wandb) -> None:
    fit(Toy(), LOGGED, tmp_path, progress=False)
    (given,) = wandb.given
    assert (given["project"], given["config"]["steps"]) == ("mine", 2) and "resume" not in given
    (told,) = wandb.runs.values()
    assert [step for step, _ in told[:-1]] == [1, 2, 2] and told[-1] == "finished"


def test_a_training_that_goes_on_goes_on_with_its_run(tmp_path: Path, wandb: Wandb) -> None:
    plan = replace(LOGGED, steps=6)
    with pytest.raises(StoppedError):
        fit(Toy(harm={3: "term"}), plan, tmp_path, progress=False)
    fit(Toy(), plan, tmp_path, progress=False)
    assert list(wandb.runs) == ["run0"]
    assert [(given.get("id"), given.get("resume")) for given in wandb.given] == [
        (None, None),
        ("run0", "allow"),
    ]
    steps = [row[0] for row in wandb.runs["run0"] if row != "finished" and row[1] != ["sample"]]
    assert steps == [1, 2, 3, 4, 5, 6]
    fit(Toy(), plan, tmp_path, progress=False, resume="never")  # begun anew: another run
    fit(Toy(), replace(plan, wandb="yours"), tmp_path, progress=False)  # another project: another run
    assert list(wandb.runs) == ["run0", "run1", "run2"]
    assert json.loads((tmp_path / "wandb.json").read_text()) == {"project": "yours", "id": "run2"}
    assert json.loads((tmp_path / "earlier-1" / "wandb.json").read_text())["id"] == "run0"


def test_a_file_gets_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10**6, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    bar = Bar("toy", 10, 40, True)
    bar.facts({"loss": 1.23456, "tokens_per_second": 21345.0, "mfu": 0.432, "lr": 1.0})
    for _ in range(30):
        bar.advance()
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 12
    assert lines[0].startswith("toy 14/40  loss 1.235  tokens/s 21.3k  MFU 43%  ")
    assert lines[-1].startswith("toy 40/40")
    assert lines[-1].endswith("0:00 left")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    bar = Bar("toy", 0, 3, True)
    bar.facts({"loss": 0.5})
    for _ in range(3):
        bar.advance()
    bar.close()
    assert "3/3" in screen.getvalue()
    assert "loss=0.5" in screen.getvalue()


def test_nothing_is_said_when_nothing_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fit(Toy(), Plan(2, batch=8), tmp_path, progress=False)
    assert capsys.readouterr() == ("", "")


def test_clocks() -> None:
    assert [progress._clock(s) for s in (0, 61.4, 3661)] == ["0:00", "1:01", "1:01:01"]


def test_rates_are_those_since_the_last_look() -> None:
    meter = Meter(tokens=100, flops=1e6, peak=1e9, seconds=5.0)
    assert meter.rates() == {}
    for _ in range(2):
        with meter:
            time.sleep(0.02)
    found = meter.rates()
    assert 0 < found["tokens_per_second"] <= 100 / 0.02
    assert found["mfu"] == pytest.approx(found["tokens_per_second"] / 100 * 1e6 / 1e9)
    assert meter.seconds >= 5.04
    assert meter.rates() == {}


def test_what_is_not_known_is_left_out() -> None:
    meter = Meter(tokens=0, flops=0.0, peak=0.0)
    with meter:
        pass
    assert meter.rates() == {}
