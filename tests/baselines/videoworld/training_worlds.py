"""What each of several ranks does in ``test_parallel``; a world of one does the same for comparison."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import torch
from training_toys import Toy

from gobench.errors import BuildError, DataError, StoppedError, UsageError
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.parallel import Parallel, whole_state
from gobench_videoworld.train.schedule import Plan

PLAN = Plan(50, batch=8, lr=1e-2, log_every=1, evaluate_every=25, save_every=20, keep=9)


def toy(dropout: float = 0.0, harm: dict[int, str] | None = None) -> Toy:
    stage = Toy(harm=harm)
    for layer in stage.module.layers:
        layer.dropout.p = dropout
    stage.flops = 0.0
    return stage


def curves(parallel: Parallel, folder: Path) -> None:
    """The same training as one batch, in slices, and with dropout in as many slices as there are ranks."""
    fit(toy(), PLAN, folder / "plain", parallel=parallel, progress=False)
    fit(toy(), replace(PLAN, accumulate=2), folder / "slices", parallel=parallel, progress=False)
    parts = 4 // parallel.world
    stage = toy(0.2)
    fit(stage, replace(PLAN, accumulate=parts), folder / "dropout", parallel=parallel, progress=False)
    state = whole_state(stage.module)
    if parallel.main:
        torch.save(state, folder / "state.pt")
        (folder / "looks.json").write_text(json.dumps(stage.looks))


def interruptions(parallel: Parallel, folder: Path) -> None:
    """Stopped on the wish of the last rank alone, gone on, and compared with a training that was not."""
    fit(toy(0.2), PLAN, folder / "whole", parallel=parallel, progress=False)
    last = parallel.rank == parallel.world - 1
    try:
        fit(
            toy(0.2, {30: "term"} if last else None),
            PLAN,
            folder / "parts",
            parallel=parallel,
            progress=False,
        )
    except StoppedError as error:
        assert ("SIGTERM" if last else "another process") in str(error), error
    else:
        raise AssertionError("nobody stopped")
    stage = toy(0.2)
    done = fit(stage, PLAN, folder / "parts", parallel=parallel, progress=False)
    assert done.step == 50
    a, b = (
        read(folder / name / "checkpoints" / "00000050.safetensors").tensors for name in ("whole", "parts")
    )
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def refusals(parallel: Parallel, folder: Path) -> None:
    """All ranks are told what the first one finds."""
    for resume, plan, kind, says in (
        ("must", PLAN, UsageError, "no checkpoint to go on from"),
        ("auto", replace(PLAN, accumulate=3), UsageError, "cannot be cut into"),
    ):
        try:
            fit(toy(), plan, folder / "none", parallel=parallel, progress=False, resume=resume)
        except kind as error:
            assert says in str(error), error
        else:
            raise AssertionError(says)
    fit(toy(), replace(PLAN, steps=5), folder / "own", parallel=parallel, progress=False)
    try:
        fit(toy(), PLAN, folder / "own", parallel=parallel, progress=False)
    except BuildError as error:
        assert "plan.steps is 5 there and 50 here" in str(error), error
    else:
        raise AssertionError("went on with another plan")
    try:
        fit(toy(harm={12: "nan"}), PLAN, folder / "nan", parallel=parallel, progress=False)
    except BuildError as error:
        assert "step 13: the loss is inf" in str(error), error
    else:
        raise AssertionError("went on without numbers")


def everything(parallel: Parallel, folder: Path) -> None:
    curves(parallel, folder)
    interruptions(parallel, folder)
    refusals(parallel, folder)


def data_that_breaks_for_one(parallel: Parallel, folder: Path) -> None:
    """Only rank 1 cannot read its slice; the others wait for it in vain, as under torchrun, which ends them."""
    try:
        fit(toy(harm={3: "data"} if parallel.rank else None), PLAN, folder, parallel=parallel, progress=False)
    except DataError as error:
        assert "step 4" in str(error)
        (folder / "said").write_text(str(error))
        os._exit(3)
