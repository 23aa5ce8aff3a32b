"""The folder of a run: what lies where, who may work in it, and what it was begun with.

run.json  evidence/*.jsonl  frames/*/NNNNN.tar  games/*/*  result.json  report.html
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gobench import atomic, evidence, results
from gobench.canonical import EVERY, check, pretty, read_json, sha256
from gobench.errors import BuildError, DataError
from gobench.types import Record

if TYPE_CHECKING:
    from gobench.models import Loaded
    from gobench.models.describe import ModelInfo

RUN = "run.json"
REPORT = "report.html"
LOCK = ".lock"
FORMAT = 1
LONGEST = 60  # letters of a model's name in a folder's
HOME = Path("runs") / "eval"
GAMES = "games"
OURS = (RUN, results.FILE, REPORT, GAMES, evidence.FOLDER, evidence.FRAMES)
SHAPE: Record = {
    "format": int,
    "fingerprint": {"suite": str, "protocol": str, "seed": int, "batch": int},
    "suite": {"name": str, "domain": str, "protocol": str},
    "model": dict,
    "environment": {"packages": {EVERY: str}},
    "tasks": {EVERY: {"samples": int}},
    "known": {EVERY: [str]},
    "trained_on": [{"name": str, "manifest_sha256": str}],
    "batch_check": {EVERY: dict},
}


def default_out(model: Loaded, suite: str, protocol: str, limit: int | None) -> Path:
    """``runs/eval/MODEL-SUITE``, with what else tells runs apart: the protocol, unless standard, and a limit."""
    parts = [_short(model.info), suite, "" if protocol == "standard" else protocol]
    parts.append("" if limit is None else f"limit{limit}")
    return HOME / (_plain("-".join(filter(None, parts))) or "run")


def _short(info: ModelInfo) -> str:
    """A model's name with the arguments it was given, at most ``LONGEST`` letters."""
    given = {"python": info.text.split(":", 2)[2:], "cmd": info.text.split()[1:]}.get(info.form, [])
    words = (re.split(r"[/\\]", word)[-1].removesuffix(".py") for word in given)
    name = _plain("-".join([info.name, *(word for word in words if word not in info.name)]))
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{sha256(info.text.encode())[:8]}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", text).strip("-.")


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
    _check_open(table, path)
    return table


def _check_open(table: Record, path: Path) -> None:
    """What may also be null, and what must be more than a whole number."""
    places: list[tuple[Record, str, type]] = [(table["fingerprint"], "limit", int)]
    places += [(task, "missing", str) for task in table["tasks"].values()]
    places += [(table["environment"], "git", dict)]
    for part, key, kind in places:
        if part.get(key, 0.5) is not None:
            check(part, {key: kind}, f"{path}: the part with {key!r}")
    if table["fingerprint"]["batch"] < 1 or (table["fingerprint"]["limit"] or 1) < 1:
        raise DataError(f"{path}: batch and limit are at least 1.")


def write_run(folder: Path, table: Record) -> None:
    """``run.json``, whole or not at all."""
    atomic.write(folder / RUN, pretty(table))
