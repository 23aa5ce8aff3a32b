"""Frames to tokens and back: shapes, what a token sees, that it learns boards in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gobench_videoworld.answers import enlarged
from gobench_videoworld.config import TokenizerConfig
from gobench_videoworld.data.frames import FramePool
from gobench_videoworld.tokenizer import RECIPES, Tokenizer, measures
from gobench_videoworld.tokenizer.local import Local
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.stages import TokenizerStage

CONFIGS = {
    "local": TokenizerConfig("local", (3, 4), 6, (8, 5, 5), width=16),
    "scene": TokenizerConfig("scene", (3, 4), 6, (8, 8, 8), width=16),
    "conv": TokenizerConfig("conv", (3, 4), 6, (8, 5, 5), width=16, blocks=1),
    "paper": TokenizerConfig("paper", (2, 3), 16, (8, 8, 5), width=16, blocks=1),
}


def made(name: str, seed: int = 0) -> Tokenizer:
    torch.manual_seed(seed)
    return Tokenizer(CONFIGS[name]).eval()


def noise(config: TokenizerConfig, many: int, seed: int = 0) -> Tensor:
    shape = (many, *config.size, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", CONFIGS)
def test_frames_become_tokens_and_frames(name: str) -> None:
    config, tokenizer = CONFIGS[name], made(name)
    frames = noise(config, 5)
    tokens = tokenizer.encode(frames)
    assert tokens.shape == (5, config.sites) and tokens.dtype == torch.int64
    assert tokens.min() >= 0 and tokens.max() < config.vocabulary
    drawn = tokenizer.decode(tokens)
    assert drawn.shape == frames.shape and drawn.dtype == torch.uint8


def test_no_frames_become_no_tokens() -> None:
    config, tokenizer = CONFIGS["local"], made("local")
    tokens = tokenizer.encode(noise(config, 0))
    assert tokens.shape == (0, config.sites) and tokens.dtype == torch.int64
    assert tokenizer.decode(tokens).shape == (0, *config.size, 3)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_frame_has_the_same_tokens_alone_and_in_company(name: str) -> None:
    tokenizer = made(name)
    frames = noise(CONFIGS[name], 35)[
        torch.arange(70) // 2
    ]  # every other one repeats; more than go in at once
    together = tokenizer.encode(frames)
    assert torch.equal(together, tokenizer.encode(frames))
    alone = torch.cat([tokenizer.encode(frame[None]) for frame in frames[:20]])
    assert torch.equal(together[:20], alone)
    drawn = tokenizer.decode(together[:20]).int()  # up to rounding
    assert (drawn - torch.cat([tokenizer.decode(own[None]) for own in alone]).int()).abs().max() <= 1


@pytest.mark.parametrize("name", CONFIGS)
def test_a_seed_makes_the_same_tokenizer_and_another_one_another(name: str) -> None:
    frames = noise(CONFIGS[name], 4)
    first, again, other = (made(name, seed).encode(frames) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("name", CONFIGS)
def test_pixels_are_taken_apart_and_put_together(name: str) -> None:
    body, frames = made(name).body, noise(CONFIGS[name], 3)
    assert torch.equal(body.join(body.split(frames)), frames)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_it_learns_from(name: str) -> None:
    tokenizer, frames = made(name).train(), noise(CONFIGS[name], 4)
    loss, metrics = tokenizer({"frames": frames})
    assert loss.ndim == 0 and loss.requires_grad and torch.isfinite(loss)
    assert {"l1", "mse", "psnr", "used"} <= metrics.keys()
    assert all(value.ndim == 0 and not value.requires_grad for value in metrics.values())
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in tokenizer.parameters())
    halves = [tokenizer({"frames": part})[0] for part in frames.chunk(2)]
    assert torch.allclose(torch.stack(halves).mean(), loss)


def test_a_local_token_sees_its_patch_alone() -> None:
    config, tokenizer = CONFIGS["local"], made("local")
    plain = noise(config, 1)
    (rows, cols), p = config.grid, config.patch
    tokens, changed = tokenizer.encode(plain), 0
    for site in range(rows * cols):
        row, col = divmod(site, cols)
        other = plain.clone()
        part = other[:, row * p : (row + 1) * p, col * p : (col + 1) * p]
        part.copy_(noise(config, 1, 1)[:, :p, :p])
        differs = tokenizer.encode(other) != tokens
        differs[0, site], own = False, differs[0, site].clone()
        assert not differs.any(), site
        changed += int(own)
    assert changed > rows * cols // 2


def test_a_local_token_draws_its_patch_alone() -> None:
    config, tokenizer = CONFIGS["local"], made("local")
    body = tokenizer.body
    assert isinstance(body, Local)
    tokens = torch.zeros(1, config.sites, dtype=torch.int64)
    other = tokens.clone()
    other[0, 7] = 150
    before, after = (body.split(tokenizer.decode(own)) for own in (tokens, other))
    assert (before != after).any(-1)[0].nonzero().flatten().tolist() == [7]


def test_the_margin_comes_late() -> None:
    tokenizer, frames = made("local"), noise(CONFIGS["local"], 2)

    def loss(**more: Tensor) -> float:
        with torch.no_grad():
            return float(tokenizer({"frames": frames, **more})[0])

    early, middle, late = (loss(progress=torch.full((2,), share)) for share in (0.2, 0.5, 0.8))
    assert early < middle < late == loss()
    assert middle == pytest.approx((early + late) / 2)


def test_local_learns_boards_in_seconds(go5: Path) -> None:
    """All held-out boards are read back exactly; a token changes where a cell does, and says nothing else."""
    config = TokenizerConfig("local", (5, 5), 12, width=32)
    recipe, steps = RECIPES["local"], 300
    torch.manual_seed(0)
    tokenizer = Tokenizer(config)
    exam = Exam(go5, "validation", 2, 200, 0)
    pool = FramePool(go5, "train", config.size, 400, symmetry="dihedral")
    stage = TokenizerStage(tokenizer, pool, exam.frames[:, -2:], exam, recipe.batch, steps)
    optimizer = torch.optim.AdamW(tokenizer.parameters(), recipe.lr, (0.9, 0.95), weight_decay=0.0)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        stage.module(stage.batch(step, 0, 1))[0].backward()
        torch.nn.utils.clip_grad_norm_(tokenizer.parameters(), 1.0)
        optimizer.step()
        rate.step()
    tokenizer.eval()
    found = stage.evaluate(steps)
    assert found["exact"] == 1.0 and found["psnr"] > 20
    assert found["churn"] <= 1.2 and found["excess"] < 0.5
    given: Any = tokenizer.decode(torch.randint(0, config.vocabulary, (1, 25)))
    assert enlarged(given.numpy(), (64, 64)).shape == (1, 64, 64, 3)


def test_without_a_reader_patches_are_counted() -> None:
    """As for robots: a stage that measures what it can."""

    class Blind:
        reads = False

    class Pool:
        identity: dict[str, int] = {}  # noqa: RUF012

    config, blind, pool = CONFIGS["conv"], Blind(), Pool()
    frames = noise(config, 8).view(4, 2, *config.size, 3).numpy()
    tokenizer: Any = made("conv")
    stage = TokenizerStage(tokenizer, pool, frames, blind, 4, 10)  # type: ignore[arg-type]
    found = stage.evaluate(0)
    assert found.keys() == {"psnr", "used", "perplexity", "churn"}
    tokens = [tokenizer.encode(torch.from_numpy(np.ascontiguousarray(frames[:, n]))) for n in (0, 1)]
    assert found["churn"] == float((tokens[0] != tokens[1]).double().mean())  # every patch differs
    assert found["used"] == measures.used(tokens[0].numpy(), config.vocabulary)
