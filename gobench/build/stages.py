"""The two stages of a plan as jobs: a piece is a pure function of (plan, index) that ends in a file and its sidecar.

An engine only calls ``job(index)``, in any order and any process. The sidecar is written last: a piece
without one has not been made.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from gobench.atomic import AtomicFile, write
from gobench.build import positions
from gobench.build.candidates import Candidates
from gobench.build.journal import JOURNAL, Answered, Journal, asking
from gobench.build.plan import DATA, SIDECARS, Part, Plan, Shard, read
from gobench.build.recipes import BuildConfig
from gobench.canonical import dumps, read_json, sha256
from gobench.codec import Codec, codec
from gobench.errors import BuildError, DataError, GobenchError, family
from gobench.seeds import seed64
from gobench.shards import RECORD, ShardWriter
from gobench.types import Clip, Domain, Episode, Json, Record, Rejection, Source

CANONICAL = "symmetry"  # the fingerprint that splits follow from
COMMON_KEYS: dict[str, type] = {"bytes": int, "config": str, "plan": str, "sha256": str}
PART_KEYS = COMMON_KEYS | {
    "part": int, "units": list, "candidates": int, "rejected": list, "canonical": str, "fingerprints": str,
}  # fmt: skip
SHARD_KEYS = COMMON_KEYS | {
    "shard": str, "samples": int, "frames": int, "content": str, "first_frames": str, "rows": list,
}  # fmt: skip
ROW: list[type] = [str, int, int, int, str]  # gobench.shards.Row
REJECTED_ROW: list[type] = [str, str, str, int]  # origin, reason, detail, ply
PROBED = slice(0, 64, 8)  # frames of a shard's first sample whose pixels are part of its content


class Job(Protocol):
    """One stage of one build. Jobs travel to worker processes by pickle."""

    def __call__(self, index: int) -> None:
        """Make piece ``index`` and its sidecar."""
        ...

    def name(self, index: int) -> str:
        """What a message calls the piece."""
        ...


@dataclass(frozen=True)
class GamesJob:
    """Stage 1: units of the source -> ``games/part-NNNNN.jsonl``, canonical records one a line."""

    folder: Path
    domain: Domain
    plan: Plan

    @cached_property
    def source(self) -> Source:
        source = open_source(self.domain, self.plan.config)
        return Answered(source, Journal(self.folder / JOURNAL)) if asking(source) else source

    def name(self, index: int) -> str:
        part = self.plan.parts[index]
        return f"{part.file} (units {part.start} to {part.stop - 1} of the source)"

    def __call__(self, index: int) -> None:
        part = self.plan.parts[index]
        own, canonical = list[int](), list[int]()
        rejected: list[list[Json]] = []
        with AtomicFile(self.folder / part.file) as file:
            for item in self._items(part):
                if isinstance(item, Rejection):
                    rejected.append([item.origin, item.reason, item.detail, item.ply])
                    continue
                file.write(dumps(item.record) + b"\n")
                canonical.append(self.domain.fingerprint(item, CANONICAL))
                if self.plan.config.dedup == "exact":
                    own.append(self.domain.fingerprint(item, "exact"))
        table = self._sidecar(part, file, rejected, own, canonical)
        write(self.folder / part.sidecar, dumps(table) + b"\n")

    def _items(self, part: Part) -> Iterator[Episode | Rejection]:
        for unit in range(part.start, part.stop):
            try:
                yield from self.source.unit(unit)
            except GobenchError:
                raise
            except Exception as error:
                raise BuildError(
                    f"unit {unit} of the source failed: {type(error).__name__}: {error}"
                ) from error

    def _sidecar(
        self, part: Part, file: AtomicFile, rejected: list[list[Json]], own: list[int], canonical: list[int]
    ) -> Record:
        return {
            "part": part.index,
            "units": [part.start, part.stop],
            "config": self.plan.config.hash,
            "plan": self.plan.hash,
            "bytes": file.bytes,
            "sha256": file.sha256,
            "candidates": len(canonical),
            "rejected": rejected,
            "canonical": _hex(canonical),
            "fingerprints": _hex(own),  # "" where deduplication compares the canonical ones, or nothing
        }


def _hex(fingerprints: list[int]) -> str:
    try:
        return struct.pack(f">{len(fingerprints)}Q", *fingerprints).hex()
    except struct.error as error:
        raise BuildError(f"the domain's fingerprints are not unsigned 64-bit numbers: {error}.") from error


def open_source(domain: Domain, config: BuildConfig) -> Source:
    """The source of a config's candidates."""
    return domain.source(config.all_options, config.episodes, config.seed)


def limit_of(source: Source, config: BuildConfig) -> int:
    """How many candidates are kept, 0 for all: the config's ``episodes``, unless the source has a ``limit``.

    A source that makes ``episodes`` itself and adds what it finds in files says 0.
    """
    return int(getattr(source, "limit", config.episodes))


@dataclass(frozen=True)
class PicturesJob:
    """Stage 2: kept candidates -> ``data/SPLIT-NNNNN-of-NNNNN.tar``."""

    folder: Path
    domain: Domain
    local: Mapping[str, Json] = field(default_factory=dict)  # options with places on this machine, or {}

    @cached_property
    def plan(self) -> Plan:
        return read(self.folder)

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        return self.plan.shards or ()

    @cached_property
    def candidates(self) -> Candidates:
        return Candidates(self.folder, self.plan)

    def name(self, index: int) -> str:
        return self.shards[index].file

    def __call__(self, index: int) -> None:
        shard = self.shards[index]
        studio = Studio(self.domain, replace(self.plan.config, local=self.local))
        content, probe, keys = hashlib.sha256(), "", frozenset[str]()
        known = Known(self.folder, self.domain, shard)
        with ShardWriter(self.folder / shard.file) as writer:
            for number, (candidate, record) in enumerate(self.candidates.of(shard), shard.start):
                drawn = studio.sample(number, candidate, shard.split, record)
                keys = keys or frozenset(drawn.record)
                _check_record(drawn.record, keys)
                data = dumps(drawn.record)
                content.update(data + b"\n")
                probe = probe or frames_digest(drawn.clip)
                known.add(drawn)
                writer.add(drawn.key, {RECORD: data, **studio.encode(drawn)}, drawn.clip.length)
        table = {
            "shard": shard.name,
            "config": self.plan.config.hash,
            "plan": self.plan.hash,
            "bytes": writer.file.bytes,
            "sha256": writer.file.sha256,
            "samples": len(writer.rows),
            "frames": sum(row.frames for row in writer.rows),
            "content": content.hexdigest(),
            "first_frames": probe,
            "rows": [list(row) for row in writer.rows],
        }
        known.leave(writer.file.sha256)
        write(self.folder / shard.sidecar, dumps(table) + b"\n")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shipped record with its clip, not yet encoded."""

    key: str
    record: Record
    clip: Clip


class Known:
    """The positions of a shard on their way into the dataset's sketch; nothing where none is kept."""

    def __init__(self, folder: Path, domain: Domain, shard: Shard) -> None:
        self.folder, self.shard = folder, shard
        self.hashed = positions.hasher(domain) if shard.split in positions.SPLITS else None
        self.found: list[positions.Hashes] = []

    def add(self, drawn: Drawn) -> None:
        """Take in a sample."""
        if self.hashed is not None:
            with _Naming(f"sample {drawn.key}"):
                self.found.append(positions.hashes_of(self.hashed, drawn.record))

    def leave(self, sha256: str) -> None:
        """Write what was found; ``sha256`` is that of the shard's file."""
        if self.hashed is not None:
            positions.leave(self.folder, self.shard, sha256, self.found)


@dataclass(frozen=True)
class Studio:
    """Finishes, draws and encodes samples of one config."""

    domain: Domain
    config: BuildConfig

    @cached_property
    def codec(self) -> Codec:
        return codec(self.config.codec)

    @cached_property
    def options(self) -> Record:
        return dict(self.config.options)

    def key(self, number: int) -> str:
        """The key of sample ``number``."""
        return f"{self.domain.name}-{number:09d}"

    def sample(self, number: int, candidate: int, split: str, record: Record) -> Drawn:
        """Sample ``number`` of the dataset, from the record of a candidate."""
        key = self.key(number)
        with _Naming(f"sample {key} (candidate {candidate})"):
            seed = seed64(self.config.seed, "sample", candidate)
            finished = self.domain.finish(Episode(record), key, self.options, seed).record
            clip = self._clip(finished)
            return Drawn(key, {**finished, "key": key, "split": split, "frames": clip.length}, clip)

    def _clip(self, record: Record) -> Clip:
        film = getattr(self.domain, "film", None)
        clip: Clip = self.domain.clip(record) if film is None else film(record, self.config.all_options)
        return clip

    def encode(self, drawn: Drawn) -> Mapping[str, bytes]:
        """The codec's members."""
        with _Naming(f"sample {drawn.key}"):
            return self.codec.members(drawn.clip)


class _Naming:
    """Whatever goes wrong inside says of which sample it speaks. (A class: cheap enough for every sample.)"""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, GobenchError):
            raise family(error)(f"{self.what}: {error}") from error
        if isinstance(error, Exception):
            raise BuildError(f"{self.what} failed: {type(error).__name__}: {error}") from error


def frames_digest(clip: Clip) -> str:
    """sha256 over the pixels of every eighth of the first 64 frames: notices a renderer that has changed."""
    stop = min(PROBED.stop, clip.length)
    return sha256(clip.rgb(PROBED.start, stop, PROBED.step).tobytes())


def _check_record(record: Record, keys: frozenset[str]) -> None:
    if record.keys() != keys:
        odd = sorted(record.keys() ^ keys)
        raise BuildError(
            f"{record.get('key')}: the records of a dataset have the same keys; {odd} are not in all."
        )
    if None in record.values():
        empty = sorted(key for key, value in record.items() if value is None)
        raise BuildError(f"{record.get('key')}: {empty} are null; a record holds no nulls.")


def made(folder: Path, piece: Part | Shard, plan: Plan) -> Record | None:
    """The sidecar of a piece that was made by this very plan, or None: the piece is to be made."""
    table = sidecar(folder / piece.sidecar, plan.config.hash)
    return table if table is not None and table["plan"] == plan.hash else None


def sidecar(path: Path, config_hash: str) -> Record | None:
    """A piece's sidecar, or None if it is not there: no sidecar, no file, another size, another config.

    A sidecar whose keys or types are not those that are written counts as not there.
    """
    file, keys = _piece(path)
    try:
        table: Json = read_json(path)
        size = file.stat().st_size
    except (DataError, OSError):
        return None
    if not isinstance(table, dict) or {key: type(value) for key, value in table.items()} != keys:
        return None
    rows, kinds = (table["rows"], ROW) if "rows" in keys else (table["rejected"], REJECTED_ROW)
    if not all(type(row) is list and [type(value) for value in row] == kinds for row in rows):
        return None
    return table if table["config"] == config_hash and table["bytes"] == size else None


def _piece(path: Path) -> tuple[Path, dict[str, type]]:
    if path.parent.name == SIDECARS:
        return path.parent.parent / DATA / f"{path.stem}.tar", SHARD_KEYS
    return path.with_suffix(".jsonl"), PART_KEYS
