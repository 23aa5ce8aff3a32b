"""docs/playing.md: its commands can be given, its options and keys are all there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gobench_go.arena.gtp_commands import COMMANDS
from gobench_go.arena.gtp_server import ON_FAILURE
from gobench_go.commands.gtp import gtp
from gobench_go.commands.play import play
from gobench_go.game.rules import RULES

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "playing.md").read_text(encoding="utf-8")
LINES = re.findall(r"gobench go (play|gtp) ([^`|\n]+?)(?=`|\n|$)", PAGE)


@pytest.mark.parametrize(("name", "words"), LINES)
def test_every_command_can_be_given(name: str, words: str) -> None:
    command = {"play": play, "gtp": gtp}[name]
    assert command.make_context(name, shlex.split(words.replace('"', "").split(" --out ")[0])).params["model"]


def test_every_command_stands_there() -> None:
    assert len(LINES) >= 5
    missing = [name for name, command in COMMANDS.items() if command.judges and f"`{name}`" not in PAGE]
    assert not missing
    assert not [word for word in (*RULES, *ON_FAILURE) if f"`{word}`" not in PAGE]


def test_every_key_stands_there_and_on_the_page() -> None:
    folder = ROOT / "generators" / "gobench_go" / "arena" / "play"
    table = re.search(r"const KEYS = \{(.*?)\n\};", (folder / "page.js").read_text(), re.DOTALL)
    assert table is not None
    keys = re.findall(r"^  (\w):", table[1], re.MULTILINE)
    page = (folder / "page.html").read_text()
    assert keys == ["p", "u", "h", "n"]
    assert not [key for key in keys if f"| `{key}` |" not in PAGE or f"<kbd>{key}</kbd>" not in page]
