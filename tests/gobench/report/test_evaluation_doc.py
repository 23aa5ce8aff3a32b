"""Every Python example of docs/evaluation.md runs, in order, in one session; its commands exist."""

import re
import shlex
from pathlib import Path

import click
import pytest

from gobench.cli import cli

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "evaluation.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) >= 5
    session: dict[str, object] = {}
    for example in examples:
        if name := re.match(r"# (\w+\.py)\n", example):
            (tmp_path / name[1]).write_text(example)
        line = TEXT[: TEXT.index(example)].count("\n")
        exec(compile("\n" * line + example, PAGE.name, "exec"), session)
    assert (tmp_path / "runs" / "eval" / "my-model-go9-lite-limit64" / "report.html").exists()


def command_lines() -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return [line for kind, block in blocks if not kind for line in block.splitlines()]


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_has_options_that_exist(line: str) -> None:
    program, name, *words = shlex.split(line)
    assert program == "gobench"
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, name
    known = {text for param in command.params for text in (*param.opts, *param.secondary_opts)} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known
