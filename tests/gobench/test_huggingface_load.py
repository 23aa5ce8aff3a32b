"""A built folder in Hugging Face ``datasets``: the real library, offline, with caches in a tmp folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import card, croissant
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.codec import codec
from gobench.dataset import Dataset, open_dataset
from gobench.registry import domain

datasets = pytest.importorskip("datasets")
Built = Callable[[str], Path]
Load = Callable[..., Any]
CODECS = ["h264", "moves", "png"]


@pytest.fixture(scope="module")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """``built("h264")``: a folder of 24 real games, 64 pixels, with its card."""
    go = domain("go")
    options = {"size": 64, "sources": [{"kind": "sgf", "paths": [str(data / "go9_katago_sgf.zip")]}]}
    core = {"episodes": 24, "shard_size": 10, "splits": {"train": 0.8, "test": 0.2}}

    @cache
    def folder(name: str) -> Path:
        out = tmp_path_factory.mktemp("hub") / name
        config = configure(go, "go9-sgf", core | {"codec": name}, options)
        build(go, config, out, extras=(card.extra, croissant.extra))
        return out

    return folder


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """``load_dataset`` with a cache of its own."""
    datasets.disable_progress_bars()
    yield lambda *args, **options: datasets.load_dataset(*args, cache_dir=str(tmp_path / "cache"), **options)
    datasets.enable_progress_bars()


def unread(table: Any) -> Any:
    """The same rows with videos as bytes."""
    columns = table.features or {}
    return table.cast_column("mp4", datasets.Video(decode=False)) if "mp4" in columns else table


def frames_of(row: dict[str, Any], name: str) -> Any:
    """What the documentation tells users to do with a row."""
    if name == "moves":
        return domain("go").clip(row["json"]).rgb()
    if name == "png":
        return codec("png").decode({"frames.zip": row["frames.zip"]})
    return codec(name).decode({"mp4": row["mp4"]["bytes"]})


def check(row: dict[str, Any], data: Dataset, number: int, name: str) -> None:
    stored = data.read(number)
    assert row["__key__"] == stored.key
    assert row["json"] == stored.record()
    assert np.array_equal(frames_of(row, name), data.frames(stored))
    if name != "moves":
        last = domain("go").clip(stored.record()).rgb()[-1]
        assert np.array_equal(np.asarray(row["png"].convert("RGB")), last)


@pytest.mark.parametrize("name", CODECS)
def test_a_folder_loads_with_its_splits_and_declared_types(built: Built, load: Load, name: str) -> None:
    data = open_dataset(built(name))
    loaded = load(str(built(name)))
    assert {split: len(rows) for split, rows in loaded.items()} == {s: len(r) for s, r in data.splits.items()}
    for split, numbers in data.splits.items():
        rows = unread(loaded[split])
        declared = datasets.Features.from_dict(dict(domain("go").features()))
        assert rows.features["json"] == declared
        for i in range(0, len(rows), 4):
            check(rows[i], data, numbers[i], name)


@pytest.mark.parametrize("name", CODECS)
def test_a_folder_streams_and_resumes(built: Built, load: Load, name: str) -> None:
    data = open_dataset(built(name))
    stream = unread(load(str(built(name)), split="train", streaming=True))
    assert stream.features["json"]["targets"] == datasets.List(datasets.Value("int64"))
    running = iter(stream)
    head = [next(running)["__key__"] for _ in range(5)]
    state = stream.state_dict()
    again = unread(load(str(built(name)), split="train", streaming=True))
    again.load_state_dict(state)
    rows = list(again)
    assert head + [row["__key__"] for row in rows] == [s.key for s in data.samples("train")]
    check(rows[0], data, 5, name)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", CODECS)
def test_shards_load_by_the_webdataset_builder(built: Built, load: Load, name: str, streaming: bool) -> None:
    data = open_dataset(built(name))
    files = {s: sorted(map(str, built(name).glob(f"data/{s}-*.tar"))) for s in data.splits}
    loaded = load("webdataset", data_files=files, streaming=streaming)
    for split, numbers in data.splits.items():
        rows = list(unread(loaded[split]))
        assert len(rows) == len(numbers)
        check(rows[0], data, numbers[0], name)
        check(rows[-1], data, numbers[-1], name)


def test_streams_feed_data_loader_workers(built: Built, load: Load) -> None:
    from torch.utils.data import DataLoader

    stream = load(str(built("h264")), split="train", streaming=True).select_columns(["__key__"])
    assert stream.num_shards == 2
    keys = [row["__key__"] for row in DataLoader(stream, batch_size=None, num_workers=2)]
    assert sorted(keys) == [s.key for s in open_dataset(built("h264")).samples("train")]


def test_videos_are_a_video_column_that_needs_no_decoder_until_it_is_read(built: Built, load: Load) -> None:
    rows = load(str(built("h264")), split="test")
    assert isinstance(rows.features["mp4"], datasets.Video)
    assert rows.remove_columns("mp4")[0]["__key__"] == rows["__key__"][0]
    if find_spec("torchcodec") is None:
        with pytest.raises(ImportError, match="torchcodec"):
            rows[0]
    assert "torchcodec" not in sys.modules


def test_a_table_of_moves_maps_to_frames(built: Built, load: Load) -> None:
    """A filter on the records, then pictures of what is left: no pictures were ever stored."""
    rows = load(str(built("moves")), split="train").filter(lambda row: row["json"]["frames"] > 60)
    assert 0 < len(rows) < len(open_dataset(built("moves")).splits["train"])
    assert domain("go").clip(rows[0]["json"]).rgb(-1).shape == (1, 64, 64, 3)
