"""``gobench train`` and ``gobench analyze``: groups of the core whose commands rooms publish by entry point."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gobench import registry
from gobench.cli import SHARED, cli, rooms
from gobench.errors import UsageError

ROOM = """
import click

@click.command("lamps")
@click.option("--watts", default=5)
def lamps(watts):
    "Train lamps. Slowly."
    click.echo(f"{watts} W")
"""


@pytest.fixture
def lamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A room with a command under train, and one that does not import under analyze."""
    (tmp_path / "a_room_of_lamps.py").write_text(ROOM)
    monkeypatch.syspath_prepend(tmp_path)
    table = registry.installed("commands")
    for name, place in {"train.lamps": "a_room_of_lamps:lamps", "analyze.broken": "no_such_room:x"}.items():
        monkeypatch.setitem(table, name, EntryPoint(name, place, "gobench.commands"))
    registry.load.cache_clear()


def test_a_rooms_command_stands_in_its_group(lamps: None) -> None:
    shown = CliRunner().invoke(cli, ["train", "--help"])
    assert shown.exit_code == 0 and "lamps" in shown.output and "Train lamps." in shown.output
    assert CliRunner().invoke(cli, ["train", "lamps", "--watts", "7"]).output == "7 W\n"
    assert "train.lamps" not in CliRunner().invoke(cli, ["--help"]).output


def test_a_broken_command_does_not_hide_the_others(lamps: None) -> None:
    shown = CliRunner().invoke(cli, ["analyze", "--help"])
    assert shown.exit_code == 0 and "(broken)" in shown.output
    with pytest.raises(UsageError, match=r"'analyze\.broken' is installed but does not import"):
        CliRunner().invoke(cli, ["analyze", "broken"], catch_exceptions=False)


def test_an_unknown_command_ends_with_2() -> None:
    error = CliRunner().invoke(cli, ["train", "nothing"]).exception
    assert isinstance(error, UsageError) and error.exit_code == 2


def test_groups_are_told_at_the_top_without_their_rooms() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    for name, about in SHARED.items():
        assert f"{name} " in shown and about.split(":")[0] in shown
    assert "go" in rooms() and not [name for name in rooms() if "." in name]
    context = click.Context(cli)
    assert len(cli.list_commands(context)) == len(set(cli.list_commands(context)))


def test_help_of_a_training_imports_nothing_heavy() -> None:
    code = (
        "import sys; from gobench.cli import cli\n"
        "for words in (['train', '--help'], ['train', 'videoworld', '--help'], ['analyze', '--help']):\n"
        "    cli(words, standalone_mode=False)\n"
        "print(sorted({'torch', 'numba', 'pandas', 'pyarrow', 'av', 'matplotlib', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
