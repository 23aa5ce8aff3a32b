"""One shard under the glass: its bytes, its records, its pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gobench.build import positions
from gobench.build.candidates import Candidates
from gobench.build.plan import Plan, Shard
from gobench.build.recipes import differences, drawable
from gobench.build.stages import Studio, frames_digest, made
from gobench.canonical import dumps
from gobench.codec import Codec, codec
from gobench.errors import DataError
from gobench.shards import END, RECORD, Row, Sample, digest, pread, unpack
from gobench.sketch import SKETCH, Sketch
from gobench.types import Clip, Domain, Record
from gobench.verify.finding import Finding
from gobench.verify.identity import Identity
from gobench.verify.pictures import frame_that_differs, picture_differs

STILL = "png"


@dataclass(frozen=True)
class ShardCheck:
    """Checks one shard of a dataset; without a domain its pictures are left alone."""

    folder: Path
    plan: Plan
    shard: Shard
    domain: Domain | None
    kept: Sequence[int]  # candidate of each sample, [] where that is not known
    sketch: Sketch | None = None
    seen: dict[str, int] = field(default_factory=lambda: {"drawn": 0})

    @cached_property
    def codec(self) -> Codec:
        return codec(self.plan.config.codec)

    @cached_property
    def identity(self) -> Identity:
        return Identity(self.folder, self.plan, self.domain, self.kept)

    def run(self, index: Sequence[Record] | None, chosen: Sequence[int]) -> Iterator[Finding]:
        """Everything that is wrong.

        Args:
            index: this shard's rows of ``index.parquet``, or None to leave it alone.
            chosen: numbers of the samples whose pictures are compared, rising.
        """
        table = made(self.folder, self.shard, self.plan)
        if table is None:
            text = "the shard or its sidecar is missing, cut short, or of another build"
            yield self._found("missing", text)
            return
        rows = [Row(*row) for row in table["rows"]]
        if len(rows) != self.shard.count:
            yield self._found("sample", f"{len(rows)} samples where the plan has {self.shard.count}")
        origins, lost = self._origins(chosen)
        yield from lost
        try:
            with (self.folder / self.shard.file).open("rb", buffering=0) as file:
                yield from self._rows(file.fileno(), rows, table, index)
                for number in chosen:
                    probe = table["first_frames"] if number == self.shard.start else ""
                    sample = self._sample(file.fileno(), rows, number)
                    if sample is not None:
                        yield from self._draw(number, sample, origins.get(number), probe)
        except OSError as error:
            yield self._found("missing", f"it cannot be read: {error.strerror or error}")

    def _found(self, kind: str, detail: str, key: str = "", frame: int = -1) -> Finding:
        return Finding(kind, self.shard.file, detail, key, frame)

    def _rows(
        self, handle: int, rows: Sequence[Row], table: Record, index: Sequence[Record] | None
    ) -> Iterator[Finding]:
        """Bytes and records of all samples."""
        records, offset = hashlib.sha256(), 0
        for place, row in enumerate(rows):
            if row.offset != offset:
                yield self._found("sample", f"a gap before byte {row.offset}", row.key)
            offset = row.offset + row.size
            sample, found = self._read(handle, place, row)
            yield from found
            records.update(sample.members[RECORD] + b"\n" if sample else b"")
            if index is not None and place < len(index):
                yield from self._compare_index(row, index[place])
        if not 0 <= offset <= table["bytes"] or os.pread(handle, len(END) + 1, offset) != END:
            yield self._found("sample", f"the end mark at byte {offset} is missing")
        if records.hexdigest() != table["content"]:
            yield self._found("sample", "the records do not have the digest in the sidecar")

    def _read(self, handle: int, place: int, row: Row) -> tuple[Sample | None, list[Finding]]:
        """A sample if it can be read at all, and what is wrong with its bytes or its record."""
        found: list[Finding] = []
        key = f"{self.plan.config.domain}-{self.shard.start + place:09d}"
        try:
            data = self._bytes(handle, row)
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
        for kind, detail in self.identity.findings(place, record, self.shard.split):
            found.append(self._found(kind, detail, key))
        return sample, found

    def _compare_index(self, row: Row, index: Record) -> Iterator[Finding]:
        wanted: Record = {"key": row.key, "split": self.shard.split, "shard": self.shard.name}
        wanted |= {"offset": row.offset, "size": row.size, "frames": row.frames}
        for line in differences(index, wanted, now="in the shard"):
            yield Finding("index", "index.parquet", line, row.key)

    def _bytes(self, handle: int, row: Row) -> bytes:
        """A sample's byte range; raises DataError where it does not lie in the shard."""
        if row.offset < 0 or row.size < 0 or row.offset + row.size > os.fstat(handle).st_size:
            raise DataError(f"bytes {row.offset} to {row.offset + row.size} are not in {self.shard.file}.")
        return pread(handle, row.offset, row.size, self.shard.file)

    def _sample(self, handle: int, rows: Sequence[Row], number: int) -> Sample | None:
        """A sample whose bytes were looked at before; None if they cannot be read."""
        if number - self.shard.start >= len(rows):
            return None
        try:
            sample = unpack(self._bytes(handle, rows[number - self.shard.start]), self.shard.file)
            sample.record()
            return sample
        except DataError:
            return None

    def _origins(self, chosen: Sequence[int]) -> tuple[dict[int, tuple[int, Record]], list[Finding]]:
        """Sample number -> its candidate's id and record."""
        try:
            ids = [self.kept[number - self.shard.start] for number in chosen if self.kept]
            return dict(zip(chosen, Candidates(self.folder, self.plan).read(ids), strict=False)), []
        except (DataError, LookupError, ValueError) as error:
            detail = f"the candidates of {self.shard.file} cannot be read: {error}"
            return {}, [Finding("missing", "games", detail)]

    def _draw(
        self, number: int, sample: Sample, origin: tuple[int, Record] | None, probe: str
    ) -> Iterator[Finding]:
        """Make the sample again from its candidate and compare record and pictures."""
        assert self.domain is not None
        if not drawable(self.domain, self.plan.config.options):
            yield from self._decode(sample)
            return
        try:
            if origin is not None:
                studio = Studio(self.domain, self.plan.config)
                fresh = studio.sample(number, origin[0], self.shard.split, origin[1]).record
                yield from self._compare_record(sample, fresh)
                yield from self._look_up(sample.key, fresh)
            clip = self.domain.clip(sample.record())
            if probe and frames_digest(clip) != probe:
                text = "the record is drawn otherwise now than when this was built"
                yield self._found("frames", text, sample.key, 0)
            yield from self._compare_pictures(sample, clip)
            self.seen["drawn"] += 1
        except Exception as error:  # a record that was tampered with may raise anything
            yield self._found("record", f"it cannot be drawn: {type(error).__name__}: {error}", sample.key)

    def _decode(self, sample: Sample) -> Iterator[Finding]:
        """Whether pictures that cannot be drawn again can be decoded, all of them."""
        wanted = sample.record()["frames"]
        try:
            found = len(self.codec.decode(sample.members, 0, None))
        except DataError as error:
            yield self._found("frames", f"cannot be decoded: {error}", sample.key, 0)
            return
        if found != wanted:
            yield self._found(
                "frames", f"{found} frames are stored, the record tells {wanted}", sample.key, 0
            )
        self.seen["drawn"] += 1

    def _compare_record(self, sample: Sample, fresh: Record) -> Iterator[Finding]:
        if sample.members[RECORD] != dumps(fresh):
            text = "; ".join(differences(sample.record(), fresh, now="when made anew"))
            yield self._found("record", text or "it is not canonical JSON", sample.key)

    def _look_up(self, key: str, record: Record) -> Iterator[Finding]:
        """Whether the sketch knows the positions of a sample that is trained on."""
        hashed = positions.hasher(self.domain)
        if self.sketch is None or hashed is None or self.shard.split not in positions.SPLITS:
            return
        if lost := int((~self.sketch.contains(positions.hashes_of(hashed, record))).sum()):
            yield Finding("sketch", SKETCH, f"{lost} of its positions are not in it", key)

    def _compare_pictures(self, sample: Sample, clip: Clip) -> Iterator[Finding]:
        if self.codec.renders:
            return
        frame, text = frame_that_differs(self.codec, sample.members, clip)
        if text:
            yield self._found("frames", text, sample.key, frame)
        if STILL in sample.members and (text := picture_differs(sample.members[STILL], clip)):
            yield self._found("picture", text, sample.key, clip.length - 1)
