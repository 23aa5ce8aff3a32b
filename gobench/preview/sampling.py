"""Which samples a preview shows: spread evenly over a dataset and its splits, always the same ones."""

from __future__ import annotations

from itertools import pairwise

from gobench.dataset import Dataset
from gobench.errors import unknown
from gobench.seeds import stream


def pick(data: Dataset, count: int, split: str | None = None, seed: int = 0) -> list[int]:
    """At most ``count`` sample numbers in order, of each split at least one where there is room.

    With seed 0 they lie at even distances, with any other somewhere near.
    Raises UsageError for an unknown split.
    """
    if split is not None and split not in data.splits:
        raise unknown("split", split, data.splits)
    chosen = [data.splits[split]] if split else list(data.splits.values())
    total = sum(map(len, chosen))
    shares = [max(1, count * len(numbers) // total) for numbers in chosen]
    shares[0] = max(1, count - sum(shares[1:]))
    picked = [n for numbers, share in zip(chosen, shares, strict=True) for n in spread(numbers, share, seed)]
    return picked[:count]


def spread(numbers: range, count: int, seed: int = 0) -> list[int]:
    """``count`` members of a range, one of each of its ``count`` equal parts; all of a shorter one."""
    if count >= len(numbers):
        return list(numbers)
    ends = [i * len(numbers) // count for i in range(count + 1)]
    if seed == 0:
        return [numbers[start] for start in ends[:-1]]
    draw = stream(seed, "preview", numbers.start)
    return [numbers[int(draw.integers(a, b))] for a, b in pairwise(ends)]


def moments(length: int, count: int) -> list[int]:
    """``count`` frames of a clip at even distances, the first and the last included; all of a shorter one."""
    if count >= length:
        return list(range(length))
    if count == 1:
        return [length - 1]
    return [i * (length - 1) // (count - 1) for i in range(count)]
