"""Where networks lie: a file, or a name that is looked for in the usual folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from gobench.errors import UsageError

NETS = "GOBENCH_NETS"
"""The environment variable that names more folders, first of all, as PATH does."""
FOLDERS = (
    "~/.katago",
    "~/.katago/networks",
    "~/.katago/models",
    "~/.katrain",
    "~/.local/share/katago",
    "~/katago",
    "/usr/local/share/katago",
    "/opt/homebrew/share/katago",
    "/opt/katago",
    "/usr/share/katago",
)
ENDINGS = (".bin.gz", ".txt.gz", ".bin", ".txt", ".onnx")
HUMAN = "b18c384nbt-humanv0"
"""The network that imitates people; KataGo's release page has it."""
_RANK = r"(?:(?:[1-9]|1\d|20)k|[1-9]d)"
PROFILE = rf"(?:rank|preaz)_{_RANK}(?:_{_RANK})?|proyear_(?:1[89]\d\d|20[01]\d|202[0-3])"
"""Whom it imitates, as a pattern: a rank, or one of Black and one of White, or professionals of a year."""


def folders() -> list[Path]:
    """Folders that are looked into, those of ``GOBENCH_NETS`` first; they need not exist."""
    own = [word for word in os.environ.get(NETS, "").split(os.pathsep) if word]
    return [Path(word).expanduser() for word in (*own, *FOLDERS)]


def find_net(name: str, kind: str = "network") -> Path:
    """The file of a network, given as a path or as a name with or without its ending.

    Raises UsageError that says where was looked, what is there and how to get one.
    """
    if found := find_file(name, ("", *ENDINGS)):
        return found
    raise UsageError(f"there is no {kind} {name!r}. {advice()}")


def find_file(name: str, endings: Sequence[str] = ("",)) -> Path | None:
    """A file given as a path, or as a name in the folders; None where there is none.

    The folder of a path is looked into from now on, by this process and those that it starts: records name files
    without their folders, and are read again.
    """
    if given := file_at(name):
        _remember(given.absolute().parent)
        return given.resolve()
    if Path(name).name != name:
        return None
    every = (file_at(str(folder / f"{name}{ending}")) for folder in folders() for ending in endings)
    return next((path.resolve() for path in every if path), None)


def file_at(name: str) -> Path | None:
    """The path of a file, ``~`` filled in; None where it is none or nobody may look."""
    try:
        path = Path(name).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, a forbidden folder, nobody's home, a zero byte
        return None


def _remember(folder: Path) -> None:
    words = [word for word in os.environ.get(NETS, "").split(os.pathsep) if word]
    if folder not in folders():
        os.environ[NETS] = os.pathsep.join([*words, str(folder)])


def found_nets() -> list[Path]:
    """Every network in the folders."""
    inside = [path for path in folders() if os.path.isdir(path) and os.access(path, os.R_OK | os.X_OK)]
    every = [path for folder in inside for path in sorted(folder.iterdir())]
    return [path for path in every if path.name.endswith(ENDINGS[:2]) and path.is_file()]


def advice() -> str:
    """What to do next."""
    there = found_nets()
    has = f"Found here: {_listed([net_name(p) for p in there])}." if there else "None was found here."
    return (
        f"Give the path of a .bin.gz or .txt.gz, or a name in {FOLDERS[0]} or in the folders of {NETS}. {has} "
        "Networks are at https://katagotraining.org/networks/ (a small one is enough for 9x9)."
    )


def net_name(path: Path) -> str:
    """The name of a network file without folder and ending."""
    for ending in ENDINGS:
        if path.name.endswith(ending):
            return path.name.removesuffix(ending)
    return path.name


def _listed(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
