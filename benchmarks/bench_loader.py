"""Loading 16-frame clips at 256x256 beside copying, ``webdataset`` and ``datasets`` with PyAV: real games."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from harness import Row, Work, row

from gobench import card
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.loader import ClipDataset, ClipSampler, ClipStream, Order, View, make_loader, webdataset
from gobench.loader.resize import resized
from gobench.registry import domain

GAMES = Path(__file__).resolve().parent.parent / "tests" / "data" / "go9_katago_sgf.zip"
LENGTH = 16
RANDOM = 40  # clips of a round of random access


def folder(place: Path, codec: str) -> Path:
    """60 games in a codec."""
    go = domain("go")
    options = {"size": 256, "sources": [{"kind": "sgf", "paths": [str(GAMES)]}]}
    core = {"codec": codec, "episodes": 60, "shard_size": 20, "splits": {"train": 1.0}}
    build(go, configure(go, "go9-sgf", core, options), place / codec, extras=(card.extra,))
    return place / codec


def drained(clips: Iterator[Any], limit: int | None = None) -> int:
    """Frames of the clips that come out."""
    return sum(len(c["frames"] if "frames" in c else c["y"]) for c in islice(clips, limit))


def at_random(place: Path, view: View) -> Work:
    """Clips by number, shuffled."""
    dataset = ClipDataset(place, "train", view)
    numbers = cycle(ClipSampler(dataset, Order(seed=1)))
    return lambda: drained((dataset[i] for i in numbers), RANDOM)


def streamed(place: Path, view: View) -> Work:
    """A whole epoch, shuffled."""
    stream = ClipStream(place, "train", view)
    return lambda: drained(iter(stream))


def batched(place: Path, view: View) -> Work:
    """A shuffled epoch in batches of 16."""
    loader = make_loader(ClipDataset(place, "train", view), 16, order=Order(seed=1))
    return lambda: LENGTH * sum(len(batch["key"]) for batch in loader)


def stacked(place: Path, view: View) -> Work:
    """The same through torch's own loader and collating."""
    from torch.utils.data import DataLoader

    loader = DataLoader(ClipDataset(place, "train", view), batch_size=16, shuffle=True)
    return lambda: LENGTH * sum(len(batch["key"]) for batch in loader)


def decoded(data: bytes, stop: int | None = None, form: str = "rgb24") -> np.ndarray:
    """The usual way: PyAV's container and ``to_ndarray``."""
    with av.open(io.BytesIO(data)) as container:
        container.streams.video[0].thread_type = "NONE"
        frames = (f.to_ndarray(format=form) for f in islice(container.decode(video=0), stop))
        return np.stack(list(frames))


def clips(frames: np.ndarray) -> int:
    """Cut into clips of their own memory."""
    cut = [frames[i : i + LENGTH].copy() for i in range(0, len(frames) - LENGTH + 1, LENGTH)]
    return sum(map(len, cut))


def by_webdataset(place: Path, form: str = "rgb24") -> Work:
    """``webdataset``'s reader, PyAV's decoder."""
    import webdataset as wds

    shards = sorted(map(str, place.glob("data/train-*.tar")))
    samples = wds.WebDataset(shards, shardshuffle=False)
    return lambda: sum(clips(decoded(s["mp4"], form=form)) for s in samples)


def hugging_face(place: Path, cache: Path, streaming: bool) -> Any:
    """The folder through ``datasets``, videos as bytes."""
    import datasets

    datasets.disable_progress_bars()
    table = datasets.load_dataset(str(place), split="train", streaming=streaming, cache_dir=str(cache))
    return table.select_columns(["mp4"]).cast_column("mp4", datasets.Video(decode=False))


def by_streaming(place: Path, cache: Path) -> Work:
    """``datasets`` streaming, PyAV's decoder."""
    table = hugging_face(place, cache, streaming=True)
    return lambda: sum(clips(decoded(r["mp4"]["bytes"])) for r in table)


def by_rows(place: Path, cache: Path) -> Work:
    """Random clips of ``datasets``' memory-mapped rows: PyAV decodes from the start to the clip's end."""
    table = hugging_face(place, cache, streaming=False)
    rng = np.random.default_rng(0)

    def work() -> int:
        done = 0
        for i in rng.integers(len(table), size=RANDOM).tolist():
            start = LENGTH * int(rng.integers(3))
            done += len(decoded(table[i]["mp4"]["bytes"], start + LENGTH)[start:])
        return done

    return work


def copied(shape: tuple[int, ...]) -> Work:
    """The limit: a fresh copy of a clip that is there already."""
    clip = np.full(shape, 7, np.uint8)
    return lambda: sum(len(clip.copy()) for _ in range(RANDOM))


def smaller(frames: np.ndarray) -> Work:
    """Our exact area mean, 256 to 64."""
    return lambda: len(resized(frames, 64, 64))


def pooled(frames: np.ndarray) -> Work:
    """torch's area mean."""
    import torch

    def work() -> int:
        planar = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
        return len(torch.nn.functional.interpolate(planar, size=(64, 64), mode="area").byte())

    return work


def rows() -> list[Row]:
    """Frames a second of one core."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        moves, h264, cache = folder(place, "moves"), folder(place, "h264"), place / "cache"
        rgb, yuv, f = View(LENGTH), View(LENGTH, form="yuv"), "f/s"
        copy, planes = copied((LENGTH, 256, 256, 3)), copied((LENGTH, 384, 256))
        game = next(iter(webdataset(h264)))["frames"].numpy()
        noise = np.random.default_rng(0).integers(0, 256, game.shape, np.uint8)
        read, read_planes = by_webdataset(h264), by_webdataset(h264, "yuv420p")
        return [
            row("moves, random clips, RGB", f, at_random(moves, rgb), "copying", copy, "25,000 f/s"),
            row("moves, stream, RGB", f, streamed(moves, rgb), "copying", copy, "25,000 f/s"),
            row("moves, stream, planes", f, streamed(moves, yuv), "copying", planes, "25,000 f/s"),
            row("moves, batches of 16, RGB", f, batched(moves, rgb), "torch's DataLoader", stacked(moves, rgb)),
            row("h264, random clips, RGB", f, at_random(h264, rgb), "datasets + PyAV", by_rows(h264, cache),
                "1,500 f/s"),
            row("h264, stream, RGB", f, streamed(h264, rgb), "webdataset + PyAV", read, "1,500 f/s"),
            row("h264, stream, RGB, clips that overlap by half", f, streamed(h264, View(LENGTH, hop=8)),
                "datasets streaming + PyAV", by_streaming(h264, cache), "1,500 f/s"),
            row("h264, stream, planes", f, streamed(h264, yuv), "webdataset + PyAV", read_planes,
                "1,500 f/s"),
            row("h264, webdataset(), whole games", f, lambda: drained(iter(webdataset(h264))),
                "webdataset + PyAV", read),
            row("256 to 64 pixels by area, games", f, smaller(game), "torch interpolate", pooled(game)),
            row("256 to 64 pixels by area, noise", f, smaller(noise), "torch interpolate", pooled(noise)),
        ]  # fmt: skip


if __name__ == "__main__":
    from harness import table

    sys.stdout.write(table(rows()) + "\n")
