"""``verify``: is a finished folder what its build wrote, and do its pictures show what its records say?

Every check yields findings that name the file, the key and the frame; nothing is changed (see ``repair``).

=========  ===============================================================================================
files      everything in SHA256SUMS is there and has its sum; data/ holds nothing else
manifest   says what plan and shards say
samples    byte ranges, records, counts, splits, index (see ``gobench.verify.shard``)
pictures   of all samples or of some: they decode, and equal a fresh drawing
sketch     of the same samples: their positions are in ``sketch.bin``, where there is one
=========  ===============================================================================================
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

from gobench.build.assemble import INDEX, MANIFEST, REPORT, SUMS, about, describe, read_sums
from gobench.build.engine import engine, interruptible
from gobench.build.journal import JOURNAL
from gobench.build.plan import DATA, KEPT, PLAN, REJECTED, Part, Plan, Shard, read, read_kept
from gobench.build.recipes import differences
from gobench.build.stages import made
from gobench.build.trial import warm
from gobench.canonical import sha256_file
from gobench.dataset import read_index, read_manifest
from gobench.errors import BuildError, DataError, UsageError
from gobench.sketch import SKETCH
from gobench.types import Domain, Record
from gobench.verify.finding import Finding
from gobench.verify.job import ShardsJob
from gobench.verify.repair import advice

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

    @property
    def advice(self) -> str:
        """What to do about the findings, in one line; "" if there are none."""
        return advice(self.folder, self.findings)

    def to_json(self) -> Record:
        """Plain data."""
        found = [asdict(finding) for finding in self.findings]
        return {**asdict(self), "findings": found, "ok": self.ok, "advice": self.advice}


def verify(
    folder: Path | str,
    domain: Domain | None = None,
    *,
    sample: int | None = None,
    decode: bool = True,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Verification:
    """Check a finished dataset.

    Args:
        domain: who draws its records; by default the installed domain that the plan names.
        sample: how many samples' pictures are decoded and drawn again, chosen by ``seed``; None is all.
        decode: False leaves pictures alone and needs no domain; one that is there checks fingerprints.
        workers: processes that look at shards; the findings and their order do not depend on it.

    Raises:
        DataError: there is no dataset at all in ``folder``.
        UsageError: the domain is not installed, or ``workers`` is below 1.
        BuildError: a worker process died.
    """
    path = Path(folder)
    if not (path / PLAN).is_file():
        raise DataError(
            f"{path} holds no dataset: it has no {PLAN}. Give the folder that a build has written."
        )
    try:
        plan = read(path)
    except DataError as error:
        return Verification(str(path), (Finding("plan", PLAN, str(error)),))
    if plan.shards is None or not (path / MANIFEST).is_file():
        text = "the build is not finished: run the same `gobench build-dataset` again"
        return Verification(str(path), (Finding("unfinished", MANIFEST, text),))
    job = ShardsJob(path, plan, _world(plan, domain, decode), (sample if decode else 0), seed)
    check = _Check(path, plan, job, workers, progress or (lambda *_: None))
    with interruptible():
        findings = [*check.files(), *check.strays(), *check.manifest(), *check.parts(), *check.samples()]
    return Verification(str(path), tuple(findings), check.seen["files"], plan.kept, check.seen["drawn"])


def _world(plan: Plan, domain: Domain | None, decode: bool) -> Domain | None:
    """Who draws and fingerprints records; None where nobody is there and nothing must be drawn."""
    from gobench.registry import domain as installed

    try:
        return domain or installed(plan.config.domain)
    except UsageError:
        if decode:
            raise
        return None


@dataclass(frozen=True)
class _Check:
    folder: Path
    plan: Plan
    job: ShardsJob
    workers: int
    progress: Progress
    seen: dict[str, int] = field(default_factory=lambda: {"files": 0, "drawn": 0})
    gone: set[str] = field(default_factory=set)  # files that are not there, each told once

    @property
    def shards(self) -> Sequence[Shard]:
        return self.plan.shards or ()

    def files(self) -> Iterator[Finding]:
        """Whatever SHA256SUMS lists, and what it must list."""
        try:
            wanted = read_sums(self.folder)
            for name in self._expected():
                if name not in wanted:
                    yield Finding("checksum", SUMS, f"it does not list {name}")
        except DataError as error:
            yield Finding("checksum" if (self.folder / SUMS).is_file() else "missing", SUMS, str(error))
            wanted = {}
        planned = zip(self.plan.parts, self.plan.part_sha256, strict=False)
        wanted = wanted | {part.file: digest for part, digest in planned}
        wanted |= {name: digest for name, digest in self.plan.inputs.items() if name == JOURNAL}
        for done, (name, digest) in enumerate(wanted.items(), 1):
            self.seen["files"] += 1
            self.progress("files", done, len(wanted))
            yield from self._file(name, digest)

    def _expected(self) -> Iterator[str]:
        yield from (PLAN, KEPT, REJECTED, REPORT, INDEX)
        if (self.folder / SKETCH).is_file():
            yield SKETCH
        yield from {JOURNAL} & self.plan.inputs.keys()
        pieces: list[Part | Shard] = [*self.plan.parts, *self.shards]
        for piece in pieces:
            yield from (piece.file, piece.sidecar)

    def _file(self, name: str, wanted: str) -> Iterator[Finding]:
        file = self.folder / name
        if not file.is_file():
            self.gone.add(name)
            yield Finding("missing", name, "it belongs to the dataset, and it is not there")
            return
        try:
            found = sha256_file(file)
        except DataError as error:
            yield Finding("missing", name, str(error))
            return
        if found != wanted:
            yield Finding("checksum", name, f"sha256 is {found[:12]}..., it was {wanted[:12]}... when built")

    def strays(self) -> Iterator[Finding]:
        """Files among the shards that are none of them: whoever loads data/ would read them too."""
        known = {shard.file for shard in self.shards}
        for path in sorted((self.folder / DATA).rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if name not in known and (path.is_symlink() or not path.is_dir()):
                yield Finding("stray", name, "it is none of the dataset's shards, and loaders would read it")

    def manifest(self) -> Iterator[Finding]:
        """The manifest, against plan, sidecars and sums."""
        try:
            there = read_manifest(self.folder)
            if (self.folder / SUMS).is_file() and there["sums"] != sha256_file(self.folder / SUMS):
                yield Finding("manifest", MANIFEST, f"it was written for another {SUMS}")
            told = {"domain": there["domain"], "features": there["features"]}
            known = about(self.job.domain) if self.job.domain else told
            fresh = {**describe(self.folder, self.plan, known), "sums": there["sums"]}
            for line in differences(there, fresh, now="follows from the shards"):
                yield Finding("manifest", MANIFEST, line)
        except BuildError:
            return  # a shard that cannot be described, which is told where shards are looked at
        except DataError as error:
            yield Finding("manifest", MANIFEST, str(error))

    def parts(self) -> Iterator[Finding]:
        """The first stage's pieces, and what was kept of them."""
        planned = zip(self.plan.parts, self.plan.part_candidates, self.plan.part_sha256, strict=False)
        for part, count, digest in planned:
            if self._is_gone(part):
                continue
            table = made(self.folder, part, self.plan)
            if table is None or (table["candidates"], table["sha256"]) != (count, digest):
                text = "the part or its sidecar is missing, cut short, or of another plan"
                yield Finding("missing", part.sidecar, text)
        try:
            read_kept(self.folder, self.plan)
        except DataError as error:
            if KEPT in self.gone:
                return
            yield Finding("checksum" if (self.folder / KEPT).is_file() else "missing", KEPT, str(error))

    def samples(self) -> Iterator[Finding]:
        """Every sample's bytes and record, and the pictures of those that were chosen."""
        try:
            rows = read_index(self.folder).num_rows
            if rows != self.plan.kept:
                yield Finding("index", INDEX, f"{rows} rows for {self.plan.kept} samples")
        except DataError as error:
            if INDEX not in self.gone:
                yield Finding("missing", INDEX, str(error))
        if self.workers > 1 and self.job.domain:
            warm(self.job.domain)
        with tempfile.TemporaryDirectory(prefix="gobench-verify-") as room:
            job = self.job.into(Path(room))
            engine(self.workers).run(job, range(len(self.shards)), self._count())
            for number in range(len(self.shards)):
                self.seen["drawn"] += job.drawn(number)
                yield from (found for found in job.findings(number) if not self._follows(found, number))

    def _is_gone(self, piece: Part | Shard) -> bool:
        return bool({piece.file, piece.sidecar} & self.gone)

    def _follows(self, found: Finding, number: int) -> bool:
        """Whether a shard's finding only follows from a file that was already told to be missing."""
        if found.kind != "missing":
            return False
        origins = found.file != self.shards[number].file
        return any(map(self._is_gone, self.plan.parts)) if origins else self._is_gone(self.shards[number])

    def _count(self) -> Callable[[int], None]:
        done = 0

        def count(_: int) -> None:
            nonlocal done
            done += 1
            self.progress("shards", done, len(self.shards))

        return count
