"""The latent model of pixels: what sees what, codes of fewer frames, any size; and that it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gobench.registry import domain
from gobench_videoworld.answers import enlarged
from gobench_videoworld.config import PAPER_LATENT, PAPER_TOKENIZER, LatentConfig, VideoWorldConfig
from gobench_videoworld.data.frames import FrameWindows
from gobench_videoworld.latent import latent_model
from gobench_videoworld.latent.pixel import CHUNK, Pixel

OFFSETS = (1, 3, 5)


@pytest.fixture(scope="module")
def config(small: VideoWorldConfig) -> VideoWorldConfig:
    return replace(small, latent=LatentConfig("pixel", OFFSETS, (8, 8, 8)))


@pytest.fixture
def model(config: VideoWorldConfig) -> Pixel:
    """Untrained, but for what at first does nothing."""
    return awake(config)


def awake(config: VideoWorldConfig) -> Pixel:
    torch.manual_seed(0)
    made = latent_model(config).eval()
    assert isinstance(made, Pixel)
    for name, weight in made.named_parameters():
        if "times" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return made


@pytest.fixture(scope="module")
def batch(go5: Path, config: VideoWorldConfig) -> dict[str, Tensor]:
    windows = FrameWindows(go5, "train", config.tokenizer.size, OFFSETS)
    numbers = np.arange(len(windows))
    return windows.at(numbers[windows.table.locate(numbers)[1] == 6][:8])


def changed(batch: dict[str, Tensor], frame: int) -> dict[str, Tensor]:
    """Another picture at one time."""
    frames = batch["frames"].clone()
    frames[:, frame] = 255 - frames[:, frame]
    return {**batch, "frames": frames}


def test_shapes(model: Pixel, batch: dict[str, Tensor]) -> None:
    codes = model.encode(batch)
    assert codes.shape == (8, 3, 1) and codes.dtype == torch.int64 and 0 <= codes.min() <= codes.max() < 512
    assert model.continuous(batch).shape == (8, 3, 3) and model.continuous(batch).dtype == torch.float32
    drawn = model.decode(batch["frames"][:, 0], codes)
    assert drawn.shape == (8, 3, 60, 60, 3) and drawn.dtype == torch.uint8
    assert torch.equal(drawn, model.redraw(batch))
    loss, metrics = model(batch)
    assert loss.ndim == 0 and loss.requires_grad
    assert metrics.keys() == {"l1", "mse", "moved"} and not any(v.requires_grad for v in metrics.values())
    assert loss.item() == pytest.approx(float(metrics["l1"] + metrics["mse"]))


@pytest.mark.parametrize("frame", range(6))
def test_no_code_knows_what_comes_later(model: Pixel, batch: dict[str, Tensor], frame: int) -> None:
    """Features of a frame come from it and those before it, and a code of offset o from frames t to t+o."""
    with torch.no_grad():
        before, after = (model.encoder(own["frames"]) for own in (batch, changed(batch, frame)))
    assert torch.allclose(before[:, :frame], after[:, :frame], atol=1e-5)
    assert not torch.allclose(before[:, frame], after[:, frame], atol=1e-2)
    same = (model.continuous(batch) - model.continuous(changed(batch, frame))).abs().amax((0, 2)) < 1e-4
    assert same.tolist() == [offset < frame for offset in OFFSETS]


def test_features_know_the_past(model: Pixel, batch: dict[str, Tensor]) -> None:
    with torch.no_grad():
        before, after = (model.encoder(own["frames"]) for own in (batch, changed(batch, 1)))
    assert not torch.allclose(before[:, 2], after[:, 2], atol=1e-2)


def test_a_frame_is_drawn_from_codes_up_to_its_own(model: Pixel, batch: dict[str, Tensor]) -> None:
    before = batch["frames"][:, 0]
    codes = torch.randint(512, (8, 3, 1), generator=torch.Generator().manual_seed(0))
    drawn = model.decode(before, codes)
    for many in (1, 2):
        assert torch.equal(model.decode(before, codes[:, :many]), drawn[:, :many])
    other = codes.clone()
    other[:, 1] = (codes[:, 1] + 100) % 512
    assert (model.decode(before, other) != drawn).flatten(2).any(2).all(0).tolist() == [False, True, True]
    assert (model.decode(255 - before, codes) != drawn).flatten(2).any(2).all()


def test_windows_do_not_depend_on_each_other(model: Pixel, batch: dict[str, Tensor]) -> None:
    own = {name: value[5:6] for name, value in batch.items()}
    assert len(batch["frames"]) > CHUNK
    assert torch.equal(model.encode(own), model.encode(batch)[5:6])
    assert torch.allclose(model.continuous(own), model.continuous(batch)[5:6], atol=1e-5)


def test_the_loss_is_the_mean_over_windows_of_frames_that_are_there(
    model: Pixel, batch: dict[str, Tensor]
) -> None:
    there = torch.ones(8, 3, dtype=torch.bool)
    there[2:5, 2], there[3, 1] = False, False
    given = {**batch, "there": there}
    with torch.no_grad():
        whole = float(model(given)[0])
        halves = [{name: value[part] for name, value in given.items()} for part in (slice(4), slice(4, 8))]
        assert np.mean([float(model(half)[0]) for half in halves]) == pytest.approx(whole, rel=1e-5)
        unseen = given["frames"].clone()
        unseen[2:5, 4:] = 0  # what only frames show that are not there
        assert float(model({**given, "frames": unseen})[0]) == pytest.approx(whole, rel=1e-5)


def test_codes_say_nothing_where_nothing_changes(model: Pixel, batch: dict[str, Tensor]) -> None:
    still = {**batch, "frames": batch["frames"][:, :1].expand(-1, 6, -1, -1, -1)}
    codes = model.encode(still)
    assert (codes == codes[0]).all()


@pytest.mark.parametrize(("grid", "patch"), [((3, 5), 8), ((2, 2), 16), ((4, 4), 12)])
def test_any_grid_and_patch(config: VideoWorldConfig, grid: tuple[int, int], patch: int) -> None:
    tokenizer = replace(config.tokenizer, grid=grid, patch=patch)
    model = awake(
        replace(config, tokenizer=tokenizer, latent=replace(config.latent, offsets=(1, 2), width=8))
    )
    frames = torch.randint(256, (2, 3, *tokenizer.size, 3), dtype=torch.uint8)
    batch = {"frames": frames, "there": torch.ones(2, 2, dtype=torch.bool)}
    assert torch.isfinite(model(batch)[0])
    assert model.redraw(batch).shape == (2, 2, *tokenizer.size, 3)


def test_the_papers_sizes() -> None:
    torch.manual_seed(0)
    model = latent_model(VideoWorldConfig(tokenizer=PAPER_TOKENIZER, latent=PAPER_LATENT))
    assert 2e6 < sum(p.numel() for p in model.parameters()) < 4e6
    frames = torch.randint(256, (1, 6, 256, 256, 3), dtype=torch.uint8)
    loss, _ = model({"frames": frames, "there": torch.ones(1, 3, dtype=torch.bool)})
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert model.decode(frames[:, 0], torch.tensor([[[63_999]]])).shape == (1, 1, 256, 256, 3)


def test_it_learns(config: VideoWorldConfig, batch: dict[str, Tensor]) -> None:
    """Seconds are enough for it to draw the boards of eight clips exactly."""
    torch.manual_seed(0)
    model = latent_model(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.0)
    for _ in range(110):
        model(batch)[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    world: Any = domain("go")
    drawn, truth = (
        world.states(config.options, enlarged(frames.flatten(0, 1).numpy(), (64, 64)))
        for frames in (model.redraw(batch), batch["frames"][:, list(OFFSETS)])
    )
    assert np.array_equal(drawn, truth)
