"""Evidence: appended, torn, mended, sorted, never mixed; frames come back as they were."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gobench import evidence, shards
from gobench.canonical import sha256_file
from gobench.errors import BuildError, DataError
from gobench.evidence import Writer
from gobench.types import Array, Record

TASK = "dots/next"
PRINT: Record = {"model": "m", "batch": 2, "limit": None}
GROUPS = [["c", "a"], ["d", "b"], ["e"]]


def rows(group: int, **kept: dict[str, Array]) -> list[Record]:
    return [
        {"id": sample, "frames": ["0" * 64], "kept": named(kept.get(sample, {})), "x": ord(sample)}
        for sample in GROUPS[group]
    ]


def named(frames: dict[str, Array]) -> dict[str, str]:
    return {name: evidence.digest(frame) for name, frame in frames.items()}


def begun(folder: Path, *played: int) -> Writer:
    writer = Writer(folder, TASK)
    writer.start(PRINT, GROUPS)
    for group in played:
        writer.append(group, rows(group), {})
    return writer


def everything() -> list[str]:
    return [sample for group in GROUPS for sample in group]


def test_a_finished_file_does_not_depend_on_the_order_of_groups(tmp_path: Path) -> None:
    hashes = set()
    for order in ((0, 1, 2), (2, 0, 1)):
        folder = tmp_path / str(order[0])
        begun(folder, *order).finish(PRINT, everything())
        hashes.add(sha256_file(evidence.path_of(folder, TASK)))
        header, found = evidence.read(folder, TASK)
        assert header == {**PRINT, "format": 1}
        assert [row["id"] for row in found] == ["a", "b", "c", "d", "e"]
    assert len(hashes) == 1


def test_going_on_plays_what_is_left(tmp_path: Path) -> None:
    begun(tmp_path, 1)
    assert Writer(tmp_path, TASK).start(PRINT, GROUPS) == [0, 2]
    begun(tmp_path / "new")
    assert Writer(tmp_path / "new", TASK).start(PRINT, GROUPS) == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 10, 60, 110, 150])
def test_a_torn_end_costs_its_group_alone(tmp_path: Path, cut: int) -> None:
    begun(tmp_path, 0, 1)
    path = evidence.path_of(tmp_path, TASK)
    os.truncate(path, path.stat().st_size - cut)
    writer = Writer(tmp_path, TASK)
    assert writer.start(PRINT, GROUPS) == [1, 2]
    assert [row["id"] for row in evidence.read(tmp_path, TASK)[1]] == ["c", "a"], "half a group is dropped"
    for group in (1, 2):
        writer.append(group, rows(group), {})
    writer.finish(PRINT, everything())
    begun(tmp_path / "whole", 0, 1, 2).finish(PRINT, everything())
    assert path.read_bytes() == evidence.path_of(tmp_path / "whole", TASK).read_bytes()


def test_a_line_that_another_writer_was_killed_in_is_cut_off_before_appending(tmp_path: Path) -> None:
    writer = begun(tmp_path, 0)
    with evidence.path_of(tmp_path, TASK).open("ab") as file:
        file.write(b'{"id":"d","fra')
    writer.append(2, rows(2), {})
    assert [row["id"] for row in evidence.read(tmp_path, TASK)[1]] == ["c", "a", "e"]


def test_a_torn_file_is_refused_unless_allowed(tmp_path: Path) -> None:
    begun(tmp_path, 0)
    with evidence.path_of(tmp_path, TASK).open("ab") as file:
        file.write(b'{"id":"d","fra')
    with pytest.raises(DataError, match="ends within a line"):
        evidence.read(tmp_path, TASK)
    assert len(evidence.read(tmp_path, TASK, torn=True)[1]) == 2


def test_another_run_is_refused_and_the_fields_named(tmp_path: Path) -> None:
    begun(tmp_path, 0)
    before = evidence.path_of(tmp_path, TASK).read_bytes()
    with pytest.raises(BuildError) as error:
        Writer(tmp_path, TASK).start({**PRINT, "batch": 4, "limit": 9}, GROUPS)
    assert "batch was 2 and is now 4; limit was null and is now 9" in str(error.value)
    assert "--overwrite" in str(error.value)
    assert evidence.path_of(tmp_path, TASK).read_bytes() == before


def test_what_is_missing_or_foreign_is_clear(tmp_path: Path) -> None:
    writer = begun(tmp_path, 0)
    with pytest.raises(DataError, match="3 of 5 samples are missing"):
        writer.finish(PRINT, everything())
    with pytest.raises(DataError, match=r"cannot read .*Is .* a folder of `gobench evaluate`"):
        evidence.read(tmp_path / "nowhere", TASK)
    evidence.path_of(tmp_path, TASK).write_bytes(b'{"a":1}\n')
    with pytest.raises(DataError, match="line 1 is not the header"):
        evidence.read(tmp_path, TASK)
    evidence.path_of(tmp_path, TASK).write_bytes(b'{"header":{"format":1}}\n[1]\n')
    with pytest.raises(DataError, match="line 2 is no row"):
        evidence.read(tmp_path, TASK)


def pictures() -> dict[str, Array]:
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    return {"try0": noise, "try1": np.zeros((9, 7, 3), np.uint8)}


def test_frames_come_back_as_they_were_in_plain_tars(tmp_path: Path) -> None:
    import tarfile

    begun(tmp_path).append(0, rows(0, a=pictures()), {"a": pictures()})
    tar = evidence.tar_of(tmp_path, TASK, 0)
    with tarfile.open(tar) as file:
        assert file.getnames() == ["a.try0.png", "a.try1.png"]
    found = evidence.frames(tmp_path, TASK, "a")
    assert list(found) == ["try0", "try1"]
    assert all(np.array_equal(found[name], picture) for name, picture in pictures().items())
    assert evidence.frames(tmp_path, TASK, "c") == {} == evidence.frames(tmp_path, TASK, "nobody")


def test_a_damaged_tar_makes_its_group_be_played_again(tmp_path: Path) -> None:
    begun(tmp_path).append(0, rows(0, a=pictures()), {"a": pictures()})
    tar = evidence.tar_of(tmp_path, TASK, 0)
    os.truncate(tar, 700)
    with pytest.raises(DataError, match="cut short"):
        evidence.frames(tmp_path, TASK, "a")
    assert Writer(tmp_path, TASK).start(PRINT, GROUPS) == [0, 1, 2]


def with_frames(folder: Path) -> Path:
    """Group 0 with two frames of its sample "a"; returns their tar."""
    begun(folder).append(0, rows(0, a=pictures()), {"a": pictures()})
    return evidence.tar_of(folder, TASK, 0)


def write_tar(tar: Path, names: list[str]) -> None:
    data = b"".join(shards.header(name, 3) + b"abc" + bytes(509) for name in names)
    tar.write_bytes(data + shards.END)


@pytest.mark.parametrize("left", [None, ["a.try0.png"], ["a.try0.png", "a.try1.png", "c.try0.png"]])
def test_frames_that_rows_do_not_name_alike_make_their_group_be_played_again(
    tmp_path: Path, left: list[str] | None
) -> None:
    tar = with_frames(tmp_path)
    assert Writer(tmp_path, TASK).start(PRINT, GROUPS) == [1, 2]
    tar.unlink() if left is None else write_tar(tar, left)
    writer = Writer(tmp_path, TASK)
    assert writer.start(PRINT, GROUPS) == [0, 1, 2]
    writer.append(0, rows(0), {})
    assert not tar.exists(), "of the try before, and nothing is kept now"
    assert Writer(tmp_path, TASK).start(PRINT, GROUPS) == [1, 2]


def test_no_row_is_written_before_its_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> str:
        raise BuildError("no room")

    writer = begun(tmp_path)
    before = evidence.path_of(tmp_path, TASK).read_bytes()
    monkeypatch.setattr("gobench.atomic.write", full)
    with pytest.raises(BuildError, match="no room"):
        writer.append(0, rows(0, a=pictures()), {"a": pictures()})
    assert evidence.path_of(tmp_path, TASK).read_bytes() == before


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.png"], "'a.png' is no kept frame"),
        (["../a.try0.png"], "is no kept frame"),
        (["a.try0.png.png"], "is no kept frame"),
        (["a.try0.png", "a.try0.png"], "the frame 'try0' of a is there twice"),
        (["a.try0.png"], "the frame 'try0' of a cannot be read: png: 3 bytes"),
    ],
)
def test_what_is_no_kept_frame_is_told(tmp_path: Path, names: list[str], said: str) -> None:
    write_tar(with_frames(tmp_path), names)
    with pytest.raises(DataError, match=said):
        evidence.frames(tmp_path, TASK, "a")


def test_only_the_pictures_asked_for_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gobench.codec import pictures as codec

    writer = begun(tmp_path)
    for group, sample in enumerate("cde"):
        writer.append(group, rows(group, **{sample: pictures()}), {sample: pictures()})
    read: list[int] = []
    real = codec.decode

    def decode(data: bytes) -> Array:
        read.append(len(data))
        return real(data)

    monkeypatch.setattr(codec, "decode", decode)
    kept = evidence.Kept(tmp_path, TASK)
    assert (kept.samples, kept.names("d"), kept.names("a")) == ({"c", "d", "e"}, ["try0", "try1"], [])
    assert list(kept.frames("d")) == ["try0", "try1"] and len(read) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "a"}, "has no 'frames'"),
        ({"id": "a", "frames": "00"}, "frames is '00', not a list"),
        ({"id": "a", "frames": ["00"]}, "has no 'kept'"),
        ({"id": "a", "frames": [], "kept": {"try0": 3}}, "try0 is 3, not a text"),
        ({"id": 5, "frames": [], "kept": {}}, "id is 5, not a text"),
    ],
)
def test_rows_with_wrong_keys_are_told_by_their_line(tmp_path: Path, row: Record, said: str) -> None:
    path = evidence.path_of(tmp_path, TASK)
    path.parent.mkdir()
    path.write_text(json.dumps({"header": {"format": 1}}) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(DataError, match=f"line 2.*{said}"):
        evidence.read(tmp_path, TASK)


def test_evidence_that_is_not_of_a_result_is_refused(tmp_path: Path) -> None:
    begun(tmp_path, 0)
    path = evidence.path_of(tmp_path, TASK)
    stated = [sha256_file(path)]
    evidence.refuse_other(tmp_path, TASK, stated)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DataError, match="is not the evidence that the result was derived from"):
        evidence.refuse_other(tmp_path, TASK, stated)
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        evidence.refuse_other(tmp_path, TASK, stated)


@pytest.mark.parametrize("name", ["a/b", "a.b", "../a", "", "ä"])
def test_names_that_a_tar_cannot_hold_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot name a sample or a frame"):
        begun(tmp_path).append(0, rows(0), {name: pictures()})


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = begun(tmp_path, 0)
    before = evidence.path_of(tmp_path, TASK).read_bytes()
    real = os.write
    calls = iter([9])

    def full(handle: int, data: bytes) -> int:
        part = next(calls, None)
        if part is None:
            raise OSError(28, "No space left on device")
        return real(handle, bytes(data)[:part])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(BuildError, match="no room to write"):
        writer.append(1, rows(1), {})
    assert evidence.path_of(tmp_path, TASK).read_bytes() == before
