"""Map-style clips over episodes in memory, whose frames say which episode and frame they are."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gobench.errors import DataError, UsageError
from gobench.loader import ClipDataset, ClipSampler, Order, View, collate, make_loader
from gobench.loader.augment import transform
from gobench.loader.resize import resized

Make = Callable[..., Any]


def names(item: dict[str, Any]) -> list[tuple[int, int]]:
    """(episode, frame) of each frame of a clip."""
    return [(int(f[0, 0, 0]), int(f[0, 0, 1])) for f in item["frames"]]


def test_a_clip_holds_the_frames_its_number_means(episodes: Make) -> None:
    dataset = ClipDataset(episodes([5, 9, 2]), view=View(3, stride=2, hop=1, record=True))
    assert len(dataset) == 1 + 5
    item = dataset[3]
    assert item["key"] == "go-000000001"
    assert item["start"] == 2
    assert names(item) == [(1, 2), (1, 4), (1, 6)]
    assert item["frames"].dtype == torch.uint8
    assert item["frames"].shape == (3, 8, 8, 3)
    assert item["record"] == {"key": "go-000000001", "frames": 9}
    assert set(item) == {"frames", "key", "start", "record"}
    assert names(dataset[-1]) == names(dataset[5])
    with pytest.raises(IndexError):
        dataset[6]


def test_short_episodes_repeat_their_last_frame_under_a_mask(episodes: Make) -> None:
    dataset = ClipDataset(episodes([3, 8]), view=View(4, stride=2, short="pad"))
    assert names(dataset[0]) == [(0, 0), (0, 2), (0, 2), (0, 2)]
    assert dataset[0]["mask"].tolist() == [True, True, False, False]
    assert dataset[1]["mask"].all()


def test_frames_are_mirrored_as_drawn_and_differently_each_epoch(episodes: Make) -> None:
    plain = ClipDataset(episodes([40]), view=View(1))
    dataset = ClipDataset(episodes([40]), view=View(1, symmetry="dihedral", seed=3))
    seen = []
    for epoch in (0, 1):
        dataset.set_epoch(epoch)
        for i in range(40):
            k = dataset[i]["symmetry"]
            shown = transform(plain[i]["frames"].numpy(), k)
            assert np.array_equal(dataset[i]["frames"].numpy(), shown)
            seen.append(k)
    assert seen[:40] != seen[40:]


def test_planes_come_without_conversion_and_resize(episodes: Make) -> None:
    source = episodes([6], name="h264")
    planes = source.codec.decode(source.samples[0].members, 2, 6, 2, "yuv")
    item = ClipDataset(source, view=View(2, stride=2, form="yuv", hop=2))[1]
    assert set(item) == {"y", "u", "v", "key", "start"}
    for name, plane in zip("yuv", planes, strict=True):
        assert np.array_equal(item[name].numpy(), plane)
    small = ClipDataset(source, view=View(2, stride=2, form="yuv", hop=2, size=4))[1]
    assert small["y"].shape == (2, 4, 4)
    assert np.array_equal(small["u"].numpy(), resized(planes.u, 2, 2))


def test_resized_frames_are_the_mean_of_the_stored_ones(episodes: Make) -> None:
    source = episodes([4])
    full, small = (ClipDataset(source, view=View(4, size=size)) for size in (None, (4, 2)))
    assert np.array_equal(small[0]["frames"].numpy(), resized(full[0]["frames"].numpy(), 4, 2))


def test_frames_that_are_not_square_cannot_be_turned(episodes: Make) -> None:
    source = episodes([64], height=8, width=12)
    with pytest.raises(DataError, match=r"8x12.*'flips'"):
        [ClipDataset(source, view=View(1, symmetry="dihedral"))[i] for i in range(64)]
    assert ClipDataset(source, view=View(1, symmetry="flips"))[0]["frames"].shape == (1, 8, 12, 3)
    assert ClipDataset(source, view=View(1, size=8, symmetry="dihedral"))[63]["frames"].shape == (1, 8, 8, 3)


def test_damage_is_named_by_shard_and_key(episodes: Make) -> None:
    source = episodes([6, 6])
    broken = source.samples[1]
    source.samples[1] = type(broken)(broken.key, broken.shard, {**broken.members, "mp4": b"nonsense"})
    dataset = ClipDataset(source, view=View(2))
    assert names(dataset[0]) == [(0, 0), (0, 1)]
    with pytest.raises(DataError, match=r"memory\.tar: go-000000001: mp4"):
        dataset[3]
    with pytest.raises(DataError, match=r"memory\.tar: go-000000001"):
        list(make_loader(dataset, 2, workers=1))


def test_an_index_that_promises_too_much_is_damage(episodes: Make) -> None:
    source = episodes([6])
    source.frames = np.array([9])
    with pytest.raises(DataError, match=r"go-000000000: frames 6\.\.8"):
        ClipDataset(source, view=View(3))[2]


def clips_of(sampler: ClipSampler) -> list[int]:
    return list(sampler)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_samplers_of_all_ranks_take_every_clip_once(episodes: Make, world: int) -> None:
    dataset = ClipDataset(episodes([7, 9, 12]), view=View(2, hop=1))
    samplers = [ClipSampler(dataset, Order(seed=1, rank=r, world=world)) for r in range(world)]
    for epoch in (0, 1):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        taken = [clips_of(s) for s in samplers]
        assert [len(s) for s in samplers] == [len(t) for t in taken]
        assert sorted(i for one in taken for i in one) == list(range(len(dataset)))
    unshuffled = ClipSampler(dataset, Order(shuffle=False))
    assert clips_of(unshuffled) == list(range(len(dataset)))


def test_a_sampler_goes_on_exactly_where_its_state_was_taken(episodes: Make) -> None:
    dataset = ClipDataset(episodes([30]), view=View(1))
    first = ClipSampler(dataset, Order(seed=2))
    first.set_epoch(4)
    running = iter(first)
    head = [next(running) for _ in range(11)]
    state = json.loads(json.dumps(first.state_dict()))
    second = ClipSampler(dataset, Order(seed=2))
    second.load_state_dict(state)
    second.set_epoch(4)  # as training loops do: the same epoch changes nothing
    assert len(second) == 19
    assert head + clips_of(second) == clips_of(first)
    second.set_epoch(5)
    assert len(second) == 30


def test_another_number_of_ranks_goes_on_together(episodes: Make) -> None:
    dataset = ClipDataset(episodes([40]), view=View(1))

    def samplers(world: int) -> list[ClipSampler]:
        return [ClipSampler(dataset, Order(seed=2, rank=r, world=world)) for r in range(world)]

    running = [(s, iter(s)) for s in samplers(2)]
    head = [next(i) for _, i in running for _ in range(7)]
    state = running[0][0].state_dict()
    assert state == running[1][0].state_dict()
    after = samplers(3)
    for sampler in after:
        sampler.load_state_dict(state)
    assert sorted(head + [n for s in after for n in s]) == list(range(40))


def test_states_of_other_data_views_and_orders_are_refused(episodes: Make) -> None:
    state = ClipSampler(ClipDataset(episodes([30]), view=View(2)), Order(seed=2)).state_dict()
    for view, order, told in [
        (View(3), Order(seed=2), "clips"),
        (View(2, size=4), Order(seed=2), "view"),
        (View(2), Order(seed=3), "order"),
    ]:
        with pytest.raises(UsageError, match=told):
            ClipSampler(ClipDataset(episodes([30]), view=view), order).load_state_dict(state)
    with pytest.raises(UsageError, match="not list"):
        ClipSampler(ClipDataset(episodes([30]))).load_state_dict([])  # type: ignore[arg-type]


def test_collate_stacks_tensors_and_lists_the_rest(episodes: Make) -> None:
    dataset = ClipDataset(episodes([9]), view=View(3, short="pad", symmetry="flips", record=True))
    batch = collate([dataset[i] for i in range(3)])
    assert batch["frames"].shape == (3, 3, 8, 8, 3)
    assert batch["mask"].shape == (3, 3)
    assert batch["start"].tolist() == [0, 3, 6]
    assert batch["symmetry"].dtype == torch.int64
    assert batch["key"] == ["go-000000000"] * 3
    assert [r["frames"] for r in batch["record"]] == [9, 9, 9]


def test_a_dataset_travels_by_pickle(episodes: Make) -> None:
    dataset = ClipDataset(episodes([9]), view=View(3))
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[2]["frames"], dataset[2]["frames"])
