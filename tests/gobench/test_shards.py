"""Shards against Python's tarfile, and against damage."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from gobench.errors import DataError
from gobench.shards import BLOCK, ShardWriter, header, members, pack, pread, scan, unpack

SAMPLES = {
    "dot-000000000": {"png": b"\x89PNG" * 200, "json": b'{"a":1}', "mp4": b"x" * BLOCK},
    "dot-000000001": {"json": b"", "frames.zip": bytes(3000), "png": b"1"},
}


def write(path: Path) -> list[tuple[str, int, int]]:
    with ShardWriter(path) as writer:
        for key, content in SAMPLES.items():
            writer.add(key, content, frames=1)
    return [(row.key, row.offset, row.size) for row in writer.rows]


@pytest.mark.parametrize("size", [0, 1, 511, 512, 10**6, 8**11 - 1])
@pytest.mark.parametrize("name", ["a.json", "go-000000042.frames.zip", "k" * 96 + ".png"])
def test_headers_are_those_of_tarfile(name: str, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    assert header(name, size) == info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(("name", "size"), [("k" * 101, 1), ("a.json", 8**11), ("é.json", 1)])
def test_what_ustar_cannot_hold_is_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError):
        header(name, size)


def test_tarfile_reads_a_shard(tmp_path: Path) -> None:
    write(tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        infos = tar.getmembers()
        found = {info.name: tar.extractfile(info).read() for info in infos}  # type: ignore[union-attr]
    assert {(i.mtime, i.uid, i.gid, i.mode, i.uname) for i in infos} == {(0, 0, 0, 0o644, "")}
    assert [i.name.partition(".")[2] for i in infos] == ["json", "mp4", "png", "frames.zip", "json", "png"]
    assert found == {f"{key}.{s}": data for key, content in SAMPLES.items() for s, data in content.items()}


def test_a_byte_range_is_a_sample(tmp_path: Path) -> None:
    rows = write(tmp_path / "a.tar")
    handle = os.open(tmp_path / "a.tar", os.O_RDONLY)
    for key, offset, size in rows:
        sample = unpack(pread(handle, offset, size, "a.tar"), "a.tar")
        assert (sample.key, sample.members) == (key, SAMPLES[key])
    os.close(handle)
    assert [(sample.key, offset, size) for offset, size, sample in scan(tmp_path / "a.tar")] == rows


def test_equal_samples_give_equal_bytes(tmp_path: Path) -> None:
    backwards = dict(reversed(SAMPLES["dot-000000000"].items()))
    assert pack("dot-000000000", backwards) == pack("dot-000000000", SAMPLES["dot-000000000"])
    write(tmp_path / "a.tar")
    write(tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_shard_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ShardWriter(tmp_path / "a.tar") as writer:
        writer.add("a", {"json": b"{}"}, 1)
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_damage_is_found_and_placed(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    (_, second, _) = write(path)[1]
    whole = path.read_bytes()
    path.write_bytes(whole[:second] + b"!" + whole[second + 1 :])
    with pytest.raises(DataError, match=rf"a\.tar, byte {second}: .*not the header"):
        list(scan(path))
    for cut in (BLOCK + 3, second + 100, len(whole) - 2 * BLOCK):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match=r"a\.tar"):
            list(scan(path))
    with pytest.raises(DataError, match="cannot read"):
        list(scan(tmp_path / "b.tar"))


def test_a_range_with_two_keys_or_no_record_is_refused() -> None:
    two = pack("a", {"json": b"{}"}) + pack("b", {"json": b"{}"})
    with pytest.raises(DataError, match="one sample"):
        unpack(two, "x.tar")
    with pytest.raises(DataError, match="one sample"):
        unpack(pack("a", {"png": b""}), "x.tar")
    assert [name for name, _ in members(two, "x.tar")] == ["a.json", "b.json"]


def test_the_end_of_a_shard_ends_tar_streams(tmp_path: Path) -> None:
    write(tmp_path / "a.tar")
    data = (tmp_path / "a.tar").read_bytes()
    assert len(data) % BLOCK == 0
    assert data.endswith(bytes(2 * BLOCK))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|") as tar:
        assert len(list(tar)) == 6
