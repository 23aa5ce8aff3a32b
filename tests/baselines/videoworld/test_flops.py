"""Operations of a training step: as torch counts them where the networks really run, and nothing is touched by counting."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gobench_videoworld.config import (
    PAPER_LATENT,
    PAPER_TOKENIZER,
    LatentConfig,
    TokenizerConfig,
    TransformerConfig,
    VideoWorldConfig,
)
from gobench_videoworld.flops import step_flops, window
from gobench_videoworld.latent import latent_model
from gobench_videoworld.latent.redraw import SPREADING
from gobench_videoworld.networks import networks
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.train.stages import lesson
from gobench_videoworld.transformer.flops import training_flops

TOKENIZERS = {
    "local": TokenizerConfig(grid=(5, 5), width=16),
    "conv": TokenizerConfig("conv", (4, 4), 16, width=32),
    "paper": TokenizerConfig("paper", (2, 2), 64, (8, 5), width=32, blocks=1),
}
LATENTS = {
    "located": LatentConfig(),
    "generic": LatentConfig("generic", levels=(4, 4)),
    "pixel": LatentConfig("pixel", levels=(4, 4), width=16),
}


def config_of(latent: str) -> VideoWorldConfig:
    return VideoWorldConfig(
        board=(5, 5), tokenizer=TokenizerConfig(grid=(5, 5), width=16), latent=LATENTS[latent],
        transformer=TransformerConfig(num_hidden_layers=1),
    )  # fmt: skip


def counted(run: Any) -> float:
    """As torch counts."""
    with FlopCounterMode(display=False) as counter:
        run()
    return float(counter.get_total_flops())


def windows(config: VideoWorldConfig, many: int) -> dict[str, torch.Tensor]:
    """Several of the windows that are counted on."""
    return {name: torch.cat([value] * many) for name, value in window(config).items()}


def too_much(config: VideoWorldConfig) -> float:
    """What torch counts for each frame drawn beyond what is computed: channels of other groups, in ``Spread``."""
    rounds = max(config.tokenizer.grid) - 1
    return 2.0 * rounds * config.tokenizer.sites * 9 * (SPREADING**2 - SPREADING)


@pytest.mark.parametrize("encoder", list(TOKENIZERS))
def test_a_tokenizers_step_costs_what_torch_counts(encoder: str) -> None:
    network = Tokenizer(TOKENIZERS[encoder])
    frames = torch.zeros(3, *network.config.size, 3, dtype=torch.uint8)
    assert step_flops(network, 3) == counted(lambda: network({"frames": frames})[0].backward())


@pytest.mark.parametrize("form", list(LATENTS))
def test_a_latent_models_step_costs_what_torch_counts(form: str) -> None:
    config = config_of(form)
    network = latent_model(config)
    whole = counted(lambda: network(windows(config, 4))[0].backward())
    beyond = 0.0 if form == "pixel" else 4 * too_much(config)
    found = step_flops(network, 4)
    assert found == pytest.approx(whole - beyond, rel=1e-3)  # the moments of codes are not counted
    assert step_flops(network, 8) == 2 * found


@pytest.mark.parametrize("form", list(LATENTS))
def test_a_teacher_is_part_of_the_transformers_step(form: str) -> None:
    config = config_of(form)
    made = networks(config)
    latent, batch = made.latent, windows(config, 4)
    assert latent is not None
    taught = counted(lambda: lesson(config, latent.eval(), batch))
    found = step_flops(made.transformer, 4, latent) - training_flops(made.transformer, 4)
    assert found == pytest.approx(taught, rel=0.02)  # random weights change some sites
    assert step_flops(made.transformer, 4) == training_flops(made.transformer, 4)


@pytest.mark.parametrize(
    "network", [Tokenizer(TOKENIZERS["conv"]), *(latent_model(config_of(f)) for f in LATENTS)]
)
def test_counting_changes_nothing(network: nn.Module) -> None:
    before = {name: value.clone() for name, value in [*network.named_parameters(), *network.named_buffers()]}
    some = next(part for part in network.modules() if part is not network)
    some.eval()
    random = torch.get_rng_state()
    since = time.perf_counter()
    found = step_flops(network, 16)
    assert time.perf_counter() - since < 20, (
        "some hundredths of a second, the first time a second for imports"
    )
    assert torch.equal(torch.get_rng_state(), random)
    after = dict([*network.named_parameters(), *network.named_buffers()])
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())
    assert network.training and not some.training
    some.train()
    assert step_flops(network.to("meta"), 16) == found, "weights need not be there"


def test_the_papers_networks_are_counted_without_their_weights() -> None:
    config = replace(config_of("pixel"), tokenizer=PAPER_TOKENIZER, latent=PAPER_LATENT)
    with torch.device("meta"):
        network = Tokenizer(PAPER_TOKENIZER)
        made = networks(config)
    assert 15e9 < step_flops(network, 16) < 30e9
    assert made.latent is not None
    alone = step_flops(made.transformer, 8)
    assert step_flops(made.transformer, 8, made.latent) > 2 * alone, (
        "frames cost more to encode than tokens to learn"
    )
