"""A disk that is really full: a small tmpfs, where the machine lets a test mount one."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gobench.build import build, configure
from gobench.build.run import sums_hash
from gobench.errors import BuildError

HERE = Path(__file__).parents[1]  # where bouncing.py lies


def mount(folder: Path, *options: str) -> None:
    command = ["mount", *options, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except FileNotFoundError:
        pytest.skip("needs the program mount")
    if done.returncode:
        pytest.skip(f"this user may not mount a tmpfs: {done.stderr.strip()}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=64k", "tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=10)


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("bouncing").Bouncing()


def test_a_full_disk_is_said_and_the_build_goes_on_with_room(
    domain: Any, small: Path, tmp_path: Path
) -> None:
    config = configure(domain, "dot-tiny")
    with pytest.raises(BuildError, match="space"):
        build(domain, config, small / "games")
    left = [path.name for path in (small / "games").rglob(".*") if path.is_file() and path.suffix != ".lock"]
    assert [name for name in left if name != "lock"] == []
    mount(small, "-o", "remount,size=16m")
    assert build(domain, config, small / "games").done
    build(domain, config, tmp_path / "whole")
    assert sums_hash(small / "games") == sums_hash(tmp_path / "whole")


def test_a_read_only_disk_is_said(domain: Any, small: Path) -> None:
    mount(small, "-o", "remount,ro")
    with pytest.raises(BuildError, match=r"[Rr]ead-only"):
        build(domain, configure(domain, "dot-tiny"), small / "games")
