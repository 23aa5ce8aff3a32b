"""Ctrl-C in the middle of a torch model's answer, in real processes: an orderly end, never an abort in C++."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MODEL = """
import sys
import torch

class Slow:
    frame_size = (64, 64)
    name = "slow"

    def generate(self, frames, n, seeds, context=None):
        size = {size}
        x = torch.eye(size)
        print("at work", file=sys.stderr, flush=True)
        {work}
"""
STEPS = "while True: x = torch.tanh(x @ x)"  # many short steps
ONE_STEP = "torch.matrix_power(x, 2**60 - 1)"  # one step of minutes
LIBRARY = """
import numpy as np
from gobench.models import load
load("slow_model.py:Slow").ask(np.zeros((1, 1, 64, 64, 3), np.uint8), 1, np.zeros(1, np.uint64))
"""
CAUGHT = """
import sys
import numpy as np
from gobench.models import load
try:
    load("slow_model.py:Slow").ask(np.zeros((1, 1, 64, 64, 3), np.uint8), 1, np.zeros(1, np.uint64))
except KeyboardInterrupt:
    print("caught", flush=True)
    sys.exit(7)
"""
SMOKE = (
    "from gobench.cli import main; import sys; sys.argv = ['gobench', 'smoke', 'slow_model.py:Slow']; main()"
)
EVALUATE = (
    "from gobench.cli import main; import sys; "
    "sys.argv = ['gobench', 'evaluate', 'slow_model.py:Slow', '--limit', '1', '--out', 'run']; main()"
)


def interrupted(place: Path, code: str, work: str, size: int) -> tuple[int, str, float]:
    """Exit code, all that was written, and seconds from Ctrl-C to the end."""
    pytest.importorskip("torch")
    (place / "slow_model.py").write_text(MODEL.format(work=work, size=size))
    told = place / "told"
    with told.open("wb") as stream:
        child = subprocess.Popen([sys.executable, "-c", code], cwd=place, stdout=stream, stderr=stream)
    try:
        until = time.monotonic() + 90
        while b"at work" not in told.read_bytes():
            assert child.poll() is None and time.monotonic() < until, told.read_text()
            time.sleep(0.02)
        time.sleep(0.2)
        os.kill(child.pid, signal.SIGINT)
        start = time.monotonic()
        return child.wait(60), told.read_text(), time.monotonic() - start
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("code", "exits", "said"),
    [
        (LIBRARY, -signal.SIGINT, "KeyboardInterrupt"),
        (CAUGHT, 7, "caught"),
        (SMOKE, 130, "interrupted"),
        (EVALUATE, 130, "stopped"),
    ],
    ids=["library", "caught", "smoke", "evaluate"],
)
def test_a_torch_model_is_stopped_between_two_steps(tmp_path: Path, code: str, exits: int, said: str) -> None:
    found, told, _ = interrupted(tmp_path, code, STEPS, 64)
    assert "terminate called" not in told
    assert (found, said in told) == (exits, True), told


@pytest.mark.slow
def test_a_step_that_takes_minutes_ends_with_the_process(tmp_path: Path) -> None:
    found, told, seconds = interrupted(tmp_path, LIBRARY, ONE_STEP, 2500)
    assert "terminate called" not in told
    assert "KeyboardInterrupt" in told
    assert found == 130
    assert seconds < 20


def test_a_torch_model_that_is_late_ends_the_command_in_order(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "slow_model.py").write_text(MODEL.format(work=STEPS, size=64))
    words = ["smoke", "slow_model.py:Slow", "--timeout", "0.5"]
    code = f"from gobench.cli import main; import sys; sys.argv = ['gobench', *{words}]; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=90
    )
    assert "terminate called" not in done.stderr
    assert done.returncode == 5 and "did not answer within 0.5 s" in done.stdout, done
