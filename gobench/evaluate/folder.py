"""The folder of a run: what lies where, who may work in it, and what it was begun with.

run.json  evidence/*.jsonl  frames/*/NNNNN.tar  result.json  report.html
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from gobench import atomic, evidence, results
from gobench.canonical import EVERY, check, pretty, read_json
from gobench.errors import BuildError, DataError
from gobench.types import Record

RUN = "run.json"
REPORT = "report.html"
LOCK = ".lock"
FORMAT = 1
HOME = Path("runs") / "eval"
OURS = (RUN, results.FILE, REPORT, evidence.FOLDER, evidence.FRAMES)
SHAPE: Record = {
    "format": int,
    "fingerprint": dict,
    "suite": {"name": str, "domain": str, "protocol": str},
    "model": dict,
    "environment": dict,
    "tasks": {EVERY: {"samples": int}},
    "known": {EVERY: [str]},
    "trained_on": [{"name": str, "manifest_sha256": str}],
    "batch_check": {EVERY: dict},
}


def default_out(model: str, suite: str) -> Path:
    """``runs/eval/MODEL-SUITE``."""
    return HOME / (re.sub(r"[^A-Za-z0-9._@+-]+", "-", f"{model}-{suite}").strip("-.") or "run")


@contextlib.contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, and strangers' files in it untouched.

    Raises:
        BuildError: another run is at work, or the folder holds other things.
    """
    _refuse_foreign(folder)
    refusal = f"another run is at work in {folder}. Wait until it ends, or choose another --out."
    with atomic.lock(folder / LOCK, refusal):
        yield


def _refuse_foreign(folder: Path) -> None:
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        raise atomic.explain(error, folder) from error
    if names and RUN not in names:
        raise BuildError(
            f"{folder} is not empty and holds no run of `gobench evaluate` ({', '.join(names[:5])}): "
            "choose another --out."
        )


def clear(folder: Path) -> None:
    """Remove what an earlier run left. ``run.json`` goes last, so that a kill leaves a folder of ours."""
    for name in reversed(OURS):
        path = folder / name
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise atomic.explain(error, path) from error


def tidy(folder: Path) -> None:
    """Remove temporary files of runs that died."""
    frames = folder / evidence.FRAMES
    homes = [path for path in frames.iterdir() if path.is_dir()] if frames.is_dir() else []
    atomic.remove_temporaries(folder, folder / evidence.FOLDER, *homes)


def read_run(folder: Path) -> Record:
    """``run.json``. Raises DataError if it is missing or not of this format."""
    path = folder / RUN
    if not path.exists():
        raise DataError(f"{folder} holds no {RUN}: give a folder that `gobench evaluate --out` has made.")
    table: Record = read_json(path)
    check(table, SHAPE, str(path))
    if table["format"] != FORMAT:
        raise DataError(f"{path} has format {table['format']}; this version reads {FORMAT}.")
    return table


def write_run(folder: Path, table: Record) -> None:
    """``run.json``, whole or not at all."""
    atomic.write(folder / RUN, pretty(table))
