"""Checkpoints are whole or absent, read without unpickling, and say of what training they are."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from gobench.errors import BuildError, DataError
from gobench_videoworld.train.checkpoints import (
    BrokenError,
    check_same,
    differences,
    read,
    write,
)
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.schedule import Plan

sys.path.insert(0, str(Path(__file__).parent))
from training_toys import Toy

HERE = Path(__file__).parent
PLAN = Plan(20, batch=8, lr=1e-2, save_every=4, evaluate_every=10, keep=3)
HEAD = {"step": 3, "plan": {"lr": 1.0, "steps": 5}, "circumstances": {"device": "cpu", "threads": 1}}


def run(folder: Path, stage: Toy | None = None, plan: Plan = PLAN, **more: Any) -> Any:
    return fit(stage or Toy(), plan, folder, progress=False, **more)


def steps(folder: Path) -> list[int]:
    return sorted(int(p.stem) for p in (folder / "checkpoints").glob("*.safetensors") if p.stem.isdigit())


def test_killed_anywhere_it_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """SIGKILL at random steps and at random times, and a disk without room: the weights are those of a whole training."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(HERE / "training_kills.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.stdout == "OK\n", done.stderr


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tensors = {
        "model/a": torch.arange(6.0).reshape(2, 3),
        "exp_avg/a": torch.tensor(2),
        "model/b": torch.tensor([True]),
    }
    write(tmp_path / "x.safetensors", HEAD, tensors)
    found = read(tmp_path / "x.safetensors")
    assert found.step == 3
    assert {k: found.head[k] for k in HEAD} == HEAD
    assert all(torch.equal(found.tensors[name], tensors[name]) for name in tensors)
    assert set(found.part("model/")) == {"a", "b"}
    assert set(found.rest()) == {"exp_avg/a"}


def test_the_last_few_are_kept(tmp_path: Path) -> None:
    run(tmp_path)
    assert steps(tmp_path) == [12, 16, 20]


def test_they_say_what_they_are_of(tmp_path: Path) -> None:
    run(tmp_path)
    head = read(tmp_path / "checkpoints" / "00000016.safetensors").head
    assert head["stage"] == "toy"
    assert head["identity"] == {"data": "0123", "config": {"levels": [8, 5, 5]}}
    assert head["plan"]["lr"] == 1e-2
    assert head["plan_sha256"] == PLAN.hash()
    assert head["circumstances"]["torch"] == torch.__version__
    names = set(read(tmp_path / "checkpoints" / "00000016.safetensors").tensors)
    assert {
        "model/seen",
        "model/head.weight",
        "exp_avg/head.weight",
        "exp_avg_sq/head.weight",
        "step/scale",
    } <= names


def garble(path: Path, how: str) -> None:
    data = path.read_bytes()
    path.write_bytes({"short": data[: len(data) // 2], "empty": b"", "zeros": bytes(len(data)), "web": b"<html>" * 99,
                      "pickle": pickle.dumps({"a": 1}) * 50}[how])  # fmt: skip


@pytest.mark.parametrize("how", ["short", "empty", "zeros", "web", "pickle"])
def test_a_broken_one_gives_way_to_the_one_before(tmp_path: Path, how: str) -> None:
    run(tmp_path / "a", plan=PLAN)
    run(tmp_path / "b", plan=PLAN)
    newest = tmp_path / "a" / "checkpoints" / "00000020.safetensors"
    garble(newest, how)
    with pytest.raises(BrokenError):
        read(newest)
    said: list[str] = []
    run(tmp_path / "a", Toy(seed=4), report=said.append)
    assert "00000020.safetensors cannot be read" in said[0]
    assert "set aside" in said[0]
    assert said[1] == "toy: going on from step 16 of 20."
    a, b = (read(tmp_path / x / "checkpoints" / "00000020.safetensors").tensors for x in "ab")
    assert all(torch.equal(a[name], b[name]) for name in b)


def test_when_all_are_broken_nothing_is_done_silently(tmp_path: Path) -> None:
    run(tmp_path)
    for path in (tmp_path / "checkpoints").glob("0*"):
        garble(path, "short")
    with pytest.raises(DataError, match="none of the 3 checkpoints"):
        run(tmp_path)
    assert len(list((tmp_path / "checkpoints").glob("*.broken"))) == 3


def test_temporary_files_of_the_dead_are_removed(tmp_path: Path) -> None:
    run(tmp_path)
    left = tmp_path / "checkpoints" / ".00000024.safetensors.123.tmp"
    left.write_bytes(b"half")
    run(tmp_path)
    assert not left.exists()


def test_another_plan_is_refused_by_its_keys(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(
        BuildError, match=r"plan\.lr is 0\.01 there and 0\.02 here; plan\.steps is 20 there and 40 here\. "
    ):
        run(tmp_path, plan=replace(PLAN, lr=0.02, steps=40))
    assert steps(tmp_path) == [12, 16, 20]


def test_what_changes_no_weight_may_change(tmp_path: Path) -> None:
    run(tmp_path)
    plan = replace(PLAN, log_every=1, evaluate_every=3, keep=9, save_minutes=0.0, save_every=1)
    assert run(tmp_path, plan=plan, resume="must").step == 20


def test_other_data_or_config_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    stage = Toy()
    stage.identity = {"data": "4567", "config": {"levels": (8, 5, 5)}, "tokens": 3}
    with pytest.raises(
        BuildError,
        match=r"identity\.data is '0123' there and '4567' here; identity.tokens is 'nothing' there",
    ):
        run(tmp_path, stage)
    stage = Toy()
    stage.name = "boy"
    with pytest.raises(BuildError, match="stage is 'toy' there and 'boy' here"):
        run(tmp_path, stage)


def test_another_model_is_refused_by_its_tensors(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(BuildError, match=r"tensors\.scale is \[8\] there and \[5\] here"):
        run(tmp_path, Toy(width=5))


def test_another_format_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    newest = tmp_path / "checkpoints" / "00000020.safetensors"
    newest.write_bytes(
        safetensors.torch.save({"a": torch.zeros(1)}, {"training": '{"format": "gobench-training-9"}'})
    )
    with pytest.raises(DataError, match=r"gobench-training-9.*reads 'gobench-training-1'"):
        run(tmp_path)
    newest.write_bytes(safetensors.torch.save({"a": torch.zeros(1)}))
    with pytest.raises(DataError, match="is no checkpoint of a training"):
        run(tmp_path)


def test_other_circumstances_are_said(tmp_path: Path) -> None:
    run(tmp_path)
    said: list[str] = []
    run(tmp_path, plan=replace(PLAN, accumulate=2), report=said.append)
    assert said[0] == (
        "going on under other circumstances (accumulate was 1, is 2): the same training, but not bit for bit."
    )


def test_differences_name_the_leaves() -> None:
    there = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert list(differences(there, {"a": {"b": 1, "c": [2]}, "e": 3})) == [
        ("a.c", [1], [2]),
        ("d", 2, "nothing"),
        ("e", "nothing", 3),
    ]


def test_many_differences_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "x.safetensors", {"step": 1, "plan": {str(i): i for i in range(9)}}, {})
    with pytest.raises(BuildError, match="and 6 more"):
        check_same(read(tmp_path / "x.safetensors"), {"plan": {str(i): -1 for i in range(9)}}, {})


def test_saved_by_the_clock(tmp_path: Path) -> None:
    run(tmp_path, plan=Plan(6, batch=8, save_minutes=1e-9, keep=9))
    assert steps(tmp_path) == [1, 2, 3, 4, 5, 6]
    run(tmp_path / "never", plan=Plan(6, batch=8, save_minutes=0.0, keep=9))
    assert steps(tmp_path / "never") == [6]
