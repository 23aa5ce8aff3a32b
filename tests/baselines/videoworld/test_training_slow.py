"""Trainings that take minutes: killed ones, several processes, the paper's form until it knows its clips, the largest size."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench.models.contents import contents
from gobench.registry import domain
from gobench_videoworld.answers import answers_of, enlarged
from gobench_videoworld.config import (
    PAPER_LATENT,
    PAPER_TOKENIZER,
    LatentConfig,
    SamplerConfig,
    VideoWorldConfig,
    transformer_of,
)
from gobench_videoworld.data.tokens import tokenise
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.latent import latent_model
from gobench_videoworld.networks import Networks
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.parallel import Parallel
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.transformer.dynamics import Dynamics

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
COMMAND = str(HERE / "training_command.py")
SMALL = ("transformer.hidden_size=32", "transformer.num_hidden_layers=2", "transformer.intermediate_size=48",
         "tokenizer.width=16")  # fmt: skip


def words(data: Path, home: Path, *more: object) -> list[str]:
    """Of ``gobench``."""
    settings = [word for setting in SMALL for word in ("--set", setting)]
    own = ["--steps", "50", "--batch", "16", "--evaluate-every", "20", "--threads", "1", "--json"]
    place = ["--data", str(data), "--out", str(home / "model.pt"), "--work", str(home / "work")]
    return ["train", "videoworld", *place, *own, *settings, *map(str, more)]


def ended(argv: list[str], **facts: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", **facts}
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, check=False)


def done(home: Path, argv: list[str]) -> str:
    """The weights' hash of a training that ends well."""
    found = ended(argv)
    assert found.returncode == 0, found.stderr
    sha: str = contents(home / "model.pt")["weights_sha256"]
    return sha


@pytest.fixture(scope="module")
def alone(go5: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training by one process that nobody disturbed."""
    home = tmp_path_factory.mktemp("alone")
    done(home, [sys.executable, COMMAND, *words(go5, home)])
    return home


def test_a_training_killed_anywhere_ends_with_the_same_weights(
    alone: Path, go5: Path, tmp_path: Path
) -> None:
    argv = [sys.executable, COMMAND, *words(go5, tmp_path)]
    draw = np.random.default_rng()
    kills = [
        (stage, int(draw.integers(1, 50))) for stage in ("tokenizer", "latent", "transformer", "transformer")
    ]
    for stage, step in sorted(
        kills, key=lambda k: (("tokenizer", "latent", "transformer").index(k[0]), k[1])
    ):
        found = ended(argv, KILL_AT=f"{stage}:{step}")
        assert found.returncode == -9, (stage, step, found.stderr)
    assert done(tmp_path, argv) == contents(alone / "model.pt")["weights_sha256"], kills
    for stage in ("tokenizer", "latent", "transformer"):
        assert losses(tmp_path, stage) == losses(alone, stage), kills


def losses(home: Path, stage: str) -> list[float]:
    """Of every step."""
    lines = (home / "work" / stage / "log.jsonl").read_text().splitlines()
    found = [json.loads(line)["loss"] for line in lines]
    assert len(found) == 50
    return found


def torchrun(folder: Path) -> list[str]:
    """Two processes, whose launcher leaves its logs in a folder that is cleared away."""
    words = ["--standalone", "--nproc-per-node", "2", "--log-dir", str(folder / "torchrun")]
    return [sys.executable, "-m", "torch.distributed.run", *words]


@pytest.mark.parametrize("more", [(), ("--fsdp",), ("--accumulate", "2")], ids=["ddp", "fsdp", "parts"])
def test_two_processes_learn_what_one_does(
    alone: Path, go5: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """The transformer, on the same tokens and codes."""
    shutil.copytree(alone / "work", tmp_path / "work", ignore=shutil.ignore_patterns("transformer"))
    sha = done(tmp_path, [*torchrun(tmp_path), COMMAND, *words(go5, tmp_path, *more)])
    assert len(sha) == 64
    assert losses(tmp_path, "transformer") == pytest.approx(losses(alone, "transformer"), abs=1e-4)
    assert losses(alone, "transformer")[-1] < 0.8 * losses(alone, "transformer")[0]


@pytest.mark.parametrize("more", [(), ("--fsdp",)], ids=["ddp", "fsdp"])
def test_two_processes_train_all_stages(go5: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    argv = [*torchrun(tmp_path), COMMAND, *words(go5, tmp_path, *more)]
    sha = done(tmp_path, argv)
    assert done(tmp_path, argv) == sha


def test_the_papers_form_learns_eight_clips_by_heart(
    small: VideoWorldConfig, go5: Path, tmp_path: Path
) -> None:
    """Generic codes as tokens, one softmax, causal: the boards that it draws are exact."""
    torch.manual_seed(0)
    config = replace(
        small, latent=LatentConfig("generic", levels=(8, 8, 8)), transformer=transformer_of("tiny").paper_faithful()
    )  # fmt: skip
    tokenizer = learnt_tokenizer(config, go5)
    store = tokenise(go5, "train", tokenizer, tmp_path)
    windows = Windows(store, config.latent.offsets, 2)
    late = [n for n in range(len(windows)) if windows.table.locate(np.array([n]))[1][0] == 6][:8]
    batch = windows.at(np.array(late))
    assert len(set(batch["episode"].tolist())) == 8
    codes = torch.randint(0, 512, (8, 3, 1), generator=torch.Generator().manual_seed(1))
    given = {**batch, "codes": codes, "next": batch["after"][:, 0]}
    model = Dynamics(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
    for _ in range(200):
        loss, _ = model(given)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    drawn = model.sample(
        batch["history"], torch.zeros(8, 40, dtype=torch.float64), SamplerConfig(temperature=0)
    )
    assert torch.equal(drawn.codes, codes)
    assert drawn.tokens is not None and torch.equal(drawn.tokens, given["next"])
    read: Any = domain("go")
    own = [
        read.states(config.options, enlarged(tokenizer.decode(tokens).numpy(), config.frame_size))
        for tokens in (drawn.tokens, batch["history"][:, -1])
    ]
    truth = boards(go5, batch["episode"].tolist(), 7)
    assert np.array_equal(own[0], truth)
    assert (own[0] != own[1]).any(axis=1).all()


def boards(folder: Path, episodes: list[int], time: int) -> Any:
    """What the reader sees in a frame of each episode, uint8 [N, cells]."""
    from gobench_videoworld.data.episodes import Reel

    reel = Reel(folder, "train", None)
    frames = np.concatenate([reel.frames(reel.sample(row), time, time + 1) for row in episodes])
    read: Any = domain("go")
    return read.states(reel.episodes.data.plan.config.options, frames)


def learnt_tokenizer(config: VideoWorldConfig, folder: Path) -> Tokenizer:
    """Half a minute of training."""
    from gobench_videoworld.data.frames import FramePool

    tokenizer = Tokenizer(config.tokenizer)
    pool = FramePool(folder, "train", config.tokenizer.size, 300, symmetry="dihedral")
    optimizer = torch.optim.AdamW(tokenizer.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.0)
    for step in range(300):
        loss, _ = tokenizer(pool.batch(step, 32))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return tokenizer.eval()


class Windowed:
    """A stage of the largest size on two random windows."""

    name, tokens, flops = "transformer", 0, 0.0

    def __init__(self, config: VideoWorldConfig) -> None:
        self.module = Dynamics(config)
        draw = torch.Generator().manual_seed(0)
        shapes = {"history": (2, 2, 16), "next": (2, 16), "codes": (2, 3, 1)}
        words = config.vocabulary  # as many as codes
        self.windows = {name: torch.randint(words, shape, generator=draw) for name, shape in shapes.items()}
        self.windows["there"] = torch.ones(2, 3, dtype=torch.bool)

    def batch(self, step: int, rank: int, world: int) -> dict[str, torch.Tensor]:
        return self.windows

    def evaluate(self, step: int) -> dict[str, float]:
        return {"loss": float(self.module(self.windows)[0])}

    def picture(self, step: int) -> None:
        return None


def test_the_largest_size_trains_a_step_and_answers(tmp_path: Path) -> None:
    """300m-paper: 566 million numbers with its vocabulary, 9 GB of memory in training and 7 GB of disk."""
    torch.manual_seed(0)
    config = VideoWorldConfig(
        tokenizer=PAPER_TOKENIZER, latent=PAPER_LATENT, transformer=transformer_of("300m-paper")
    )  # fmt: skip
    stage = Windowed(config)
    with torch.no_grad():
        before = stage.evaluate(0)["loss"]
    plan = Plan(1, batch=2, lr=3e-4, warmup=0, save_minutes=0, precision="f32")
    found = fit(stage, plan, tmp_path, progress=False, parallel=Parallel(torch.device("cpu")))
    assert found.loss == pytest.approx(before, rel=1e-4) and found.metrics["loss"] < 0.95 * before
    latent = latent_model(config).eval()
    own = Networks(stage.module.eval(), Tokenizer(config.tokenizer).eval(), latent)
    clip = np.random.default_rng(0).integers(0, 256, (1, 2, 256, 256, 3), np.uint8)
    for renderer in ("transformer", "latent"):
        asked = replace(config, sampler=SamplerConfig(renderer=renderer))
        answer = answers_of(asked, own, torch.device("cpu")).continued(clip, 1, np.array([1], np.uint64))
        assert answer.shape == (1, 1, 256, 256, 3) and answer.dtype == np.uint8
    shutil.rmtree(tmp_path / "checkpoints")
