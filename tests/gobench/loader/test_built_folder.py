"""The loader on folders that the real build wrote: decode and render-on-read give the domain's own frames."""

import pickle
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench.loader import ClipDataset, ClipStream, Order, View, make_loader
from gobench.loader.resize import resized
from gobench.registry import domain

Built = Callable[[str], Path]


def truth(folder: Path, key: str) -> Any:
    """The clip that the domain draws of a shipped record."""
    return domain("go").clip(next(s for s in open_dataset(folder).samples() if s.key == key).record())


@pytest.mark.parametrize("codec", ["moves", "lossless", "png"])
def test_exact_codecs_give_the_pictures_that_the_domain_draws(built: Built, codec: str) -> None:
    folder = built(codec)
    dataset = ClipDataset(folder, "train", View(6, stride=3, hop=11, record=True))
    numbers = range(0, len(dataset), 5)
    for i in numbers:
        item = dataset[i]
        expected = truth(folder, item["key"]).rgb(item["start"], item["start"] + 16, 3)
        assert np.array_equal(item["frames"].numpy(), expected)
        assert item["record"]["key"] == item["key"]


def test_h264_gives_what_its_codec_decodes_in_both_forms(built: Built) -> None:
    folder = built("h264")
    data = open_dataset(folder)
    rgb, yuv = (ClipDataset(folder, "test", View(5, stride=2, form=form)) for form in ("rgb", "yuv"))
    for i in range(0, len(rgb), 3):
        sample = next(s for s in data.samples("test") if s.key == rgb[i]["key"])
        start = rgb[i]["start"]
        whole = data.codec.decode(sample.members, 0, None, 1, "rgb")
        assert np.array_equal(rgb[i]["frames"].numpy(), whole[start : start + 9 : 2])
        planes = data.codec.decode(sample.members, start, start + 9, 2, "yuv")
        assert all(np.array_equal(yuv[i][n].numpy(), p) for n, p in zip("yuv", planes, strict=True))


@pytest.mark.parametrize("codec", ["moves", "h264"])
def test_a_stream_of_a_folder_has_all_clips_of_the_dataset(built: Built, codec: str) -> None:
    view = View(8, hop=4, symmetry="dihedral", form="yuv")
    dataset, stream = (kind(built(codec), "train", view) for kind in (ClipDataset, ClipStream))
    by_name = {(i["key"], i["start"]): i for i in (dataset[n] for n in range(len(dataset)))}
    items = list(stream)
    assert len(items) == len(by_name) == len(stream)
    for item in items:
        twin = by_name[item["key"], item["start"]]
        assert all(torch.equal(item[plane], twin[plane]) for plane in "yuv")


def test_every_split_counts_its_own_frames(built: Built) -> None:
    folder = built("moves")
    table = open_dataset(folder).table()
    for split in ("train", "test"):
        frames = table[table.split == split].frames
        assert len(ClipDataset(folder, split, View(1))) == frames.sum()
        assert len(ClipDataset(folder, split, View(20))) == (frames // 20).sum()


class Handy:
    """The Go domain with the two short cuts that the loader uses where a domain offers them."""

    def __init__(self) -> None:
        self.go = domain("go")
        self.calls: list[str] = []

    def clip(self, record: Mapping[str, Any]) -> Any:
        return self.go.clip(record)

    def resize(self, record: Mapping[str, Any], size: int) -> Mapping[str, Any] | None:
        self.calls.append("resize")
        return {**record, "size": size} if size >= 36 else None

    def transform(self, record: Mapping[str, Any], k: int) -> Mapping[str, Any]:
        """Mirror the moves of a square board as ``gobench.loader.augment`` mirrors its picture."""
        self.calls.append("transform")
        n = record["rows"]

        def moved(point: int) -> int:
            if point == n * n:
                return point
            row, col = divmod(point, n)
            row, col = (col, row) if k & 4 else (row, col)
            return (n - 1 - row if k & 2 else row) * n + (n - 1 - col if k & 1 else col)

        return {**record, "moves": [moved(m) for m in record["moves"]]}


def test_a_domain_that_can_draw_records_larger_and_mirrored_is_asked_to(built: Built) -> None:
    folder, handy = built("moves"), Handy()
    plain = ClipDataset(folder, "train", View(3, symmetry="dihedral", record=True))
    large = ClipDataset(folder, "train", View(3, symmetry="dihedral", size=128, record=True), domain=handy)
    turned = 0
    for i in range(0, 40, 4):
        a, b = plain[i], large[i]
        assert b["frames"].shape == (3, 128, 128, 3)
        drawn = domain("go").clip(b["record"]).rgb(b["start"], b["start"] + 3)
        assert np.array_equal(b["frames"].numpy(), drawn)
        assert a["symmetry"] == b["symmetry"]
        turned += a["symmetry"] > 0
        # stones stand on the same points: compare the centres of the 9x9 cells
        assert np.array_equal(centres(a["frames"].numpy()), centres(b["frames"].numpy()))
    assert turned
    assert set(handy.calls) == {"resize", "transform"}
    small = ClipDataset(folder, "train", View(2, size=20), domain=handy)[0]
    assert small["frames"].shape == (2, 20, 20, 3)


def centres(frames: Any) -> Any:
    """0 none, 1 black, 2 white at each point of a 9x9 board: by the mean brightness around each centre."""
    size = frames.shape[1]
    cells = resized(np.ascontiguousarray(frames), size // 2, size // 2).astype(int)
    at = np.round((12 + 29 * np.arange(9)) / 256 * (size // 2)).astype(int)
    blue = cells[:, at][:, :, at, 2]
    red = cells[:, at][:, :, at, 0]
    return np.where(blue > 180, 2, np.where(red < 60, 1, 0))


def test_without_short_cuts_drawn_frames_are_resized(built: Built) -> None:
    folder = built("moves")
    full, small = (ClipDataset(folder, "test", View(2, size=s)) for s in (None, 32))

    class Bare:
        clip = staticmethod(domain("go").clip)

    bare = ClipDataset(folder, "test", View(2, size=32), domain=Bare())
    assert np.array_equal(bare[3]["frames"].numpy(), resized(full[3]["frames"].numpy(), 32, 32))
    assert small[3]["frames"].shape == (2, 32, 32, 3)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_over_a_folder_resumes_in_worker_processes(built: Built, workers: int) -> None:
    def made() -> Any:
        stream = ClipStream(built("h264"), "train", View(4, hop=8), Order(seed=3), mix=4)
        return make_loader(stream, 8, workers=workers)

    first = made()
    running = iter(first)
    head = [next(running) for _ in range(3)]
    state = first.state_dict()
    tail = list(running)
    second = made()
    second.load_state_dict(state)
    again = list(second)
    assert all(torch.equal(a["frames"], b["frames"]) for a, b in zip(again, tail, strict=True))
    keys = [(k, int(s)) for b in head + again for k, s in zip(b["key"], b["start"], strict=True)]
    assert len(keys) == len(set(keys)) == len(ClipDataset(built("h264"), "train", View(4, hop=8)))


def test_a_folder_travels_to_processes_that_share_nothing(built: Built) -> None:
    dataset = ClipDataset(built("h264"), "train", View(4))
    before = dataset[5]
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[5]["frames"], before["frames"])


def test_broken_folders_are_named(built: Built, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown split 'valid'.*Known: test, train"):
        ClipDataset(built("moves"), "valid")
    with pytest.raises(UsageError, match="longest of"):
        ClipDataset(built("moves"), "train", View(5000))
    with pytest.raises(DataError, match="nowhere"):
        ClipDataset(tmp_path / "nowhere")
    copy = shutil.copytree(built("h264"), tmp_path / "copy")
    shard = max(copy.glob("data/train-*.tar"))
    dataset = ClipDataset(copy, "train", View(4))
    content = bytearray(shard.read_bytes())
    content[600:2000] = bytes(1400)
    shard.write_bytes(content)
    with pytest.raises(DataError, match=rf"(?=.*{shard.name}).*go-\d+"):
        [ClipDataset(copy, "train", View(4, record=True))[i] for i in range(len(dataset))]
    shard.write_bytes(content[:3000])
    with pytest.raises(DataError, match=rf"go-\d+.*{shard.name}"):
        ClipDataset(copy, "train", View(4))[len(dataset) - 1]
    shard.unlink()
    with pytest.raises(DataError, match=rf"go-\d+.*{shard.name}"):
        ClipDataset(copy, "train", View(4))[len(dataset) - 1]
    (copy / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest\.json"):
        ClipDataset(copy)
