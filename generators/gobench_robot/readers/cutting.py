"""From a whole episode to what is kept of it: every n-th frame, and pieces where it is too long.

Pieces overlap in one frame, the last of one and the first of the next, so that no action is lost. The origin of a piece
says which frames of the episode it spans: ``ORIGIN#0-64`` are frames 0 to 63.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gobench_robot.readers.contract import BrokenError, Floats, Real

_PIECE = re.compile(r"(.+)#(\d+)-(\d+)")


def spans(frames: int, stride: int, most: int) -> Iterator[range]:
    """The frames kept of an episode of so many, as one range or as pieces of at most ``most`` (0: no limit)."""
    kept = range(0, frames, stride)
    if not most or len(kept) <= most:
        yield kept
        return
    for begin in range(0, len(kept) - 1, most - 1):
        yield kept[begin : begin + most]


def cut(whole: Real, span: range, merge: Sequence[str]) -> Real:
    """The frames ``span`` of an episode; ``merge`` says of each action number what several of them become."""
    if len(span) < 2:
        raise BrokenError(
            "too-short", f"{whole.frames} frames with a stride of {span.step} leave fewer than two."
        )
    tasks, starts = _tasks(whole, span)
    every = range(0, whole.frames, span.step)
    return replace(
        whole,
        origin=whole.origin if span == every else f"{whole.origin}#{span[0]}-{span[-1] + 1}",
        tasks=tasks,
        starts=starts,
        fps=whole.fps / span.step,
        frames=len(span),
        actions=merged(whole.actions, span, merge),
        proprio=np.ascontiguousarray(whole.proprio[span.start : span.stop : span.step]),
    )


def parse(origin: str, stride: int) -> tuple[str, range | None]:
    """The episode of an origin, and the frames of a piece."""
    found = _PIECE.fullmatch(origin)
    if not found:
        return origin, None
    return found[1], range(int(found[2]), int(found[3]), stride)


def merged(actions: Floats, span: range, merge: Sequence[str]) -> Floats:
    """Actions [T - 1, A] as [len(span) - 1, A]: of those between two kept frames the last, the sum or the mean."""
    between = actions[span[0] : span[-1]].reshape(len(span) - 1, span.step, actions.shape[1])
    ways = {"last": between[:, -1], "sum": between.sum(1), "mean": between.mean(1)}
    columns = [ways[how][:, column] for column, how in enumerate(merge)]
    return np.stack(columns, 1) if columns else np.zeros((len(span) - 1, 0))


def _tasks(whole: Real, span: range) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The tasks that are at hand in some frame of a span, and where in it each begins."""
    ends = (*whole.starts[1:], whole.frames)[: len(whole.tasks)]
    found = []
    for task, start, end in zip(whole.tasks, whole.starts, ends, strict=True):
        inside = [place for place, frame in enumerate(span) if start <= frame < end]
        if inside:
            found.append((task, inside[0]))
    return tuple(task for task, _ in found), tuple(start for _, start in found)
