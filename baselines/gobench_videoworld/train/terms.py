"""On what terms a stage is trained: stages that build on it must be asked for on the same ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gobench.types import Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.options import TrainOptions

TOKENIZER = ("symmetry", "episodes", "seed")
LATENT = (*TOKENIZER, "turns", "unchanged")


def terms(asked: TrainOptions, config: VideoWorldConfig, stage: str) -> Record:
    """What decides a stage's weights, how long it is trained apart; plain data, with dotted keys for the model's tables."""
    if stage == "tokenizer":
        return {**_options(asked, TOKENIZER), **_table("tokenizer", config.tokenizer)}
    if stage == "latent":
        tables = _table("tokenizer", config.tokenizer) | _table("latent", config.latent)
        return {**_options(asked, LATENT), **tables}
    return {key: value for key, value in asked.decisive().items() if key != "stage"}


def _options(asked: TrainOptions, names: tuple[str, ...]) -> Record:
    return {name: getattr(asked, name) for name in names}


def _table(name: str, table: Any) -> Record:
    """{"latent.offsets": [1, 3, 5], ...}."""
    return {
        f"{name}.{key}": list(value) if isinstance(value, tuple) else value
        for key, value in asdict(table).items()
    }
