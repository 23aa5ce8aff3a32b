"""What the numbers may depend on beside model and protocol: packages, code, machine kind."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gobench
from gobench.types import Record

PACKAGES = ("video-gobench", "numpy", "numba", "pillow", "torch")
GIT = 10.0  # seconds that git may take to answer


def environment(versions: Mapping[str, str], *, device: str, dtype: str, batch: int, seed: int) -> Record:
    """Plain data for ``gobench.results.Environment``; ``versions`` are those that the domain adds."""
    return {
        "packages": {**_installed(), **versions},
        "git": git(Path(gobench.__file__).parent),
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "device": _device(device),
        "dtype": dtype,
        "batch": batch,
        "seed": seed,
    }


def _installed() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _device(name: str) -> str:
    """The device with the name of the card: "cuda:0 (NVIDIA ...)". Asks torch only where it is loaded already."""
    torch = sys.modules.get("torch")
    if torch is None or not name.startswith("cuda"):
        return name
    try:
        return f"{name} ({torch.cuda.get_device_name(name)})"
    except (RuntimeError, AssertionError, ValueError):  # no such card: the model does not use it
        return name


def git(folder: Path) -> Record | None:
    """Commit and dirty flag of the checkout that tracks the code in ``folder``; None where none does."""
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None or changes is None else {"commit": commit, "dirty": bool(changes)}


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=GIT)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def facts(table: Record) -> Record:
    """An environment as one flat table of what may not change within a run: all but the commit."""
    flat = {key: value for key, value in table.items() if key not in ("packages", "git")}
    return flat | {f"version of {name}": number for name, number in table["packages"].items()}


def later(first: Record, now: Record) -> Record:
    """The environment of a run that goes on: code that changed in between counts as dirty."""
    if first["git"] is None or now["git"] is None or first["git"] == now["git"]:
        return first
    return {**first, "git": {**first["git"], "dirty": True}}
