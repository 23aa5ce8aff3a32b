"""The training of both networks: the same steps, bit for bit, from the same seed; one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gobench.errors import UsageError
from gobench.seeds import seed64
from gobench.types import Record
from gobench_robot.envs.painter import check_size
from gobench_robot.idm.augment import disturbed
from gobench_robot.idm.config import Config
from gobench_robot.idm.episodes import Labelled, Material, Progress
from gobench_robot.idm.networks import to_input

RATE, DECAY, WARM = (
    2e-3,
    1e-2,
    50,
)  # highest learning rate of AdamW, its weight decay, steps until the highest rate
FALLEN = 0.01  # of the highest rate at the end of the cosine
CLIPPED = 1.0  # norm of gradients
BETA = 0.1  # where errors begin to count by their size and not by their square


@dataclass(frozen=True, slots=True)
class Options:
    """What a training is asked for."""

    data: Path
    size: int = 128  # pixels
    steps: int = 1500
    minutes: float = 0.0  # of steps at most; 0: no limit. With a limit two trainings may differ
    seed: int = 0
    labels: int = 0  # labelled episodes to learn from; 0: all of the split "train"

    def verify(self) -> None:
        """UsageError for what cannot be; labels are checked with the dataset."""
        check_size(self.size)
        if self.steps < 1 or not 0 <= self.minutes < 1e6 or not 0 <= self.seed < 1 << 63:
            raise UsageError(
                f"steps {self.steps}, minutes {self.minutes}, seed {self.seed}: allowed are at least 1 step, 0 or more minutes "
                "and a seed from 0."
            )

    def decisive(self) -> Record:
        """What the weights follow from, beside the dataset."""
        return {"size": self.size, "steps": self.steps, "seed": self.seed, "labels": self.labels}


class Batch(NamedTuple):
    """Runs that were drawn."""

    frames: Tensor  # f32 [B, L, 3, H, W], disturbed
    actions: Tensor  # f32 [B, L - 1, A]: after each frame but the last
    proprio: Tensor  # f32 [B, L, P] in spreads
    places: Sequence[tuple[int, int]]  # episode, and frame of the run's end


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Episodes as tensors, from which runs of frames are drawn."""

    episodes: Sequence[tuple[Tensor, Tensor, Tensor]]  # frames uint8, actions, proprioception in spreads
    batch: int  # runs at once
    length: int  # frames of a run
    lead: int = 0  # how many frames a run may begin before the episode: its first frame is repeated

    @classmethod
    def of(cls, episodes: Sequence[Labelled], config: Config, batch: int, length: int, lead: int = 0) -> Runs:
        """Runs of these episodes."""
        centre, spread = torch.tensor(config.centre), torch.tensor(config.spread)
        made = [
            (
                torch.from_numpy(one.frames),
                torch.tensor(one.actions, dtype=torch.float32),
                (torch.tensor(one.proprio, dtype=torch.float32) - centre) / spread,
            )
            for one in episodes
        ]
        return cls(made, batch, length, lead)

    def draw(self, random: torch.Generator) -> Batch:
        """A batch. Of an episode that is shorter than a run, the last frame is repeated, and the last action too."""
        places = [self._place(random) for _ in range(self.batch)]
        rows = [self._run(number, last) for number, last in places]
        frames, actions, proprio = (torch.stack(column) for column in zip(*rows, strict=True))
        return Batch(disturbed(to_input(frames), random), actions, proprio, places)

    def _place(self, random: torch.Generator) -> tuple[int, int]:
        number = _below(len(self.episodes), random)
        starts = max(1, len(self.episodes[number][0]) - self.length + 1 + self.lead)
        return number, _below(starts, random) - self.lead + self.length - 1

    def _run(self, number: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
        film, done, felt = self.episodes[number]
        at = torch.arange(last - self.length + 1, last + 1).clamp(0, len(film) - 1)
        return film[at], done[at[:-1].clamp(max=len(done) - 1)], felt[at]


def fit(
    network: nn.Module, loss: Callable[[torch.Generator], Tensor], asked: Options, progress: Progress
) -> int:
    """Lower ``loss``, which draws its own batch; how many steps were made."""
    random = torch.Generator().manual_seed(seed64(asked.seed, "runs") >> 1)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    ends = time.monotonic() + 60 * asked.minutes
    network.train()
    for step in range(asked.steps):
        if asked.minutes and time.monotonic() >= ends:
            return step
        for group in optimizer.param_groups:
            group["lr"] = rate(step, asked.steps)
        optimizer.zero_grad()
        loss(random).backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIPPED)
        optimizer.step()
        progress("steps", step + 1, asked.steps)
    return asked.steps


def rate(step: int, steps: int) -> float:
    """The learning rate: warmed up, then along half a cosine."""
    return RATE * min(1.0, (step + 1) / WARM) * (0.5 * (1 + cos(pi * step / steps)) + FALLEN)


def scales(material: Material) -> tuple[list[float], list[float], list[float]]:
    """Mean, standard deviation, and that of the change in a frame, of what the robot felt in training."""
    felt = [torch.tensor(one.proprio) for one in material.train]
    changes = torch.cat([row[1:] - row[:-1] for row in felt])
    everything = torch.cat(felt)
    return (
        everything.mean(0).tolist(),
        (everything.std(0) + 1e-3).tolist(),
        (changes.std(0) + 1e-4).tolist(),
    )


def begun(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """A network with first weights that follow from the seed; torch's own stream stays where it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed64(seed, "weights") >> 1)
        return make()


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _below(n: int, random: torch.Generator) -> int:
    return int(torch.randint(n, (1,), generator=random))
