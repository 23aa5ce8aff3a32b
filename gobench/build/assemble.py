"""The end of a build: index, report, sums and, last, the manifest. All follow from the pieces' sidecars."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from gobench import atomic
from gobench.atomic import AtomicFile
from gobench.build import positions
from gobench.build.journal import JOURNAL
from gobench.build.plan import FORMAT, KEPT, PLAN, REJECTED, Plan, Shard
from gobench.build.recipes import SPLITS
from gobench.build.stages import made
from gobench.canonical import pretty, read_json, sha256_file
from gobench.codec import codec
from gobench.errors import BuildError, DataError
from gobench.sketch import SKETCH
from gobench.types import Domain, Record

MANIFEST = "manifest.json"
INDEX = "index.parquet"
REPORT = "report.json"
SUMS = "SHA256SUMS"
ROW_GROUP = 1 << 16
REMEDY = "Remove it and run the same build again, which writes it anew."
SUMS_LINE = re.compile(r"([0-9a-f]{64})  ([^\0\r\n\\]+)")

# (folder, manifest) -> name -> bytes of further files: cards and the like; written and summed like all others
Extra: TypeAlias = Callable[[Path, Record], Mapping[str, bytes]]


def assemble(folder: Path, domain: Domain, plan: Plan, extras: Iterable[Extra] = ()) -> Record:
    """Write what stands beside the shards and then ``manifest.json``; returns the manifest."""
    _write_index(folder, plan)
    known = positions.write_sketch(folder, domain, lambda: shard_tables(folder, plan))
    manifest = describe(folder, plan, about(domain))
    atomic.write(folder / REPORT, pretty(_report(plan, manifest)))
    names = {PLAN, KEPT, REJECTED, REPORT, INDEX, *([SKETCH] if known else [])} | _earlier(folder)
    names |= {JOURNAL} & plan.inputs.keys()
    for extra in extras:
        for name, data in extra(folder, manifest).items():
            atomic.write(folder / name, data)
            names.add(name)
    sums = atomic.write(folder / SUMS, _sums(folder, plan, names))
    manifest = manifest | {"sums": sums}
    positions.tidy(folder)
    atomic.write(folder / MANIFEST, pretty(manifest))
    return manifest


def standing(folder: Path, domain: Domain, plan: Plan, extras: Iterable[Extra] = ()) -> Record | None:
    """The manifest of a finished folder, or None where ``assemble`` has something to do.

    Quick: files are looked for, not read, and the manifest must be what follows from the sidecars.
    """
    try:
        there, sums, digest = read_json(folder / MANIFEST), read_sums(folder), sha256_file(folder / SUMS)
        manifest = describe(folder, plan, about(domain))
    except DataError:
        return None
    wanted = {name for extra in extras for name in extra(folder, manifest)}
    if positions.hasher(domain) and positions.content_of(shard_tables(folder, plan)):
        wanted.add(SKETCH)
    whole = wanted <= sums.keys() and all((folder / name).is_file() for name in sums)
    return there if whole and there == manifest | {"sums": digest} else None


def _earlier(folder: Path) -> set[str]:
    """Further files that an earlier call has listed and that are still there."""
    try:
        return {name for name in read_sums(folder) if "/" not in name and (folder / name).is_file()}
    except DataError:
        return set()


def about(domain: Domain) -> Record:
    """What a manifest says of the domain."""
    named = {"name": domain.name, "version": domain.version}
    return {"domain": named, "features": dict(domain.features())}


def describe(folder: Path, plan: Plan, domain: Record) -> Record:
    """The manifest without the hash of ``SHA256SUMS``: ``domain`` (see ``about``) and what was made."""
    shards = [_entry(shard, table) for shard, table in shard_tables(folder, plan)]
    content = hashlib.sha256("".join(entry["content"] for entry in shards).encode())
    return {
        "format": FORMAT,
        "recipe": plan.config.recipe,
        "config": plan.config.to_json(),
        "config_hash": plan.config.hash,
        "versions": dict(plan.versions),
        "inputs": dict(plan.inputs),
        "codec": plan.config.codec,
        "members": sorted(["json", *codec(plan.config.codec).suffixes]),
        "splits": {name: _total(shards, name) for name in SPLITS if any(s["split"] == name for s in shards)},
        **_total(shards),
        "rejected": dict(plan.rejected or {}),
        "content": content.hexdigest(),
        "shards": shards,
        **positions.describe_sketch(folder),
        **domain,
    }


def shard_tables(folder: Path, plan: Plan) -> Iterator[tuple[Shard, Record]]:
    """Each shard with its sidecar, in order. Raises BuildError for one that has not been made."""
    for shard in plan.shards or ():
        table = made(folder, shard, plan)
        if table is None:
            raise BuildError(f"{folder / shard.file} has not been made: run the same command again.")
        yield shard, table


def _entry(shard: Shard, table: Record) -> Record:
    named = {"file": shard.file, "split": shard.split, "start": shard.start}
    return named | {
        key: table[key] for key in ("bytes", "content", "first_frames", "frames", "samples", "sha256")
    }


def _total(shards: list[Record], split: str = "") -> Record:
    chosen = [shard for shard in shards if split in ("", shard["split"])]
    sums = {key: sum(shard[key] for shard in chosen) for key in ("samples", "frames", "bytes")}
    return sums if not split else sums | {"shards": len(chosen)}


def _report(plan: Plan, manifest: Record) -> Record:
    return {
        "units": plan.units,
        "candidates": plan.candidates,
        "kept": plan.kept,
        "rejected": dict(plan.rejected or {}),
        "splits": manifest["splits"],
        "rejected_list": REJECTED,
    }


def _write_index(folder: Path, plan: Plan) -> None:
    """``index.parquet``: key, split, shard (its name), offset, size and frames of every sample."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [("key", pa.string()), ("split", pa.string()), ("shard", pa.string())]
    kinds += [("offset", pa.int64()), ("size", pa.int64()), ("frames", pa.int32())]
    schema = pa.schema(kinds)
    columns: list[list[object]] = [[] for _ in kinds]
    with (
        AtomicFile(folder / INDEX) as file,
        pq.ParquetWriter(_Sink(file), schema, compression="zstd") as writer,
    ):

        def flush() -> None:
            arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, kinds, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            for column in columns:
                column.clear()

        for shard, table in shard_tables(folder, plan):
            for key, offset, size, frames, _ in table["rows"]:
                row = (key, shard.split, shard.name, offset, size, frames)
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
            if len(columns[0]) >= ROW_GROUP:
                flush()
        flush()


class _Sink:
    """The little of a file that pyarrow needs in order to write one."""

    closed = False

    def __init__(self, file: AtomicFile) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        self._file.write(bytes(data))
        return len(data)

    def tell(self) -> int:
        return self._file.bytes

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _sums(folder: Path, plan: Plan, names: Iterable[str]) -> bytes:
    """Every file but this one and the manifest, sorted by name, as ``sha256sum -c`` reads it."""
    sums = {name: sha256_file(folder / name) for name in names}
    for part, digest in zip(plan.parts, plan.part_sha256, strict=True):
        sums[part.file] = digest
        sums[part.sidecar] = sha256_file(folder / part.sidecar)
    for shard, table in shard_tables(folder, plan):
        sums[shard.file] = table["sha256"]
        sums[shard.sidecar] = sha256_file(folder / shard.sidecar)
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()


def read_sums(folder: Path) -> dict[str, str]:
    """``SHA256SUMS``: name -> sha256 in hex, in the order of the file. All names lie inside the folder.

    Raises:
        DataError: it is missing or not UTF-8, or a line is not ``<sha256>  <name>``, leads out of the
            folder or names a file again; says which line.
    """
    path = folder / SUMS
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}. {REMEDY}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}). {REMEDY}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        match = SUMS_LINE.fullmatch(line)
        if match is None or not _inside(match[2]) or match[2] in found:
            raise DataError(
                f"{path}, line {number}: {line[:80]!r} is not '<sha256>  <name>' with a name inside the "
                f"folder that is given once. {REMEDY}"
            )
        found[match[2]] = match[1]
    return found


def _inside(name: str) -> bool:
    """Whether a name is relative, plain and without ``..``: as written by ``_sums``."""
    path = PurePosixPath(name)
    return str(path) == name != "." and not path.is_absolute() and ".." not in path.parts
