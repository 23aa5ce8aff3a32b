"""The plan: what a build is, written before any work, and what it keeps, written between the stages.

    games/part-00000.jsonl + .json  candidates of a fixed number of the source's units, and what they are
    plan.json                       config, its hash, versions and inputs; later also parts, shards and counts
    plan.kept.npy                   int64 [N]: candidate ids (line numbers over all parts) in shard order

Sample ``i`` of the dataset is candidate ``kept[i]``. The split follows from the candidate's canonical
fingerprint alone, so the same episode is in the same split of every dataset cut at the same fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from math import isqrt
from pathlib import Path

import numpy as np

from gobench import atomic
from gobench.build.recipes import BuildConfig, differences
from gobench.build.selection import Ints
from gobench.canonical import dumps, pretty, read_json, sha256, sha256_file
from gobench.errors import BuildError, DataError
from gobench.types import Record

PLAN = "plan.json"
KEPT = "plan.kept.npy"
REJECTED = "rejected.jsonl"
GAMES = "games"
DATA = "data"
SIDECARS = "sidecars"
LEAST, MOST = (
    8,
    256,
)  # units in a part, where the config leaves it open: as many as there are parts, in between
FORMAT = 1  # of everything on disk


@dataclass(frozen=True, slots=True)
class Part:
    """A run of the source's units, made in one piece: units ``start`` to ``stop``."""

    index: int
    start: int
    stop: int

    @property
    def file(self) -> str:
        return f"{GAMES}/part-{self.index:05d}.jsonl"

    @property
    def sidecar(self) -> str:
        return f"{GAMES}/part-{self.index:05d}.json"


@dataclass(frozen=True, slots=True)
class Shard:
    """Samples ``start`` to ``start + count`` of the dataset, all of one split, in one file."""

    name: str  # "train-00000-of-00012"
    split: str
    start: int
    count: int

    @property
    def file(self) -> str:
        return f"{DATA}/{self.name}.tar"

    @property
    def sidecar(self) -> str:
        return f"{SIDECARS}/{self.name}.json"


@dataclass(frozen=True)
class Plan:
    """What ``plan.json`` holds. ``shards`` is None until the first stage is over."""

    config: BuildConfig
    versions: Mapping[str, str]
    inputs: Mapping[str, str]
    units: int
    limit: int = 0  # keep at most so many; 0 is all
    candidates: int = 0
    part_candidates: tuple[int, ...] = ()
    part_sha256: tuple[str, ...] = ()
    kept: int = 0
    kept_sha256: str = ""
    shards: tuple[Shard, ...] | None = None
    rejected: Mapping[str, int] | None = None  # reason -> count, duplicates and those over the limit included

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The pieces of the first stage."""
        size = self.config.part_size or min(max(isqrt(self.units), LEAST), MOST)
        starts = range(0, self.units, size)
        return tuple(Part(i, start, min(start + size, self.units)) for i, start in enumerate(starts))

    @cached_property
    def hash(self) -> str:
        """sha256 in hex of the header: config, inputs and versions; every piece's sidecar carries it."""
        return sha256(dumps(self.header()))

    def header(self) -> Record:
        """The part that is known before any work, as plain data."""
        return {
            "format": FORMAT,
            "config": self.config.to_json(),
            "config_hash": self.config.hash,
            "versions": dict(self.versions),
            "inputs": dict(self.inputs),
            "units": self.units,
            "limit": self.limit,
        }

    def to_json(self) -> Record:
        """Plain data: the header alone while the first stage runs."""
        table = self.header()
        if self.shards is None:
            return table
        return table | {
            "candidates": self.candidates,
            "parts": [list(row) for row in zip(self.part_candidates, self.part_sha256, strict=True)],
            "kept": self.kept,
            "kept_sha256": self.kept_sha256,
            "shards": [asdict(shard) for shard in self.shards],
            "rejected": dict(self.rejected or {}),
        }


def from_json(table: Record) -> Plan:
    """The inverse of ``Plan.to_json``. Raises DataError for a table that is not a plan of this format."""
    try:
        if table["format"] != FORMAT:
            raise DataError(f"the plan has format {table['format']}; this version reads format {FORMAT}.")
        config = BuildConfig.from_json(table["config"])
        units, limit = int(table["units"]), int(table["limit"])
        plan = Plan(config, dict(table["versions"]), dict(table["inputs"]), units, limit)
        if plan.config.hash != table["config_hash"]:
            raise DataError("the plan's config does not have the hash that stands beside it: it was edited.")
        if "shards" not in table:
            return plan
        return replace(
            plan,
            candidates=table["candidates"],
            part_candidates=tuple(count for count, _ in table["parts"]),
            part_sha256=tuple(digest for _, digest in table["parts"]),
            kept=table["kept"],
            kept_sha256=table["kept_sha256"],
            shards=tuple(Shard(**shard) for shard in table["shards"]),
            rejected=dict(table["rejected"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"this is not a plan: {error!r}.") from error


def read(folder: Path) -> Plan:
    """The plan in a folder; raises DataError that names the file."""
    path = folder / PLAN
    try:
        return from_json(read_json(path))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def read_kept(folder: Path, plan: Plan | None = None) -> Ints:
    """``plan.kept.npy`` as a read-only map of the file, int64 [samples].

    Args:
        plan: the plan in the folder; None reads it.

    Raises:
        DataError: it is missing, or not what the plan says was kept; names the file.
    """
    plan = plan or read(folder)
    path = folder / KEPT
    remedy = "Remove it and run the same build again, which makes it anew."
    try:
        kept: Ints = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}. {remedy}") from error
    if kept.dtype != np.int64 or kept.shape != (plan.kept,):
        raise DataError(
            f"{path} holds {kept.dtype} {list(kept.shape)}; the plan has int64 [{plan.kept}]. {remedy}"
        )
    if sha256_file(path) != plan.kept_sha256:
        raise DataError(f"{path} does not have the sha256 that {PLAN} states: it was changed. {remedy}")
    return kept


def begin(folder: Path, fresh: Plan) -> Plan:
    """Write the plan's header, or go on with the plan that is there.

    Raises:
        BuildError: the folder was begun with another config, other inputs or other versions; says which.
    """
    path = folder / PLAN
    if not path.exists():
        atomic.write(path, pretty(fresh.to_json()))
        return fresh
    old = read(folder)
    lines = list(differences(old.header(), fresh.header()))
    if lines:
        raise BuildError(
            f"{folder} holds another build: {_listed(lines)}. Ask for the same again to go on with it, "
            "choose another --out, or start anew with --overwrite."
        )
    return replace(old, config=fresh.config)  # the same, with what is local to this machine


def _listed(lines: Sequence[str], most: int = 6) -> str:
    told = [line.removeprefix("config.") for line in lines if line.startswith("config.")]
    follows = (
        ("config", "inputs.", "units ") if told else ("config_hash",)
    )  # what another config brings with it
    told += [line for line in lines if not line.startswith(follows)]
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return "; ".join(told[:most]) + more


def versions(*tables: Mapping[str, str]) -> dict[str, str]:
    """Everything whose version decides bytes: the given tables and what the core itself uses, sorted."""
    merged = {"gobench.format": str(FORMAT), "pyarrow": version("pyarrow")}
    for table in tables:
        merged.update(table)
    return dict(sorted(merged.items()))


def lay_out(counts: Mapping[str, int], config: BuildConfig) -> tuple[Shard, ...]:
    """Cut each split into nearly equal shards: of ``shard_size`` samples at most, or ``shards`` in all."""
    pieces = {name: -(-count // config.shard_size) for name, count in counts.items() if count}
    if config.shards:
        pieces = _apportion({name: count for name, count in counts.items() if count}, config.shards)
    shards, start = [], 0
    for split, many in pieces.items():
        for i in range(many):
            count = counts[split] * (i + 1) // many - counts[split] * i // many
            shards.append(Shard(f"{split}-{i:05d}-of-{many:05d}", split, start, count))
            start += count
    return tuple(shards)


def _apportion(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """At least one shard a split, the rest always where shards are largest; never an empty shard."""
    pieces = dict.fromkeys(counts, 1)
    for _ in range(min(total, sum(counts.values())) - len(pieces)):
        largest = max(counts, key=lambda name: counts[name] / pieces[name])
        pieces[largest] += 1
    return pieces
