"""What the stages learn from and are looked at with: a dataset's frames, tokens and windows, made when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gobench import registry
from gobench.dataset import Dataset, open_dataset
from gobench.loader import ClipDataset, View
from gobench.seeds import seed64
from gobench.types import Array
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.data.frames import FramePool, FrameWindows
from gobench_videoworld.data.labels import label
from gobench_videoworld.data.paired import PairedWindows
from gobench_videoworld.data.splits import TRAIN, held_out
from gobench_videoworld.data.store import TokenStore
from gobench_videoworld.data.tokens import read_states, tokenise
from gobench_videoworld.data.windows import Windows
from gobench_videoworld.networks import Networks
from gobench_videoworld.options import TrainOptions
from gobench_videoworld.train import keep
from gobench_videoworld.train.exam import Exam
from gobench_videoworld.train.parallel import Parallel

QUESTIONS = 64  # prompts of the exam
POOL = 4096  # frames of the tokenizer's pool
HELD_OUT = 256  # frames on which the tokenizer is measured


@dataclass
class Material:
    """Of one training. What is held out is shown as it is: no symmetries, all episodes."""

    asked: TrainOptions
    config: VideoWorldConfig
    networks: Networks
    parallel: Parallel
    progress: bool
    _made: dict[str, Windows] = field(default_factory=dict)

    @cached_property
    def data(self) -> Dataset:
        """The dataset."""
        return open_dataset(self.asked.data)

    @cached_property
    def held_out(self) -> str:
        """The split that looks are taken at."""
        return held_out(self.data)

    @property
    def splits(self) -> tuple[str, str]:
        """What is learnt from, and what is held out."""
        return TRAIN, self.held_out

    @cached_property
    def exam(self) -> Exam:
        """Prompts that are held out, before turns that are learnt."""
        history, asked = self.config.transformer.history, self.asked
        return Exam(asked.data, self.held_out, history, QUESTIONS, asked.seed, asked.turns)

    def pool(self) -> FramePool:
        """Frames that the tokenizer learns from."""
        return FramePool(
            self.asked.data, TRAIN, self.config.tokenizer.size, POOL, self.asked.seed, self._symmetry,
            episodes=self.asked.episodes,
        )  # fmt: skip

    def frames(self) -> Array:
        """Held-out frames as they are stored, and those that follow them: uint8 [N, 2, H, W, 3]."""
        clips = ClipDataset(self.asked.data, self.held_out, View(length=2, hop=1, short="pad"))
        random = np.random.default_rng(seed64(self.asked.seed, "held-out"))
        chosen = random.choice(len(clips), min(HELD_OUT, len(clips)), replace=False)
        return np.stack([np.asarray(clips[int(n)]["frames"]) for n in np.sort(chosen)])

    def store(self, split: str) -> TokenStore:
        """The frames of a split as tokens, or read as states with their labels."""
        out, episodes = self.asked.work / keep.TOKENS, self.episodes_of(split)
        tell = keep.bar(f"tokens: {split}", self.progress and self.parallel.main)
        symmetry = self.symmetry_of(split)
        if self.config.input == "state":
            read_states(self.asked.data, split, out, symmetry, tell, episodes)
            return label(self.asked.data, split, out)
        tokenizer = self.networks.tokenizer
        assert tokenizer is not None
        tokenizer.to(self.parallel.device).eval()
        return tokenise(self.asked.data, split, tokenizer, out, symmetry, tell, episodes)

    def windows(self, split: str) -> Windows:
        """A split's windows of tokens, or of states."""
        if split not in self._made:
            own, training = self.config, split == TRAIN
            self._made[split] = Windows(
                self.store(split), own.latent.offsets, own.transformer.history, self.asked.seed, self.asked.turns,
                labels=own.input == "state", episodes=self.episodes_of(split),
                unchanged=self.asked.unchanged, symmetric=training,
            )  # fmt: skip
        return self._made[split]

    def lessons(self, split: str) -> Windows | PairedWindows:
        """What latent model and transformer learn from: the same windows, with frames where codes come from these."""
        windows = self.windows(split)
        return PairedWindows(windows, self._frame_windows(split)) if self._pixels else windows

    @property
    def _pixels(self) -> bool:
        """Whether codes come from a latent model of frames."""
        return self.networks.latent is not None and self.config.latent.form == "pixel"

    def _frame_windows(self, split: str) -> FrameWindows:
        """The windows of ``windows`` as frames."""
        return FrameWindows(
            self.asked.data, split, self.config.tokenizer.size, self.config.latent.offsets, self.asked.seed,
            self.symmetry_of(split), self.asked.turns, self.episodes_of(split), split == TRAIN,
        )  # fmt: skip

    def episodes_of(self, split: str) -> int:
        """How many episodes are watched at most; 0: all."""
        return self.asked.episodes if split == TRAIN else 0

    @property
    def _symmetry(self) -> str:
        """The symmetries in which episodes are shown."""
        if self.asked.symmetry != "auto":
            return self.asked.symmetry
        height, width = self.config.frame_size
        rows, cols = self.config.tokenizer.grid
        square = height == width and rows == cols
        return "dihedral" if square and hasattr(registry.domain(self.config.domain), "transform") else "none"

    def symmetry_of(self, split: str) -> str:
        """The symmetries in which a split is shown."""
        return self._symmetry if split == TRAIN else "none"
