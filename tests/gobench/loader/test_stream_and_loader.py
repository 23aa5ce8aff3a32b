"""Streams, batches, shares and exact resuming, over episodes in memory; with real worker processes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from gobench.errors import UsageError
from gobench.loader import ClipDataset, ClipLoader, ClipStream, Order, View, collate, make_loader

Make = Callable[..., Any]
Clip = tuple[str, int]
FRAMES = [7, 9, 12, 1, 30, 8, 8, 21]
VIEW = View(3, stride=2, hop=2, symmetry="dihedral")


def name(item: dict[str, Any]) -> Clip:
    return item["key"], int(item["start"])


def unpacked(batches: Any) -> list[Clip]:
    return [(key, int(start)) for b in batches for key, start in zip(b["key"], b["start"], strict=True)]


def every(dataset: ClipDataset) -> list[Clip]:
    return sorted(name(dataset[i]) for i in range(len(dataset)))


def test_a_stream_gives_the_items_of_the_dataset(episodes: Make) -> None:
    source = episodes(FRAMES)
    dataset = ClipDataset(source, view=VIEW)
    by_name = {name(item): item for item in (dataset[i] for i in range(len(dataset)))}
    items = list(ClipStream(source, view=VIEW, order=Order(seed=1)))
    assert sorted(map(name, items)) == every(dataset)
    for item in items:
        twin = by_name[name(item)]
        assert item["symmetry"] == twin["symmetry"]
        assert torch.equal(item["frames"], twin["frames"])


def test_padded_and_recorded_clips_are_equal_too(episodes: Make) -> None:
    view = View(10, stride=2, short="pad", record=True, size=4)
    source = episodes(FRAMES)
    dataset, stream = (
        ClipDataset(source, view=view),
        ClipStream(source, view=view, order=Order(shuffle=False)),
    )
    for i, item in enumerate(stream):
        assert torch.equal(item["frames"], dataset[i]["frames"])
        assert torch.equal(item["mask"], dataset[i]["mask"])
        assert item["record"] == dataset[i]["record"]


def test_each_episode_is_read_once_an_epoch_and_order_changes_with_it(episodes: Make) -> None:
    source = episodes(FRAMES)
    stream = ClipStream(source, view=VIEW, order=Order(seed=1), mix=3)
    first = [name(i) for i in stream]
    assert source.reads == len(FRAMES) - 1  # one is too short
    assert stream.table.skipped == 1
    assert first == [name(i) for i in stream]
    stream.set_epoch(1)
    second = [name(i) for i in stream]
    assert first != second
    assert sorted(first) == sorted(second)


def test_without_shuffling_the_order_is_that_on_disk(episodes: Make) -> None:
    source = episodes(FRAMES)
    dataset = ClipDataset(source, view=VIEW)
    stream = ClipStream(source, view=VIEW, order=Order(shuffle=False), mix=3)
    assert [name(i) for i in stream] == [name(dataset[i]) for i in range(len(dataset))]


def test_clips_of_one_decode_do_not_share_memory(episodes: Make) -> None:
    items = list(ClipStream(episodes([20]), view=View(4, hop=1), order=Order(shuffle=False)))
    items[0]["frames"].zero_()
    assert items[1]["frames"].any()


@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
@pytest.mark.parametrize("world", [1, 2, 5])
def test_ranks_share_a_stream_by_policy(episodes: Make, world: int, remainder: str) -> None:
    source = episodes(FRAMES)
    total = len(ClipDataset(source, view=VIEW))
    orders = [Order(seed=1, rank=r, world=world, remainder=remainder) for r in range(world)]
    streams = [ClipStream(source, view=VIEW, order=o, mix=2) for o in orders]
    taken = [[name(i) for i in s] for s in streams]
    assert [len(s) for s in streams] == [len(t) for t in taken]
    seen = [clip for one in taken for clip in one]
    expected = {"keep": total, "drop": total // world * world, "pad": -(-total // world) * world}[remainder]
    assert len(seen) == expected
    assert len(set(seen)) == min(total, expected)


@pytest.mark.parametrize("stop", [0, 1, 5, 17])
def test_a_stream_goes_on_exactly_where_its_state_was_taken(episodes: Make, stop: int) -> None:
    source = episodes(FRAMES)

    def made() -> ClipStream:
        return ClipStream(source, view=VIEW, order=Order(seed=4, rank=1, world=2), mix=3)

    first = made()
    first.set_epoch(3)
    whole = [name(i) for i in first]
    running = iter(first)
    head = [name(next(running)) for _ in range(stop)]
    state = json.loads(json.dumps(first.state_dict()))
    second = made()
    second.load_state_dict(state)
    second.set_epoch(3)
    assert head + [name(i) for i in second] == whole
    assert [name(i) for i in second] == whole  # only the pass that was resumed is a part


def test_states_of_other_streams_are_refused(episodes: Make) -> None:
    source = episodes(FRAMES)
    state = ClipStream(source, view=VIEW, order=Order(rank=0, world=2)).state_dict()
    with pytest.raises(UsageError, match="slice"):
        ClipStream(source, view=VIEW, order=Order(rank=1, world=2)).load_state_dict(state)
    with pytest.raises(UsageError, match="mix"):
        ClipStream(source, view=VIEW, order=Order(rank=0, world=2), mix=2).load_state_dict(state)


def test_a_state_of_this_process_is_not_taken_for_that_of_a_worker(episodes: Make) -> None:
    stream = ClipStream(episodes(FRAMES), view=VIEW)
    running = iter(stream)
    next(running)
    stream.load_state_dict(stream.state_dict())
    with pytest.raises(UsageError, match="make_loader"):
        list(DataLoader(stream, batch_size=None, num_workers=2))


class PerWorkerState(IterableDataset[Any]):
    """What torchdata's StatefulDataLoader does: the dataset's state after each item, taken in the worker."""

    def __init__(self, stream: ClipStream, states: list[Any]) -> None:
        self.stream, self.states = stream, states

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        if self.states:
            self.stream.load_state_dict(self.states[info.id])
        for item in self.stream:
            yield info.id, name(item), self.stream.state_dict()


def test_states_taken_in_worker_processes_resume_there(episodes: Make) -> None:
    stream = ClipStream(episodes(FRAMES), view=VIEW, order=Order(seed=2), mix=2)

    def run(states: list[Any]) -> list[Any]:
        made = DataLoader(PerWorkerState(stream, states), batch_size=None, num_workers=2)
        return [(worker, tuple(n), state) for worker, n, state in made]

    whole = run([])
    assert len({n for _, n, _ in whole}) == len(whole) == len(stream)
    cut = [[(n, s) for w, n, s in whole if w == worker][:4] for worker in (0, 1)]
    rest = run([clips[-1][1] for clips in cut])
    assert sorted([n for clips in cut for n, _ in clips] + [n for _, n, _ in rest]) == sorted(
        n for _, n, _ in whole
    )


def loaders(source: Any, kind: str, workers: int, **more: Any) -> ClipLoader:
    if kind == "map":
        return make_loader(ClipDataset(source, view=VIEW), 4, order=Order(seed=6), workers=workers, **more)
    return make_loader(ClipStream(source, view=VIEW, order=Order(seed=6), mix=3), 4, workers=workers, **more)


@pytest.mark.parametrize("kind", ["map", "stream"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_every_clip_once_and_moves_to_the_next_epoch(
    episodes: Make, kind: str, workers: int
) -> None:
    source = episodes(FRAMES)
    loader = loaders(source, kind, workers)
    epochs = [unpacked(loader) for _ in range(2)]
    assert loader.epoch == 2
    assert sorted(epochs[0]) == sorted(epochs[1]) == every(ClipDataset(source, view=VIEW))
    assert epochs[0] != epochs[1]
    loader.set_epoch(0)
    sizes = [len(b["key"]) for b in loader]
    assert len(sizes) == len(loader)
    assert sorted(sizes)[1:] == [4] * (len(sizes) - 1)


@pytest.mark.parametrize("kind", ["map", "stream"])
@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("stop", [1, 6])
def test_a_loader_resumes_with_the_very_next_batch(
    episodes: Make, kind: str, workers: int, stop: int
) -> None:
    source = episodes(FRAMES)
    first = loaders(source, kind, workers, prefetch=3)
    first.set_epoch(2)
    running = iter(first)
    head = [next(running) for _ in range(stop)]
    state = json.loads(json.dumps(first.state_dict()))
    tail = list(running)
    second = loaders(source, kind, workers, prefetch=3)
    second.load_state_dict(state)
    assert second.epoch == 2
    again = list(second)
    assert [b["key"] for b in again] == [b["key"] for b in tail]
    for a, b in zip(again, tail, strict=True):
        assert torch.equal(a["frames"], b["frames"])
    assert unpacked(second) != unpacked(head + tail)
    assert second.epoch == 4


def test_a_map_loader_gives_the_same_batches_with_any_number_of_workers(episodes: Make) -> None:
    source = episodes(FRAMES)
    assert unpacked(loaders(source, "map", 0)) == unpacked(loaders(source, "map", 2))


def test_a_broken_off_pass_begins_anew(episodes: Make) -> None:
    loader = loaders(episodes(FRAMES), "stream", 0)
    first = next(iter(loader))
    assert next(iter(loader))["key"] == first["key"]
    assert loader.epoch == 0


def test_drop_last_leaves_out_the_incomplete_batch(episodes: Make) -> None:
    for kind in ("map", "stream"):
        loader = loaders(episodes(FRAMES), kind, 0, drop_last=True)
        assert [len(b["key"]) for b in loader] == [4] * len(loader)


def test_epochs_reach_persistent_workers_of_a_plain_data_loader(episodes: Make) -> None:
    stream = ClipStream(episodes(FRAMES), view=VIEW, order=Order(seed=1))
    plain = DataLoader(stream, batch_size=4, num_workers=1, persistent_workers=True, collate_fn=collate)
    first = unpacked(plain)
    stream.set_epoch(1)
    second = unpacked(plain)
    alone = ClipStream(stream.episodes, view=VIEW, order=Order(seed=1))
    assert first == [name(i) for i in alone]
    alone.set_epoch(1)
    assert second == [name(i) for i in alone]


def test_loaders_refuse_what_cannot_be(episodes: Make) -> None:
    stream = ClipStream(episodes(FRAMES), view=VIEW)
    for bad in ({"batch_size": 0}, {"batch_size": 1, "workers": -1}, {"batch_size": 1, "prefetch": 0}):
        with pytest.raises(UsageError, match="at least"):
            make_loader(stream, **bad)
    with pytest.raises(UsageError, match="its own order"):
        make_loader(stream, 4, order=Order())
    with pytest.raises(UsageError, match="mix"):
        ClipStream(episodes(FRAMES), mix=0)
    with pytest.raises(UsageError, match="workers"):
        make_loader(stream, 4, workers=2).load_state_dict(make_loader(stream, 4).state_dict())
