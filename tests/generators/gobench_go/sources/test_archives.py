"""Files, folders and archives as numbered members; what hostile archives meet."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from gobench.errors import UsageError
from gobench_go.sources import archives
from gobench_go.sources.archives import MemberError
from gobench_go.sources.members import Listing, list_members

WANTED = (".sgf",)


def listing(*paths: Path | str) -> Listing:
    return list_members([str(p) for p in paths], WANTED, "sgf")


def contents(found: Listing, limit: int = 1000) -> dict[str, bytes | str]:
    """Origin -> bytes, or the reason against them."""
    result: dict[str, bytes | str] = {}
    for index in range(len(found)):
        container, member = found.find(index)
        try:
            result[container.origin(member)] = container.read(member, limit)
        except MemberError as error:
            assert error.reason in archives.REASONS
            assert "\n" not in error.detail
            assert str(Path.cwd()) not in error.detail
            result[container.origin(member)] = error.reason
    return result


def test_a_file_a_folder_a_zip_and_a_tar(tmp_path, make_zip, make_tar):
    single = tmp_path / "one.sgf"
    single.write_bytes(b"one")
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.SGF").write_bytes(b"b")
    (folder / "deep" / "a.sgf").write_bytes(b"a")
    (folder / "notes.txt").write_bytes(b"ignored")
    make_zip(folder / "inner.zip", {"z.sgf": b"z"})
    packed = make_zip(tmp_path / "games.zip", {"d/": b"", "d/2.sgf": b"2", "1.sgf": b"1", "README": b"r"})
    tarred = make_tar(tmp_path / "games.tar.gz", {"x/3.sgf": b"3", "4.sgf": b"4"})
    found = listing(single, folder, packed, tarred)
    assert contents(found) == {
        "one.sgf": b"one",
        "folder/b.SGF": b"b",
        "folder/deep/a.sgf": b"a",
        "folder/inner.zip/z.sgf": b"z",
        "games.zip/1.sgf": b"1",
        "games.zip/README": "not-wanted",
        "games.zip/d/2.sgf": b"2",
        "games.tar.gz/x/3.sgf": b"3",
        "games.tar.gz/4.sgf": b"4",
    }


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_read_in_any_order_and_after_pickling(tmp_path, make_tar, mode):
    files = {f"{i}.sgf": bytes([65 + i]) * 500 for i in range(20)}
    found = pickle.loads(pickle.dumps(listing(make_tar(tmp_path / "games.tar", files, mode))))
    for index in (7, 3, 19, 0, 7):
        container, member = found.find(index)
        assert container.read(member, 1000) == files[f"{index}.sgf"]


def test_globs_order_and_doubles(tmp_path):
    for name in ("b.sgf", "a.sgf", "c.sgf"):
        (tmp_path / name).write_text(name)
    assert list(contents(listing(tmp_path / "*.sgf"))) == ["a.sgf", "b.sgf", "c.sgf"]
    assert list(contents(listing(tmp_path / "c.sgf", tmp_path / "*.sgf"))) == ["c.sgf", "a.sgf", "b.sgf"]


def test_inputs_with_the_same_name_stay_apart(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "g.sgf").write_text(folder)
    found = listing(tmp_path / "x" / "g.sgf", tmp_path / "y" / "g.sgf")
    assert contents(found) == {"g.sgf": b"x", "g.sgf~2": b"y"}
    assert len(found.hashes()) == 2


@pytest.mark.parametrize("path", ["missing.sgf", "none-*.sgf", "empty"])
def test_paths_that_stand_for_nothing(tmp_path, path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        UsageError, match=r"sgf: .*(does not exist|matches nothing|holds no file).*Give files"
    ):
        listing(tmp_path / path)


def test_hashes_follow_the_content_and_not_the_place(tmp_path):
    digests = []
    for place in ("x", "y"):
        folder = tmp_path / place / "games"
        folder.mkdir(parents=True)
        (folder / "1.sgf").write_text("one")
        (folder / "2.sgf").write_text("two")
        digests.append(listing(folder).hashes())
    assert digests[0] == digests[1]
    (tmp_path / "y" / "games" / "2.sgf").write_text("TWO")
    assert listing(tmp_path / "y" / "games").hashes() != digests[0]
    single = tmp_path / "x" / "games" / "1.sgf"
    assert listing(single).hashes() == {"1.sgf": hashlib.sha256(b"one").hexdigest()}


def test_names_that_lead_outside_are_never_opened(tmp_path, make_zip, make_tar):
    names = ["../up.sgf", "/etc/abs.sgf", "a/../../b.sgf", "C:/win.sgf", "..\\back.sgf"]
    packed = make_zip(tmp_path / "bad.zip", dict.fromkeys(names, b"x"))
    tarred = make_tar(tmp_path / "bad.tgz", dict.fromkeys(names, b"x"))
    assert set(contents(listing(packed, tarred)).values()) == {"unsafe-member"}
    assert sorted(os.listdir(tmp_path)) == ["bad.tgz", "bad.zip"]


def test_links_and_devices_in_archives(tmp_path, make_tar):
    entries: dict[str, bytes | tarfile.TarInfo] = {"good.sgf": b"fine"}
    kinds = {
        "sym": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
        "pipe": tarfile.FIFOTYPE,
        "dev": tarfile.CHRTYPE,
    }
    for name, kind in kinds.items():
        entry = tarfile.TarInfo(f"{name}.sgf")
        entry.type, entry.linkname = kind, "/etc/passwd"
        entries[name] = entry
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.sgf")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found = contents(listing(make_tar(tmp_path / "links.tar", entries, "w"), path))
    assert found.pop("links.tar/good.sgf") == b"fine"
    assert set(found.values()) == {"unsafe-member"}
    assert len(found) == 5


def test_size_limits(tmp_path, make_zip, make_tar):
    (tmp_path / "big.sgf").write_bytes(b"x" * 1001)
    packed = make_zip(tmp_path / "a.zip", {"big.sgf": b"x" * 100_000, "small.sgf": b"s"})
    tarred = make_tar(tmp_path / "a.tgz", {"big.sgf": b"x" * 1001, "small.sgf": b"s"})
    found = contents(listing(tmp_path / "big.sgf", packed, tarred))
    assert [found["big.sgf"], found["a.zip/big.sgf"], found["a.tgz/big.sgf"]] == ["too-large"] * 3
    assert [found["a.zip/small.sgf"], found["a.tgz/small.sgf"]] == [b"s", b"s"]


def test_a_zip_that_lies_about_its_sizes(tmp_path, make_zip):
    path = make_zip(tmp_path / "liar.zip", {"big.sgf": b"x" * 100_000})
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(raw)
    assert contents(listing(path))["liar.zip/big.sgf"] in ("too-large", "unreadable")


def test_bombs(tmp_path, make_zip, monkeypatch):
    monkeypatch.setattr(archives, "FREE", 1 << 16)
    zeros = {f"{i}.sgf": bytes(1 << 20) for i in range(4)}
    assert contents(listing(make_zip(tmp_path / "bomb.zip", zeros))) == {"bomb.zip": "archive-bomb"}
    tar = tmp_path / "bomb.tgz"
    with tarfile.open(tar, "w:gz") as archive:
        for name, data in zeros.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, __import__("io").BytesIO(data))
    assert "archive-bomb" in contents(listing(tar)).values()


def test_a_giant_tar_header_is_not_read(tmp_path):
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 1 << 33
    path = tmp_path / "header.tar"
    path.write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert contents(listing(path)) == {"header.tar": "unreadable"}


def test_encrypted_members(tmp_path, make_zip):
    path = make_zip(tmp_path / "secret.zip", {"a.sgf": b"hidden", "b.sgf": b"open"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert contents(listing(path)) == {"secret.zip/a.sgf": "encrypted", "secret.zip/b.sgf": b"open"}


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz"])
@pytest.mark.parametrize(
    "data", [b"", b"not an archive", bytes(range(256)) * 20, b"PK\x05\x06", b"\x1f\x8b\x08rest"]
)
def test_files_that_are_no_archives(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert contents(listing(tmp_path / name)) == {name: "unreadable"}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_truncated_tars_keep_their_first_members(tmp_path, make_tar, mode):
    files = {f"{i}.sgf": os.urandom(600) for i in range(10)}
    path = make_tar(tmp_path / "cut.tar", files, mode)
    path.write_bytes(path.read_bytes()[:4000])
    found = contents(listing(path))
    assert found["cut.tar/0.sgf"] == files["0.sgf"]
    assert "archive-truncated" in found.values()
    assert "cut.tar/9.sgf" not in found


def test_damaged_zip_members(tmp_path, make_zip):
    path = make_zip(tmp_path / "bad.zip", {"a.sgf": b"hello world " * 20, "b.sgf": b"fine"})
    raw = bytearray(path.read_bytes())
    raw[45] ^= 0xFF
    path.write_bytes(raw)
    assert contents(listing(path)) == {"bad.zip/a.sgf": "unreadable", "bad.zip/b.sgf": b"fine"}


def test_shadow_files_of_macs_are_not_games(tmp_path, make_zip):
    path = make_zip(tmp_path / "mac.zip", {"__MACOSX/a.sgf": b"x", "d/._a.sgf": b"x", "d/a.sgf": b"x"})
    assert list(contents(listing(path)).values()) == ["not-wanted", "not-wanted", b"x"]


def test_strange_names_become_clean_origins(tmp_path, make_zip):
    (tmp_path / "f").mkdir()
    raw = os.path.join(os.fsencode(tmp_path / "f"), b"a\xff\n\x1bb.sgf")
    with open(raw, "wb") as file:
        file.write(b"odd")
    make_zip(tmp_path / "f" / "z.zip", {"line\nbreak.sgf": b"z"})
    found = contents(listing(tmp_path / "f"))
    assert list(found.values()) == [b"odd", b"z"]
    for origin in found:
        assert origin.encode("utf-8").isascii() or "\ufffd" in origin
        assert origin.isprintable()


def test_links_in_folders_are_not_followed_into_folders(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.sgf").write_text("o")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "i.sgf").write_text("i")
    (folder / "loop").symlink_to(folder)
    (folder / "out").symlink_to(outside)
    (folder / "gone.sgf").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.sgf")
    assert contents(listing(folder)) == {"in/i.sgf": b"i"}


def test_a_file_that_goes_away_is_a_rejection(tmp_path):
    path = tmp_path / "g.sgf"
    path.write_text("x")
    found = listing(path)
    path.unlink()
    assert contents(found) == {"g.sgf": "unreadable"}


def test_a_replaced_archive_is_listed_anew(tmp_path, make_zip):
    path = make_zip(tmp_path / "g.zip", {"a.sgf": b"old"})
    assert contents(listing(path)) == {"g.zip/a.sgf": b"old"}
    make_zip(path, {"a.sgf": b"new!", "b.sgf": b"2"})
    os.utime(path, ns=(1, 1))
    assert contents(listing(path)) == {"g.zip/a.sgf": b"new!", "g.zip/b.sgf": b"2"}


def test_a_gzipped_tar_without_the_name(tmp_path, make_tar):
    path = make_tar(tmp_path / "a.tar", {"1.sgf": b"1"}, "w")
    (tmp_path / "b.tar").write_bytes(gzip.compress(path.read_bytes()))
    assert contents(listing(tmp_path / "b.tar")) == {"b.tar/1.sgf": b"1"}


@pytest.mark.parametrize("suffix", ["sgf", "txt"])
@pytest.mark.parametrize("mode", ["zip", "tar"])
def test_a_listing_is_small_also_where_nothing_is_wanted(tmp_path, make_zip, make_tar, suffix, mode):
    names = [f"game_{i:06d}.{suffix}" for i in range(3000)]
    path = tmp_path / f"many.{mode}"
    found = listing((make_zip if mode == "zip" else make_tar)(path, dict.fromkeys(names, b"")))
    assert len(found) == 3000
    assert len(pickle.dumps(found)) < (len(names[0]) + 1 + 13) * 3000
    assert pickle.loads(pickle.dumps(found)).find(2999)[0].problems == found.containers[0].problems


def test_each_problem_is_kept_once(tmp_path, make_zip):
    path = make_zip(tmp_path / "a.zip", {"a.txt": b"", "../b.sgf": b"", "c.sgf": b"c", "d.txt": b""})
    container = listing(path).containers[0]
    assert container.codes.tolist() == [1, 2, 0, 2]
    assert [reason for reason, _ in container.problems] == ["unsafe-member", "not-wanted"]


@pytest.mark.parametrize("kind", ["back", "one-back", "pax-back", "many-headers", "cut-sparse"])
@pytest.mark.parametrize("packed", [False, True])
def test_tar_headers_that_lie(tmp_path, hostile, tar_of, kind, packed):
    first = tar_of({"good.sgf": b"fine"})[:1024]
    for prefix, expected in ((b"", ["unreadable"]), (first, [b"fine", "archive-truncated"])):
        raw = prefix + hostile[kind]("bad.sgf")
        path = tmp_path / "bad.tar"
        path.write_bytes(gzip.compress(raw) if packed else raw)
        assert list(contents(listing(path)).values()) == expected


@pytest.mark.parametrize("kind", ["sparse", "giant-sparse"])
def test_a_sparse_member_is_no_bomb_of_the_whole_archive(tmp_path, hostile, tar_of, monkeypatch, kind):
    monkeypatch.setattr(archives, "FREE", 1 << 16)
    path = tmp_path / "a.tar"
    path.write_bytes(hostile[kind]("bad.sgf") + tar_of({"good.sgf": b"fine"}))
    assert contents(listing(path)) == {"a.tar/bad.sgf": "unsafe-member", "a.tar/good.sgf": b"fine"}
