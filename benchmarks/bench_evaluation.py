"""The harness of evaluation alone, and the floors: positions a second of one core.

Overhead is all of ``gobench evaluate`` but the model: prompts, reading, judging, evidence, statistics, result. The model
looks its answers up.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from harness import Row, Work, rate

from gobench import sketch
from gobench.evaluate import evaluate, open_suite
from gobench.tasks import View
from gobench_go import floors, positions

SUITE, TASK = "go9-lite", "go9/next-move"
SAMPLES = 1000
VIEW = View(256, 256, 1)


@lru_cache(maxsize=1)
def truths() -> Mapping[str, np.ndarray]:
    """The board after the best move, drawn beforehand, of the samples that a run of ``SAMPLES`` asks."""
    from gobench.evaluate.protocol import order

    task = open_suite(SUITE).tasks[0]
    return {name: task.truth(name, VIEW) for name in order(SUITE, task)[:SAMPLES]}


class Instant:
    """Answers with the right frame at once."""

    frame_size = (256, 256)
    context_keys = ("id",)
    max_frames = 1

    def generate(
        self, frames: np.ndarray, n: int, seeds: np.ndarray, context: Sequence[Mapping[str, Any]]
    ) -> np.ndarray:
        return np.stack([truths()[row["id"]] for row in context])


class Unchanged(Instant):
    """Answers with the last frame again: each position is asked ten times."""

    def generate(
        self, frames: np.ndarray, n: int, seeds: np.ndarray, context: Sequence[Mapping[str, Any]]
    ) -> np.ndarray:
        return frames[:, -1:]


def evaluated(place: Path, model: str) -> Work:
    """A whole run into a new folder each time, batches of 32."""
    number = count()

    def work() -> int:
        evaluate(f"{__file__}:{model}", SUITE, place / f"{model}-{next(number)}", tasks=[TASK], limit=SAMPLES)
        return SAMPLES

    return work


def prompts(shown: int) -> tuple[Any, np.ndarray, list[dict[str, str]]]:
    """A task and some 60 of its prompts of so many frames, with who is to move."""
    task = open_suite(SUITE).tasks[0]
    names = [name for name in task.ids if int(name[-3:]) >= shown][::100]
    frames = np.stack([task.prompt(name, View(256, 256, shown)) for name in names])
    colors = (task.position(name) for name in names)
    return task, frames, [{"to_move": ("black", "white")[game.colors[ply] - 1]} for game, ply in colors]


def answered() -> Work:
    """``random-legal`` on prompts that are there already."""
    model = floors.random_legal()
    task, frames, context = prompts(model.max_frames)
    seeds = np.arange(len(frames), dtype=np.uint64)
    model.begin(task.public)
    return lambda: sum(len(model.generate(frames, 1, seeds, context)) for _ in range(10))


def hashed() -> Work:
    """Positions of whole games in a row."""
    games = open_suite(SUITE).tasks[0].judged.games
    boards = np.concatenate([game.boards[:-1] for game in games])
    movers = np.concatenate([game.colors for game in games])
    return lambda: sum(len(positions.hashes(boards, movers)) for _ in range(20))


def added() -> Work:
    """Hashes into a sketch of a million."""
    items = np.random.default_rng(0).integers(0, 1 << 63, 1_000_000, dtype=np.uint64)

    def work() -> int:
        sketch.sized(len(items)).add(items)
        return len(items)

    return work


def row(what: str, work: Work, target: str, repeats: int = 3) -> Row:
    """One line without a peer: the median rate."""
    work()
    ours = statistics.median(rate(work) for _ in range(repeats))
    return {"what": what, "ours": ours, "peer": None, "peer_name": None, "unit": "positions/s", "ratio": None,
            "target": target}  # fmt: skip


def rows() -> list[Row]:
    """Positions a second of one core."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        return [
            row("evaluate, a model that answers at once", evaluated(place, "Instant"), "1,000 positions/s"),
            row("evaluate, unchanged frames, 10 tries", evaluated(place, "Unchanged"), ""),
            row("random-legal, prompts of 6 frames", answered(), "3,000 positions/s"),
            row("hashes of positions", hashed(), "300,000 positions/s"),
            row("hashes into a sketch", added(), ""),
        ]


if __name__ == "__main__":
    from harness import table

    sys.stdout.write(table(rows()) + "\n")
