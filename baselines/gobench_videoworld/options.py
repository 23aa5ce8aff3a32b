"""What ``gobench train videoworld`` is asked: one frozen table, checked when made. No torch, no reading of files."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import cast

from gobench.errors import UsageError
from gobench.types import Record
from gobench_videoworld.config import (
    ENCODERS,
    INPUTS,
    LATENTS,
    SIZES,
    TARGETS,
    at_least,
    checked_offsets,
    one_of,
)

ALL = "all"
STAGES = ("tokenizer", "latent", "transformer")
TURNS = ("all", "first")
SYMMETRIES = ("auto", "none", "dihedral")
UNCHANGED = ("keep", "drop")
PRECISIONS = ("auto", "f32", "bf16")
RESUMES = ("auto", "never", "must")
FILES = (".pt", ".pth", ".ckpt")
HALVES = ("f16", "fp16", "float16", "half")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "state": STAGES[2:],
    "video": (STAGES[0], STAGES[2]),
    "video+ldm": STAGES,
}
"""Input -> the stages that such a model has."""
MAY_DIFFER = (
    "data", "out", "work", "resume", "threads", "wandb", "evaluate_every", "device", "accumulate", "compile", "fsdp",
)  # fmt: skip
"""Options that change no weight, or its rounding alone: a training may go on under others."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """A training as it is asked for. None and "" are "as the size, the input and the dataset suggest".

    Raises UsageError for a value that cannot be, or values that do not go together; says what to write instead.
    """

    data: Path  # folder of a finished dataset
    out: Path  # model.pt, or a folder
    work: Path  # checkpoints, token shards, logs
    size: str = "tiny"  # of config.SIZES
    input: str = "video+ldm"  # of config.INPUTS
    stage: str = ALL  # or one of STAGES
    paper_faithful: bool = False
    target: str = "codes+video"  # of config.TARGETS
    horizon: tuple[int, ...] = (1, 3, 5)  # frames ahead that have a code each
    encoder: str = ""  # of config.ENCODERS
    latent: str = ""  # of config.LATENTS
    turns: str = ALL  # which frames are answered: of both sides, or of the side that moves first
    symmetry: str = "auto"
    unchanged: str = "keep"  # "drop": frames that do not change (passes) are not answered
    episodes: int = 0  # watch so many episodes of the training split at most; 0: all
    steps: int | None = (
        None  # optimizer steps of the transformer; stages before it take their own, but no more than that
    )
    # of training, of all stages together; the first of both limits ends it. Without either: the size's own steps
    minutes: float | None = None
    batch: int | None = None  # windows of a step, over all ranks
    accumulate: int = 1  # parts in which a step's batch is computed
    lr: float | None = None  # the highest learning rate of the transformer
    seed: int = 0
    precision: str = "auto"
    compile: bool = False
    fsdp: bool = False
    resume: str = "auto"
    threads: int = 0  # of torch on a CPU; 0: as torch likes
    evaluate_every: int | None = None  # steps; 0: only at the end
    wandb: str = ""  # project; "": nothing is sent anywhere
    device: str = "auto"  # a torch device, or auto: a GPU where there is one
    settings: tuple[str, ...] = ()  # KEY=VALUE of the config's tables, such as transformer.history=1

    def __post_init__(self) -> None:
        known = {"size": SIZES, "input": INPUTS, "stage": (ALL, *STAGES), "target": TARGETS, "turns": TURNS,
                 "symmetry": SYMMETRIES, "unchanged": UNCHANGED, "resume": RESUMES}  # fmt: skip
        for name, values in known.items():
            one_of(name, getattr(self, name), values)
        for name, values in {"encoder": ENCODERS, "latent": LATENTS}.items():
            one_of(name, getattr(self, name) or values[0], values)
        check_precision(self.precision)
        _numbers(self)
        _together(self)
        _places(self)

    @property
    def stages(self) -> tuple[str, ...]:
        """What is trained, in order."""
        return needed(self) if self.stage == ALL else (self.stage,)

    def decisive(self) -> Record:
        """What decides the weights, as plain data: a training goes on only where this is equal."""
        table = {key: value for key, value in asdict(self).items() if key not in MAY_DIFFER}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}


def work_of(out: Path) -> Path:
    """Where a training keeps its state unless it is told: "runs/model.pt" -> "runs/model-train"."""
    return out.with_name((out.stem if out.suffix in FILES else out.name) + "-train")


def command_of(asked: TrainOptions, **changes: object) -> str:
    """The command that asks for this, changed so: only what differs from the defaults, ready for a shell."""
    table = {f.name: getattr(asked, f.name) for f in fields(asked)} | changes
    defaults = {f.name: f.default for f in fields(asked)} | {"work": work_of(table["out"])}
    words = [word for key, value in table.items() if value != defaults[key] for word in flags(key, value)]
    return shlex.join(["gobench", "train", "videoworld", *words])


def flags(key: str, value: object) -> list[str]:
    """An option as it is written on the command line; nothing for one that is left out."""
    name = "--set" if key == "settings" else f"--{key.replace('_', '-')}"
    if value is None or value is False or value == "":
        return []
    if value is True:
        return [name]
    if key == "settings":
        return [word for setting in cast(Iterable[str], value) for word in (name, setting)]
    if isinstance(value, tuple | list):
        return [name, ",".join(map(str, value))]
    return [name, f"{value:.15g}" if isinstance(value, float) else str(value)]


def horizon_of(text: str) -> tuple[int, ...]:
    """ "1,3,5" -> (1, 3, 5). Raises UsageError."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"horizon: write frames ahead with commas between, as in 1,3,5, not {text!r}."
        ) from None
    return checked_offsets("horizon", found)


def check_precision(value: str) -> None:
    """UsageError for one that is not offered."""
    if value in HALVES:
        raise UsageError(
            f"precision {value!r} is not offered: CPUs compute it in software, and its small range needs losses to be "
            "scaled. Take bf16 (as fast on a GPU, and faster than f32 on newer CPUs), f32, or auto."
        )
    one_of("precision", value, PRECISIONS)


def _numbers(asked: TrainOptions) -> None:
    for name, least in {"episodes": 0, "accumulate": 1, "seed": 0, "threads": 0}.items():
        at_least(name, getattr(asked, name), least)
    for name, least in {"steps": 1, "batch": 1, "evaluate_every": 0}.items():
        if getattr(asked, name) is not None:
            at_least(name, getattr(asked, name), least)
    for name in ("minutes", "lr"):
        value = getattr(asked, name)
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"{name} is a number greater than 0, not {value!r}.")
    checked_offsets("horizon", asked.horizon)
    if asked.batch is not None and asked.batch % asked.accumulate:
        raise UsageError(
            f"accumulate {asked.accumulate} must divide batch {asked.batch}: a step's batch is cut into equal parts."
        )


def needed(asked: TrainOptions) -> tuple[str, ...]:
    """The stages that the model has, whichever of them are trained now."""
    return tuple(s for s in NEEDED[asked.input] if s != "latent" or asked.target != "video")


def _together(asked: TrainOptions) -> None:
    has = needed(asked)
    if asked.stage not in (ALL, *has):
        raise UsageError(
            f"stage {asked.stage!r}: a model of input {asked.input!r} and target {asked.target!r} has the stage"
            f"{'s' if len(has) > 1 else ''} {' and '.join(has)} only. "
            f"Leave --stage out, or choose --input video+ldm."
        )
    if asked.input == "video" and asked.target == "codes":
        raise UsageError('target "codes" needs codes: take --input video+ldm, or leave --target out.')
    if asked.input == "state" and asked.target != "codes+video":
        raise UsageError(
            "a state model predicts the next action alone: leave --target out with --input state."
        )


def _places(asked: TrainOptions) -> None:
    if asked.out.resolve() == asked.data.resolve():
        raise UsageError(
            f"out {asked.out} is the dataset: the model needs a place of its own, such as model.pt."
        )
    for name in ("out", "work"):
        if asked.data.resolve() in (place := getattr(asked, name)).resolve().parents:
            raise UsageError(
                f"{name} {place} lies in the dataset {asked.data}, which holds nothing else: choose another place."
            )
    if asked.work.resolve() in (asked.out.resolve(), asked.data.resolve()):
        raise UsageError(f"work {asked.work} needs a folder of its own, such as {work_of(asked.out)}.")
    if asked.out.suffix in FILES and asked.out.is_dir():
        raise UsageError(
            f"out {asked.out} is a folder: give the name of a file in it, such as {asked.out / 'model.pt'}."
        )
    for name, place in (("out", asked.out.parent), ("work", asked.work)):
        there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise UsageError(
                f"{name} {getattr(asked, name)} cannot be made: {there} is no folder that you may write to."
            )
