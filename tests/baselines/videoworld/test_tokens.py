"""Token stores: what is in them, and that they are kept, resumed, and refused to strangers."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gobench.atomic import AtomicFile
from gobench.dataset import open_dataset
from gobench.errors import BuildError, DataError, UsageError
from gobench.loader.augment import transform
from gobench.loader.resize import resized
from gobench_go.domain import GoDomain
from gobench_videoworld.config import TokenizerConfig
from gobench_videoworld.data.labels import label
from gobench_videoworld.data.patches import NOISE, cut_up, pack
from gobench_videoworld.data.store import open_store
from gobench_videoworld.data.tokens import read_states, tokenise

sys.path.insert(0, str(Path(__file__).parent))
from small_games import Games, built


@pytest.fixture(scope="module")
def games(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Games:
    """See ``small_games.built``."""
    return built(data, tmp_path_factory)


CONFIG = TokenizerConfig("local", (9, 9), 4, (8, 8, 8))


class Brightness(nn.Module):
    """Tokens are roughly the mean brightness of patches, and how much it falls from left to right."""

    def __init__(self, config: TokenizerConfig = CONFIG, tilt: float = 1.0) -> None:
        super().__init__()
        self.config, self.asked = config, 0
        self.tilt = nn.Parameter(torch.tensor(tilt))

    def encode(self, frames: Tensor) -> Tensor:
        self.asked += len(frames)
        rows, cols = self.config.grid
        cut = frames.double().reshape(len(frames), rows, self.config.patch, cols, self.config.patch, 3)
        across = cut.mean((2, 5))
        found = across.mean(-1) + self.tilt * (across[..., 0] - across[..., -1])
        return ((found.flatten(1) + 256) / 12.3).long() % self.config.vocabulary


def frames_of(folder: Path, split: str) -> list[Any]:
    data = open_dataset(folder)
    return [data.frames(sample) for sample in data.samples(split)]


def everything(store: Any) -> Any:
    """Tokens int64 [frames, variants, S]."""
    many = int(store.starts[-1])
    shown = [store.tokens(np.arange(many), np.full(many, k)) for k in range(store.variants)]
    return np.stack(shown, axis=1)


@pytest.mark.parametrize("codec", ["moves", "h264"])
def test_tokens_are_those_of_every_frame_in_every_symmetry(games: Games, tmp_path: Path, codec: str) -> None:
    tokenizer = Brightness()
    store = tokenise(games(codec), "train", tokenizer, tmp_path)
    shown = [resized(frames, 36, 36) for frames in frames_of(games(codec), "train")]
    assert store.frames.tolist() == [len(frames) for frames in shown]
    found = everything(store)
    for k in range(8):
        wanted = [tokenizer.encode(torch.from_numpy(transform(f, k).copy())).numpy() for f in shown]
        off = np.abs(found[:, k] - np.concatenate(wanted))
        assert off.max() == 0 if codec == "moves" else off.mean() < 0.05
    assert store.meta.dtype == np.uint16 and found.max() < 512
    same = (found[1:, 0] == found[:-1, 0]).all(axis=1)
    same[store.starts[1:-1] - 1] = False
    assert np.array_equal(store.same, [*same, False])


def test_still_patches_are_encoded_once(games: Games, tmp_path: Path) -> None:
    class Conv(Brightness):
        def __init__(self) -> None:
            super().__init__(TokenizerConfig("conv", (9, 9), 4, (8, 8, 8)))

    quick, slow = Brightness(), Conv()
    packed = tokenise(games("moves"), "train", quick, tmp_path / "quick")
    whole = tokenise(games("moves"), "train", slow, tmp_path / "slow")
    assert np.array_equal(everything(packed), everything(whole))
    assert slow.asked == 8 * packed.starts[-1]
    assert quick.asked < 0.6 * slow.asked


def test_packing_is_given_up_where_tokens_hang_on_more_than_their_patch(games: Games, tmp_path: Path) -> None:
    class Mean(Brightness):
        def encode(self, frames: Tensor) -> Tensor:
            return (super().encode(frames) + (frames.double().mean((1, 2, 3)) * 1000).long()[:, None]) % 512

    tokenizer = Mean()
    store = tokenise(games("moves"), "test", tokenizer, tmp_path)
    frames = np.concatenate([resized(f, 36, 36) for f in frames_of(games("moves"), "test")])
    assert np.array_equal(everything(store)[:, 0], tokenizer.encode(torch.from_numpy(frames)).numpy())


def test_packed_clips_hold_every_patch_up_to_noise() -> None:
    random = np.random.default_rng(0)
    frames = np.repeat(random.integers(0, 256, (1, 12, 8, 3), np.uint8), 9, axis=0)
    frames[4:, 3, 5] = 7
    frames[6:, 3, 5] = 99
    frames[2, 0, 0] ^= 1
    packed, numbers = pack(frames, (3, 2))
    assert len(packed) == 3 and numbers.max(axis=(1, 2)).tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2]
    cut, rows, cols = cut_up(packed, (3, 2)), *np.indices((3, 2))
    for t, clip in enumerate(cut_up(frames, (3, 2))):
        again = cut[numbers[t], rows, cols]
        assert np.abs(again.astype(int) - clip).max() <= NOISE


def test_a_store_is_kept(games: Games, tmp_path: Path) -> None:
    tokenise(games("moves"), "train", Brightness(), tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "train").iterdir()}
    again = Brightness()
    store = tokenise(games("moves"), "train", again, tmp_path)
    assert again.asked == 0 and len(store) == 16
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "train").iterdir()} == before
    assert len(open_store(tmp_path, "train")) == 16


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("[!.]*"))}


def test_who_is_stopped_goes_on_and_threads_do_not_matter(games: Games, tmp_path: Path) -> None:
    def stop(done: int, of: int) -> None:
        assert of == 16
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokenise(games("moves"), "train", Brightness(), tmp_path / "stopped", progress=stop, threads=3)
    left = tmp_path / "stopped" / "train"
    assert (left / "00000.tokens.npy").is_file() and not (left / "00001.tokens.npy").is_file()
    (left / ".00001.tokens.npy.99999.tmp").write_bytes(b"half")
    first = (left / "00000.tokens.npy").stat()
    told: list[tuple[int, int]] = []
    tokenise(games("moves"), "train", Brightness(), tmp_path / "stopped", progress=lambda *n: told.append(n))
    assert told[-1] == (8, 8) and (left / "00000.tokens.npy").stat().st_mtime_ns == first.st_mtime_ns
    assert not list(left.glob("*.tmp"))
    tokenise(games("moves"), "train", Brightness(), tmp_path / "whole", threads=1)
    assert files(left) == files(tmp_path / "whole" / "train")


def test_only_the_shards_of_the_first_episodes(games: Games, tmp_path: Path) -> None:
    some = tokenise(games("moves"), "train", Brightness(), tmp_path, episodes=5)
    assert len(some) == 8
    whole = tokenise(games("moves"), "train", Brightness(), tmp_path)
    assert len(whole) == 16 and np.array_equal(whole.frames[:8], some.frames)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tokenizer": Brightness(tilt=2.0)}, "tokenizer"),
        ({"size": 66}, "dataset"),
        ({"codec": "h264"}, "codec"),
        ({"symmetries": "none"}, "set of symmetries"),
        ({"tokenizer": Brightness(TokenizerConfig("local", (9, 9), 5, (8, 8, 8)))}, "tokenizer"),
    ],
)
def test_another_ones_store_is_refused(
    games: Games, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    tokenise(games("moves"), "test", Brightness(), tmp_path)
    before = files(tmp_path / "test")
    asked = {"codec": "moves", "size": 64, "tokenizer": Brightness(), "symmetries": "dihedral"} | change
    folder = games(asked["codec"], size=asked["size"])
    with pytest.raises(DataError, match=f"another {said}.*delete"):
        tokenise(folder, "test", asked["tokenizer"], tmp_path, asked["symmetries"])
    assert files(tmp_path / "test") == before


def test_a_broken_shard_is_named_and_what_was_made_stays(games: Games, tmp_path: Path) -> None:
    broken = shutil.copytree(games("h264"), tmp_path / "data")
    data = open_dataset(broken)
    shard = data.shards[1]
    assert shard.split == "train"
    key, (offset, size) = data.read(11).key, data.ranges[11].tolist()
    with (broken / shard.file).open("r+b") as tar:
        tar.seek(offset)
        tar.write(b"\xff" * size)
    with pytest.raises(
        DataError, match=rf"{key}(.|\n)*{Path(shard.file).name}(.|\n)*run the command that built"
    ):
        tokenise(broken, "train", Brightness(), tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out" / "train").glob("0*.tokens.npy")) == ["00000.tokens.npy"]
    shutil.copy(games("h264") / shard.file, broken / shard.file)
    assert len(tokenise(broken, "train", Brightness(), tmp_path / "out")) == 16


def test_a_full_disk_leaves_no_half_file(
    games: Games, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = AtomicFile._publish

    def full(file: AtomicFile) -> None:
        if "00001.tokens" in file.path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        publish(file)

    monkeypatch.setattr(AtomicFile, "_publish", full)
    with pytest.raises(BuildError, match=r"no room to write.*00001\.tokens"):
        tokenise(games("moves"), "train", Brightness(), tmp_path)
    assert (tmp_path / "train" / "00000.tokens.npy").is_file()
    assert not list((tmp_path / "train").glob("*1.tokens*")) + list((tmp_path / "train").glob(".*.tmp"))
    monkeypatch.undo()
    assert len(tokenise(games("moves"), "train", Brightness(), tmp_path)) == 16


def test_a_file_cut_short_is_named_and_made_anew(games: Games, tmp_path: Path) -> None:
    store = tokenise(games("moves"), "train", Brightness(), tmp_path)
    whole = files(tmp_path / "train")
    path = tmp_path / "train" / "00001.tokens.npy"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"00001\.tokens\.npy.*made anew"):
        everything(open_store(tmp_path, "train"))
    tokenise(games("moves"), "train", Brightness(), tmp_path)
    assert files(tmp_path / "train") == whole
    assert len(store) == 16


def test_data_that_cannot_be_tokenised_is_explained(games: Games, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown split 'validation'"):
        tokenise(games("moves"), "validation", Brightness(), tmp_path / "out")
    unfinished = shutil.copytree(games("moves"), tmp_path / "data")
    (unfinished / "manifest.json").unlink()
    with pytest.raises(DataError, match="no finished dataset"):
        tokenise(unfinished, "train", Brightness(), tmp_path / "out")
    with pytest.raises(UsageError, match="dihedral"):
        tokenise(games("moves"), "test", Brightness(TokenizerConfig("local", (9, 6), 4)), tmp_path / "out")
    with pytest.raises(DataError, match="holds no tokens"):
        open_store(tmp_path / "nowhere", "train")


def test_states_and_labels_turn_together(games: Games, tmp_path: Path) -> None:
    folder = games("h264")
    store = read_states(folder, "test", tmp_path)
    assert not store.labels and store.meta.dtype == np.uint8
    with pytest.raises(UsageError, match="no labels"):
        store.actions(np.arange(1), np.zeros(1, np.int64))
    store = label(folder, "test", tmp_path)
    states, many = everything(store), int(store.starts[-1])
    options = open_dataset(folder).plan.config.options
    wanted = [GoDomain().states(options, frames) for frames in frames_of(folder, "test")]
    assert np.array_equal(states[:, 0], np.concatenate(wanted))
    last = store.starts[1:] - 1
    for k in range(8):
        actions = store.actions(np.arange(many), np.full(many, k))
        assert (actions[last] == (81, 0)).all()
        played = np.flatnonzero(actions[:, 0] < 81)
        assert len(played) > 100 and (states[played, k, actions[played, 0]] == 0).all()
        assert np.array_equal(states[played + 1, k, actions[played, 0]], actions[played, 1])
    assert label(folder, "test", tmp_path).labels


def test_moves_are_read_for_labels_alone(
    games: Games, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_look(*_: Any) -> Any:
        raise AssertionError("labels were read")

    monkeypatch.setattr(GoDomain, "labels", no_look)
    tokenise(games("h264"), "test", Brightness(), tmp_path / "tokens")
    read_states(games("h264"), "test", tmp_path / "states")
    with pytest.raises(AssertionError, match="labels were read"):
        label(games("h264"), "test", tmp_path / "states")
    with pytest.raises(DataError, match="another dataset"):
        label(games("moves", size=66), "test", tmp_path / "states")
