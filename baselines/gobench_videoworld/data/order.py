"""Which samples a step sees: epochs are permutations, and ranks get slices of what one process would see."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.loader.order import Permutation
from gobench.seeds import seed64

Ints = npt.NDArray[np.int64]


def dealt(n: int, seed: int, step: int, size: int, rank: int = 0, world: int = 1) -> tuple[Ints, Ints]:
    """This rank's samples in a step.

    Args:
        n: how many samples there are, >= 1.
        size: samples of the step over all ranks, a multiple of ``world``.

    Returns:
        (epoch, sample), int64 [size / world] each, 0 <= sample < n. Within an epoch each sample comes once.

    Raises:
        UsageError: a size that ranks cannot share.
    """
    if size < 1 or size % world:
        raise UsageError(f"a batch of {size} cannot be shared by {world} ranks: give a multiple of {world}.")
    each = size // world
    places = step * size + rank * each + np.arange(each, dtype=np.int64)
    epochs, within = np.divmod(places, n)
    numbers = np.empty(each, np.int64)
    for epoch in np.unique(epochs).tolist():
        here = epochs == epoch
        numbers[here] = Permutation(n, seed64(seed, "epoch", epoch))(within[here])
    return epochs, numbers


def symmetries(many: int, seed: int, epochs: Ints, numbers: Ints) -> Ints:
    """A symmetry 0 to ``many`` - 1 for each sample in its epoch, int64 [B]: another one in the next epoch."""
    if many == 1:
        return np.zeros(len(numbers), np.int64)
    mixed = numbers.astype(np.uint64)
    for epoch in np.unique(epochs).tolist():
        mixed[epochs == epoch] += np.uint64(seed64(seed, "symmetry", epoch))
    return (_scrambled(mixed) % np.uint64(many)).astype(np.int64)


def _scrambled(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finalizer."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
