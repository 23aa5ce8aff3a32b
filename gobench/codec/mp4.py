"""The least MP4 that plays everywhere: one H.264 track, the index (moov) before the data, no dates.

Written by hand rather than by a muxing library so that equal streams give equal files, and a clip of a few
kilobytes is not spent on setting up a muxer. ``read`` reads what ``write`` wrote, and checks it.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gobench.errors import DataError

DELTA = 256  # ticks a frame: the timescale is fps * DELTA
_MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_PATHS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}  # boxes that hold nothing but boxes


@dataclass(frozen=True, slots=True)
class Track:
    """An H.264 stream in decoding order. Samples are NAL units, each behind its length in 4 bytes."""

    height: int
    width: int
    fps: int
    config: bytes  # AVCDecoderConfigurationRecord (the payload of avcC)
    samples: Sequence[bytes | memoryview]
    shown: Sequence[int]  # a sample's place in display order: a permutation of range(len(samples))
    keys: Sequence[int]  # samples at which decoding can begin, increasing; the first is 0


def write(track: Track) -> bytes:
    """The file. Two equal tracks give equal bytes."""
    size = sum(len(s) for s in track.samples)
    ftyp = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
    head = struct.pack(">I4s", size + 8, b"mdat")
    if size + 8 >= 1 << 32:
        head = struct.pack(">I4sQ", 1, b"mdat", size + 16)
    offset = len(ftyp) + len(_moov(track, 0)) + len(head)
    return b"".join([ftyp, _moov(track, offset), head, *track.samples])


def read(data: bytes) -> Track:
    """The track of a file made by ``write``; raises DataError for anything else, truncation included."""
    try:
        return _parse(data)
    except (struct.error, LookupError, ValueError, RecursionError) as error:
        raise DataError(f"mp4: {_excuse(data, error)}") from error


def _excuse(data: bytes, error: Exception) -> str:
    if data[4:8] != b"ftyp":
        return f"this is no MP4 file ({len(data)} bytes, no ftyp box at the start)."
    return f"the index is broken, truncated or not ours ({type(error).__name__}: {error})."


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(len(p) for p in parts), kind) + b"".join(parts)


def _full(kind: bytes, version_flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version_flags), *parts)


def _moov(track: Track, offset: int) -> bytes:
    ticks, scale = len(track.samples) * DELTA, track.fps * DELTA
    mvhd = struct.pack(">4I", 0, 0, scale, ticks) + struct.pack(">IH10x", 1 << 16, 1 << 8)
    mvhd += _MATRIX + struct.pack(">24xI", 2)
    tkhd = struct.pack(">5I8x", 0, 0, 1, 0, ticks) + struct.pack(">8x") + _MATRIX
    tkhd += struct.pack(">2I", track.width << 16, track.height << 16)
    elst = struct.pack(">2Ii2H", 1, ticks, _delay(track) * DELTA, 1, 0)
    return _box(
        b"moov",
        _full(b"mvhd", 0, mvhd),
        _box(b"trak", _full(b"tkhd", 3, tkhd), _box(b"edts", _full(b"elst", 0, elst)), _mdia(track, offset)),
    )


def _mdia(track: Track, offset: int) -> bytes:
    ticks, scale = len(track.samples) * DELTA, track.fps * DELTA
    mdhd = struct.pack(">4I2H", 0, 0, scale, ticks, 0x55C4, 0)  # 0x55C4: language "und"
    hdlr = struct.pack(">I4s12x", 0, b"vide") + b"video\0"
    dref = _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1))
    minf = _box(b"minf", _full(b"vmhd", 1, bytes(8)), _box(b"dinf", dref), _stbl(track, offset))
    return _box(b"mdia", _full(b"mdhd", 0, mdhd), _full(b"hdlr", 0, hdlr), minf)


def _stbl(track: Track, offset: int) -> bytes:
    count = len(track.samples)
    avc1 = struct.pack(">6xH16x2H2I4xH32xHh", 1, track.width, track.height, 72 << 16, 72 << 16, 1, 24, -1)
    sizes = np.array([len(s) for s in track.samples], ">u4").tobytes()
    keys = (np.array(track.keys, ">u4") + 1).astype(">u4").tobytes()
    return _box(
        b"stbl",
        _full(b"stsd", 0, struct.pack(">I", 1), _box(b"avc1", avc1, _box(b"avcC", track.config))),
        _full(b"stts", 0, struct.pack(">3I", 1, count, DELTA)),
        _ctts(track),
        _full(b"stss", 0, struct.pack(">I", len(track.keys)), keys),
        _full(b"stsc", 0, struct.pack(">4I", 1, 1, count, 1)),
        _full(b"stsz", 0, struct.pack(">2I", 0, count), sizes),
        _full(b"stco", 0, struct.pack(">2I", 1, offset)),
    )


def _delay(track: Track) -> int:
    return max(i - shown for i, shown in enumerate(track.shown))


def _ctts(track: Track) -> bytes:
    delay = _delay(track)
    if not delay:
        return b""
    offsets = [(shown - i + delay) * DELTA for i, shown in enumerate(track.shown)]
    return _full(b"ctts", 0, struct.pack(">I", len(offsets)), *(struct.pack(">2I", 1, o) for o in offsets))


def _boxes(data: bytes, start: int, stop: int, found: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The payloads of all boxes outside mdat by name, containers opened."""
    while start < stop:
        size, kind = struct.unpack_from(">I4s", data, start)
        if kind == b"mdat":
            return found
        if size < 8 or start + size > stop:
            raise ValueError(f"box {kind!r} at byte {start} has size {size}")
        if kind in _PATHS:
            _boxes(data, start + 8, start + size, found)
        else:
            found[kind] = data[start + 8 : start + size]
        start += size
    return found


def _table(payload: bytes, skip: int, columns: int) -> list[int]:
    """A box's table of big-endian uint32: ``skip`` bytes in stands the number of rows."""
    (rows,) = struct.unpack_from(">I", payload, skip)
    return np.frombuffer(payload, ">u4", rows * columns, skip + 4).tolist()  # type: ignore[no-any-return]


def _parse(data: bytes) -> Track:
    boxes = _boxes(data, 0, len(data), {})
    scale = struct.unpack_from(">I", boxes[b"mdhd"], 12)[0]
    stsd = boxes[b"stsd"]
    width, height = struct.unpack_from(">2H", stsd, 8 + 8 + 24)
    at = stsd.index(b"avcC")
    config = stsd[at + 4 : at - 4 + struct.unpack_from(">I", stsd, at - 4)[0]]
    sizes = _table(boxes[b"stsz"], 8, 1)
    ends = [int(e) for e in np.cumsum([_table(boxes[b"stco"], 4, 1)[0], *sizes])]
    if not sizes or ends[-1] > len(data):
        raise ValueError(f"{len(data)} bytes where {ends[-1]} are announced")
    view = memoryview(data)
    samples = [view[a:b] for a, b in itertools.pairwise(ends)]
    keys = [k - 1 for k in _table(boxes[b"stss"], 4, 1)]
    shown = _shown(boxes, len(sizes))
    if keys[0] != 0 or shown[0] != 0 or max(keys) >= len(sizes):
        raise ValueError("the key frames do not fit")
    return Track(height, width, scale // DELTA, config, samples, shown, keys)


def _shown(boxes: dict[bytes, bytes], count: int) -> Sequence[int]:
    if b"ctts" not in boxes:
        return range(count)
    offsets = _table(boxes[b"ctts"], 4, 2)[1::2]
    delay = struct.unpack_from(">i", boxes[b"elst"], 12)[0] // DELTA
    shown = [i + o // DELTA - delay for i, o in enumerate(offsets)]
    if sorted(shown) != list(range(count)):
        raise ValueError("the display order is no permutation")
    return shown
