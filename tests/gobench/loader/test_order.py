from collections import Counter

import numpy as np
import pytest

from gobench.loader.order import Permutation, Share, equal_slices, worker_slice


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 17, 1000, 4097])
def test_a_permutation_holds_every_element_once(n: int) -> None:
    assert sorted(Permutation(n, 7)(np.arange(n)).tolist()) == list(range(n))


def test_a_permutation_is_a_function_of_n_and_seed() -> None:
    a = Permutation(1000, 1)(np.arange(1000))
    assert np.array_equal(a, Permutation(1000, 1)(np.arange(1000)))
    assert not np.array_equal(a, Permutation(1000, 2)(np.arange(1000)))
    assert Permutation(1000, 1)([17, 3]).tolist() == [a[17], a[3]]


def test_permutations_favour_no_place() -> None:
    """Where element 0 of 7 ends up over 3,500 seeds: chi-squared, 6 degrees of freedom, p 0.001."""
    seen = Counter(int(np.argmin(Permutation(7, seed)(np.arange(7)))) for seed in range(3500))
    assert sum((seen[i] - 500) ** 2 / 500 for i in range(7)) < 22.5


def test_neighbours_are_torn_apart() -> None:
    order = Permutation(100_000, 3)(np.arange(100_000))
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(np.arange(100_000), order)[0, 1]) < 0.02


def taken(n: int, world: int, remainder: str, done: int = 0) -> list[list[int]]:
    shares = [Share(n, rank, world, remainder, done) for rank in range(world)]
    lists = [[p for block in share.positions() for p in block.tolist()] for share in shares]
    assert [len(share) for share in shares] == [len(one) for one in lists]
    return lists


@pytest.mark.parametrize("world", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [1, 6, 20, 21, 5000])
def test_ranks_share_an_epoch_by_policy(n: int, world: int) -> None:
    keep, drop, pad = (taken(n, world, policy) for policy in ("keep", "drop", "pad"))
    assert sorted(p for one in keep for p in one) == list(range(n))
    assert max(map(len, keep)) - min(map(len, keep)) <= 1
    assert {len(one) for one in drop} == {n // world}
    assert sorted(p for one in drop for p in one) == list(range(n // world * world))
    assert {len(one) for one in pad} == {-(-n // world)}
    assert {p for one in pad for p in one} == set(range(n))


@pytest.mark.parametrize("policy", ["keep", "drop", "pad"])
def test_another_number_of_ranks_goes_on_where_the_first_stopped(policy: str) -> None:
    before = [one[:4] for one in taken(100, 3, policy)]
    after = taken(100, 5, policy, done=12)
    seen = [p for one in before + after for p in one]
    assert len(seen) == len(set(seen)) or policy == "pad"
    assert set(seen) >= set(range(100 if policy != "drop" else 97))


@pytest.mark.parametrize("policy", ["keep", "drop", "pad"])
@pytest.mark.parametrize(
    ("n", "world", "workers", "batch"), [(100, 1, 1, 8), (101, 3, 2, 8), (7, 2, 4, 4), (50, 4, 3, 1)]
)
def test_slices_of_ranks_and_workers_join_without_gap_or_overlap(
    policy: str, n: int, world: int, workers: int, batch: int
) -> None:
    slices = equal_slices(n, world, policy)
    covered = [p for a, b in slices for p in range(a, b)]
    assert covered == list(range(len(covered)))
    assert len(covered) == {"keep": n, "drop": n // world * world, "pad": -(-n // world) * world}[policy]
    for start, stop in slices:
        parts = [worker_slice(start, stop, w, workers, batch) for w in range(workers)]
        assert [p for a, b in parts for p in range(a, b)] == list(range(start, stop))
        assert sum((b - a) % batch != 0 for a, b in parts) <= 1
