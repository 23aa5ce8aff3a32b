"""One shard under the glass: its bytes, its records, its pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gobench.build.plan import Plan, Shard
from gobench.build.recipes import differences
from gobench.build.stages import Candidates, Studio, frames_digest, sidecar
from gobench.canonical import dumps
from gobench.codec import Codec, codec
from gobench.errors import DataError
from gobench.shards import END, RECORD, Row, Sample, digest, pread, unpack
from gobench.types import Clip, Domain, Record
from gobench.verify.pictures import frame_that_differs, picture_differs

STILL = "png"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: str  # unfinished, missing, checksum, manifest, index, sample, record, frames, picture
    file: str  # below the folder
    detail: str
    key: str = ""
    frame: int = -1

    def __str__(self) -> str:
        where = " ".join([self.file, self.key, f"frame {self.frame}" if self.frame >= 0 else ""]).strip()
        return f"{self.kind}: {where}: {self.detail}"


@dataclass(frozen=True)
class ShardCheck:
    """Checks one shard of a dataset; without a domain its pictures are left alone."""

    folder: Path
    plan: Plan
    shard: Shard
    domain: Domain | None

    @cached_property
    def codec(self) -> Codec:
        return codec(self.plan.config.codec)

    def run(self, index: Sequence[Record] | None, chosen: Mapping[int, int]) -> Iterator[Finding]:
        """Everything that is wrong.

        Args:
            index: this shard's rows of ``index.parquet``, or None to leave it alone.
            chosen: number of each sample whose pictures are compared -> id of its candidate.
        """
        table = sidecar(self.folder / self.shard.sidecar, self.plan.config.hash)
        if table is None:
            yield self._found(
                "missing", "the shard or its sidecar is missing, cut short, or of another build"
            )
            return
        rows = [Row(*row) for row in table["rows"]]
        if len(rows) != self.shard.count:
            yield self._found("sample", f"{len(rows)} samples where the plan has {self.shard.count}")
        origins, lost = self._origins(chosen)
        yield from lost
        yield from self._rows(rows, table["content"], index)
        for number in chosen:
            sample = (
                self._sample(rows[number - self.shard.start])
                if number - self.shard.start < len(rows)
                else None
            )
            if sample is not None:
                probe = table["first_frames"] if number == self.shard.start else ""
                yield from self._draw(number, sample, origins.get(number), probe)

    def _found(self, kind: str, detail: str, key: str = "", frame: int = -1) -> Finding:
        return Finding(kind, self.shard.file, detail, key, frame)

    def _rows(self, rows: Sequence[Row], content: str, index: Sequence[Record] | None) -> Iterator[Finding]:
        """Bytes and records of all samples."""
        records, offset = hashlib.sha256(), 0
        handle = os.open(self.folder / self.shard.file, os.O_RDONLY)
        try:
            for number, row in enumerate(rows, self.shard.start):
                if row.offset != offset:
                    yield self._found("sample", f"a gap before byte {row.offset}", row.key)
                offset = row.offset + row.size
                sample, found = self._read(handle, number, row)
                yield from found
                records.update(sample.members[RECORD] + b"\n" if sample else b"")
                if index is not None and number - self.shard.start < len(index):
                    yield from self._compare_index(row, index[number - self.shard.start])
            if os.pread(handle, len(END) + 1, offset) != END:
                yield self._found("sample", f"the end mark at byte {offset} is missing")
        finally:
            os.close(handle)
        if records.hexdigest() != content:
            yield self._found("sample", "the records do not have the digest in the sidecar")

    def _read(self, handle: int, number: int, row: Row) -> tuple[Sample | None, list[Finding]]:
        """A sample if it can be read at all, and what is wrong with its bytes or its record."""
        found: list[Finding] = []
        key = f"{self.plan.config.domain}-{number:09d}"
        try:
            data = pread(handle, row.offset, row.size, self.shard.file)
            if digest(data) != row.sha256:
                found.append(self._found("sample", "its bytes are not those that were written", key))
            sample = unpack(data, self.shard.file)
            record = sample.record()
        except DataError as error:
            return None, [*found, self._found("sample", str(error), key)]
        wanted: Record = {"key": key, "split": self.shard.split, "frames": row.frames}
        for name, value in wanted.items():
            if record.get(name) != value:
                found.append(self._found("record", f"{name} is {record.get(name)!r}, not {value!r}", key))
        if sample.key != key or sorted(sample.members) != sorted([RECORD, *self.codec.suffixes]):
            found.append(self._found("sample", f"its members are {sample.key} {sorted(sample.members)}", key))
        return sample, found

    def _compare_index(self, row: Row, index: Record) -> Iterator[Finding]:
        wanted: Record = {"key": row.key, "split": self.shard.split, "shard": self.shard.name}
        wanted |= {"offset": row.offset, "size": row.size, "frames": row.frames}
        for line in differences(index, wanted):
            yield Finding("index", "index.parquet", line.replace("was asked for", "in the shard"), row.key)

    def _sample(self, row: Row) -> Sample | None:
        """A sample whose bytes were looked at before; None if they cannot be read."""
        handle = os.open(self.folder / self.shard.file, os.O_RDONLY)
        try:
            sample = unpack(pread(handle, row.offset, row.size, self.shard.file), self.shard.file)
            sample.record()
            return sample
        except DataError:
            return None
        finally:
            os.close(handle)

    def _origins(self, chosen: Mapping[int, int]) -> tuple[dict[int, tuple[int, Record]], list[Finding]]:
        """Sample number -> its candidate's id and record."""
        try:
            found = Candidates(self.folder, self.plan).read(chosen.values())
            return dict(zip(chosen, found, strict=True)), []
        except (DataError, LookupError) as error:
            detail = f"the candidates of {self.shard.file} cannot be read: {error}"
            return {}, [Finding("missing", "games", detail)]

    def _draw(
        self, number: int, sample: Sample, origin: tuple[int, Record] | None, probe: str
    ) -> Iterator[Finding]:
        """Make the sample again from its candidate and compare record and pictures."""
        assert self.domain is not None
        try:
            if origin is not None:
                studio = Studio(self.domain, self.plan.config)
                fresh = studio.sample(number, origin[0], self.shard.split, origin[1]).record
                yield from self._compare_record(sample, fresh)
            clip = self.domain.clip(sample.record())
            if probe and frames_digest(clip) != probe:
                text = "the record is drawn otherwise now than when this was built"
                yield self._found("frames", text, sample.key, 0)
            yield from self._compare_pictures(sample, clip)
        except Exception as error:  # a record that was tampered with may raise anything
            yield self._found("record", f"it cannot be drawn: {type(error).__name__}: {error}", sample.key)

    def _compare_record(self, sample: Sample, fresh: Record) -> Iterator[Finding]:
        if sample.members[RECORD] != dumps(fresh):
            text = "; ".join(differences(sample.record(), fresh)) or "it is not canonical JSON"
            yield self._found("record", text.replace("was asked for", "when made anew"), sample.key)

    def _compare_pictures(self, sample: Sample, clip: Clip) -> Iterator[Finding]:
        if self.codec.renders:
            return
        frame, text = frame_that_differs(self.codec, sample.members, clip)
        if text:
            yield self._found("frames", text, sample.key, frame)
        if STILL in sample.members and (text := picture_differs(sample.members[STILL], clip)):
            yield self._found("picture", text, sample.key, clip.length - 1)
