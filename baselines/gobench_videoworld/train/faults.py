"""What goes wrong in a step, in words, with what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch

from gobench.errors import BuildError, GobenchError, family
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.stage import Batch, Stage, rows
from gobench_videoworld.train.trainer import Update

MEMORY = ("can't allocate memory", "not enough memory", "defaultcpuallocator", "out of memory")
SHOWN = 8  # samples that an error names


class Advice(NamedTuple):
    """What a person can change."""

    finite: str  # where numbers overflow
    smaller: str  # takes less memory
    batch: bool  # whether the batch can be asked for


ADVICE: Mapping[str, Advice] = {
    "tokenizer": Advice("another --seed or --encoder", "a narrower tokenizer (--set tokenizer.width=N)", False),
    "latent": Advice("another --seed or --latent", "narrower latent dynamics (--set latent.width=N)", False),
}  # fmt: skip
"""Stage -> advice, for those whose learning rate and batch are their own."""
OTHERS = Advice("a lower --lr (it was {lr:g})", "a smaller --size", True)


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that no memory is left, on a GPU or on a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in MEMORY)


def no_memory(where: str, stage: Stage, plan: Plan, world: int, kept: str) -> BuildError:
    """The error for a step or an evaluation (``where``) that did not fit into memory."""
    own, part = ADVICE.get(stage.name, OTHERS), plan.batch // (plan.accumulate * world)
    if more := _more_parts(plan, world, rows(stage)):
        advice = f"Take --accumulate {more}, which computes it in slices of {plan.batch // (more * world)}."
        if own.batch:
            advice += " Or take a smaller --batch, which is another training."
    else:
        advice = f"Slices cannot be smaller: take {own.smaller}, or a machine with more memory."
    return BuildError(
        f"{where}: no memory left (batch {plan.batch}, computed in slices of {part}). {advice} {kept}"
    )


def _more_parts(plan: Plan, world: int, least: int) -> int:
    """The next number of parts into which a batch can be cut, in slices of a multiple of ``least``; 0 if there is none."""
    most = plan.batch // (world * least)
    return next((n for n in range(plan.accumulate + 1, most + 1) if plan.batch % (n * world * least) == 0), 0)


def not_finite(
    step: int, stage: Stage, update: Update, plan: Plan, batches: Iterable[Batch], kept: str
) -> BuildError:
    """The error for a loss or a gradient that is NaN or infinite; ``batches``: the slices of that step."""
    if math.isfinite(update.loss):
        what = f"the gradient's length is {update.norm}, the loss {update.loss:.4g}"
    else:
        what = f"the loss is {update.loss}"
    given = list(batches)
    bad = sorted({name for batch in given for name, t in batch.items() if not torch.isfinite(t).all()})
    if bad:
        advice = f"The batch itself holds values that are not finite, in {', '.join(bad)}: mend the data."
    else:
        own = ADVICE.get(stage.name, OTHERS)
        half = "" if plan.precision == "f32" else ", or with --precision f32 if it was bf16"
        advice = f"Start anew (--resume never) with {own.finite.format(lr=plan.lr)}{half}."
    return BuildError(f"step {step}: {what}. {samples(given)}{advice} {kept}")


def samples(batches: Iterable[Batch]) -> str:
    """A sentence on which samples a step's batch has, where it says so."""
    named = [
        f"{episode}@{time}"
        for batch in batches
        if "episode" in batch and "time" in batch
        for episode, time in zip(batch["episode"].tolist(), batch["time"].tolist(), strict=True)
    ]
    if not named:
        return ""
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f"Its samples (episode@time): {', '.join(named[:SHOWN])}{more}. "


def at(error: GobenchError, where: str, kept: str) -> GobenchError:
    """The error with ``where`` it came up, "step 12", as its kind of the tree in ``gobench.errors``."""
    return family(error)(f"{where}: {error} {kept}")
