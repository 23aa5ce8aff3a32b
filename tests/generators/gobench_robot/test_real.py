"""Real data as datasets: recorded videos become shards, pieces stay together, broken episodes are counted."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from gobench.build import build, configure
from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench.registry import domain
from gobench.verify import verify


def recording(folder: Path, name: str, frames: int, broken: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    with av.open(str(folder / f"{name}.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for t in range(frames):
            picture = np.full((48, 64, 3), 10 * t, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    np.save(folder / f"{name}.actions.npy", np.zeros((frames - 1 + 3 * broken, 2)))


def config(folder: Path, **flags: object) -> object:
    room = domain("robot")
    options = room.override(room.recipes()["robot-recorded"]["options"], {"data": str(folder), "size": 32})  # type: ignore[attr-defined]
    options["sources"][0] |= flags
    return configure(room, "robot-recorded", {"codec": "png", "splits": {"train": 0.5, "test": 0.5}}, options)


def test_recordings_become_a_dataset_that_verifies(tmp_path: Path) -> None:
    for number in range(6):
        recording(tmp_path / "real", f"run{number}", 9)
    recording(tmp_path / "real", "short", 9, broken=True)
    report = build(domain("robot"), config(tmp_path / "real", max_frames=4), tmp_path / "out")  # type: ignore[arg-type]
    assert report.rejected == {"length": 1}
    found = verify(tmp_path / "out")
    assert found.ok and found.drawn == found.samples
    samples = [sample.record() for sample in open_dataset(tmp_path / "out").samples()]
    homes: dict[int, set[str]] = {}
    for record in samples:
        homes.setdefault(record["number"], set()).add(record["split"])
        assert record["labelled"] and len(record["actions"]) == 2 * (record["frames"] - 1)
        assert (record["source"], record["fps"], record["size"]) == ("recorded", 10, 32)
    assert len(samples) > 6 and all(len(splits) == 1 for splits in homes.values()), "pieces stay together"
    assert "real" not in (tmp_path / "out" / "plan.json").read_text().replace("real data", "")


def test_pictures_that_were_read_cannot_be_drawn_from_records(tmp_path: Path) -> None:
    recording(tmp_path / "real", "run", 5)
    with pytest.raises(UsageError, match="moves"):
        configure(
            domain("robot"), "robot-recorded", {"codec": "moves"}, {"reader": "recorded", "sources": []}
        )
    build(domain("robot"), config(tmp_path / "real"), tmp_path / "out")  # type: ignore[arg-type]
    (sample,) = open_dataset(tmp_path / "out").samples()
    with pytest.raises(DataError, match="real data"):
        domain("robot").clip(sample.record())
