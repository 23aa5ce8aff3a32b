"""The paper's form: each part learns eight clips by heart. The largest size is in ``test_training_slow``.

Boards are 5x5, so that a minute on one core is enough; frames are 256x256, sixteen tokens each, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.registry import domain
from gobench.seeds import stream
from gobench.types import Array
from gobench_videoworld.answers import answers_of
from gobench_videoworld.config import (
    PAPER_LATENT,
    PAPER_TOKENIZER,
    SamplerConfig,
    VideoWorldConfig,
    transformer_of,
)
from gobench_videoworld.data.frames import FrameWindows
from gobench_videoworld.data.paired import PairedWindows
from gobench_videoworld.data.tokens import tokenise
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.latent import LatentModel, latent_model
from gobench_videoworld.networks import Networks
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.parallel import Parallel
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.stage import Batch, Stage
from gobench_videoworld.train.stages import LatentStage, TokenizerStage, TransformerStage, lesson
from gobench_videoworld.transformer.dynamics import Dynamics

pytestmark = pytest.mark.slow
OFFSETS, HISTORY = (1, 2, 3), 2  # every ply: fewer frames, so more steps in a minute
TIME = 6  # of the clips: games differ by then
CLIPS = 8


@dataclass(frozen=True)
class Few:
    """Some windows of ``whole``, again and again."""

    whole: Any
    numbers: Any
    provenance: Any = None

    def __len__(self) -> int:
        return len(self.numbers)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        return self.at(stream(0, "few", step).permutation(len(self))[:size])

    def at(self, numbers: Any) -> Batch:
        found: Batch = self.whole.at(self.numbers[numbers])
        return found


@dataclass(frozen=True)
class Pool:
    """Some frames, again and again."""

    frames: Tensor  # uint8 [N, h, w, 3]
    identity: Any = None

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        chosen = stream(0, "pool", step).permutation(len(self.frames))[:size]
        return {"frames": self.frames[torch.from_numpy(chosen)]}


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight random games on 5x5, drawn at 256x256 when they are read."""
    folder = tmp_path_factory.mktemp("built") / "go5"
    options = {**domain("go").recipes()["go5-tiny"]["options"], "size": 256, "theme": "videoworld"}
    options["sources"] = [{"kind": "selfplay", "teacher": "random", "max_plies": 14}]
    core = {"episodes": CLIPS, "codec": "moves", "splits": {"train": 1.0}}
    build(domain("go"), configure(domain("go"), "go5-tiny", core, options), folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def config() -> VideoWorldConfig:
    """The paper's structure with half its residual blocks, and a small transformer."""
    return VideoWorldConfig(
        theme="videoworld",
        board=(5, 5),
        tokenizer=replace(PAPER_TOKENIZER, blocks=1),
        latent=replace(PAPER_LATENT, offsets=OFFSETS, blocks=1),
        transformer=replace(transformer_of("tiny").paper_faithful(), history=HISTORY),
        options=domain("go").configure({"rows": 5, "cols": 5, "size": 256, "theme": "videoworld"}),
    )


@pytest.fixture(scope="module")
def exam(games: Path) -> Exam:
    return Exam(games, "train", HISTORY, CLIPS, 0)


@pytest.fixture(scope="module")
def clips(games: Path, config: VideoWorldConfig) -> Few:
    """Frames t to t + 3 of each game at one time t, at which games differ."""
    whole = FrameWindows(games, "train", config.tokenizer.size, OFFSETS)
    return Few(whole, late(whole))


@pytest.fixture(scope="module")
def tokenizer(config: VideoWorldConfig, clips: Few, exam: Exam, tmp_path_factory: Any) -> Tokenizer:
    """Trained on frames t - 1 to t + 1: two that are shown, and what comes."""
    torch.manual_seed(0)
    shown = three(clips)
    pool: Any = Pool(shown.flatten(0, 1))
    stage = TokenizerStage(Tokenizer(config.tokenizer), pool, shown[:, 1:].numpy(), exam, 6, 1)
    learnt(stage, Plan(450, batch=6, lr=3e-3, betas=(0.9, 0.95)), tmp_path_factory.mktemp("tokenizer"))
    return stage.module


@pytest.fixture(scope="module")
def latent(config: VideoWorldConfig, clips: Few, exam: Exam, tmp_path_factory: Any) -> LatentModel:
    torch.manual_seed(0)
    stage = LatentStage(config, latent_model(config), clips, clips, 4, exam)
    learnt(stage, Plan(220, batch=4, lr=3e-3, betas=(0.9, 0.95)), tmp_path_factory.mktemp("latent"))
    return stage.module


def late(windows: FrameWindows | Windows) -> Any:
    numbers = np.arange(len(windows))
    return numbers[windows.table.locate(numbers)[1] == TIME]


def three(clips: Few) -> Tensor:
    """Frames t - 1 to t + 1 of the clips, uint8 [8, 3, 256, 256, 3]."""
    return clips.whole.at(clips.numbers - 1)["frames"][:, :3]  # type: ignore[no-any-return]


def learnt(stage: Stage, plan: Plan, folder: Path) -> None:
    """As ``gobench train`` does it."""
    plan = replace(plan, evaluate_every=0, weight_decay=0.0, precision="f32", save_minutes=0)
    fit(stage, plan, folder, progress=False, parallel=Parallel(torch.device("cpu")))
    stage.module.eval()


def boards(config: VideoWorldConfig, frames: Tensor | Array) -> Array:
    """What the benchmark's reader sees in frames uint8 [..., 256, 256, 3]: [N, cells]."""
    world: Any = domain("go")
    found: Array = world.states(config.options, np.asarray(frames).reshape(-1, 256, 256, 3))
    return found


def wrong(config: VideoWorldConfig, drawn: Tensor | Array, truth: Tensor | Array) -> list[list[int]]:
    """(frame, cell) where the reader sees another thing than is there."""
    found: list[list[int]] = np.argwhere(boards(config, drawn) != boards(config, truth)).tolist()
    return found


def test_the_papers_tokenizer_learns_eight_clips_by_heart(
    tokenizer: Tokenizer, clips: Few, config: VideoWorldConfig
) -> None:
    frames = three(clips).flatten(0, 1)
    tokens = tokenizer.encode(frames)
    assert tokens.shape == (3 * CLIPS, 16) and tokenizer.config.vocabulary == 64_000
    assert wrong(config, tokenizer.decode(tokens), frames) == []


def test_the_papers_latent_model_learns_eight_clips_by_heart(
    latent: LatentModel, clips: Few, config: VideoWorldConfig
) -> None:
    """From x_t and the codes."""
    batch = clips.at(np.arange(CLIPS))
    frames, codes = batch["frames"], latent.encode(batch)
    later = frames[:, list(OFFSETS)]
    assert batch["there"].all() and codes.shape == (CLIPS, 3, 1)
    assert wrong(config, latent.decode(frames[:, 0], codes), later) == []
    assert wrong(config, latent.redraw(batch), later) == []
    assert wrong(config, latent.decode(frames[:, 0], codes[:, :1]), later[:, :1]) == []
    assert len({frame for frame, _ in wrong(config, frames[:, 0], later[:, 0])}) == CLIPS


def test_the_papers_transformer_learns_eight_clips_by_heart(
    tokenizer: Tokenizer,
    latent: LatentModel,
    games: Path,
    clips: Few,
    exam: Exam,
    config: VideoWorldConfig,
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    windows = Windows(tokenise(games, "train", tokenizer, tmp_path / "tokens"), OFFSETS, HISTORY)
    few = Few(PairedWindows(windows, clips.whole), late(windows))
    own = Networks(Dynamics(config), tokenizer, latent)
    stage = TransformerStage(own, few, few, exam, 8)  # type: ignore[arg-type]
    learnt(stage, Plan(80, batch=8, lr=3e-3), tmp_path / "transformer")
    batch = few.at(np.arange(CLIPS))
    taught = lesson(config, latent, batch)
    greedy = SamplerConfig(temperature=0)
    drawn = own.transformer.sample(batch["history"], torch.zeros(CLIPS, 40, dtype=torch.float64), greedy)
    assert torch.equal(drawn.codes, taught["codes"])
    assert drawn.tokens is not None and torch.equal(drawn.tokens, batch["after"][:, 0])
    shown = three(clips).numpy()
    answers = answers_of(replace(config, sampler=greedy), own, torch.device("cpu"))
    given = answers.continued(shown[:, :2], 1, np.zeros(CLIPS, np.uint64))
    assert wrong(config, given, shown[:, 2]) == []
