"""What the three stages learn from, how they are measured, and what they show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gobench.registry import domain
from gobench_videoworld.answers import answers_of
from gobench_videoworld.config import LatentConfig, VideoWorldConfig
from gobench_videoworld.data.frames import FramePool, FrameWindows
from gobench_videoworld.data.labels import label
from gobench_videoworld.data.paired import PairedWindows
from gobench_videoworld.data.tokens import read_states, tokenise
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.latent import latent_model
from gobench_videoworld.networks import Networks, networks
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.logs import FIRST
from gobench_videoworld.train.pictures import EDGE, GAP, HEAD, sheet
from gobench_videoworld.train.recipes import RECIPES
from gobench_videoworld.train.stages import (
    LatentStage,
    Lesson,
    TokenizerStage,
    TransformerStage,
    averaged,
    held_out,
    lesson,
)

OFFSETS = (1, 3, 5)
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "baseline.md").read_text(encoding="utf-8")


def explained(names: Iterable[str]) -> bool:
    """Whether docs/baseline.md tells what these columns of a log are; of digits and codes, the first ones."""
    first = {re.sub(r"^(code|digit)\d+", r"\g<1>1", name) for name in names}
    return all(re.search(rf"^\|[^|]*`{name}`[^|]*\|", PAGE, re.MULTILINE) for name in first)


@pytest.fixture(scope="module")
def made(small: VideoWorldConfig) -> dict[str, Networks]:
    """Untrained, by input."""
    found = {}
    for name in ("state", "video", "video+ldm"):
        torch.manual_seed(0)
        found[name] = networks(replace(small, input=name), frame_every=2)
    return found


@pytest.fixture(scope="module")
def windows(
    go5: Path, made: dict[str, Networks], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Windows]:
    """Of the training split, by input."""
    tokenizer: Any = made["video"].tokenizer
    place = tmp_path_factory.mktemp("stores")
    tokens = tokenise(go5, "train", tokenizer.eval(), place / "tokens")
    read_states(go5, "train", place / "states")
    states = label(go5, "train", place / "states")
    video = Windows(tokens, OFFSETS, 2, 0)
    return {"state": Windows(states, OFFSETS, 2, 0, labels=True), "video": video, "video+ldm": video}


@pytest.fixture(scope="module")
def exam(go5: Path) -> Exam:
    return Exam(go5, "train", 2, 12, 0)


@pytest.fixture(scope="module")
def stages(made: dict[str, Networks], windows: dict[str, Windows], exam: Exam) -> dict[str, TransformerStage]:
    return {name: TransformerStage(made[name], windows[name], windows[name], exam, 8) for name in made}


@pytest.mark.parametrize("seen", ["state", "video", "video+ldm"])
def test_what_the_transformer_learns(made: Any, windows: Any, small: VideoWorldConfig, seen: str) -> None:
    batch, latent = windows[seen].batch(3, 8), made[seen].latent
    found = lesson(replace(small, input=seen), latent, batch)
    wanted = {"history", "there", "next"} | {
        "state": {"codes"},
        "video": set(),
        "video+ldm": {"codes", "imagined"},
    }[seen]
    assert found.keys() == wanted
    assert torch.equal(found["next"], batch["after"][:, 0]) and torch.equal(
        found["history"], batch["history"]
    )
    if seen == "state":
        assert torch.equal(found["codes"], batch["actions"])
    if seen == "video+ldm":
        assert torch.equal(found["codes"], latent.encode(batch))
        drawn = latent.decode(batch["history"][:, -1], found["codes"][:, :1])[:, 0]
        assert torch.equal(found["imagined"], drawn) and not found["imagined"].requires_grad


@pytest.mark.parametrize("seen", ["state", "video", "video+ldm"])
def test_codes_are_what_happens_between_frames(windows: Any, seen: str) -> None:
    """Windows and labels agree on which frame follows which."""
    batch = windows[seen].at(np.arange(len(windows[seen])))
    later = batch["after"][:, 0]
    same = (batch["history"][:, -1] == later).all(1)
    assert torch.equal(batch["before"][:, 0], batch["history"][:, -1])
    if seen == "state":
        cell, symbol = batch["actions"][:, 0].unbind(1)
        assert ((cell == 25) == same).all()
        rows = torch.arange(len(cell))[~same]
        assert (later[rows, cell[rows]] == symbol[rows]).all()
        assert (batch["history"][rows, -1, cell[rows]] == 0).all()


def test_the_teacher_is_neither_trained_nor_saved(made: dict[str, Networks]) -> None:
    own = made["video+ldm"]
    taught = Lesson(own.transformer, own.latent)
    assert {name.split(".")[0] for name, _ in taught.named_parameters()} == {"dynamics"}
    assert {name.split(".")[0] for name in taught.state_dict()} == {"dynamics"}
    assert own.latent is not None and not own.latent.training


def test_codes_are_not_rounded_by_autocast(made: dict[str, Networks], windows: dict[str, Windows]) -> None:
    seen: list[torch.dtype] = []

    class Noting(nn.Module):
        def encode(self, batch: dict[str, Tensor]) -> Tensor:
            seen.append((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
            return torch.zeros(8, 3, 2, dtype=torch.int64)

        def decode(self, before: Tensor, codes: Tensor) -> Tensor:
            return before[:, None]

    latent: Any = Noting()
    with torch.autocast("cpu", torch.bfloat16):
        Lesson(made["video+ldm"].transformer, latent)(windows["video+ldm"].batch(0, 8))
    assert seen == [torch.float32]


@pytest.mark.parametrize("seen", ["state", "video", "video+ldm"])
def test_a_stage_is_measured_and_shown(stages: Any, seen: str) -> None:
    stage = stages[seen]
    stage.module.eval()
    with torch.no_grad():
        found = stage.evaluate(5)
        picture = stage.picture(5)
    assert {"loss", "legal", "unchanged", "as_played"} <= found.keys()
    assert all(0 <= found[name] <= 1 for name in ("legal", "unchanged", "as_played")) and explained(found)
    columns = 4 if seen == "video+ldm" else 3  # what the codes tell of, too
    assert picture.dtype == np.uint8
    assert picture.shape == (HEAD + 4 * (128 + GAP) + GAP, columns * (128 + GAP) + GAP, 3)
    assert stage.flops > 0 and stage.tokens > 0
    again = stage.batch(2, 0, 1)
    halves = [stage.batch(2, rank, 2) for rank in (0, 1)]
    for name, whole in again.items():
        assert torch.equal(torch.cat([half[name] for half in halves]), whole)


def test_tokens_are_counted_as_they_are_learnt(stages: Any) -> None:
    """A prompt of 25 sites, 6 digits, and 25 sites of the next frame for every second window with codes."""
    assert stages["state"].tokens == 8 * (25 + 6)
    assert stages["video"].tokens == 8 * (25 + 25)
    assert stages["video+ldm"].tokens == 8 * (25 + 6) + 4 * 25


def test_answers_are_given_once_a_look(stages: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stages["video"]
    stage._answered = None
    asked: list[int] = []
    real = Exam.answered
    monkeypatch.setattr(Exam, "answered", lambda self, own, rows: (asked.append(1), real(self, own, rows))[1])
    with torch.no_grad():
        stage.evaluate(1), stage.picture(1), stage.picture(2)
    assert len(asked) == 2


def test_the_truth_passes_the_exam(exam: Exam) -> None:
    """And an answer that shows what was shown does not."""
    found = exam.marks(exam.frames[:, -1])
    assert found["as_played"] == 1
    still = exam.marks(exam.frames[:, -2])
    assert still["unchanged"] == 1 and still["legal"] == 0
    moved = exam.frames[:, -1] != exam.frames[:, -2]
    assert found["legal"] == np.mean(moved.any(axis=(1, 2, 3))) == 1 - found["unchanged"]
    assert found["legal"] > 0.5


def test_an_exam_is_the_same_every_time(go5: Path, exam: Exam) -> None:
    again, other = Exam(go5, "train", 2, 12, 0), Exam(go5, "train", 2, 12, 1)
    assert np.array_equal(again.frames, exam.frames) and np.array_equal(again.seeds, exam.seeds)
    assert not np.array_equal(other.frames, exam.frames)
    assert len(set(exam.seeds.tolist())) == 12 and exam.frames.shape == (12, 3, 64, 64, 3)
    few = Exam(go5, "validation", 2, 10_000, 0)
    assert 0 < len(few.frames) < 30


def test_an_exam_asks_about_the_turns_that_are_learnt(go5: Path, windows: dict[str, Windows]) -> None:
    """The same frames x_t as the windows of those turns, which the token store's first plies decide."""
    first = Exam(go5, "train", 2, 10_000, 0, "first")
    assert len(first.frames) > 60
    asked = {(int(row), start + 1) for row, start in map(first._clips.table.locate, first._chosen.tolist())}
    own = Windows(windows["video"].store, OFFSETS, 2, 0, turns="first")
    learnt = own.at(np.arange(len(own)))
    pairs = set(zip(learnt["episode"].tolist(), learnt["time"].tolist(), strict=True))
    assert asked == {(row, time) for row, time in pairs if time > 0}  # an exam repeats no first frame
    few = Exam(go5, "train", 2, 12, 0, "first")
    assert len(few.frames) == 12 and np.array_equal(Exam(go5, "train", 2, 12, 0, "first").frames, few.frames)


def test_an_exam_asks_for_one_frame(exam: Exam, made: dict[str, Networks], small: VideoWorldConfig) -> None:
    own = made["video"]
    assert own.tokenizer is not None
    own.tokenizer.eval()
    given = exam.answered(answers_of(replace(small, input="video"), own, torch.device("cpu")))
    assert given.shape == (12, 64, 64, 3) and given.dtype == np.uint8


def test_a_tokenizer_is_measured_and_shown(go5: Path, made: Any, exam: Exam) -> None:
    tokenizer = made["video"].tokenizer
    pool = FramePool(go5, "train", tokenizer.config.size, 50)
    stage = TokenizerStage(tokenizer, pool, exam.frames[:, :2], exam, 8, 300)
    found = stage.evaluate(0)
    assert explained({*FIRST[1:], *found, *stage.module(stage.batch(0, 0, 1))[1]}) and not explained(
        ["nothing"]
    )
    assert found.keys() == {"psnr", "used", "perplexity", "exact", "churn", "excess"}
    assert 1 / 200 <= found["used"] <= 1 and 1 <= found["perplexity"] <= 200 * found["used"]
    assert stage.picture(0).shape == (HEAD + 4 * (128 + GAP) + GAP, 2 * (128 + GAP) + GAP, 3)
    assert stage.batch(0, 0, 1)["frames"].shape == (8, 60, 60, 3)


def test_a_latent_model_is_measured(made: Any, windows: Any, exam: Exam, small: VideoWorldConfig) -> None:
    stage = LatentStage(small, made["video+ldm"].latent, windows["video"], windows["video"], 8, exam)
    with torch.no_grad():
        found = stage.evaluate(0)
        metrics = stage.module(windows["video"].at(np.arange(8)))[1]
    drawing = {"exact", "exact_captures", "exact1", "exact1_captures", "captures"}
    use = {"perplexity", "digit1_used", "digit1_perplexity", "digit2_used", "digit2_perplexity"}
    assert found.keys() == {"loss", *metrics} | drawing | use and np.isfinite(list(found.values())).all()
    assert explained(found)
    assert 0 < found["captures"] < 1 and 1 <= found["digit1_perplexity"] <= 25 * found["digit1_used"]
    assert stage.picture(0) is None


def test_a_latent_model_of_pixels_is_measured_by_what_the_domain_reads(
    go5: Path, exam: Exam, small: VideoWorldConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = LatentConfig("pixel", OFFSETS, (4, 4), width=8, blocks=1)
    config = replace(small, latent=spec)
    frames = FrameWindows(go5, "train", config.tokenizer.size, OFFSETS, 0, "none")
    torch.manual_seed(0)
    stage = LatentStage(config, latent_model(config).eval(), frames, frames, 8, exam)
    with torch.no_grad():
        found = stage.evaluate(0)
        assert explained(found)
        assert found["exact"] < 0.5 and 1 <= found["perplexity"] <= 16 and 0 < found["captures"] < 1
        ahead = list(OFFSETS)
        monkeypatch.setattr(stage.module, "redraw", lambda batch: batch["frames"][:, ahead])
        found = stage.evaluate(0)
    assert found["exact"] == found["exact_captures"] == found["exact1"] == 1


def test_held_out_windows_come_from_everywhere(windows: dict[str, Windows]) -> None:
    own = windows["video"]
    parts = held_out(own, 20, 8)
    assert [len(part["time"]) for part in parts] == [8, 8, 4]
    episodes = torch.cat([part["episode"] for part in parts])
    assert episodes[0] == 0 and episodes[-1] == 26 and (episodes.diff() >= 0).all()
    assert sum(len(part["time"]) for part in held_out(own, 10**9, 64)) == len(own)


def test_averages_are_over_windows() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            value = batch["time"].float().mean() * self.weight[0]
            return value, {"twice": 2 * value.detach()}

    with torch.no_grad():
        found = averaged(Mean(), [{"time": torch.tensor([1, 2, 3])}, {"time": torch.tensor([10])}])
    assert found == {"loss": 4.0, "twice": 8.0}


def test_a_sheet_has_a_row_a_sample() -> None:
    dark, light = np.zeros((3, 10, 20, 3), np.uint8), np.full((3, 5, 10, 3), 200, np.uint8)
    found = sheet([dark, light], side=40)
    assert found.shape == (3 * (20 + GAP) + GAP, 2 * (40 + GAP) + GAP, 3)
    assert (found[GAP : GAP + 20, GAP : GAP + 40] == 0).all() and (found[:GAP] == EDGE).all()
    titled = sheet([dark, light], ("a", "b"), side=40)
    assert np.array_equal(titled[HEAD:], found)
    ink = (titled[:HEAD] < EDGE).any(axis=(0, 2))
    assert ink[GAP : GAP + 20].any() and ink[2 * GAP + 40 : 2 * GAP + 60].any()
    assert not ink[:GAP].any() and not ink[GAP + 20 : 2 * GAP + 40].any()
    assert (found[-GAP - 20 : -GAP, -GAP - 40 : -GAP] == 200).all()


def test_paired_windows_are_the_same_windows(go5: Path, windows: dict[str, Windows], made: Any) -> None:
    frames = FrameWindows(go5, "train", (60, 60), OFFSETS, 0, "dihedral")
    both = PairedWindows(windows["video"], frames)
    found = both.batch(4, 6)
    assert len(both) == len(windows["video"]) and both.provenance == windows["video"].provenance
    assert found["frames"].shape == (6, 6, 60, 60, 3)
    tokenizer = made["video"].tokenizer.eval()
    assert torch.equal(tokenizer.encode(found["frames"][:, 0]), found["history"][:, -1])
    for k, offset in enumerate(OFFSETS):
        assert torch.equal(tokenizer.encode(found["frames"][:, offset]), found["after"][:, k])
    assert torch.equal(both.at(np.arange(3))["frames"], frames.at(np.arange(3))["frames"])
    changed = Windows(windows["video"].store, OFFSETS, unchanged="drop")
    found = PairedWindows(changed, frames).batch(0, 4)
    assert torch.equal(tokenizer.encode(found["frames"][:, 1]), found["after"][:, 0])
    with pytest.raises(ValueError, match="not windows of the same"):
        PairedWindows(windows["video"], FrameWindows(go5, "train", (60, 60), (1, 2), 0, "dihedral"))


def test_every_size_has_a_recipe() -> None:
    from gobench_videoworld.config import SIZES

    assert RECIPES.keys() == SIZES.keys()
    assert all(recipe.frame_every == 1 for name, recipe in RECIPES.items() if name.endswith("-paper"))
    assert hasattr(domain("go"), "verdicts")
