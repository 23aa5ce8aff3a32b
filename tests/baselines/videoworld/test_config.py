"""The model's tables: what follows from what, the way to JSON and back, and what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from gobench.errors import DataError, UsageError
from gobench_videoworld.config import (
    PAPER_LATENT,
    PAPER_TOKENIZER,
    SIZES,
    LatentConfig,
    SamplerConfig,
    TokenizerConfig,
    TransformerConfig,
    VideoWorldConfig,
    from_json,
    transformer_of,
)
from gobench_videoworld.transformer.llama import Llama

MILLIONS = {
    "tiny": 0.15,
    "small": 4.7,
    "base": 38,
    "300m": 303,
    "50m-paper": 50,
    "150m-paper": 152,
    "300m-paper": 303,
}
"""Parameters without embeddings, as ``SIZES`` tells them."""

FORMS: dict[str, dict[str, Any]] = {
    "default": {},
    "video": {"input": "video"},
    "state": {
        "input": "state",
        "board": (5, 7),
        "symbols": 4,
        "options": {"rules": {"komi": 7.5}, "names": ["a", "b"]},
    },
    "codes": {"target": "codes"},
    "no codes": {"target": "video"},
    "places": {"latent": LatentConfig(places=2, offsets=(1, 2))},
    "generic": {"latent": LatentConfig("generic", levels=(8, 8, 8))},
    "paper": {
        "tokenizer": PAPER_TOKENIZER,
        "latent": PAPER_LATENT,
        "transformer": transformer_of("50m-paper"),
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_json_and_back_is_the_same(form: str) -> None:
    config = VideoWorldConfig(**FORMS[form])
    table = config.to_json()
    assert from_json(json.loads(json.dumps(table))) == config
    assert from_json(table).to_json() == table


def test_a_table_is_not_shared_with_its_json() -> None:
    config = VideoWorldConfig(options={"rules": {"komi": 7.5}})
    config.to_json()["options"]["rules"]["komi"] = 0
    assert config.options["rules"]["komi"] == 7.5


@pytest.mark.parametrize(
    ("form", "codes", "digits", "pointers", "frames", "imagines", "sites", "vocabulary"),
    [
        ("default", 3, (81, 5), 1, True, True, 81, 200),
        ("video", 0, (81, 5), 1, True, False, 81, 200),
        ("state", 3, (36, 4), 1, False, False, 35, 4),
        ("codes", 3, (81, 5), 1, False, False, 81, 200),
        ("no codes", 0, (81, 5), 1, True, False, 81, 200),
        ("places", 2, (81, 81, 5), 2, True, True, 81, 200),
        ("generic", 3, (512,), 0, True, True, 81, 200),
        ("paper", 3, (64_000,), 0, True, False, 16, 64_000),
    ],
)
def test_what_follows_from_the_tables(
    form: str,
    codes: int,
    digits: tuple[int, ...],
    pointers: int,
    frames: bool,
    imagines: bool,
    sites: int,
    vocabulary: int,
) -> None:
    config = VideoWorldConfig(**FORMS[form])
    assert (config.codes, config.digits, config.pointers) == (codes, digits, pointers)
    assert (config.frames, config.imagines) == (frames, imagines)
    assert (config.sites, config.vocabulary) == (sites, vocabulary)


def test_imagined_is_for_aligned_inputs_alone() -> None:
    plain = VideoWorldConfig(transformer=TransformerConfig(scheme="plain"))
    off = VideoWorldConfig(transformer=TransformerConfig(imagined=False))
    pixel = VideoWorldConfig(latent=LatentConfig("pixel"))
    assert not (plain.imagines or off.imagines or pixel.imagines)


def test_the_tokenizer_works_on_whole_patches() -> None:
    config = TokenizerConfig(grid=(6, 10), patch=16)
    assert (config.size, config.sites, config.vocabulary) == ((96, 160), 60, 200)
    assert (PAPER_TOKENIZER.size, PAPER_TOKENIZER.vocabulary) == ((256, 256), 64_000)


@pytest.mark.parametrize("size", SIZES)
def test_sizes_have_the_parameters_that_are_told(size: str) -> None:
    config = transformer_of(size)
    with torch.device("meta"):
        found = sum(p.numel() for p in Llama(config).parameters()) / 1e6
    assert found == pytest.approx(MILLIONS[size], rel=0.015)
    assert config.num_key_value_heads == config.num_attention_heads
    assert (config.scheme == "plain") == size.endswith("-paper")


def test_paper_faithful_switches_all_additions_off_and_nothing_else() -> None:
    config = TransformerConfig(hidden_size=32, history=3)
    found = config.paper_faithful()
    assert (found.scheme, found.bidirectional, found.pointer, found.imagined) == (
        "plain",
        False,
        False,
        False,
    )
    assert found.history == 2
    again = replace(found, scheme="aligned", bidirectional=True, pointer=True, imagined=True, history=3)
    assert again == config


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: transformer_of("tinny"), "Did you mean 'tiny'"),
        (lambda: TokenizerConfig("vae"), "unknown encoder 'vae'"),
        (lambda: TokenizerConfig(patch=1), "patch must be a whole number >= 2, not 1"),
        (lambda: TokenizerConfig(grid=(9, 0)), "grid must be a whole number >= 1, not 0"),
        (lambda: TokenizerConfig(grid=(9, 9, 9)), "grid is rows,columns of tokens, as in 9,9, not 9,9,9"),
        (lambda: TokenizerConfig(levels=(8, 1)), "levels must be a whole number >= 2, not 1"),
        (lambda: TokenizerConfig(levels=()), "levels are whole numbers from 2"),
        (lambda: TokenizerConfig(blocks=-1), "blocks must be a whole number >= 0"),
        (lambda: LatentConfig("places"), "unknown form 'places'"),
        (lambda: LatentConfig(offsets=()), "offsets must be rising whole numbers from 1, not none: try 1,3,5"),
        (lambda: LatentConfig(offsets=(2, 3)), "not 2,3"),
        (lambda: LatentConfig(offsets=(1, 3, 3)), "not 1,3,3"),
        (lambda: LatentConfig(places=0), "places must be a whole number >= 1"),
        (lambda: LatentConfig(levels=(1,)), "levels must be a whole number >= 2"),
        (lambda: TransformerConfig(scheme="other"), "unknown scheme 'other'"),
        (lambda: TransformerConfig(hidden_size=66), "hidden_size 66 must be an even multiple of num_attention_heads 4"),
        (lambda: TransformerConfig(hidden_size=12), "even multiple"),  # heads of 3 numbers cannot be turned in pairs
        (lambda: TransformerConfig(num_key_value_heads=3), "must be a multiple of num_key_value_heads 3"),
        (lambda: TransformerConfig(history=True), "history must be a whole number >= 1, not True"),
        (lambda: TransformerConfig(intermediate_size=0), "intermediate_size must be a whole number >= 1"),
        (lambda: SamplerConfig(temperature=-0.1), "temperature is a number >= 0, not -0.1"),
        (lambda: SamplerConfig(frame_temperature=float("inf")), "frame_temperature is a number >= 0, not inf"),
        (lambda: SamplerConfig(temperature=float("nan")), "temperature is a number >= 0, not nan"),
        (lambda: SamplerConfig(renderer="pencil"), "Known: transformer, latent"),
        (lambda: VideoWorldConfig(input="sound"), "unknown input 'sound'"),
        (lambda: VideoWorldConfig(target="moves"), "unknown target 'moves'"),
        (lambda: VideoWorldConfig(input="state", target="video"), "a state model predicts codes alone"),
        (lambda: VideoWorldConfig(input="video", sampler=SamplerConfig(renderer="latent")), "does not have"),
        (lambda: VideoWorldConfig(input="state", sampler=SamplerConfig(renderer="latent")), "does not have"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(make: Callable[[], object], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        make()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.pop("theme"), "VideoWorldConfig has no 'theme'"),
        (lambda t: t.pop("latent"), "'latent'"),
        (lambda t: t.update(colour="red"), "unknown key 'colour' of VideoWorldConfig"),
        (lambda t: t["transformer"].update(heads=4), "unknown key 'heads' of TransformerConfig"),
        (lambda t: t["tokenizer"].pop("patch"), "TokenizerConfig has no 'patch'"),
        (lambda t: t["transformer"].update(hidden_size="64"), "hidden_size must be a whole number >= 1, not '64'"),
        (lambda t: t.update(sampler=3), "VideoWorld model"),
        (lambda t: t.update(input="sound"), "unknown input 'sound'"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_model_is_refused(change: Callable[[Any], object], match: str) -> None:
    table = VideoWorldConfig().to_json()
    change(table)
    with pytest.raises(DataError, match=match):
        from_json(table)
