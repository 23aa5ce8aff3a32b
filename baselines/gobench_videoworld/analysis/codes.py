"""What codes mean: their continuous form before quantization in the plane, how many are used, which action each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench_videoworld.analysis.patterns import described
from gobench_videoworld.analysis.projection import projected
from gobench_videoworld.analysis.windows import Sight, Watched
from gobench_videoworld.answers import VideoAnswers
from gobench_videoworld.latent.measures import purity, purity_held_out
from gobench_videoworld.tokenizer.measures import perplexity

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Codes:
    """Codes of many windows, one a step that is there: N in all."""

    points: npt.NDArray[np.float32]  # [N, E] before quantization
    digits: Ints  # [N, D]
    rows: list[dict[str, Any]]  # [N] episode, time, step; and of the action what ``patterns.described`` says

    @property
    def steps(self) -> list[int]:
        """Frames ahead, rising."""
        return sorted({int(row["step"]) for row in self.rows})


def collected(sight: Sight) -> Codes:
    """The codes that the latent model gives to windows. Raises UsageError where there is no window."""
    answers = sight.model.answers
    assert isinstance(answers, VideoAnswers)
    points, digits, rows = [], [], list[dict[str, Any]]()
    for watched in sight:
        there = watched.there()
        continuous, codes = _coded(watched, answers)
        points.append(continuous[there])
        digits.append(codes[there])
        rows += _rows(watched)
    if not rows:
        raise UsageError("there is no window to look at.")
    return Codes(np.concatenate(points), np.concatenate(digits), rows)


@torch.inference_mode()
def _coded(watched: Watched, answers: VideoAnswers) -> tuple[npt.NDArray[np.float32], Ints]:
    """f32 [B, K, E] before quantization, and int64 [B, K, D]."""
    latent = answers.networks.latent
    assert latent is not None
    batch = watched.batch(answers)
    return latent.continuous(batch).float().cpu().numpy(), latent.encode(batch).cpu().numpy()


def _rows(watched: Watched) -> list[dict[str, Any]]:
    """A row for each window and step that is there, in that order."""
    where = [
        (int(t), int(o))
        for t in watched.times
        for o in watched.config.latent.offsets
        if t + o < len(watched.frames)
    ]
    found: list[dict[str, Any]] = [{"episode": watched.number, "time": t, "step": o} for t, o in where]
    if not all(hasattr(watched.domain, name) for name in ("states", "labels", "grid")):
        return found
    frames = np.array([t + o for t, o in where])
    told = described(
        watched.states[frames - 1], watched.states[frames], watched.actions[frames - 1], watched.config.board
    )
    return [{**row, **own} for row, own in zip(found, told, strict=True)]


def table(codes: Codes, method: str, seed: int) -> tuple[list[dict[str, Any]], str]:
    """Rows with their place in the plane (x, y) and the code's digits; and how the plane was found."""
    plane, how = projected(codes.points, method, seed)
    rows = [
        {**row, "code": " ".join(map(str, own)), "x": x, "y": y}
        for row, own, (x, y) in zip(codes.rows, codes.digits.tolist(), plane.tolist(), strict=True)
    ]
    return rows, how


def use(codes: Codes, sizes: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """A row for each step, and one for all: codes used, perplexity, purity code -> action.

    Purity is the share of windows whose action is the commonest one of their code; ``purity_by_chance`` is the same after the
    actions were shuffled among the windows: with many codes that are used once each, both are high. ``purity_held_out`` is the
    share of one half of the episodes whose action is the commonest one of their code in the other half. ``purity_reverse`` is
    the share whose code is the commonest one of their action.
    """
    steps = np.array([row["step"] for row in codes.rows])
    parts: list[tuple[Any, npt.NDArray[np.bool_]]] = [(step, steps == step) for step in codes.steps]
    parts.append(("all", np.ones(len(steps), np.bool_)))
    return [{"step": step, **_use(codes, mask, sizes, seed)} for step, mask in parts]


def _use(codes: Codes, mask: npt.NDArray[np.bool_], sizes: Sequence[int], seed: int) -> dict[str, Any]:
    names = [tuple(row) for row in codes.digits[mask].tolist()]
    rows = [row for row, here in zip(codes.rows, mask, strict=True) if here]
    found: dict[str, Any] = {
        "windows": len(names),
        "codes_used": len(set(names)),
        "codes": int(np.prod([float(size) for size in sizes])),
        "perplexity": perplexity(names),
    }
    for digit, size in enumerate(sizes):
        own = codes.digits[mask][:, digit].tolist()
        found |= {
            f"digit{digit}_used": len(set(own)),
            f"digit{digit}_of": size,
            f"digit{digit}_perplexity": perplexity(own),
        }
    if "pattern" not in rows[0]:
        return found
    actions = [(row.get("cell", -1), row.get("symbol", 0)) for row in rows]
    shuffled = [actions[n] for n in stream(seed, "purity").permutation(len(actions))]
    return found | {
        "purity": purity(names, actions),
        "purity_by_chance": purity(names, shuffled),
        "purity_held_out": purity_held_out(names, actions, [row["episode"] for row in rows]),
        "purity_reverse": purity(actions, names),
    }
