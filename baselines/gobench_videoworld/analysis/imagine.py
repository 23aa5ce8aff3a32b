"""What a model imagines: codes predicted for held-out prompts, drawn by the latent model's own decoder, read by the domain.

The decoder starts from the prompt's last frame and draws each code's frame. With codes of own moves (1, 3, 5 ahead) located
codes leave the replies between them out of the picture, and the other forms draw them in; with codes of every ply (1, 2, 3)
code 2 is the imagined reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gobench.errors import UsageError
from gobench.seeds import seed64
from gobench.statistics import estimate
from gobench.types import Array
from gobench_videoworld.analysis import paper
from gobench_videoworld.analysis.asking import interval
from gobench_videoworld.analysis.projection import projected
from gobench_videoworld.analysis.windows import Sight, Watched, code_vectors
from gobench_videoworld.answers import Draws, VideoAnswers, enlarged
from gobench_videoworld.config import VideoWorldConfig

SHOWN = 6  # prompts on the sheet
UNCLEAR = (-1, 0)  # no single action can be read
PLAYED = ("as_played", "reply_as_played")
MEASURES = ("read", "possible", "as_played", "reply_read", "reply_as_played", "frame_follows")

Ints = npt.NDArray[np.int64]


class Moves(NamedTuple):
    """What happened between two imagined frames, as (cell, symbol)."""

    own: tuple[int, int]  # of the code, or UNCLEAR
    others: tuple[tuple[int, int], ...]  # before it


class Picture(NamedTuple):
    """A frame on the sheet."""

    caption: str
    frame: Array  # uint8 [H, W, 3]
    cells: Sequence[int]  # that differ from the prompt, as the domain reads them


@dataclass
class Imagined:
    """Predictions for many prompts."""

    rows: list[dict[str, Any]] = field(default_factory=list)  # one a prompt and code
    vectors: list[npt.NDArray[np.float32]] = field(default_factory=list)  # of the codes, in the same order
    pictures: list[list[Picture]] = field(default_factory=list)  # of the first prompts


def collected(sight: Sight) -> Imagined:
    """Ask about held-out windows. Raises UsageError where the domain reads no states, or there is no window."""
    answers = sight.model.answers
    assert isinstance(answers, VideoAnswers)
    found = Imagined()
    for watched in sight:
        if not all(hasattr(watched.domain, name) for name in ("states", "labels", "act", "grid")):
            raise UsageError(
                f"the domain {watched.domain.name!r} reads no states: imagined frames cannot be judged."
            )
        _add(found, watched, answers, sight.seed)
    return found


def _add(found: Imagined, watched: Watched, answers: VideoAnswers, seed: int) -> None:
    seeds = np.array([seed64(seed, "imagine", watched.number, int(t)) for t in watched.times], np.uint64)
    codes, imagined, given = _predicted(watched, answers, seeds)
    many, steps = imagined.shape[:2]
    read = _states(watched, imagined.reshape(-1, *imagined.shape[2:])).reshape(many, steps, -1)
    follows = _follows(watched, imagined[:, 0], given)
    before = np.concatenate([watched.states[watched.times][:, None], read[:, :-1]], axis=1)
    for row in range(many):
        for k in range(steps):
            offset = watched.config.latent.offsets[k]
            symbol = _to_move(watched, int(watched.times[row]) + offset - 1)
            moves = read_moves(before[row, k], read[row, k], symbol, between(watched.config)[k])
            line = _line(watched, row, k, moves, bool(follows[row]))
            found.rows.append(line | {"code": " ".join(map(str, codes[row, k].tolist()))})
        if len(found.pictures) < SHOWN and row == many // 2:
            found.pictures.append(_pictures(watched, row, imagined[row], given[row]))
    found.vectors += list(code_vectors(watched.config, codes.reshape(-1, codes.shape[-1])))


@torch.inference_mode()
def _predicted(
    watched: Watched, answers: VideoAnswers, seeds: npt.NDArray[np.uint64]
) -> tuple[Ints, Array, Array]:
    """Codes int64 [B, K, D], imagined frames uint8 [B, K, H, W, 3], generated frames uint8 [B, H, W, 3]."""
    networks, config = answers.networks, watched.config
    assert networks.latent is not None and networks.tokenizer is not None
    history = watched.batch(answers)["history"]
    drawn = answers.drawn(history, Draws(seeds, answers.device))
    pictures = pictured(answers, history[:, -1], drawn.codes)
    whole = pictures[:, 0] if drawn.tokens is None else networks.tokenizer.decode(drawn.tokens)
    imagined, given = (enlarged(part.cpu().numpy(), config.frame_size) for part in (pictures, whole))
    return drawn.codes.cpu().numpy(), imagined, given


def pictured(answers: VideoAnswers, before: Tensor, codes: Tensor) -> Tensor:
    """What the latent decoder draws after int64 [B, S] for codes int64 [B, K, D]: uint8 [B, K, h, w, 3] at working size."""
    latent, tokenizer = answers.networks.latent, answers.networks.tokenizer
    assert latent is not None and tokenizer is not None
    if answers.config.latent.form == "pixel":
        found: Tensor = latent.decode(tokenizer.decode(before), codes)
        return found
    tokens = latent.decode(before, codes)
    drawn = tokenizer.decode(tokens.flatten(0, 1))
    return drawn.view(*tokens.shape[:2], *drawn.shape[1:])


def _states(watched: Watched, frames: Array) -> Array:
    found: Array = watched.domain.states(watched.config.options, frames)
    return found


def _follows(watched: Watched, first: Array, given: Array) -> npt.NDArray[np.bool_]:
    """Whether generated frames uint8 [N, H, W, 3] show what the first code's pictures show: both can be read, as the same."""
    same = (_states(watched, first) == _states(watched, given)).all(axis=1)
    return np.array(same & _readable(watched, first) & _readable(watched, given), np.bool_)


def _readable(watched: Watched, frames: Array) -> npt.NDArray[np.bool_]:
    if not hasattr(watched.domain, "readable"):
        return np.ones(len(frames), np.bool_)
    found: npt.NDArray[np.bool_] = watched.domain.readable(watched.config.options, frames)
    return found


def between(config: VideoWorldConfig) -> list[int]:
    """How many actions of others each code's picture shows beside its own; located codes draw nothing but themselves."""
    offsets = (0, *config.latent.offsets)
    gaps = [after - before - 1 for before, after in pairwise(offsets)]
    return [0] * len(gaps) if config.latent.form == "located" else gaps


def read_moves(before: Array, after: Array, symbol: int, others: int) -> Moves:
    """The actions between two states [cells]; what vanishes is let be.

    Args:
        symbol: what the code's own action puts, 0 if that is not known.
        others: how many cells others may fill meanwhile, at most.
    """
    filled = np.flatnonzero((before != after) & (after != 0))
    if before[filled].any():  # something turned into something else
        return Moves(UNCLEAR, ())
    actions = [(int(cell), int(after[cell])) for cell in filled]
    own = [action for action in actions if not others or symbol in (0, action[1])]
    rest = tuple(action for action in actions if action not in own)
    if len(own) != 1 or len(rest) > others:
        return Moves(UNCLEAR, ())
    return Moves(own[0], rest)


def _to_move(watched: Watched, time: int) -> int:
    """The symbol of what was done after a frame; 0 where nothing was, or nobody knows."""
    return int(watched.actions[time, 1]) if time < len(watched.actions) else 0


def _line(watched: Watched, row: int, k: int, moves: Moves, followed: bool) -> dict[str, Any]:
    """What an imagined step is worth: was it read, could it be, was it played; and the reply before it."""
    offset, time = watched.config.latent.offsets[k], int(watched.times[row])
    cols, action = watched.config.board[1], moves.own
    line: dict[str, Any] = {
        "episode": watched.number,
        "time": time,
        "step": offset,
        "read": int(action != UNCLEAR),
    }
    if action != UNCLEAR:
        line |= {"cell": action[0], "row": action[0] // cols, "col": action[0] % cols, "symbol": action[1]}
    if k == 0:
        line["frame_follows"] = int(followed)
    if time + offset >= len(watched.frames):
        return line
    truth = tuple(watched.actions[time + offset - 1].tolist())
    line |= {"possible": int(_possible(watched, time + offset - 1, action)), "as_played": int(action == truth),
             "played_cell": truth[0]}  # fmt: skip
    if between(watched.config)[k] == 1:
        reply = tuple(watched.actions[time + offset - 2].tolist())
        line |= {"reply_read": int(len(moves.others) == 1), "reply_as_played": int(moves.others == (reply,))}
    return line


def _possible(watched: Watched, time: int, action: tuple[int, int]) -> bool:
    """Whether the domain lets an action be after frame ``time`` as it really came."""
    if action == UNCLEAR:
        return False
    shown = watched.frames[time : time + 1]
    after = watched.domain.act(watched.config.options, shown, np.array([action], np.int64))
    return not np.array_equal(after, shown)


def _pictures(watched: Watched, row: int, imagined: Array, given: Array) -> list[Picture]:
    time = int(watched.times[row])
    steps = [f"imagined {offset} ahead" for offset in watched.config.latent.offsets]
    frames = np.stack(
        [watched.frames[time], *imagined, given, watched.frames[min(time + 1, len(watched.frames) - 1)]]
    )
    states = _states(watched, frames)
    captions = ["prompt", *steps, "generated", "truth"]
    differ = [np.flatnonzero(state != states[0]).tolist() for state in states]
    return [Picture(*row) for row in zip(captions, frames, differ, strict=True)]


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each step and measure: its value with an interval over episodes, the paper's beside.

    ``read``: one action can be read in the imagined frame; ``possible``: it can be where it would come; ``as_played``: it is what
    was played; ``reply_read`` and ``reply_as_played``: the same of the reply before it, where the picture shows it;
    ``frame_follows``: the generated frame and the first code's picture can both be read, and show the
    same. With ``_if_first``: over prompts where the first code is what was played, so that the truth is about the same game.
    """
    first = {(r["episode"], r["time"]): r.get("as_played") for r in rows if r["step"] == rows[0]["step"]}
    found = []
    for step in sorted({r["step"] for r in rows}):
        own = [r for r in rows if r["step"] == step]
        for measure in MEASURES:
            found += _share(step, measure, own, measure)
        if step != rows[0]["step"]:
            same = [r for r in own if first[r["episode"], r["time"]]]
            for measure in PLAYED:
                found += _share(step, f"{measure}_if_first", same, measure)
    return found


def _share(step: int, name: str, rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    told = [row for row in rows if row.get(key) is not None]
    if not told:
        return []
    clusters = np.array([row["episode"] for row in told], np.int64)
    made = estimate(np.array([row[key] for row in told], np.float64), clusters, proportion=True)
    assert made is not None
    low, high = interval(made)
    line = {"step": step, "measure": name, "value": made.value, "low": low, "high": high, "n": made.n}
    reply = key == "reply_as_played" or (key == "as_played" and step % 2 == 0)
    return [line | {"paper": paper.of(paper.REPLIES, "accuracy") if reply else None}]


def table(found: Imagined, method: str, seed: int) -> tuple[list[dict[str, Any]], str]:
    """Rows with the code's place in the plane (x, y); and how the plane was found."""
    plane, how = projected(np.stack(found.vectors), method, seed)
    return [{**row, "x": x, "y": y} for row, (x, y) in zip(found.rows, plane.tolist(), strict=True)], how
