"""Why first answers fail: the code names what cannot be, cannot be decoded, or the frame does not follow it.

Each sample is asked once. Its first code is also drawn by the latent model's own decoder on the prompt's last frame, and that
picture is judged by the task as if it were the answer:

=======================  ==============================================================================================
the answer               the code's own picture
=======================  ==============================================================================================
legal                    anything
frame leaves the code    a legal move: the code was right, the generated frame is not
code names no legal move one move, cleanly drawn, that is not allowed; or (located codes) a place that is taken already
code not decodable       no single change can be read
=======================  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from gobench import registry
from gobench.statistics import estimate
from gobench.types import Array, Json
from gobench_videoworld.analysis.asking import Asked, Progress, interval, table
from gobench_videoworld.answers import Draws, Seeds, VideoAnswers, enlarged
from gobench_videoworld.model import VideoWorld, prompt

LEGAL = "legal"
FRAME = "the frame leaves the code"
ILLEGAL = "the code names no legal move"
UNDECODED = "the code cannot be decoded"
CLASSES: Mapping[str, str] = {
    LEGAL: "a legal move can be read in the answer",
    ILLEGAL: "the code's own picture shows one move that is not allowed, or its place is taken already",
    UNDECODED: "no single change can be read in the code's own picture",
    FRAME: "the code's own picture shows a legal move, the answer does not",
}
METRIC = "legal_first_try"


class Twin:
    """A model that answers as it is, and keeps each sample's first code and that code's own picture."""

    context_keys = ("ask", "id")

    def __init__(self, model: VideoWorld) -> None:
        self.model, self.frame_size, self.max_frames = model, model.frame_size, model.max_frames
        self.pictures: dict[str, Array] = {}  # sample -> uint8 [H, W, 3]
        self.places: dict[str, int] = {}  # sample -> the site that a located code names
        self.shown: dict[str, Array] = {}  # sample -> the prompt's last frame

    def generate(
        self, frames: Array, n: int, seeds: Seeds, context: Sequence[Mapping[str, Json]] | None = None
    ) -> Array:
        """One frame each; see ``gobench.types.VideoModel``."""
        assert context is not None and n == 1
        answers, config = self.model.answers, self.model.config
        assert isinstance(answers, VideoAnswers) and answers.networks.tokenizer is not None
        history = answers.tokens(prompt(frames, config.transformer.history))
        with torch.inference_mode():
            drawn = answers.drawn(history, Draws(seeds, answers.device))
            own = answers.imagined(history[:, -1], drawn.codes)[0]
            whole = own if drawn.tokens is None else answers.networks.tokenizer.decode(drawn.tokens)
        pictures, given = (enlarged(part.cpu().numpy(), config.frame_size) for part in (own, whole))
        for row, asked in enumerate(context):
            sample = str(asked["id"])
            self.pictures[sample], self.shown[sample] = pictures[row], frames[row, -1]
            if config.pointers:
                self.places[sample] = int(drawn.codes[row, 0, 0])
        return given[:, None]


class Kept:
    """Ready pictures as a model."""

    context_keys = ("id",)

    def __init__(self, pictures: Mapping[str, Array], model: VideoWorld) -> None:
        self.pictures, self.frame_size, self.max_frames = pictures, model.frame_size, model.max_frames

    def generate(
        self, frames: Array, n: int, seeds: Seeds, context: Sequence[Mapping[str, Json]] | None = None
    ) -> Array:
        """See ``gobench.types.VideoModel``."""
        assert context is not None
        return np.stack([self.pictures[str(row["id"])][None] for row in context])


def split(model: VideoWorld, what: Asked, progress: Progress | None = None) -> list[dict[str, Any]]:
    """A row a sample: its class, what was read in the answer and in the code's picture, the place of a located code."""
    twin = Twin(model)
    answer = table(twin, what, "answers", progress)
    own = table(Kept(twin.pictures, model), what, "codes drawn", progress)
    taken = _taken(model, twin)
    lines = []
    for row, sample in enumerate(answer.ids):
        legal, decoded = bool(answer.columns[METRIC][row]), bool(own.columns[METRIC][row])
        kind = _class(legal, decoded, bool(own.clean[row]), taken.get(sample, False))
        lines.append({
            "sample": sample, "class": kind, "answer": answer.kinds[row], "code": own.kinds[row], "code_legal": int(decoded),
            "place": twin.places.get(sample), "place_taken": int(taken[sample]) if sample in taken else None,
            "cluster": int(answer.clusters[row]),
        })  # fmt: skip
    return lines


def _class(legal: bool, decoded: bool, clean: bool, taken: bool) -> str:
    if legal:
        return LEGAL
    if decoded:
        return FRAME
    return ILLEGAL if clean or taken else UNDECODED


def _taken(model: VideoWorld, twin: Twin) -> dict[str, bool]:
    """Sample -> whether the place that its located code names holds something already; where that can be told."""
    world: Any = registry.domain(model.domain)
    config = model.config
    if not twin.places or config.tokenizer.grid != config.board or not hasattr(world, "states"):
        return {}
    samples = list(twin.places)
    found: dict[str, bool] = {}
    for start in range(0, len(samples), 256):
        part = samples[start : start + 256]
        states = world.states(config.options, np.stack([twin.shown[sample] for sample in part]))
        found |= {sample: bool(row[twin.places[sample]]) for sample, row in zip(part, states, strict=True)}
    return found


def shares(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a class: how many samples, their share with an interval over games, and their share of the failures."""
    clusters = np.array([line["cluster"] for line in lines], np.int64)
    kinds = np.array([line["class"] for line in lines])
    failures = int(np.count_nonzero(kinds != LEGAL))
    found = []
    for name, about in CLASSES.items():
        mask = (kinds == name).astype(np.float64)
        made = estimate(mask, clusters, proportion=True)
        assert made is not None
        low, high = interval(made)
        many = int(mask.sum())
        found.append({"class": name, "samples": many, "share": made.value, "low": low, "high": high,
                      "of_failures": many / failures if failures and name != LEGAL else None, "about": about})  # fmt: skip
    return found
