"""The ``webdataset`` pipeline, with the real library."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench.loader import webdataset
from gobench.registry import domain

Built = Callable[[str], Path]


@pytest.mark.parametrize("codec", ["moves", "png", "h264"])
def test_samples_are_whole_episodes_in_order(built: Built, codec: str) -> None:
    data = open_dataset(built(codec))
    samples = list(webdataset(built(codec), "train"))
    assert [s["__key__"] for s in samples] == [s.key for s in data.samples("train")]
    for made, stored in list(zip(samples, data.samples("train"), strict=True))[::6]:
        assert made["json"] == stored.record()
        assert np.array_equal(made["frames"].numpy(), data.frames(stored))
        if codec != "moves":
            last = domain("go").clip(stored.record()).rgb()[-1]
            assert np.array_equal(made["png"].numpy(), last)


def test_planes_and_sizes(built: Built) -> None:
    sample = next(iter(webdataset(built("h264"), "test", "yuv", size=32)))
    frames = sample["json"]["frames"]
    assert {n: tuple(sample[n].shape) for n in "yuv"} == {
        "y": (frames, 32, 32),
        "u": (frames, 16, 16),
        "v": (frames, 16, 16),
    }
    assert sample["y"].dtype == torch.uint8


def test_it_is_a_pipeline_like_any_other_and_runs_in_workers(built: Built) -> None:
    import webdataset as wds

    made = webdataset(built("moves"), "train", shardshuffle=10, seed=1)
    assert isinstance(made, wds.WebDataset)
    last = made.shuffle(8).map(lambda s: (s["__key__"], s["frames"][-1])).batched(4)
    keys = [key for names, frames in DataLoader(last, batch_size=None, num_workers=2) for key in names]
    assert sorted(keys) == sorted(s.key for s in open_dataset(built("moves")).samples("train"))


def test_lists_of_shards_know_their_folder_or_are_told(built: Built, tmp_path: Path) -> None:
    shards = sorted(built("moves").glob("data/train-*.tar"))
    count = open_dataset(built("moves")).shards[0].count
    assert len(list(webdataset(shards[:1]))) == count
    alone = shutil.copy(shards[0], tmp_path / "alone.tar")
    with pytest.raises(UsageError, match="codec="):
        webdataset(alone)
    with pytest.raises(UsageError, match="domain="):
        webdataset(alone, codec="moves")
    assert len(list(webdataset(str(alone), codec="moves", domain=domain("go")))) == count


@pytest.mark.parametrize(
    "url", ["pipe:touch {}", "file:///etc/hostname", "https://host/a.tar", "gs://b/c.tar"]
)
def test_urls_are_never_opened(url: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for source in (url.format(mark), [url.format(mark)]):
        with pytest.raises(UsageError, match="only local files"):
            list(webdataset(source))
    assert not mark.exists()


def test_a_path_that_looks_like_a_command_is_a_path(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    strange = tmp_path / "pipe:touch mark"
    strange.write_bytes(bytes(1024))
    assert list(webdataset(strange, codec="png", empty_check=False)) == []
    assert not mark.exists()


def test_missing_and_broken_shards_are_named(built: Built, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Known: test, train"):
        webdataset(built("moves"), "valid")
    with pytest.raises(UsageError, match=r"none\.tar is no file"):
        webdataset([tmp_path / "none.tar"])
    with pytest.raises(UsageError, match="empty"):
        webdataset([])
    copy = shutil.copytree(built("h264"), tmp_path / "copy")
    shard = next(copy.glob("data/train-*.tar"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=shard.name):
        webdataset(copy)
    with pytest.raises(DataError, match=shard.name):
        list(webdataset([shard]))
    broken = bytearray(whole)
    at = broken.index(b"avcC")
    broken[at + 40 :] = broken[at + 40 :].replace(b"mdat", b"tadm", 1)
    first = broken.index(b"tadm")
    broken[first : first + 400] = bytes(400)
    shard.write_bytes(broken)
    with pytest.raises(DataError, match=rf"{shard.name}: go-\d+"):
        list(webdataset([shard]))
