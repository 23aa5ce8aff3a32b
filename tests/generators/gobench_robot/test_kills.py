"""Builds and evaluations of robots that are killed and go on end as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("needs_metaworld", "needs_gl")]
BUILD = (
    "build-dataset", "robot-tiny", "--episodes", "20", "--shard-size", "2", "--size", "64", "--workers", "1", "--seed", "3",
)  # fmt: skip
EVALUATE = (
    "evaluate",
    "robot-future",
    "--suite",
    "robot-lite:handle-press,plate-slide",
    "--batch",
    "2",
    "--no-report",
)
DEADLINE = 300.0


def command(words: tuple[str, ...], out: Path) -> list[str]:
    return [sys.executable, "-m", "gobench", *words, "--out", str(out)]


def whole(words: tuple[str, ...], out: Path) -> None:
    subprocess.run(command(words, out), check=True, capture_output=True, timeout=DEADLINE)


def killed(words: tuple[str, ...], out: Path, pattern: str, many: int) -> None:
    """Start a command and kill it -9, children and all, once ``many`` files of a pattern lie in its folder."""
    child = subprocess.Popen(
        command(words, out), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + DEADLINE
    while len(list(out.glob(pattern))) < many and child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert child.poll() is None, "it ended before it could be killed"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def test_a_killed_build_ends_in_the_same_bytes(tmp_path: Path) -> None:
    whole(BUILD, tmp_path / "one")
    killed(BUILD, tmp_path / "two", "data/*.tar", 3)
    assert not (tmp_path / "two" / "manifest.json").exists()
    whole(BUILD, tmp_path / "two")
    assert (tmp_path / "one" / "SHA256SUMS").read_bytes() == (tmp_path / "two" / "SHA256SUMS").read_bytes()


def test_a_killed_evaluation_ends_in_the_same_evidence(tmp_path: Path) -> None:
    whole(EVALUATE, tmp_path / "one")
    killed(EVALUATE, tmp_path / "two", "frames/*/*.tar", 2)
    assert not (tmp_path / "two" / "result.json").exists()
    whole(EVALUATE, tmp_path / "two")
    (one,), (two,) = (list((tmp_path / name / "evidence").glob("*.jsonl")) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
