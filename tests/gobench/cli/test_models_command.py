"""``gobench smoke`` and ``gobench models`` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gobench.cli.models import models, smoke
from gobench.errors import UsageError

FLOATS = """
import numpy as np
class Floats:
    frame_size = (64, 64)
    def generate(self, frames, n, seeds, context=None): return np.repeat(frames[:, -1:], n, axis=1) / 255
"""


def test_models_are_listed() -> None:
    told = CliRunner().invoke(models, ["--json"])
    found = json.loads(told.output)
    assert {"copy-frame", "random-legal", "teacher", "oracle"} <= set(found["installed"])
    assert not [text for text in found["installed"].values() if "broken" in text]
    assert {"file", "python", "installed", "cmd", "predictions"} == set(found["forms"])
    text = CliRunner().invoke(models, []).output
    assert "copy-frame" in text and "package.module:Class" in text


def test_a_floor_is_well() -> None:
    told = CliRunner().invoke(smoke, ["copy-frame", "--samples", "3"])
    assert told.exit_code == 0, told.output
    assert "keeps its contract" in told.output and "no move is made" in told.output
    assert told.output.startswith("copy-frame: floor, 256x256")


def test_a_broken_model_ends_with_5(tmp_path: Path) -> None:
    (tmp_path / "floats_model.py").write_text(FLOATS)
    told = CliRunner().invoke(smoke, [f"{tmp_path}/floats_model.py:Floats"])
    assert told.exit_code == 5
    assert "WRONG answers" in told.output and "multiply by 255" in told.output
    told = CliRunner().invoke(smoke, [f"{tmp_path}/floats_model.py:Floats", "--json"])
    assert told.exit_code == 5 and json.loads(told.output)["well"] is False


@pytest.mark.parametrize(
    ("given", "code", "match"),
    [
        (["no-such-model"], 2, "unknown model 'no-such-model'"),
        (["model.pt"], 3, "there is no model model.pt"),
        (["copy-frame", "--suite", "go99"], 2, "unknown suite 'go99'"),
        (["copy-frame", "--samples", "1"], 2, "at least 2"),
        (["cmd:false"], 5, "model 'cmd:false' ended with exit code 1"),
    ],
)
def test_errors_are_one_message_and_a_code(tmp_path: Path, given: list[str], code: int, match: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "gobench", "smoke", *given], cwd=tmp_path, capture_output=True, text=True
    )
    assert told.returncode == code and told.stdout == ""
    assert match in told.stderr and "Traceback" not in told.stderr


@pytest.mark.parametrize("command", [smoke, models])
def test_help_has_examples_and_explains_every_option(command: click.Command) -> None:
    told = CliRunner().invoke(command, ["--help"])
    assert told.exit_code == 0 and "Examples:" in told.output
    assert all(p.help for p in command.params if isinstance(p, click.Option))


LOUD = """
import os, numpy as np
print("importing", flush=True)
class Loud:
    frame_size = (64, 64)
    def __init__(self): os.system("echo from below")
    def generate(self, frames, n, seeds, context=None):
        print("asked", flush=True)
        return np.repeat(frames[:, -1:], n, axis=1)
"""


def test_a_model_that_prints_does_not_break_json(tmp_path: Path) -> None:
    (tmp_path / "loud_model.py").write_text(LOUD)
    command = [
        sys.executable,
        "-m",
        "gobench",
        "smoke",
        f"{tmp_path}/loud_model.py:Loud",
        "--samples",
        "2",
        "--json",
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert json.loads(told.stdout)["well"] is True
    assert all(word in told.stderr for word in ("importing", "from below", "asked"))


def test_broken_predictions_are_a_finding(tmp_path: Path) -> None:
    folder = tmp_path / "answers" / "go9-next-move"
    folder.mkdir(parents=True)
    (folder / "00000.mp4").write_bytes(b"no video")
    told = CliRunner().invoke(smoke, [f"predictions:{tmp_path}/answers", "--samples", "2"])
    assert told.exit_code == 5, told.output
    assert "WRONG answers" in told.output and "cp PROMPTS/prompts.jsonl" in told.output


@pytest.mark.parametrize("seconds", ["0", "-3", "nan", "inf", "1e12"])
def test_timeouts_have_a_range(seconds: str) -> None:
    told = CliRunner().invoke(smoke, ["copy-frame", "--timeout", seconds], standalone_mode=False)
    assert isinstance(told.exception, UsageError) and "604,800" in str(told.exception)
