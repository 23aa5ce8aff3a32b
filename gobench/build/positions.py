"""Which positions a dataset trains on: ``sketch.bin``, made of the training split alone.

Only a domain that offers ``position_hashes(record)`` gets one. The worker that makes a shard leaves the hashes of its
positions beside the sidecar, as ``sidecars/NAME.hashes``; they are put together, one shard at a time, when the folder
is finished, and removed. Where they are missing (a folder of an earlier version, a sketch that was lost) they are
made again from the shard's records.

    sha256 of the shard (32 bytes) | sha256 of the rest (32 bytes) | uint64 [positions], little endian
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.atomic import AtomicFile
from gobench.build.plan import SIDECARS, Shard
from gobench.errors import BuildError, DataError
from gobench.sketch import SKETCH, Sketch, facts, read, sized
from gobench.types import Domain, Json, Record

SPLITS = ("train",)
"""What is trained on, and so what a sketch covers."""
SUFFIX = ".hashes"
DIGEST = 32
TOLD = ("items", "bits", "hashes", "rate")

Hashes = npt.NDArray[np.uint64]
Hasher = Callable[[Mapping[str, Json]], Any]
Tables = Iterable[tuple[Shard, Record]]  # shards with their sidecars


def hasher(domain: Domain | None) -> Hasher | None:
    """The domain's ``position_hashes``; None where it has no positions."""
    found: Hasher | None = getattr(domain, "position_hashes", None)
    return found


def hashes_of(hashed: Hasher, record: Mapping[str, Json]) -> Hashes:
    """The hashes of one record. Raises BuildError for what a domain may not give."""
    found = np.asarray(hashed(record))
    if found.dtype != np.uint64 or found.ndim != 1:
        raise BuildError(f"the domain's position hashes are {found.dtype} {found.shape}, not uint64 [n].")
    return found


def leave(folder: Path, shard: Shard, sha256: str, found: Iterable[Hashes]) -> None:
    """Write what a shard holds beside its sidecar, for the end of the build."""
    data = b"".join(hashes.astype("<u8", copy=False).tobytes() for hashes in found)
    with AtomicFile(_place(folder, shard)) as file:
        file.write(bytes.fromhex(sha256) + hashlib.sha256(data).digest())
        file.write(data)


def write_sketch(folder: Path, domain: Domain, tables: Callable[[], Tables]) -> bool:
    """Write ``sketch.bin`` unless it is there; False where the domain has no positions or nothing is trained on.

    Its size follows from the number of positions, its bits from the positions: so from the plan alone.
    """
    hashed, content = hasher(domain), content_of(tables())
    if hashed is None or not content:
        return False
    if stands(folder, content):
        return True
    sketch = sized(sum(_count(folder, hashed, *row) for row in _covered(tables())))
    for row in _covered(tables()):
        sketch.add(_hashes(folder, hashed, *row))
    _write(folder / SKETCH, sketch, content)
    return True


def stands(folder: Path, content: str) -> bool:
    """Whether a whole sketch of this very content lies in the folder."""
    try:
        if facts(folder / SKETCH)["content"] != content:
            return False
        read(folder / SKETCH)
    except DataError:
        return False
    return True


def tidy(folder: Path) -> None:
    """Remove what the workers have left; the sketch holds it."""
    for path in (folder / SIDECARS).glob(f"*{SUFFIX}"):
        path.unlink(missing_ok=True)


def describe_sketch(folder: Path) -> Record:
    """What a manifest says of the sketch: {"sketch": ...}, or {} where there is none. Raises DataError."""
    if not (folder / SKETCH).is_file():
        return {}
    table = facts(folder / SKETCH)
    return {"sketch": {key: table[key] for key in TOLD} | {"splits": list(SPLITS)}}


def content_of(tables: Tables) -> str:
    """One hash for the records that are trained on, from the sidecars; "" where nothing is."""
    parts = [table["content"] for _, table in _covered(tables)]
    return hashlib.sha256("".join(parts).encode()).hexdigest() if parts else ""


def _covered(tables: Tables) -> Tables:
    return ((shard, table) for shard, table in tables if shard.split in SPLITS)


def _hashes(folder: Path, hashed: Hasher, shard: Shard, table: Record) -> Hashes:
    """What a shard's worker has left, or the same from its records, left for the next time."""
    found = _left(_place(folder, shard), table["sha256"])
    if found is None:
        found = _made_anew(folder / shard.file, hashed)
        leave(folder, shard, table["sha256"], [found])
    return found


def _count(folder: Path, hashed: Hasher, shard: Shard, table: Record) -> int:
    """How many positions a shard has, from the size of what was left."""
    place = _place(folder, shard)
    try:
        with place.open("rb") as file:
            if file.read(DIGEST) == bytes.fromhex(table["sha256"]):
                return (place.stat().st_size - 2 * DIGEST) // 8
    except OSError:
        pass
    return len(_hashes(folder, hashed, shard, table))


def _left(path: Path, sha256: str) -> Hashes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, body = data[: 2 * DIGEST], data[2 * DIGEST :]
    if head != bytes.fromhex(sha256) + hashlib.sha256(body).digest() or len(body) % 8:
        return None
    return np.frombuffer(body, "<u8").astype(np.uint64, copy=False)


def _made_anew(path: Path, hashed: Hasher) -> Hashes:
    from gobench.shards import scan

    found = [hashes_of(hashed, sample.record()) for _, _, sample in scan(path)]
    return np.concatenate([np.empty(0, np.uint64), *found])


def _write(path: Path, sketch: Sketch, content: str) -> None:
    with AtomicFile(path) as file:
        for piece in sketch.pieces(content):
            file.write(piece)


def _place(folder: Path, shard: Shard) -> Path:
    return folder / SIDECARS / f"{shard.name}{SUFFIX}"
