"""Answers that are videos of any size, rate and length: which frame is the answer, and what it shows.

The answer as it stands in evidence has, beside what a frame has, "frames" (how many), "settled" (the index of the frame
that counts), "boards" (of the settled frames before it, for the audit) and "registered" (where the picture was found).
"""

from __future__ import annotations

from typing import NamedTuple

from gobench.types import Array, Record
from gobench_go.game.position import text_of
from gobench_go.tasks import reading
from gobench_go.video.themes import Look


class Read(NamedTuple):
    """A video as read."""

    record: Record
    picture: Array  # uint8 [H, W, 3]: the answer as the prompt would show it, or else the video's last frame
    readable: bool  # whether an answer was found


def read(look: Look, frames: Array, reference: Array) -> Read:
    """Read a video uint8 [m, h, w, 3], m >= 1; ``reference`` uint8 [H, W, 3] is the prompt's last frame."""
    from gobench.zeroshot import read_answer

    found = read_answer(frames, reference)
    facts: Record = {"frames": len(frames), "settled": int(found.index), "registered": dict(found.facts)}
    if found.settled is None:
        why = str(found.facts.get("why", "no settled frame"))
        return Read({"unreadable": why, **facts}, frames[-1], False)
    steps = [text_of(reading.read(look, step).board) for step in found.steps]
    return Read({**reading.read(look, found.settled).record(), "boards": steps, **facts}, found.settled, True)
