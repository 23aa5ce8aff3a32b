"""What codes are worth, as numbers of arrays: what can be drawn from them, how they are used, what they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gobench_videoworld.tokenizer.measures import Ints, perplexity

Bools = npt.NDArray[np.bool_]


class Steps(NamedTuple):
    """Of B windows and K offsets; a site is a token, or a cell where frames are read.

    Only steps count whose frame is ``there``.
    """

    before: Ints  # [B, K, S], frame t + o - 1
    after: Ints  # [B, K, S], frame t + o
    drawn: Ints  # [B, K, S], frame t + o as it comes back from its code
    there: Bools  # [B, K]


def drawing(steps: Steps) -> dict[str, float]:
    """How often frames come back exactly; NaN where there are none of a kind.

    Codes that skip frames (1, 3, 5 ahead) may not tell what happened in between: frames of the first code, which skips none,
    have numbers of their own.

    Returns:
        "exact", the share of all frames, and "exact_captures", of those where more than one site changed (in Go, where a move
        takes stones); "exact1" and "exact1_captures", the same of the first code's; "captures", the share of such frames.
    """
    same = (steps.drawn == steps.after).all(2)
    captures = np.count_nonzero(steps.before != steps.after, axis=2) > 1
    first = np.arange(same.shape[1]) == 0
    return {
        "exact": _mean(same[steps.there]),
        "exact_captures": _mean(same[steps.there & captures]),
        "exact1": _mean(same[steps.there & first]),
        "exact1_captures": _mean(same[steps.there & captures & first]),
        "captures": _mean(captures[steps.there]),
    }


def used(codes: Ints, there: Bools, sizes: Sequence[int]) -> dict[str, float]:
    """How codes int64 [B, K, D] are used, those of all offsets together.

    Returns:
        "perplexity" of whole codes; "digitN_used", the share of its ``sizes[N - 1]`` values that occur; and
        "digitN_perplexity". All NaN where no frame is there.
    """
    digits = codes[there]
    found = {"perplexity": _perplexity([tuple(row) for row in digits.tolist()])}
    for number, (own, size) in enumerate(zip(digits.T.tolist(), sizes, strict=True), 1):
        found[f"digit{number}_used"] = len(set(own)) / size if own else float("nan")
        found[f"digit{number}_perplexity"] = _perplexity(own)
    return found


def purity(codes: Sequence[Hashable], actions: Sequence[Hashable]) -> float:
    """Share whose action is the commonest one of their code.

    The other way round, ``purity(actions, codes)``, it is how far an action has one code: 1 where no two codes mean the same.
    """
    return sum(max(Counter(own).values()) for own in _grouped(codes, actions)) / len(codes)


def purity_held_out(codes: Sequence[Hashable], actions: Sequence[Hashable], episodes: Sequence[int]) -> float:
    """``purity`` of episodes with odd numbers, by what codes stand for in those with even ones; NaN without either."""
    own = [(c, a) for c, a, e in zip(codes, actions, episodes, strict=True) if e % 2 == 0]
    asked = [(c, a) for c, a, e in zip(codes, actions, episodes, strict=True) if e % 2]
    meant = _meanings(own)
    if not asked or not meant:
        return float("nan")
    return sum(meant.get(code) == action for code, action in asked) / len(asked)


def _meanings(pairs: Sequence[tuple[Hashable, Hashable]]) -> Mapping[Hashable, Hashable]:
    """Code -> its commonest action, the first of equally common ones."""
    tables: dict[Hashable, Counter[Hashable]] = {}
    for code, action in pairs:
        tables.setdefault(code, Counter())[action] += 1
    return {code: counts.most_common(1)[0][0] for code, counts in tables.items()}


def _grouped(codes: Sequence[Hashable], actions: Sequence[Hashable]) -> Iterator[list[Hashable]]:
    found: dict[Hashable, list[Hashable]] = {}
    for code, action in zip(codes, actions, strict=True):
        found.setdefault(code, []).append(action)
    yield from found.values()


def _perplexity(values: Sequence[Hashable]) -> float:
    return perplexity(values) if values else float("nan")


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
