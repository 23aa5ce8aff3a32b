"""From what is asked and what a dataset shows to the model's tables: ``configured(options, scene(folder))``. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from gobench import registry
from gobench.dataset import Dataset, open_dataset
from gobench.errors import UsageError, unknown
from gobench.types import Record
from gobench_videoworld.config import (
    PAPER_LATENT,
    PAPER_TOKENIZER,
    LatentConfig,
    TokenizerConfig,
    TransformerConfig,
    VideoWorldConfig,
    transformer_of,
)
from gobench_videoworld.options import TrainOptions

TABLES = ("tokenizer", "latent", "transformer", "sampler")
PATCHES: Mapping[str, int] = {"local": 12, "scene": 16, "conv": 16, "paper": 64}
"""Encoder -> pixels of a frame that a token stands for, in height and width."""
SCENE = TokenizerConfig("scene", (8, 8), 8, (8, 8, 8, 8), width=128)  # works at half the frame's size
CODES = (8, 8, 8)  # levels of a generic or pixel code in sizes of our own


class Scene(NamedTuple):
    """What a dataset shows, and how its domain is asked about it."""

    domain: str
    theme: str  # "" where the domain has none
    frame_size: tuple[int, int]  # height, width in pixels
    board: tuple[int, int] | None  # the domain's natural cells, where it has such
    symbols: int  # a cell may show; 0 where the domain has no cells
    options: Record  # of the recipe


def scene(data: Dataset | Path | str) -> Scene:
    """Look at a dataset. Raises DataError for a folder that holds none."""
    opened = data if isinstance(data, Dataset) else open_dataset(data)
    config = opened.plan.config
    options = dict(config.options)
    world = registry.domain(config.domain)
    grid, symbols = getattr(world, "grid", None), getattr(world, "symbols", None)
    height, width = opened.frames(opened.read(0), 0, 1, domain=world).shape[1:3]
    return Scene(
        config.domain,
        str(options.get("theme", "")),
        (int(height), int(width)),
        tuple(grid(options)) if grid else None,
        int(symbols(options)) if symbols else 0,
        options,
    )


def configured(asked: TrainOptions, seen: Scene) -> VideoWorldConfig:
    """The model that a training is to make.

    Raises:
        UsageError: a form that the domain does not offer, or a ``--set`` that names no key or gives no such value.
    """
    if asked.input == "state" and seen.board is None:
        raise UsageError(
            f"the domain {seen.domain!r} has no cells to read, so that there are no states: take --input video+ldm."
        )
    tokenizer = _tokenizer(asked, seen)
    made = VideoWorldConfig(
        domain=seen.domain,
        theme=seen.theme,
        frame_size=seen.frame_size,
        board=seen.board or tokenizer.grid,
        input=asked.input,
        target=asked.target,
        symbols=seen.symbols or 1,
        tokenizer=tokenizer,
        latent=_latent(asked, seen),
        transformer=_transformer(asked),
        options=seen.options,
    )
    return with_settings(made, asked.settings)


def with_settings(config: VideoWorldConfig, settings: Sequence[str]) -> VideoWorldConfig:
    """A config with each KEY=VALUE put in, such as ``transformer.history=1`` or ``tokenizer.levels=8,8,8``.

    Raises:
        UsageError: no such key, or a value that it cannot have; says what is allowed.
    """
    changes: dict[str, dict[str, Any]] = {}  # of each table at once: values may only go together
    for setting in settings:
        key, equals, text = setting.partition("=")
        name, _, inner = key.partition(".")
        if not equals or name not in TABLES:
            raise UsageError(
                f"--set {setting!r}: write TABLE.KEY=VALUE, as in transformer.history=1; tables: {', '.join(TABLES)}."
            )
        table = getattr(config, name)
        known = [f.name for f in fields(table)]
        if inner not in known:
            raise unknown(f"key of the table {name}", inner, known)
        changes.setdefault(name, {})[inner] = _value(getattr(table, inner), text, setting)
    made: dict[str, Any] = {
        name: replace(getattr(config, name), **values) for name, values in changes.items()
    }
    return replace(config, **made)


def _tokenizer(asked: TrainOptions, seen: Scene) -> TokenizerConfig:
    paper = asked.size.endswith("-paper")
    encoder = asked.encoder or ("paper" if paper else "local" if seen.board else "scene")
    if encoder == "paper":
        return PAPER_TOKENIZER if paper else replace(PAPER_TOKENIZER, width=TokenizerConfig().width)
    patch = PATCHES[encoder]
    rows, cols = seen.board or (max(1, side // patch) for side in seen.frame_size)
    return (
        replace(SCENE, grid=(rows, cols))
        if encoder == "scene"
        else TokenizerConfig(encoder, (rows, cols), patch)
    )


def _latent(asked: TrainOptions, seen: Scene) -> LatentConfig:
    paper = asked.size.endswith("-paper")
    ours = "located" if seen.board and not asked.paper_faithful else "generic"
    form = asked.latent or ("pixel" if paper else ours)
    if form == "pixel" and paper:
        return replace(PAPER_LATENT, offsets=asked.horizon)
    if form == "located":
        return LatentConfig(form, asked.horizon)
    return LatentConfig(form, asked.horizon, CODES)


def _transformer(asked: TrainOptions) -> TransformerConfig:
    found = transformer_of(asked.size)
    return found.paper_faithful() if asked.paper_faithful else found


def _value(now: Any, text: str, setting: str) -> Any:
    """The text as a value of the type that stands there now."""
    try:
        if isinstance(now, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(now, tuple):
            return tuple(int(part) for part in text.strip("[]()").split(","))
        return type(now)(text)
    except (ValueError, KeyError):
        kinds = {bool: "true or false", tuple: "whole numbers with commas between, as in 8,5,5", int: "a whole number",
                 float: "a number"}  # fmt: skip
        raise UsageError(f"--set {setting!r}: give {kinds.get(type(now), 'a text')}, not {text!r}.") from None
