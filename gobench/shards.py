"""Shards: plain USTAR files, written so that equal samples give equal bytes.

A sample is a run of members ``KEY.json``, ``KEY.mp4``, ... that lie side by side, sorted by name. Members
carry no time and no owner (mtime 0, uid and gid 0, mode 0644). Any tar program, ``webdataset`` and
``datasets`` read them, and a byte range of the index is enough to read one sample.

    header 512 | KEY.json padded to 512 | header 512 | KEY.mp4 padded to 512 | ... | 1024 zeros
    ^ offset                             sample: offset .. offset + size  ^
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gobench.atomic import AtomicFile
from gobench.canonical import loads
from gobench.errors import DataError
from gobench.types import Record

BLOCK = 512
END = bytes(2 * BLOCK)
LONGEST_NAME = 100
LARGEST_MEMBER = 8**11 - 1
RECORD = "json"  # the suffix of the member that holds the record

# name[100] mode[8] uid[8] gid[8] size[12] | mtime[12] checksum[8] type[1] link[100] magic[6] version[2] ...
_BEFORE_SIZE = b"0000644\0" + b"0000000\0" * 2
_AFTER_SIZE = b"00000000000\0" + b" " * 8 + b"0" + bytes(100) + b"ustar\0" + b"00" + bytes(247)
_FIXED_SUM = sum(_BEFORE_SIZE) + sum(_AFTER_SIZE)
_CHECKSUM = slice(148, 156)


class Row(NamedTuple):
    """Where a sample lies: its byte range from the first header to the end of the last member's padding."""

    key: str
    offset: int
    size: int
    frames: int
    sha256: str  # first 16 hex digits, over the byte range


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as stored: ``members`` maps a suffix ("json", "mp4", "frames.zip") to bytes."""

    key: str
    members: dict[str, bytes]

    def record(self) -> Record:
        """``KEY.json`` as plain data. Raises DataError that names the key."""
        table = loads(self.members[RECORD], f"{self.key}.{RECORD}")
        if not isinstance(table, dict):
            raise DataError(f"{self.key}.{RECORD} holds a {type(table).__name__}, not an object.")
        return table


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member. Raises ValueError for a name or size that USTAR cannot hold."""
    text = name.encode("ascii")
    if len(text) > LONGEST_NAME or not 0 <= size <= LARGEST_MEMBER:
        raise ValueError(f"a member of a shard has at most 100 letters and 8 GB: {name!r}, {size} bytes")
    octal = b"%011o\0" % size
    checksum = _FIXED_SUM + sum(text) + sum(octal)
    block = b"".join((text.ljust(100, b"\0"), _BEFORE_SIZE, octal, _AFTER_SIZE))
    return b"".join((block[:148], b"%06o\0 " % checksum, block[156:]))


def pack(key: str, members: Mapping[str, bytes]) -> bytes:
    """The bytes of one sample: headers, members sorted by suffix, padding."""
    pieces = []
    for suffix in sorted(members):
        data = members[suffix]
        pieces += [header(f"{key}.{suffix}", len(data)), data, bytes(-len(data) % BLOCK)]
    return b"".join(pieces)


class ShardWriter:
    """Writes samples one after the other; the file appears when the ``with`` block ends well."""

    def __init__(self, path: Path) -> None:
        self.file = AtomicFile(path)
        self.rows: list[Row] = []

    def add(self, key: str, members: Mapping[str, bytes], frames: int) -> Row:
        """Append a sample; returns where it lies."""
        data = pack(key, members)
        row = Row(key, self.file.bytes, len(data), frames, digest(data))
        self.file.write(data)
        self.rows.append(row)
        return row

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *failure: object) -> None:
        try:
            if failure[0] is None:
                self.file.write(END)
        except BaseException as error:
            self.file.__exit__(type(error), error, None)
            raise
        self.file.__exit__(*failure)  # type: ignore[arg-type]


def digest(data: bytes) -> str:
    """The short checksum of a sample's byte range: 16 hex digits of its sha256."""
    return hashlib.sha256(data).hexdigest()[:16]


def members(data: bytes, where: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each member in a run of members; raises DataError that says ``where`` it broke."""
    offset = 0
    while offset < len(data):
        name, size = parse_header(data[offset : offset + BLOCK], f"{where}, byte {offset}")
        start = offset + BLOCK
        if start + size > len(data):
            raise DataError(f"{where}: {name} should have {size} bytes and is cut short.")
        yield name, data[start : start + size]
        offset = start + size + -size % BLOCK


def parse_header(block: bytes, where: str) -> tuple[str, int]:
    """Name and size in a header; raises DataError if its checksum is wrong."""
    try:
        stated = int(block[_CHECKSUM].split(b"\0")[0], 8)
        found = sum(block) - sum(block[_CHECKSUM]) + 8 * 32
        if len(block) != BLOCK or stated != found:
            raise ValueError
        return block[:LONGEST_NAME].rstrip(b"\0").decode("ascii"), int(block[124:135], 8)
    except ValueError as error:
        raise DataError(f"{where}: this is not the header of a tar member.") from error


def unpack(data: bytes, where: str) -> Sample:
    """The sample in a byte range; raises DataError if it is damaged or holds more than one key."""
    found: dict[str, bytes] = {}
    keys = set()
    for name, content in members(data, where):
        key, _, suffix = name.partition(".")
        keys.add(key)
        found[suffix] = content
    if len(keys) != 1 or RECORD not in found:
        raise DataError(
            f"{where}: expected the members of one sample with its record, found {sorted(found)}."
        )
    return Sample(keys.pop(), found)


def pread(handle: int, offset: int, size: int, where: str) -> bytes:
    """A byte range of an open shard; raises DataError if the file ends before it."""
    try:
        data = os.pread(handle, size, offset)
    except OSError as error:
        raise DataError(f"cannot read {where}: {error.strerror}.") from error
    while len(data) < size:  # a signal, or a limit of the file system, may cut a read short
        more = os.pread(handle, size - len(data), offset + len(data))
        if not more:
            raise DataError(f"{where}: the file ends before byte {offset + size}; it is cut short.")
        data += more
    return data


def scan(path: Path) -> Iterator[tuple[int, int, Sample]]:
    """Read a shard from its start: offset, size and content of each sample, without the index.

    Raises DataError that names the file and the byte at the first damage, also if the end mark is missing.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}.") from error
    try:
        for start, stop in _runs(handle, path):
            yield (
                start,
                stop - start,
                unpack(pread(handle, start, stop - start, str(path)), f"{path}, byte {start}"),
            )
    finally:
        os.close(handle)


def _runs(handle: int, path: Path) -> Iterator[tuple[int, int]]:
    """First and last byte of each run of members with one key."""
    start, offset, key = 0, 0, ""
    while True:
        block = pread(handle, offset, BLOCK, str(path))
        if block == END[:BLOCK]:
            break
        name, size = parse_header(block, f"{path}, byte {offset}")
        if offset > start and name.partition(".")[0] != key:
            yield start, offset
            start = offset
        key = name.partition(".")[0]
        offset += BLOCK + size + -size % BLOCK
    if offset > start:
        yield start, offset
