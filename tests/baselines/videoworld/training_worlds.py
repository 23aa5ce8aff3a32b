"""What each of several ranks does in ``test_parallel``; a world of one does the same for comparison."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from training_toys import Toy

from gobench.errors import BuildError, DataError, StoppedError, UsageError
from gobench.seeds import stream
from gobench_videoworld.config import LatentConfig, TokenizerConfig, TransformerConfig, VideoWorldConfig
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.parallel import Parallel, whole_state
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.stage import Batch
from gobench_videoworld.transformer.dynamics import Dynamics

PLAN = Plan(50, batch=8, lr=1e-2, log_every=1, evaluate_every=25, save_every=20, keep=9)
SHORT = replace(PLAN, steps=14, save_every=5, evaluate_every=4)


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
    fit(toy(0.2), SHORT, folder / "whole", parallel=parallel, progress=False)
    last = parallel.rank == parallel.world - 1
    try:
        fit(
            toy(0.2, {7: "term"} if last else None),
            SHORT,
            folder / "parts",
            parallel=parallel,
            progress=False,
        )
    except StoppedError as error:
        assert ("SIGTERM" if last else "another process") in str(error), error
    else:
        raise AssertionError("nobody stopped")
    stage = toy(0.2)
    done = fit(stage, SHORT, folder / "parts", parallel=parallel, progress=False)
    assert done.step == 14
    a, b = (
        read(folder / name / "checkpoints" / "00000014.safetensors").tensors for name in ("whole", "parts")
    )
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    timed = fit(toy(0.2), replace(SHORT, minutes=1.0), folder / "minutes", parallel=parallel, progress=False)
    assert timed.step == 14
    c = read(timed.weights).tensors
    assert all(torch.equal(a[name], c[name]) for name in a)


def refusals(parallel: Parallel, folder: Path) -> None:
    """All ranks are told what the first one finds."""
    for resume, plan, kind, says in (
        ("must", SHORT, UsageError, "no checkpoint to go on from"),
        ("auto", replace(SHORT, accumulate=3), UsageError, "cannot be cut into"),
    ):
        try:
            fit(toy(), plan, folder / "none", parallel=parallel, progress=False, resume=resume)
        except kind as error:
            assert says in str(error), error
        else:
            raise AssertionError(says)
    fit(toy(), replace(SHORT, steps=5), folder / "own", parallel=parallel, progress=False)
    try:
        fit(toy(), SHORT, folder / "own", parallel=parallel, progress=False)
    except BuildError as error:
        assert "plan.steps is 5 there and 14 here" in str(error), error
    else:
        raise AssertionError("went on with another plan")
    try:
        fit(toy(harm={6: "nan"}), SHORT, folder / "nan", parallel=parallel, progress=False)
    except BuildError as error:
        assert "step 7: the loss is inf" in str(error), error
    else:
        raise AssertionError("went on without numbers")


class Video:
    """The real transformer on random windows; its codes are twice as many rows as its frames."""

    name, tokens, flops = "video", 0, 0.0

    def __init__(self) -> None:
        grid = (3, 3)
        config = VideoWorldConfig(
            tokenizer=TokenizerConfig(grid=grid, levels=(4, 3)),
            latent=LatentConfig(levels=(3,)),
            transformer=TransformerConfig(hidden_size=16, num_attention_heads=2, num_key_value_heads=2,
                                          num_hidden_layers=2, intermediate_size=24, history=2),
        )  # fmt: skip
        torch.manual_seed(0)
        self.config = config
        self.module = Dynamics(config, frame_every=2)

    def batch(self, step: int, rank: int, world: int) -> Batch:
        draw = stream(0, "video", step % 4).integers
        sites, words, (places, contents) = self.config.sites, self.config.vocabulary, self.config.digits
        made = {
            "history": draw(0, words, (8, 2, sites)),
            "next": draw(0, words, (8, sites)),
            "imagined": draw(0, words, (8, sites)),
            "codes": np.stack([draw(0, n, (8, 3)) for n in (places, contents)], 2),
            "there": draw(0, 2, (8, 3)) > 0,
        }
        return {name: torch.from_numpy(np.split(values, world)[rank]) for name, values in made.items()}

    def evaluate(self, step: int) -> dict[str, float]:
        """Answers, drawn in ways that are no plain forward pass."""
        shown = self.batch(0, 0, 1)
        uniforms = torch.from_numpy(stream(0, "draw").random((8, 64)))
        imagine = lambda frames, codes: shown["imagined"]  # noqa: E731
        drawn = self.module.sample(shown["history"], uniforms, self.config.sampler, imagine)
        assert drawn.tokens is not None
        return {"codes": float(drawn.codes.sum()), "tokens": float(drawn.tokens.sum())}

    def picture(self, step: int) -> None:
        return None


def video(parallel: Parallel, folder: Path) -> None:
    plan = Plan(50, batch=8, lr=1e-2, log_every=1, evaluate_every=25, precision="f32")
    fit(Video(), plan, folder / "video", parallel=parallel, progress=False)


def everything(parallel: Parallel, folder: Path) -> None:
    curves(parallel, folder)
    video(parallel, folder)
    interruptions(parallel, folder)
    refusals(parallel, folder)


def data_that_breaks_for_one(parallel: Parallel, folder: Path) -> None:
    """Only rank 1 cannot read its slice; the others wait for it in vain, as under torchrun, which ends them."""
    try:
        fit(
            toy(harm={3: "data"} if parallel.rank else None), SHORT, folder, parallel=parallel, progress=False
        )
    except DataError as error:
        assert "step 4" in str(error)
        (folder / "said").write_text(str(error))
        os._exit(3)
