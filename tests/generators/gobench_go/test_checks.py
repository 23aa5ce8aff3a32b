"""What the doctor says about Go's engines and networks, with stand-ins for both."""

from __future__ import annotations

from pathlib import Path

import pytest

from gobench import doctor
from gobench_go import checks
from gobench_go.engines import find, nets


def only(name: str) -> doctor.Finding:
    (finding,) = doctor.examine(only=[name])
    return finding


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any engine or network."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GOBENCH_NETS", str(tmp_path / "nets"))
    monkeypatch.setattr(nets, "FOLDERS", ())
    monkeypatch.setattr(find, "GAMES", str(tmp_path))
    monkeypatch.setattr(checks, "LEELA_FOLDERS", (str(tmp_path / "leela"),))
    return tmp_path


def program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("name", "file", "says"),
    [
        ("gnugo", "gnugo", "GNU Go 3.8"),
        ("pachi", "pachi", "Pachi version 12.84"),
        ("leela-zero", "leelaz", "Leela Zero 0.17  Copyright"),
        ("katago", "katago", "KataGo v1.16.4"),
    ],
)
def test_engines(empty: Path, name: str, file: str, says: str) -> None:
    path = program(empty, file, says)
    assert only(name) == doctor.Finding(name, "ok", f"{says} at {path}")
    program(empty, file, "something else")
    assert only(name).status == "warn" and only(name).fix


def test_what_is_not_there_says_how_to_get_it(empty: Path) -> None:
    for name in ("gnugo", "pachi", "katago", "networks", "human-net", "leela-net"):
        finding = only(name)
        assert finding.status == "absent" and any(
            word in finding.detail for word in ("https://", "apt install", "brew")
        ), finding


def test_networks(empty: Path) -> None:
    folder = empty / "nets"
    folder.mkdir()
    for name in (
        "b6.bin.gz",
        "b10.bin.gz",
        "b15.bin.gz",
        "b18.bin.gz",
        "b18c384nbt-humanv0.bin.gz",
        "notes.md",
    ):
        (folder / name).write_bytes(b"")
    found = only("networks")
    assert found.status == "ok" and "and 1 more" in found.detail and "human" not in found.detail
    assert only("human-net").detail == f"b18c384nbt-humanv0 in {folder}"
    (empty / "leela").mkdir()
    (empty / "leela" / "best-network.gz").write_bytes(b"")
    assert only("leela-net").detail == f"best-network.gz in {empty / 'leela'}"
