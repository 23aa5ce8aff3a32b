"""Whole builds of random 64-ply games at 256x256, one core, beside bare encoders and other writers of datasets.

Ours is everything from the seed to the finished folder: games, plan, frames, encoding, shards with fsync, index,
sums. The peers get their games, frames or records for nothing.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from bench_codecs import bare
from harness import Row, Work, row

from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import build
from gobench.build.selection import Gatherer
from gobench.dataset import Dataset, open_dataset
from gobench.registry import domain

PLIES = 64
GAMES = {"moves": 1000, "h264-direct": 100, "h264": 16}
VERYFAST = {"preset": "veryfast", "crf": "18", "threads": "1"}
ULTRAFAST = {"preset": "ultrafast", "crf": "18", "threads": "1"}


def config(codec: str, games: int) -> BuildConfig:
    """Random games of 64 plies in one shard a split."""
    source = {"kind": "selfplay", "teacher": "random", "max_plies": PLIES}
    core = {"codec": codec, "episodes": games, "splits": {"train": 1.0}, "shard_size": 1024}
    return configure(
        domain("go"), "go9-random", core, {"theme": "videoworld", "size": 256, "sources": [source]}
    )


def built(place: Path, codec: str) -> Work:
    """A build into a new folder each time."""
    asked, number = config(codec, GAMES[codec]), count()

    def work() -> int:
        return build(domain("go"), asked, place / f"{codec}-{next(number)}").samples

    return work


def encoded(data: Dataset, options: dict[str, str]) -> Work:
    """The bare encoder over the frames of a built dataset, drawn beforehand."""
    go = domain("go")
    works = [bare(go.clip(s.record()), "libx264", "yuv420p", options) for s in data.samples()]

    def work() -> int:
        return len([encode() for encode in works])

    return work


def from_generator(data: Dataset, place: Path) -> Work:
    """``datasets.Dataset.from_generator`` over records that are there already, saved to disk."""
    import datasets

    records, number = [sample.record() for sample in data.samples()], count()
    datasets.disable_progress_bars()

    def generate(turn: int) -> Iterator[dict[str, Any]]:
        yield from records

    def work() -> int:
        turn = next(number)
        made = datasets.Dataset.from_generator(
            generate, gen_kwargs={"turn": turn}, cache_dir=str(place / f"hf-{turn}")
        )
        made.save_to_disk(str(place / f"saved-{turn}"))
        return len(records)

    return work


def tar_writer(data: Dataset, place: Path) -> Work:
    """webdataset's TarWriter over samples that are there already."""
    import webdataset

    samples = [(sample.key, sample.record(), dict(sample.members)) for sample in data.samples()]

    def work() -> int:
        with webdataset.TarWriter(str(place / "peer.tar")) as writer:
            for key, record, members in samples:
                writer.write({"__key__": key, **members, "json": json.dumps(record).encode()})
        return len(samples)

    return work


def pillow(data: Dataset) -> Work:
    """The original's form: one PNG a frame by Pillow, frames drawn beforehand; one game."""
    from PIL import Image

    frames = domain("go").clip(data.read(0).record()).rgb()

    def work() -> int:
        for frame in frames:
            Image.fromarray(frame).save(io.BytesIO(), "png")
        return 1

    return work


MEASURED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bench_build import config, domain
from gobench.build.run import build
build(domain("go"), config(sys.argv[2], int(sys.argv[3])), Path(sys.argv[4]))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) / 1024)  # ru_maxrss would count the parent's pages before exec
"""


def peak(place: Path, codec: str, games: int) -> float:
    """MiB that a process needs at most for a build of so many games."""
    here = str(Path(__file__).resolve().parent)
    command = [sys.executable, "-c", MEASURED, here, codec, str(games), str(place / f"peak-{codec}-{games}")]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory(place: Path, codec: str, few: int, many: int) -> Row:
    """Peak memory of a worker for few and for many games."""
    small, large = peak(place, codec, few), peak(place, codec, many)
    return {
        "what": f"a worker's memory, {codec}, {many:,} games",
        "ours": large,
        "peer": small,
        "peer_name": f"with {few:,} games",
        "unit": "MiB",
        "ratio": large / small,
        "target": "under 1,024 MiB",
    }


def coordinator(candidates: int = 2_000_000) -> Row:
    """Bytes a candidate that the planning pass needs at its peak."""
    prints = np.random.default_rng(0).integers(2**63, size=candidates, dtype=np.uint64)
    tracemalloc.start()
    gatherer = Gatherer(config("moves", candidates))
    for part in np.array_split(prints, candidates // 1000):
        gatherer.add(part, part)
    gatherer.select()
    bytes_each = tracemalloc.get_traced_memory()[1] / candidates
    tracemalloc.stop()
    return {
        "what": f"the coordinator's memory, {candidates:,} games",
        "ours": bytes_each,
        "peer": 32,
        "peer_name": "allowed",
        "unit": "B a game",
        "ratio": bytes_each / 32,
        "target": "under 32",
    }


def rows() -> list[Row]:
    """Games a second of one core, and memory."""
    with tempfile.TemporaryDirectory() as name:
        place, go = Path(name), domain("go")
        data = {}
        for codec in GAMES:
            build(go, config(codec, GAMES[codec]), place / codec)
            data[codec] = open_dataset(place / codec)
        works = {codec: built(place, codec) for codec in GAMES}
        veryfast, ultrafast = encoded(data["h264"], VERYFAST), encoded(data["h264"], ULTRAFAST)
        games = "games/s"
        return [
            row("build, moves", games, works["moves"], "datasets.from_generator, given the records",
                from_generator(data["moves"], place), "600 games/s"),
            row("build, moves", games, works["moves"], "webdataset TarWriter, given the samples",
                tar_writer(data["moves"], place), "600 games/s"),
            row("build, h264", games, works["h264"], "bare x264 veryfast, given the frames", veryfast, "0.7x"),
            row("build, h264-direct", games, works["h264-direct"], "bare x264 ultrafast, given the frames",
                ultrafast, "250 games/s"),
            row("build, h264-direct", games, works["h264-direct"], "Pillow PNG, given the frames",
                pillow(data["h264"]), "250 games/s"),
            memory(place, "h264", 8, 64),
            memory(place, "moves", 256, 5000),
            coordinator(),
        ]  # fmt: skip


if __name__ == "__main__":
    from harness import table

    print(table(rows()))
