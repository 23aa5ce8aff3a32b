"""Shuffling without a list: a seeded permutation computed position by position, and fair shares of it.

Being functions, they make resuming exact and cheap: a saved position is one number, whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.seeds import seed64

Ints = npt.NDArray[np.int64]
ROUNDS = 8
BLOCK = 4096  # positions permuted at once: fills numpy's calls, costs no memory


@dataclass(frozen=True, slots=True)
class Permutation:
    """A pseudo-random permutation of 0 .. n-1 that needs no memory (a Feistel network with cycle walking).

    The same (n, seed) gives the same permutation everywhere. Position -> element, vectorised.
    """

    n: int
    seed: int
    _half: np.uint64 = field(init=False, repr=False)
    _keys: npt.NDArray[np.uint64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        bits = max(2, (self.n - 1).bit_length())
        object.__setattr__(self, "_half", np.uint64((bits + 1) // 2))
        keys = [seed64(self.seed, "permutation", r) for r in range(ROUNDS)]
        object.__setattr__(self, "_keys", np.array(keys, np.uint64))

    def __call__(self, positions: npt.ArrayLike) -> Ints:
        """Elements at ``positions`` (ints [K], each in 0 .. n-1) as int64 [K]."""
        values = np.array(positions, dtype=np.uint64, ndmin=1)
        outside = np.arange(len(values))
        while len(outside):
            values[outside] = self._mix(values[outside])
            outside = outside[values[outside] >= self.n]
        return values.astype(np.int64)

    def _mix(self, x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        mask = (np.uint64(1) << self._half) - np.uint64(1)
        left, right = x >> self._half, x & mask
        for key in self._keys:
            left, right = right, left ^ (_scramble(right + key) & mask)
        return (left << self._half) | right


def _scramble(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finalizer: every input bit reaches every output bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Share:
    """One rank's part of ``n`` positions from ``done`` on: ``done + rank``, ``done + rank + world``, ...

    Ranks advance together, so what is left after k steps of each begins at ``done + k * world``, and may be
    shared anew by another number of ranks. See ``view.Order`` for ``remainder``.
    """

    n: int
    rank: int
    world: int
    remainder: str
    done: int = 0

    def __len__(self) -> int:
        rest = max(0, self.n - self.done)
        if self.remainder == "keep":
            return max(0, -(-(rest - self.rank) // self.world))
        return rest // self.world if self.remainder == "drop" else -(-rest // self.world)

    def positions(self) -> Iterator[Ints]:
        """The positions in order, in blocks; with "pad" they wrap to the epoch's first."""
        for first in range(0, len(self), BLOCK):
            steps = np.arange(first, min(first + BLOCK, len(self)), dtype=np.int64)
            yield (self.done + self.rank + steps * self.world) % self.n


def equal_slices(n: int, world: int, remainder: str) -> list[tuple[int, int]]:
    """Cut 0 .. n-1 into ``world`` neighbouring slices [start, stop), by the policy ``remainder``.

    With "pad" the last slices reach beyond n: positions there are meant modulo n.
    """
    if remainder == "keep":
        return [(r * n // world, (r + 1) * n // world) for r in range(world)]
    each = n // world if remainder == "drop" else -(-n // world)
    return [(r * each, (r + 1) * each) for r in range(world)]


def worker_slice(start: int, stop: int, worker: int, workers: int, batch: int) -> tuple[int, int]:
    """Worker ``worker``'s part of [start, stop): whole batches, so that only the last of all is partial."""
    batches = -(-(stop - start) // batch)
    low, high = worker * batches // workers, (worker + 1) * batches // workers
    return min(start + low * batch, stop), min(start + high * batch, stop)


def check_state(kind: str, saved: object, here: dict[str, object]) -> None:
    """Raise UsageError naming the first key in which a saved state belongs to something else."""
    if not isinstance(saved, dict):
        raise UsageError(f"a {kind}'s state is a dict from its state_dict(), not {type(saved).__name__}.")
    for key, value in here.items():
        if saved.get(key) != value:
            raise UsageError(
                f"this state is not of this {kind}: {key} was {saved.get(key)!r} and is {value!r}. "
                "Make it with the same data, view and order, or start the epoch anew."
            )
