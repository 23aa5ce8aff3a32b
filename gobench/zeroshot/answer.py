"""A video of any size, rate and length -> the one frame that is the answer, as the prompt's picture would show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gobench.types import Array, Record
from gobench.zeroshot import colour
from gobench.zeroshot import settings as s
from gobench.zeroshot.placement import Placement, cells, guesses, take
from gobench.zeroshot.register import Registration, offset, register
from gobench.zeroshot.settle import motion, settled


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """What was found in a video.

    ``facts`` is plain data: "size" [h, w] and "length" m as given; "registered", and if not, "why" (a slug:
    "no-frames", "not-the-picture", "never-still"); "fit" (stretch, contain, cover, corner); "likeness" up to 1;
    "by", the index of the frame that was registered; "shift" [down, right] of the middle in reference pixels;
    "scale" [down, right]; "crop" [top, bottom, left, right], reference pixels that the video does not show;
    "gain" and "offset" of red, green, blue; "runs", how many settled runs there are.
    """

    settled: Array | None  # uint8 [H, W, 3], None where the rule gives no answer
    index: int  # its number in the video, -1 for none
    steps: Array  # uint8 [k, H, W, 3], the settled frames before it (one a run), oldest first
    facts: Record


def read_answer(frames: Array, reference: Array) -> Answer:
    """Read a zero-shot answer. Deterministic; knows no game.

    The rule: the answer is the last settled frame (the last one of the last run of frames that stand still).
    The video is registered once, by its first frame, or by its last if the first is not like the prompt's picture.

    Args:
        frames: uint8 [m, h, w, 3], m >= 0.
        reference: uint8 [H, W, 3], the picture that the model was given.
    """
    none = np.empty((0, *reference.shape), np.uint8)
    facts: Record = {"size": [int(frames.shape[1]), int(frames.shape[2])], "length": len(frames)}
    if not len(frames) or not frames.size:
        return Answer(None, -1, none, {**facts, "registered": False, "why": "no-frames"})
    by, found = _registered(frames, reference)
    facts |= {"registered": found.found, "likeness": round(found.likeness, 4)}
    if not found.found:
        return Answer(None, -1, none, {**facts, "why": "not-the-picture"})
    curves = colour.fit(take(frames[by], found.place, reference), reference)
    facts |= _facts(found, frames, reference, curves) | {"by": by}
    ends = _ends(frames, found.place, reference)
    facts["runs"] = len(ends)
    if not ends:
        return Answer(None, -1, none, {**facts, "why": "never-still"})
    used = colour.PLAIN if curves is None else curves
    pictures = [
        colour.apply(take(frames[t], found.place, reference), used) for t in ends[-s.MOST_STEPS - 1 :]
    ]
    return Answer(pictures[-1], ends[-1], np.stack(pictures)[:-1], facts)


def _registered(frames: Array, reference: Array) -> tuple[int, Registration]:
    """The frame by which the video was registered: the first, or the last where the first is none of it."""
    first = register(frames[0], reference)
    if first.found or len(frames) == 1:
        return 0, first
    last = register(frames[-1], reference)
    return (len(frames) - 1, last) if last.found else (0, first)


def _ends(frames: Array, place: Placement, reference: Array) -> list[int]:
    if len(frames) == 1:
        return [0]
    size = (reference.shape[0], reference.shape[1])
    return settled(motion(np.stack([cells(f, place, size, s.CELLS) for f in frames])))


def _facts(found: Registration, frames: Array, reference: Array, curves: colour.Curves | None) -> Record:
    size = (reference.shape[0], reference.shape[1])
    usual = guesses((int(frames.shape[1]), int(frames.shape[2])), size)
    shift, scale = offset(found.place, usual[found.guess], reference)
    rows, cols = found.place.visible(size)
    shown: Record = {
        "fit": found.guess,
        "shift": [round(x, 2) + 0.0 for x in shift],
        "scale": [round(x, 4) for x in scale],
        "crop": [rows.start, size[0] - rows.stop, cols.start, size[1] - cols.stop],
    }
    if curves is None:
        return {**shown, "gain": [1.0] * 3, "offset": [0.0] * 3, "colour": "out of bounds: left as it is"}
    gain, shifted = ([round(float(x), 4) for x in curves[:, k]] for k in (0, 1))
    return {**shown, "gain": gain, "offset": shifted}
