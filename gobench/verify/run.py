"""``verify``: is a finished folder what its build wrote, and do its pictures show what its records say?

Every check yields findings that name the file, the key and the frame; nothing is repaired.

=========  ===============================================================================================
files      everything in SHA256SUMS is there and has its sum
manifest   says what plan and shards say
samples    byte ranges, records, counts, splits, index (see ``gobench.verify.shard``)
pictures   of all samples or of some: they decode, and equal a fresh drawing
=========  ===============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gobench.build.assemble import INDEX, MANIFEST, SUMS, about, describe
from gobench.build.plan import KEPT, PLAN, Plan, Shard, read, read_kept
from gobench.build.recipes import differences
from gobench.canonical import read_json, sha256_file
from gobench.dataset import read_index
from gobench.errors import BuildError, DataError
from gobench.seeds import stream
from gobench.types import Domain, Record
from gobench.verify.shard import Finding, ShardCheck

Progress: TypeAlias = Callable[[str, int, int], None]  # ("files" | "shards", done, in all)


@dataclass(frozen=True)
class Verification:
    """What ``verify`` has looked at, and what it found."""

    folder: str
    findings: tuple[Finding, ...] = ()
    files: int = 0
    samples: int = 0
    drawn: int = 0  # samples whose pictures were compared with a fresh drawing

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def to_json(self) -> Record:
        """Plain data."""
        return {**asdict(self), "findings": [asdict(finding) for finding in self.findings], "ok": self.ok}


def verify(
    folder: Path | str,
    domain: Domain | None = None,
    *,
    sample: int | None = None,
    decode: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verification:
    """Check a finished dataset.

    Args:
        domain: who draws its records; by default the installed domain that the plan names.
        sample: how many samples' pictures are decoded and drawn again, chosen by ``seed``; None is all.
        decode: False leaves pictures alone and needs no domain.

    Raises:
        DataError: there is no dataset at all in ``folder``.
        UsageError: the domain is not installed.
    """
    path = Path(folder)
    if not (path / PLAN).is_file():
        raise DataError(
            f"{path} holds no dataset: it has no {PLAN}. Give the folder that a build has written."
        )
    plan = read(path)
    if plan.shards is None or not (path / MANIFEST).is_file():
        text = "the build is not finished: run the same `gobench build-dataset` again"
        return Verification(str(path), (Finding("unfinished", MANIFEST, text),))
    if domain is None and decode:
        from gobench.registry import domain as installed

        domain = installed(plan.config.domain)
    check = _Check(path, plan, domain if decode else None, progress or (lambda *_: None))
    findings = [*check.files(), *check.manifest(), *check.samples(sample, seed)]
    return Verification(str(path), tuple(findings), check.seen["files"], plan.kept, check.seen["drawn"])


@dataclass(frozen=True)
class _Check:
    folder: Path
    plan: Plan
    domain: Domain | None
    progress: Progress
    seen: dict[str, int] = field(default_factory=lambda: {"files": 0, "drawn": 0})

    @property
    def shards(self) -> Sequence[Shard]:
        return self.plan.shards or ()

    def files(self) -> Iterator[Finding]:
        """Whatever SHA256SUMS lists."""
        path = self.folder / SUMS
        if not path.is_file():
            yield Finding("missing", SUMS, "the list of sums is not there")
            return
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for done, line in enumerate(lines, 1):
            wanted, _, name = line.partition("  ")
            self.seen["files"] += 1
            self.progress("files", done, len(lines))
            file = self.folder / name
            if not name or ".." in Path(name).parts or Path(name).is_absolute():
                yield Finding("checksum", SUMS, f"line {done} is not '<sha256>  <path>': {line[:80]!r}")
            elif not file.is_file():
                yield Finding("missing", name, f"{SUMS} lists it, and it is not there")
            elif (found := sha256_file(file)) != wanted:
                yield Finding("checksum", name, f"sha256 is {found[:12]}..., {SUMS} says {wanted[:12]}...")

    def manifest(self) -> Iterator[Finding]:
        """The manifest, against plan, sidecars and sums."""
        try:
            there = read_json(self.folder / MANIFEST)
            if (self.folder / SUMS).is_file() and there["sums"] != sha256_file(self.folder / SUMS):
                yield Finding("manifest", MANIFEST, f"it was written for another {SUMS}")
            told = {"domain": there["domain"], "features": there["features"]}
            known = about(self.domain) if self.domain else told
            fresh = {**describe(self.folder, self.plan, known), "sums": there["sums"]}
            for line in differences(there, fresh):
                yield Finding("manifest", MANIFEST, line.replace("was asked for", "follows from the shards"))
        except (DataError, BuildError) as error:
            yield Finding("manifest", MANIFEST, str(error))
        except (KeyError, TypeError) as error:
            yield Finding("manifest", MANIFEST, f"it is not a manifest: {error!r}")

    def samples(self, sample: int | None, seed: int) -> Iterator[Finding]:
        """Every sample's bytes and record; pictures of ``sample`` of them."""
        try:
            index: Any = read_index(self.folder)
            kept = read_kept(self.folder)
        except DataError as error:
            yield Finding("missing", KEPT if KEPT in str(error) else INDEX, str(error))
            return
        if index.num_rows != self.plan.kept:
            yield Finding("index", INDEX, f"{index.num_rows} rows for {self.plan.kept} samples")
            index = None
        chosen = self._chosen(sample, seed)
        for done, shard in enumerate(self.shards, 1):
            look = ShardCheck(self.folder, self.plan, shard, self.domain)
            rows = None if index is None else index.slice(shard.start, shard.count).to_pylist()
            ids = kept[shard.start : shard.start + shard.count].tolist()
            mine = chosen[(chosen >= shard.start) & (chosen < shard.start + shard.count)]
            yield from look.run(rows, {int(i): ids[i - shard.start] for i in mine})
            self.seen["drawn"] += len(mine)
            self.progress("shards", done, len(self.shards))

    def _chosen(self, sample: int | None, seed: int) -> Any:
        everything = np.arange(self.plan.kept)
        if self.domain is None:
            return everything[:0]
        if sample is None or sample >= self.plan.kept:
            return everything
        return np.sort(stream(seed, "verify").choice(everything, size=max(sample, 0), replace=False))
