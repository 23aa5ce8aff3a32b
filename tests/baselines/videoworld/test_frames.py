"""Pools and windows of frames: the right pixels, in the same order for everybody."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench.loader.augment import transform
from gobench.loader.resize import resized
from gobench_videoworld.data import frames as module
from gobench_videoworld.data.frames import FramePool, FrameWindows

sys.path.insert(0, str(Path(__file__).parent))
from small_games import Games, built

SIZE = (36, 36)


@pytest.fixture(scope="module")
def games(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Games:
    """See ``small_games.built``."""
    return built(data, tmp_path_factory)


@pytest.fixture(scope="module")
def shown(games: Games) -> list[Any]:
    """Every episode of the training split at the working size."""
    data = open_dataset(games("lossless"))
    return [resized(data.frames(sample), *SIZE) for sample in data.samples("train")]


def test_a_pool_holds_frames_of_the_split(games: Games, shown: list[Any]) -> None:
    pool = FramePool(games("lossless"), "train", SIZE, 40, seed=1)
    assert pool.frames.shape == (40, *SIZE, 3) and pool.episodes == 3
    every = {frame.tobytes() for clip in shown for frame in clip}
    assert all(frame.tobytes() in every for frame in pool.frames)
    again = FramePool(games("lossless"), "train", SIZE, 40, seed=1, threads=3)
    assert np.array_equal(pool.frames, again.frames)
    assert not np.array_equal(pool.frames, FramePool(games("lossless"), "train", SIZE, 40, seed=2).frames)


def test_a_pool_of_few_episodes_takes_more_frames_of_each(games: Games, shown: list[Any]) -> None:
    everything = sum(map(len, shown))
    assert len(FramePool(games("lossless"), "train", SIZE, 10**6)) == everything
    some = FramePool(games("lossless"), "train", SIZE, 400)
    assert 300 < len(some) <= 400 and some.episodes == 16


def test_an_epoch_shows_every_frame_of_a_pool_once(games: Games) -> None:
    pool = FramePool(games("lossless"), "train", SIZE, 40)
    seen = torch.cat([pool.batch(step, 10)["frames"] for step in range(4)]).numpy()
    assert sorted(f.tobytes() for f in seen) == sorted(f.tobytes() for f in pool.frames)
    parts = [pool.batch(2, 10, rank, 2)["frames"] for rank in range(2)]
    assert torch.equal(torch.cat(parts), pool.batch(2, 10)["frames"])


def test_a_pool_may_be_shown_in_all_symmetries(games: Games) -> None:
    pool = FramePool(games("lossless"), "train", SIZE, 40, symmetry="dihedral")
    known = {transform(pool.frames[n : n + 1], k).tobytes(): k for n in range(40) for k in range(8)}
    shown = pool.batch(0, 40)["frames"].numpy()
    assert len({known[frame.tobytes()] for frame in shown}) > 4


def brute(shown: list[Any], row: int, time: int, k: int, ahead: int) -> Any:
    clip = shown[row]
    times = np.minimum(np.arange(time, time + ahead + 1), len(clip) - 1)
    return transform(clip[times], k)


@pytest.mark.parametrize("room", [1 << 28, 0])
def test_windows_are_those_frames_of_the_episode(
    games: Games, shown: list[Any], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(module, "KEPT", room)
    windows = FrameWindows(games("lossless"), "train", SIZE, (1, 3), seed=2, symmetry="dihedral")
    assert len(windows) == sum(len(clip) - 1 for clip in shown)
    batch = windows.batch(5, 24)
    assert batch["frames"].shape == (24, 4, *SIZE, 3) and batch["frames"].dtype == torch.uint8
    for b in range(24):
        row, time, k = (int(batch[name][b]) for name in ("episode", "time", "symmetry"))
        assert np.array_equal(batch["frames"][b].numpy(), brute(shown, row, time, k, 3))
        assert batch["there"][b].tolist() == [time + o < len(shown[row]) for o in (1, 3)]
    parts = [windows.batch(5, 24, rank, 2) for rank in range(2)]
    for name, array in batch.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), array)


def test_windows_by_number_and_by_turns(games: Games, shown: list[Any]) -> None:
    folder = games("lossless")
    windows = FrameWindows(folder, "train", SIZE, turns="first", episodes=2)
    batch = windows.at(np.arange(len(windows)))
    assert set(batch["episode"].tolist()) == {0, 1} and not (batch["time"] % 2).any()
    assert np.array_equal(batch["frames"][0].numpy(), shown[0][:2])
    assert windows.provenance["frames"] == len(shown[0]) + len(shown[1])
    assert windows.provenance["labels"] == "none"


def test_bad_data_is_named(games: Games, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown split"):
        FramePool(games("lossless"), "validation", SIZE, 8)
    with pytest.raises(UsageError, match="dihedral"):
        FrameWindows(games("lossless"), "train", (36, 24), symmetry="dihedral")
    with pytest.raises(UsageError, match="16 episodes, fewer"):
        FrameWindows(games("lossless"), "train", SIZE, episodes=17)
    broken = shutil.copytree(games("lossless"), tmp_path / "data")
    data = open_dataset(broken)
    for number in range(16):
        with (broken / data.shards[number // 8].file).open("r+b") as tar:
            tar.seek(int(data.ranges[number, 0]))
            tar.write(b"\xff" * int(data.ranges[number, 1]))
    with pytest.raises(DataError, match=r"train-0000.*run the command that built"):
        FramePool(broken, "train", SIZE, 8)
    with pytest.raises(DataError, match=r"train-0000.*run the command that built"):
        FrameWindows(broken, "train", SIZE).batch(0, 4)
