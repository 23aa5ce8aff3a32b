"""docs/baseline.md says what is there: its commands and options exist, and its tables are those of the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from gobench.cli import cli
from gobench_videoworld.config import INPUTS, SIZES, SamplerConfig, VideoWorldConfig, transformer_of
from gobench_videoworld.configure import with_settings

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "baseline.md").read_text(encoding="utf-8")


def command_lines() -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line[line.index("gobench ") :] for line in lines if line.startswith(("gobench ", "torchrun "))]


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_has_options_that_exist(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command | None = cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None, line
    known = {text for param in command.params for text in param.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_options_in_the_text_exist() -> None:
    train = cli.get_command(click.Context(cli), "train")
    assert isinstance(train, click.Group)
    command = train.get_command(click.Context(train), "videoworld")
    assert command is not None
    known = {text for param in command.params for text in param.opts}
    foreign = {"--teacher", "--reannotate"}  # of build-dataset
    named = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert named - foreign <= known and len(named) > 15


def test_the_tables_are_those_of_the_code() -> None:
    for size in SIZES:
        own = transformer_of(size)
        row = rf"\| `{size}` \| {own.num_hidden_layers} × {own.hidden_size} \| {own.num_attention_heads} \|"
        assert re.search(row, TEXT), size
    for name in INPUTS:
        assert f"| `{name}` |" in TEXT
    sampler = SamplerConfig()
    for key in ("temperature", "frame_temperature", "renderer"):
        assert re.search(rf"\| `{key}` \| `?{getattr(sampler, key)}`? \|", TEXT), key


def test_its_settings_can_be_set() -> None:
    given = re.findall(r"--set (\w+\.[\w.]+=[\w,.]+)", TEXT)
    assert len(given) >= 3
    with_settings(VideoWorldConfig(), given)
