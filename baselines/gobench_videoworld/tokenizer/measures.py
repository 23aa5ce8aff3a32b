"""What a tokenizer is worth to those who learn from its tokens, as numbers of arrays.

A token is good where it tells what is there, and says nothing else: two frames in which the same stands should have the same
tokens, and a move should change the tokens of the cells that it changes. ``churn`` and ``excess`` measure what is said beyond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench_videoworld.data.patches import NOISE, cut_up

Ints: TypeAlias = npt.NDArray[np.integer[Any]]
Reader: TypeAlias = Callable[[Array], Ints]
"""Frames uint8 [N, H, W, 3] -> what stands in them, [N, cells]."""


def exact(read: Reader, drawn: Array, states: Ints) -> float:
    """Share of frames, drawn again from their tokens, in which the reader sees the same as in the frames as stored.

    Args:
        drawn: uint8 [N, H, W, 3], of the size that the reader knows.
        states: [N, cells], what it sees in the frames as stored.
    """
    return float((read(drawn) == states).all(axis=1).mean())


def psnr(seen: Array, drawn: Array) -> float:
    """Peak signal to noise of 8-bit frames, in dB; 138 where they are equal."""
    error = np.square(seen.astype(np.float64) - drawn).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def used(tokens: Ints, vocabulary: int) -> float:
    """Share of the vocabulary that occurs among tokens of any shape."""
    return len(np.unique(tokens)) / vocabulary


def perplexity(values: Iterable[Hashable]) -> float:
    """2 to the entropy of how often each value comes: 1 where there is one value, n for n equally common ones."""
    counts = np.array(list(Counter(values).values()), np.float64)
    shares = counts / counts.sum()
    return float(2.0 ** -(shares * np.log2(shares)).sum())


def churn(before: Ints, after: Ints, cells: int) -> float:
    """Tokens that change for each cell that changes, between frames that follow each other.

    Args:
        before, after: tokens [N, S].
        cells: how many cells (or patches, see ``changed_patches``) change in all N steps.

    Returns:
        1 where a token stands for a cell and for nothing else; NaN where no cell changes.
    """
    return int(np.count_nonzero(before != after)) / cells if cells else float("nan")


def changed_patches(before: Array, after: Array, grid: tuple[int, int], noise: int = NOISE) -> int:
    """How many patches differ in some pixel by more than ``noise`` grey levels: uint8 [N, h, w, 3] at the working size."""
    apart = np.maximum(before, after) - np.minimum(before, after)
    return int(np.count_nonzero(cut_up(apart, grid).max(axis=(3, 4, 5)) > noise))


def excess(tokens: Ints, states: Ints) -> float:
    """Nats a frame of tokens that do not follow from what stands at their sites: the sum over sites of H(token | state).

    Frames are a sample, so each entropy is the plug-in estimate with the correction of Miller and Madow (1955): half a nat
    for each token beyond the first, over the number of frames. It is exactly 0 where every state has one token at each site.

    The state is that of the token's own cell, since that is all that a local encoder could tell. What a wider encoder says
    about neighbours counts, too, though it follows from the whole frame: a learner has to find that out.

    Args:
        tokens: [N, S].
        states: [N, S], of the cell at each token's site.
    """
    frames = len(tokens)
    total = 0.0
    for own, state in zip(tokens.T, states.T, strict=True):
        both, counts = np.unique(np.stack([state, own]), axis=1, return_counts=True)
        kinds, of = np.unique(both[0], return_inverse=True)
        sums = np.bincount(of, counts)
        plug_in = -(counts * np.log(counts / sums[of])).sum() / frames
        total += float(plug_in) + (len(counts) - len(kinds)) / (2 * frames)
    return total
