"""What goes wrong in a training stops it with words, and what it has learnt stays."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench.errors import BuildError, DataError, UsageError
from gobench_videoworld.train import faults
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.trainer import Update

sys.path.insert(0, str(Path(__file__).parent))
from training_toys import Toy

PLAN = Plan(20, batch=8, lr=1e-2, save_every=5, evaluate_every=10)


def run(folder: Path, stage: Toy, plan: Plan = PLAN, **more: Any) -> Any:
    return fit(stage, plan, folder, progress=False, **more)


def steps(folder: Path) -> list[int]:
    return sorted(int(p.stem) for p in (folder / "checkpoints").glob("*.safetensors") if p.stem.isdigit())


def finite(folder: Path) -> bool:
    return all(
        torch.isfinite(t).all()
        for path in (folder / "checkpoints").glob("*.safetensors")
        for t in read(path).tensors.values()
    )


def test_a_loss_that_is_not_finite_names_step_and_samples(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as found:
        run(tmp_path, Toy(harm={12: "nan"}))
    text = str(found.value)
    assert text.startswith("step 13: the loss is inf. Its samples (episode@time): ")
    assert text.count("@12") == 8
    assert "The batch itself holds values that are not finite, in poison: mend the data." in text
    assert f"The checkpoint of step 10 is kept in {tmp_path / 'checkpoints'}." in text
    assert steps(tmp_path) == [5, 10]
    assert finite(tmp_path)


def test_a_gradient_that_is_not_finite_leaves_the_weights(tmp_path: Path) -> None:
    stage = Toy()
    steps_until = iter(range(7, -1, -1))
    stage.module.head.weight.register_hook(lambda grad: grad if next(steps_until) else grad * float("nan"))
    with pytest.raises(BuildError, match=r"^step 8: the gradient's length is nan, the loss \d.*lower --lr"):
        run(tmp_path, stage)
    assert all(torch.isfinite(p).all() for p in stage.module.parameters())
    assert steps(tmp_path) == [5]


def test_without_a_checkpoint_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="There is no checkpoint in"):
        run(tmp_path, Toy(harm={2: "nan"}))


def test_many_samples_are_counted() -> None:
    batch = {"episode": torch.arange(20), "time": torch.full((20,), 3)}
    assert faults.samples([batch]).endswith("7@3 and 12 more. ")
    assert faults.samples([{"frames": torch.zeros(2)}]) == ""


def test_memory_that_runs_out_says_which_setting_to_change(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as found:
        run(tmp_path, Toy(harm={12: "memory"}))
    text = str(found.value)
    assert text.startswith(
        "step 13: no memory left (batch 8, computed in slices of 8). Take --accumulate 2, which"
    )
    assert "step 10 is kept" in text
    done = run(tmp_path, Toy(), Plan(20, batch=8, accumulate=2, lr=1e-2, save_every=5, evaluate_every=10))
    assert done.step == 20


def test_a_slice_of_one_sample_cannot_be_cut(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Slices cannot be smaller: take a smaller --size"):
        raise faults.no_memory("step 1", Toy(), Plan(batch=4, accumulate=2), 2, "")


@pytest.mark.parametrize(
    ("name", "plan", "says", "never"),
    [
        ("tokenizer", Plan(batch=16), "Take --accumulate 2, which", "--batch"),
        ("latent", Plan(batch=32, accumulate=32), "--set latent.width=N", "--size"),
        (
            "transformer",
            Plan(batch=16, accumulate=2),
            "--accumulate 4, which .* slices of 4. Or .* --batch",
            "--set",
        ),
        ("transformer", Plan(batch=16, accumulate=4), "take a smaller --size", "--accumulate"),
    ],
)
def test_advice_on_memory_is_of_what_the_stage_can_be_asked(
    name: str, plan: Plan, says: str, never: str
) -> None:
    stage: Any = Toy()
    stage.name, stage.rows = name, 4 if name == "transformer" else 1
    text = str(faults.no_memory("step 1", stage, plan, 1, ""))
    assert re.search(says, text) and never not in text


@pytest.mark.parametrize(
    ("name", "precision", "says"),
    [
        ("tokenizer", "f32", "with another --seed or --encoder."),
        ("latent", "f32", "with another --seed or --latent."),
        ("transformer", "auto", "with a lower --lr (it was 0.01), or with --precision f32 if it was bf16."),
        ("transformer", "f32", "with a lower --lr (it was 0.01)."),
    ],
)
def test_advice_on_numbers_is_of_what_the_stage_can_be_asked(name: str, precision: str, says: str) -> None:
    stage: Any = Toy()
    stage.name = name
    plan = Plan(batch=8, lr=0.01, precision=precision)
    update = Update(float("nan"), 1.0, (), {})
    assert f"Start anew (--resume never) {says}" in str(faults.not_finite(3, stage, update, plan, [], ""))


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory")]
)
def test_the_ways_in_which_memory_runs_out(error: Exception) -> None:
    assert faults.out_of_memory(error)
    assert not faults.out_of_memory(RuntimeError("shapes differ"))


def test_memory_that_runs_out_in_an_evaluation(tmp_path: Path) -> None:
    stage = Toy()

    def evaluate(step: int) -> dict[str, float]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    stage.evaluate = evaluate  # type: ignore[method-assign]
    with pytest.raises(BuildError, match="evaluation after step 10: no memory left"):
        run(tmp_path, stage)


def test_real_memory_runs_out(tmp_path: Path) -> None:
    stage = Toy()
    stage.module.layers[0].register_forward_hook(lambda *_: torch.empty(2**60, dtype=torch.uint8) and None)
    with pytest.raises(BuildError, match="step 1: no memory left"):
        run(tmp_path, stage)


def test_broken_data_says_which_step_and_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^step 13: shard 3 is broken\. The checkpoint of step 12 is kept"):
        run(tmp_path, Toy(harm={12: "data"}))
    run(tmp_path, Toy())
    whole = tmp_path / "whole"
    run(whole, Toy())
    a, b = (read(f / "checkpoints" / "00000020.safetensors").tensors for f in (tmp_path, whole))
    assert all(torch.equal(a[name], b[name]) for name in b)


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    stage = Toy()
    stage.batch = lambda *_: {"numbers": torch.zeros(8, 6)}  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="Float"):
        run(tmp_path, stage)


@pytest.mark.parametrize("what", ["00000010.safetensors", "00000010.png"])
def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        name = os.readlink(f"/proc/self/fd/{handle}")
        if what in name and name.endswith(".tmp"):
            calls.append(name)
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BuildError, match=rf"no room to write .*{what}.*Free some space.*step 5 is kept"):
        run(tmp_path, Toy())
    assert len(calls) == 1
    assert steps(tmp_path) == [5]
    assert not list(tmp_path.rglob("*.tmp"))
    monkeypatch.undo()
    assert run(tmp_path, Toy(), resume="must").step == 20


def test_wandb_that_is_not_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UsageError, match="wandb is not installed"):
        run(tmp_path, Toy(), Plan(3, batch=8, wandb="project"))


def test_pictures_of_floats_are_not_needed(tmp_path: Path) -> None:
    stage = Toy()
    stage.picture = lambda step: None  # type: ignore[method-assign]
    run(tmp_path, stage, Plan(2, batch=8))
    assert not (tmp_path / "samples").exists()
    assert np.isfinite(run(tmp_path, stage, Plan(2, batch=8)).loss)
