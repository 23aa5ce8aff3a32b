"""Memory that is used again is never memory that somebody still looks at."""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gobench.errors import DataError
from gobench.loader import ClipDataset, ClipStream, Order, View, make_loader
from gobench.loader.trays import OwnRoom, Trays


@pytest.mark.parametrize("hold", ["tensor", "row", "array", "reshaped", "storage"])
def test_room_is_not_given_twice_while_anything_looks_at_it(hold: str) -> None:
    room = OwnRoom()
    first = room("frames", (4, 3)).fill_(7)
    kept: dict[str, Any] = {
        "tensor": first,
        "row": first[1],
        "array": first.numpy(),
        "reshaped": first.view(-1),
    }
    kept["storage"] = first.untyped_storage()
    looking = kept[hold]
    address = first.data_ptr()
    del first, kept
    gc.collect()
    assert room("frames", (4, 3)).data_ptr() != address
    del looking
    gc.collect()
    taken = [room("frames", (4, 3)) for _ in range(2)]
    assert address in [t.data_ptr() for t in taken]


def test_room_of_another_name_or_shape_is_other_room() -> None:
    room = OwnRoom()
    y, u = room("y", (2, 8)), room("u", (2, 4))
    small = room("y", (1, 8))
    assert len({y.data_ptr(), u.data_ptr(), small.data_ptr()}) == 3
    assert small.shape == (1, 8)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kind", [ClipDataset, ClipStream])
def test_batches_that_are_kept_do_not_change(episodes: Callable[..., Any], kind: Any, workers: int) -> None:
    source = episodes([30, 30])
    dataset = kind(source, view=View(2, hop=1))
    kept = list(make_loader(dataset, 3, workers=workers, prefetch=1))
    seen = set()
    for batch in kept:
        for key, start, frames in zip(batch["key"], batch["start"].tolist(), batch["frames"], strict=True):
            expected = [[int(key[-1]), start + t] for t in range(2)]
            assert frames[:, 0, 0, :2].tolist() == expected
            seen.add((key, start))
    assert len(seen) == 58


def test_a_worker_fills_its_trays_in_turn() -> None:
    trays = Trays.of({"frames": (2, 4, 4, 3)}, workers=1, prefetch=2, batch=3)
    assert trays.memory["frames"].shape == (1, 4, 3, 2, 4, 4, 3)
    shape = (3, 2, 4, 4, 3)
    places = [trays.room(turn)("frames", shape).data_ptr() for turn in range(5)]
    assert len(set(places)) == 4
    assert places[4] == places[0]
    with pytest.raises(DataError, match=r"size=\.\.\."):
        trays.room(0)("frames", (3, 2, 8, 8, 3))


def test_episodes_of_two_sizes_do_not_make_a_batch_unless_resized(episodes: Callable[..., Any]) -> None:
    source = episodes([4, 4])
    source.samples[1] = episodes([4, 4], height=8, width=16).samples[1]
    order = Order(shuffle=False)
    for workers in (0, 1):
        with pytest.raises(DataError, match=r"8x16 do not go into one batch with 8x8"):
            list(make_loader(ClipDataset(source, view=View(2)), 4, order=order, workers=workers))
    whole = next(iter(make_loader(ClipDataset(source, view=View(2, size=4)), 4, order=order)))
    assert whole["frames"].shape == (4, 2, 4, 4, 3)
    assert whole["frames"].dtype == torch.uint8
    assert np.array_equal(whole["start"], [0, 2, 0, 2])
