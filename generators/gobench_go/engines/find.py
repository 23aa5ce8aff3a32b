"""Where engines and networks lie on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from gobench.errors import UsageError

KATAGO_FOLDERS = ("~/.katago", "~/.local/share/katago", "/usr/share/katago", "/opt/homebrew/share/katago")
"""Where people, distributions and brew keep KataGo's networks."""
LEELA_FOLDERS = ("~/.local/share/leela-zero", "/usr/share/leela-zero", "/opt/homebrew/share/leela-zero")
HUMAN = "*human*.bin.gz"
HUMAN_SOURCE = "https://github.com/lightvector/KataGo/releases/tag/v1.15.0"


def program(names: Sequence[str]) -> str | None:
    """The first of the programs that is on the PATH or at its place, None where there is none of them."""
    return next((found for name in names if (found := shutil.which(os.path.expanduser(name)))), None)


def networks(folders: Sequence[str], *patterns: str) -> list[Path]:
    """Files of those patterns in the folders and below, sorted."""
    return sorted(set(_files(folders, patterns)))


def human_model() -> str:
    """KataGo's network that imitates people. Raises UsageError where there is none."""
    found = networks(KATAGO_FOLDERS, HUMAN)
    if not found:
        raise UsageError(
            f"imitating a rank needs KataGo's human model ({HUMAN}) in one of {', '.join(KATAGO_FOLDERS)}. "
            f"Get b18c384nbt-humanv0.bin.gz from {HUMAN_SOURCE} and put it into {KATAGO_FOLDERS[0]}."
        )
    return str(found[0])


def _files(folders: Sequence[str], patterns: Sequence[str]) -> Iterator[Path]:
    for folder in folders:
        for pattern in patterns:
            yield from Path(folder).expanduser().glob(f"**/{pattern}")
