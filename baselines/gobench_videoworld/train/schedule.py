"""How long, how fast and how carefully a stage is trained: one frozen table, and the learning rate of every step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gobench.canonical import dumps, sha256
from gobench.errors import UsageError
from gobench.types import Record
from gobench_videoworld.config import at_least
from gobench_videoworld.options import check_precision

EVALUATIONS = 10  # of a run that does not say how often
BINDING = (
    "steps", "minutes", "batch", "lr", "betas", "weight_decay", "warmup", "floor", "clip", "precision", "seed",
)  # fmt: skip
"""What decides the weights: a training goes on only where these are equal. ``accumulate`` changes their
rounding alone, and the running moments of latent dynamics."""

LEAST: Mapping[str, int] = {
    "steps": 1, "least": 1, "batch": 1, "accumulate": 1, "evaluate_every": 0, "save_every": 0, "log_every": 1,
    "keep": 1, "seed": 0,
}  # fmt: skip
RANGES: Mapping[str, tuple[float, float]] = {
    "lr": (0, math.inf), "weight_decay": (0, math.inf), "warmup": (0, 1), "floor": (0, 1), "clip": (0, math.inf),
    "minutes": (0, math.inf), "save_minutes": (0, math.inf),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A training. Raises UsageError for values that cannot be."""

    steps: int = 1000  # updates of the weights, at most
    minutes: float = (
        0.0  # 0: no limit; otherwise turned into a number of steps once, by timing some at the start
    )
    batch: int = 64  # samples of a step, over all ranks
    accumulate: int = 1  # parts in which a rank computes its share
    lr: float = 3e-3  # the highest learning rate
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.1  # of matrices; never of norms, biases and embeddings
    warmup: float = 0.05  # share of the steps in which the rate rises
    floor: float = 0.1  # share of the highest rate at which the cosine ends
    clip: float = 1.0  # longest gradient; 0: not clipped
    precision: str = "auto"  # auto: bf16 autocast on a GPU, f32 on a CPU
    compile: bool = False
    seed: int = 0
    log_every: int = 10  # steps
    evaluate_every: int | None = None  # steps; 0: only at the end; None: ten times
    save_every: int = 0  # steps; 0: by time alone
    save_minutes: float = 5.0  # 0: by steps alone
    keep: int = 2  # checkpoints
    least: int = 1  # updates even where the minutes allow fewer
    wandb: str = ""  # project at Weights & Biases; "": nothing is sent

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if getattr(self, name) is not None:
                at_least(name, getattr(self, name), least)
        for name in RANGES:
            _in_range(name, getattr(self, name))
        if not (self.lr > 0 and all(0 <= beta < 1 for beta in self.betas)):
            raise UsageError(
                f"lr must be above 0 and betas from 0 to below 1, not {self.lr} and {self.betas}."
            )
        check_precision(self.precision)

    @property
    def evaluation_steps(self) -> int:
        """Steps between evaluations."""
        asked = self.evaluate_every
        return max(1, math.ceil(self.steps / EVALUATIONS)) if asked is None else asked or self.steps

    def binding(self) -> Record:
        """What a continued training must share, as plain data."""
        table = asdict(self)
        return {key: list(v) if isinstance(v := table[key], tuple) else v for key in BINDING}

    def hash(self) -> str:
        """sha256 in hex of ``binding``."""
        return sha256(dumps(self.binding()))


def rate(plan: Plan, step: int) -> float:
    """The learning rate of step 0 <= ``step`` < steps: a straight rise, then half a cosine down to the floor."""
    rise = round(plan.warmup * plan.steps)
    if step < rise:
        return plan.lr * (step + 1) / rise
    along = (step - rise) / max(1, plan.steps - 1 - rise)
    return plan.lr * (plan.floor + (1 - plan.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, along))))


def check_slices(plan: Plan, world: int, rows: int = 1) -> int:
    """How many equal slices a batch is cut into.

    Args:
        world: processes.
        rows: slices must have a multiple of so many samples, where there are several.

    Raises:
        UsageError: it cannot be cut so; says which batch can.
    """
    slices = world * plan.accumulate
    least = slices * rows if slices > 1 else 1
    if plan.batch % least:
        multiple = f", of a multiple of {rows} samples each" if rows > 1 else ""
        raise UsageError(
            f"a batch of {plan.batch} cannot be cut into {slices} equal slices{multiple} ({world} processes x accumulate "
            f"{plan.accumulate}). Take --batch {math.ceil(plan.batch / least) * least}, or other numbers."
        )
    return slices


def own_slices(batch: int, accumulate: int, world: int) -> tuple[int, int]:
    """A stage's own batch and its parts, where nobody asked for these.

    Returns:
        The batch, as much larger as it takes for all processes to have as many samples; and into how many parts a process
        cuts its share, the highest number up to ``accumulate`` that leaves them equal.
    """
    each = math.ceil(batch / world)
    parts = max(n for n in range(1, min(accumulate, each) + 1) if each % n == 0)
    return each * world, parts


def _in_range(name: str, value: float) -> None:
    low, high = RANGES[name]
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not low <= value <= high
        or value == math.inf
    ):
        upper = "" if high == math.inf else f" to {high:g}"
        raise UsageError(f"{name} must be a number from {low:g}{upper}, not {value!r}.")
