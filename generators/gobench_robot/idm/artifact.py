"""The file of an inverse dynamics: safetensors, and in its metadata one entry, "idm", with the rest as canonical JSON.

One entry, since safetensors writes several in no fixed order. Nothing here needs torch.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from gobench.canonical import check, dumps, loads, sha256_file
from gobench.errors import DataError
from gobench.types import Json, Record
from gobench_robot.idm.config import Config

FORMAT = "gobench-idm-1"
KEY = "idm"
SUFFIX = ".safetensors"
COMMAND = "gobench train idm --data DIR --out FILE"
MOST_HEADER = 1 << 20
SHAPE: Record = {"format": str, "config": dict, "provenance": dict, "measures": dict}


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a file says of itself."""

    name: str  # the file's name without its ending
    path: Path
    sha256: str  # of the whole file
    config: Config
    provenance: Mapping[str, Json]  # dataset, options, seed, steps, versions
    measures: Mapping[str, Json]  # on held-out labelled episodes, see ``measures``


def shipped(name: str) -> Artifact:
    """One that comes with the suites. Raises DataError where there is none of that name."""
    path = folder() / f"{name}{SUFFIX}"
    if not path.is_file():
        raise DataError(
            f"there is no inverse dynamics called {name!r}; there is {', '.join(names()) or 'none'}. "
            f"`{COMMAND}` makes one from a dataset with labelled episodes."
        )
    return read(path)


def names() -> list[str]:
    """Those that are shipped."""
    return sorted(path.stem for path in folder().glob(f"*{SUFFIX}"))


def folder() -> Path:
    """Where they lie."""
    return Path(str(files("gobench_robot.idm").joinpath("data")))


def find(name: str | Path) -> Artifact:
    """A shipped one by its name, or a file by its path; DataError for anything else."""
    path = Path(name)
    if isinstance(name, str) and path.name == name and not path.suffix and not path.exists():
        return shipped(name)
    if not path.is_file():
        raise DataError(
            f"{path} is no file. Give the path of an inverse dynamics, or one of those shipped: {', '.join(names())}."
        )
    return read(path)


def read(path: Path) -> Artifact:
    """The description in a file, kept as long as the file stays as it is. Raises DataError for another kind of file."""
    found = path.stat()
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, changed: int, size: int) -> Artifact:
    head = loads(_description(path, size).encode(), str(path))
    check(head, SHAPE, str(path))
    if head["format"] != FORMAT:
        raise DataError(f"{path} has the format {head['format']!r:.60}; this version reads {FORMAT}.")
    config = Config.from_json(head["config"], str(path))
    return Artifact(path.stem, path, sha256_file(path), config, head["provenance"], head["measures"])


def _description(path: Path, size: int) -> str:
    """The metadata of a safetensors file: 8 bytes with the header's length, the header as JSON, tensors."""
    wrong = DataError(f"{path} is no inverse dynamics: `{COMMAND}` writes such files.")
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(MOST_HEADER, size - 8):
            raise wrong
        try:
            text = json.loads(file.read(length)).get("__metadata__", {}).get(KEY)
        except (ValueError, AttributeError, RecursionError):
            raise wrong from None
    if not isinstance(text, str):
        raise wrong
    return text


def description(
    config: Config, provenance: Mapping[str, Json], measures: Mapping[str, Json]
) -> dict[str, str]:
    """The metadata to write."""
    head = {
        "format": FORMAT,
        "config": config.to_json(),
        "provenance": dict(provenance),
        "measures": dict(measures),
    }
    return {KEY: dumps(head).decode()}
