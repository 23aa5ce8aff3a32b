"""What a training would be, without training: ``gobench train videoworld --dry-run``."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from gobench.dataset import Dataset, open_dataset
from gobench.types import Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.flops import step_flops
from gobench_videoworld.latent import RECIPES as LATENT_RECIPES
from gobench_videoworld.networks import Networks, networks
from gobench_videoworld.options import TrainOptions
from gobench_videoworld.tokenizer import RECIPES as TOKENIZER_RECIPES
from gobench_videoworld.train.recipes import RECIPES


def forecast(asked: TrainOptions) -> Record:
    """Plain data: the model's shape, parameters, the dataset, and of each stage steps, tokens and operations.

    Steps are those at most; None where minutes alone end a stage, and then its operations are told of one step only.

    Raises:
        UsageError: what is asked for cannot be. DataError: there is no such dataset.
    """
    data = open_dataset(asked.data)
    config = configured(asked, scene(data))
    with torch.device("meta"):  # shapes without memory
        made = networks(config, RECIPES[asked.size].frame_every)
    stages = dict(_stages(asked, config, made))
    return {
        "model": _shape(asked, config, made),
        "parameters": {**(own := made.parameters()), "all": sum(own.values())},
        "data": _data(asked, data),
        "stages": stages,
        "flops": None if None in (spent := [stage["flops"] for stage in stages.values()]) else sum(spent),
        **({"minutes": asked.minutes} if asked.minutes else {}),
    }


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


def _stages(asked: TrainOptions, config: VideoWorldConfig, made: Networks) -> Iterator[tuple[str, Record]]:
    """(stage, its plan) as ``train.run`` makes it."""
    recipe = RECIPES[asked.size]
    for name, module in made.parts():
        if name not in asked.stages:
            continue
        if name == "transformer":
            steps = asked.steps or (None if asked.minutes else recipe.steps)
            batch = asked.batch or recipe.batch
            tokens = made.transformer.trained(batch)
        else:
            own = (
                TOKENIZER_RECIPES[config.tokenizer.encoder]
                if name == "tokenizer"
                else LATENT_RECIPES[config.latent.form]
            )
            steps, batch = min(own.steps, asked.steps or own.steps), own.batch
            frames = 1 if name == "tokenizer" else 1 + len(config.latent.offsets)
            tokens = batch * config.sites * frames
        flops = step_flops(module, batch, made.latent)
        yield name, {"steps": steps, "batch": batch, "tokens_a_step": tokens, "flops_a_step": flops,
                     "flops": None if steps is None else flops * steps}  # fmt: skip
