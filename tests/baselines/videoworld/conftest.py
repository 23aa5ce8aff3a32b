"""A small dataset and untrained models of it, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gobench import models
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.registry import domain
from gobench_videoworld.config import LatentConfig, TokenizerConfig, TransformerConfig, VideoWorldConfig


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are slower on several threads, and tests may run beside each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def go5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty random games on 5x5, drawn when they are read."""
    folder = tmp_path_factory.mktemp("built") / "go5"
    options = {**domain("go").recipes()["go5-tiny"]["options"], "size": 64, "theme": "videoworld"}
    options["sources"] = [{"kind": "selfplay", "teacher": "random", "max_plies": 14}]
    config = configure(domain("go"), "go5-tiny", {"episodes": 30, "codec": "moves"}, options)
    build(domain("go"), config, folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def small() -> VideoWorldConfig:
    """Of a model that answers in milliseconds."""
    options = domain("go").configure({"rows": 5, "cols": 5, "size": 64, "theme": "videoworld"})
    transformer = TransformerConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
                                    intermediate_size=48)  # fmt: skip
    return VideoWorldConfig(
        theme="videoworld",
        frame_size=(64, 64),
        board=(5, 5),
        tokenizer=TokenizerConfig(grid=(5, 5), width=16),
        transformer=transformer,
        options=options,
    )


@pytest.fixture(scope="session")
def untrained(small: VideoWorldConfig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Form -> a model.pt with random weights."""
    from gobench_videoworld.networks import networks

    forms = {
        "video+ldm": small,
        "generic": replace(
            small,
            latent=LatentConfig("generic", levels=(4, 4)),
            transformer=small.transformer.paper_faithful(),
        ),
        "codes": replace(small, target="codes"),
        "video": replace(small, input="video"),
        "state": replace(small, input="state"),
    }
    folder, places = tmp_path_factory.mktemp("models"), {}
    for name, config in forms.items():
        torch.manual_seed(0)
        places[name] = folder / f"{name}.pt"
        made = networks(config)
        models.save(places[name], "videoworld", config.to_json(), made.tensors(), {"name": f"small-{name}"})
    return places
