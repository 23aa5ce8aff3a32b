"""What a training would be and take, without training: ``gobench train videoworld --dry-run``. Nothing is written."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from gobench.dataset import Dataset, open_dataset
from gobench.types import Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.flops import step_flops
from gobench_videoworld.latent import RECIPES as LATENT_RECIPES
from gobench_videoworld.networks import Networks, networks
from gobench_videoworld.options import TrainOptions
from gobench_videoworld.tokenizer import RECIPES as TOKENIZER_RECIPES
from gobench_videoworld.train import costs
from gobench_videoworld.train.material import Material
from gobench_videoworld.train.parallel import Parallel, choose_device
from gobench_videoworld.train.recipes import RECIPES
from gobench_videoworld.train.run import SHARES, UNLIMITED
from gobench_videoworld.train.schedule import own_slices


def forecast(asked: TrainOptions) -> Record:
    """Plain data: the model's shape, parameters, the dataset; of each stage and of all what they take; tokens to make.

    Steps are those at most; where minutes end a stage ("limit"), those that would fit by the estimate. ``minutes`` are
    estimates: floating point operations over a share of the speed that a matrix product has on this machine now. Looks at
    the validation split are not counted. Sizes are in bytes.

    Raises:
        UsageError: what is asked for cannot be. DataError: there is no such dataset.
    """
    if asked.threads:
        torch.set_num_threads(asked.threads)
    data = open_dataset(asked.data)
    config = configured(asked, scene(data))
    with torch.device("meta"):  # shapes without memory
        made = networks(config, RECIPES[asked.size].frame_every)
    device = choose_device(asked.device)
    speed = costs.speed(device, asked.precision)
    tokens = costs.making(Material(asked, config, made, Parallel(device), False)) if _codes(asked) else None
    stages = _stages(asked, config, made, speed, tokens.seconds if tokens else 0.0)
    return {
        "model": _shape(asked, config, made),
        "parameters": {**(own := made.parameters()), "all": sum(own.values())},
        "data": _data(asked, data),
        "stages": stages,
        "tokens": tokens.to_json() if tokens else None,
        "all": _all(asked, stages, tokens),
        "machine": {"device": str(device), "flops_a_second": speed.peak, "supposed_share": speed.shares},
    }


def _codes(asked: TrainOptions) -> bool:
    """Whether frames are made into tokens: for all stages but the first."""
    return asked.stages != ("tokenizer",)


def _shape(asked: TrainOptions, config: VideoWorldConfig, made: Networks) -> Record:
    own = config.transformer
    found: Record = {
        "size": asked.size,
        "input": config.input,
        "layers": own.num_hidden_layers,
        "width": own.hidden_size,
        "heads": own.num_attention_heads,
        "form": own.scheme,
        "history": own.history,
        "sequence": made.transformer.positions,
        "frame": f"{config.sites} of {config.vocabulary:,} values",
    }
    if config.input != "state":
        found["tokenizer"] = config.tokenizer.encoder
    if config.codes:
        found["latent"] = "actions" if config.input == "state" else config.latent.form
        found["codes"] = f"{config.codes} of {' x '.join(f'{many:,}' for many in config.digits)} values"
    return found


def _data(asked: TrainOptions, data: Dataset) -> Record:
    total = data.manifest["splits"].get("train", {"samples": 0, "frames": 0})
    episodes = min(asked.episodes or total["samples"], total["samples"])
    return {
        "name": asked.data.resolve().name,
        "episodes": episodes,
        "of": total["samples"],
        "frames": total["frames"],
    }


def _all(asked: TrainOptions, stages: Record, tokens: costs.Making | None) -> Record:
    """Of all stages together; memory is that of the one that takes most."""
    rows = list(stages.values())
    minutes = sum(row["minutes"] for row in rows) + (tokens.seconds / 60 if tokens else 0.0)
    return {
        **{key: sum(row[key] for row in rows) for key in ("steps", "samples", "flops")},
        "minutes": min(minutes, asked.minutes or minutes),
        "memory": max(row["memory"]["all"] for row in rows),
        "disk": sum(row["disk"] for row in rows) + (tokens.bytes if tokens else 0),
    }


class _Course(NamedTuple):
    """How a stage is trained, as ``train.run`` plans it."""

    steps: int  # at most
    least: int
    batch: int
    tokens: int  # of a step


def _stages(
    asked: TrainOptions, config: VideoWorldConfig, made: Networks, speed: costs.Speed, coding: float
) -> Record:
    """Stage -> its plan and what it takes; ``coding``: seconds for which tokens are made, which minutes include."""
    found: Record = {}
    spent = coding
    for name, module in made.parts():
        if name not in asked.stages:
            continue
        course = _course(asked, config, made, name)
        flops = step_flops(module, course.batch, made.latent)
        step = speed.seconds(name, flops)
        limit = _seconds(asked, name, spent)
        fitting = max(course.least, int(limit / step)) if limit else course.steps
        steps = min(course.steps, fitting)
        spent += steps * step
        found[name] = {
            "steps": steps, "limit": "minutes" if steps < course.steps else "steps", "batch": course.batch,
            "samples": steps * course.batch, "tokens_a_step": course.tokens, "flops_a_step": flops, "flops": flops * steps,
            "minutes": steps * step / 60, "memory": _memory(asked, name, module, course.batch, speed),
            "disk": costs.disk(module),
        }  # fmt: skip
    return found


def _course(asked: TrainOptions, config: VideoWorldConfig, made: Networks, name: str) -> _Course:
    if name == "transformer":
        recipe = RECIPES[asked.size]
        batch = asked.batch or recipe.batch
        steps = asked.steps or (UNLIMITED if asked.minutes else recipe.steps)
        return _Course(steps, 1, batch, made.transformer.trained(batch))
    tokenizer = name == "tokenizer"
    own = TOKENIZER_RECIPES[config.tokenizer.encoder] if tokenizer else LATENT_RECIPES[config.latent.form]
    frames = 1 if tokenizer else 1 + len(config.latent.offsets)
    return _Course(
        min(own.steps, asked.steps or own.steps), own.least, own.batch, own.batch * config.sites * frames
    )


def _seconds(asked: TrainOptions, name: str, spent: float) -> float:
    """That a stage has of the minutes; 0 where these are not limited."""
    whole = 60 * (asked.minutes or 0.0)
    return whole * SHARES[name] if name in SHARES else max(whole - spent, 0.1 * whole)


def _memory(asked: TrainOptions, name: str, module: nn.Module, batch: int, speed: costs.Speed) -> Record:
    last = name == "transformer"
    parts = asked.accumulate if last else own_slices(batch, asked.accumulate, 1)[1]
    return costs.memory(module, batch, parts, speed.half and last)
