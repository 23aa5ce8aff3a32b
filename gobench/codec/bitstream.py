"""H.264 written directly, for pictures of which little changes from frame to frame (ITU-T H.264, clause 7.3).

A block of 16x16 pixels (a macroblock) that did not change is skipped. One that did is either predicted from
the row above it or the column left of it, when that gives exactly its pixels (flat ground, straight lines),
or stored raw (I_PCM). Nothing is transformed or quantised, so the decoder gives back the very planes.
Constrained baseline profile, CAVLC, one slice a picture, no deblocking, a key frame every KEY_INTERVAL.

The planes alone decide the bytes: ``damage`` only says where there is no need to look.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numba
import numpy as np
import numpy.typing as npt

from gobench.types import Yuv

KEY_INTERVAL = 256  # frames
RAW = 384  # bytes of a macroblock: 256 of luma, 64 of each chroma plane
_ROOM = 592  # bytes a written macroblock takes at most: RAW with an escape every other byte, and its header
_FRAME_NUM_BITS = 4
_LEVELS = ((8192, 40), (36864, 51), (139264, 62))  # macroblocks a frame at most -> level_idc

# where the bit writer stands: bytes written, bits not yet written, how many, zero bytes written just before
_POS, _BITS, _COUNT, _ZEROS = range(4)


def config(height: int, width: int, fps: int) -> bytes:
    """The AVCDecoderConfigurationRecord: sequence and picture parameters for frames of this even size."""
    sps, pps = _sps(height, width, fps), bytes([0x68]) + _pps()
    head = bytes([1, *sps[1:4], 0xFF, 0xE1])
    return b"".join([head, len(sps).to_bytes(2, "big"), sps, b"\x01", len(pps).to_bytes(2, "big"), pps])


def samples(planes: Yuv, damage: npt.NDArray[np.bool_], before: Yuv | None, start: int) -> Iterator[bytes]:
    """The frames of ``planes``, numbers ``start`` and up, each as one NAL unit behind its length.

    ``before`` is the frame before them (planes with T = 1), None at the start of a clip. ``damage`` is bool
    [T, ceil(H/16), ceil(W/16)]: False where a block is certainly equal to the frame before.
    """
    last = planes if before is None else before  # not looked at when start is 0: that is a key frame
    room = np.empty(_ROOM * damage[0].size + 64, np.uint8)
    for t in range(planes.y.shape[0]):
        y, u, v = (p[t] for p in planes)
        y0, u0, v0 = (p[t - 1] for p in planes) if t else (p[-1] for p in last)
        key = (start + t) % KEY_INTERVAL == 0
        size = _write_frame(y, u, v, y0, u0, v0, damage[t], key, *_header(start + t), room)
        yield room[:size].tobytes()


class _Fields:
    """A short string of bits, written most significant first."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, width: int, *values: int) -> None:
        """Unsigned numbers of ``width`` bits."""
        self.bits += "".join(f"{value:0{width}b}" for value in values)

    def ue(self, *values: int) -> None:
        """Exponential-Golomb codes."""
        for value in values:
            self.u(2 * (value + 1).bit_length() - 1, value + 1)

    def rbsp(self) -> bytes:
        """Closed by the stop bit, escaped (a 3 after two zero bytes wherever a byte of at most 3 follows)."""
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        out = bytearray()
        for byte in int(bits, 2).to_bytes(len(bits) // 8, "big"):
            if byte <= 3 and out[-2:] == b"\0\0":
                out.append(3)
            out.append(byte)
        return bytes(out)


def _sps(height: int, width: int, fps: int) -> bytes:
    rows, cols = -(-height // 16), -(-width // 16)
    level = next((level for most, level in _LEVELS if rows * cols <= most), 62)
    f = _Fields()
    f.ue(0, _FRAME_NUM_BITS - 4, 2, 1)  # id, frame number bits, output in decoding order, one reference
    f.u(1, 0)
    f.ue(cols - 1, rows - 1)
    f.u(1, 1, 1)  # frames only, 8x8 inference
    cropped = (rows * 16 != height) or (cols * 16 != width)
    f.u(1, int(cropped))
    if cropped:
        f.ue(0, (cols * 16 - width) // 2, 0, (rows * 16 - height) // 2)
    f.u(1, 1)
    _vui(f, fps)
    return bytes([0x67, 66, 0xC0, level]) + f.rbsp()


def _vui(f: _Fields, fps: int) -> None:
    f.u(1, 1)
    f.u(8, 1)  # square pixels
    f.u(1, 0, 1)  # no overscan; signal type follows
    f.u(3, 5)
    f.u(1, 0, 1)  # limited range; colours follow
    f.u(8, 1, 13, 6)  # BT.709 primaries, sRGB transfer, BT.601 matrix
    f.u(1, 0, 1)  # no chroma location; timing follows
    f.u(32, 1, 2 * fps)
    f.u(1, 1, 0, 0, 0, 1, 1)  # fixed rate, no HRD, no pic_struct; restrictions follow
    f.ue(0, 0, 16, 16, 0, 1)  # nothing is reordered: a decoder may show each frame at once


def _pps() -> bytes:
    f = _Fields()
    f.ue(0, 0)
    f.u(1, 0, 0)  # CAVLC, no bottom field order
    f.ue(0, 0, 0)
    f.u(1, 0)
    f.u(2, 0)
    f.ue(0, 0, 0)  # QP and chroma offsets
    f.u(1, 1, 0, 0)  # slices switch deblocking off; intra prediction from anything
    return f.rbsp()


def _header(number: int) -> tuple[int, int]:
    """NAL unit type and slice header of a frame: the bits as a number, and how many."""
    key_frame, since = divmod(number, KEY_INTERVAL)
    return _slice_header(since == 0, since % (1 << _FRAME_NUM_BITS) if since else key_frame % 2)


@functools.cache
def _slice_header(key: bool, count: int) -> tuple[int, int]:
    f = _Fields()
    f.u(8, 0x65 if key else 0x41)  # a key frame, or another that later ones refer to
    f.ue(0, 7 if key else 5, 0)  # from the first macroblock on; all I or all P
    f.u(_FRAME_NUM_BITS, 0 if key else count)
    if key:
        f.ue(count)  # neighbouring key frames differ
        f.u(1, 0, 0)
    else:
        f.u(1, 0, 0, 0)  # one reference, lists as they are, no marking commands
    f.ue(0, 1)  # QP; no deblocking
    return int(f.bits, 2), len(f.bits)


@numba.njit(cache=True, nogil=True)
def _byte(out, state, byte):  # type: ignore[no-untyped-def]
    if state[_ZEROS] >= 2 and byte <= 3:
        out[state[_POS]] = 3
        state[_POS] += 1
        state[_ZEROS] = 0
    out[state[_POS]] = byte
    state[_POS] += 1
    state[_ZEROS] = 0 if byte else state[_ZEROS] + 1


@numba.njit(cache=True, nogil=True)
def _u(out, state, width, value):  # type: ignore[no-untyped-def]
    state[_BITS] = (state[_BITS] << width) | value
    state[_COUNT] += width
    while state[_COUNT] >= 8:
        state[_COUNT] -= 8
        _byte(out, state, state[_BITS] >> state[_COUNT])
        state[_BITS] &= (1 << state[_COUNT]) - 1


@numba.njit(cache=True, nogil=True)
def _ue(out, state, value):  # type: ignore[no-untyped-def]
    width = 0
    while (value + 1) >> width:
        width += 1
    _u(out, state, 2 * width - 1, value + 1)


@numba.njit(cache=True, nogil=True)
def _load(plane, row, col, size, block):  # type: ignore[no-untyped-def]
    """A block [size, size] of a plane, what lies outside it filled with its border."""
    bottom, right = plane.shape[0] - 1, plane.shape[1] - 1
    for i in range(size):
        line = plane[min(row * size + i, bottom)]
        for j in range(size):
            block[i * size + j] = line[min(col * size + j, right)]


@numba.njit(cache=True, nogil=True)
def _equal(a, b, row, col, size):  # type: ignore[no-untyped-def]
    diff = np.uint8(0)
    for i in range(row * size, min(row * size + size, a.shape[0])):
        for j in range(col * size, min(col * size + size, a.shape[1])):
            diff |= a[i, j] ^ b[i, j]
    return diff == 0


@numba.njit(cache=True, nogil=True)
def _predicted(plane, row, col, size, block):  # type: ignore[no-untyped-def]
    """0: each row is the one above the block; 1: each column is the one left of it; -1: neither."""
    right, bottom = plane.shape[1] - 1, plane.shape[0] - 1
    diff = np.uint8(row == 0)
    if row:
        above = plane[row * size - 1]
        for j in range(size):
            pixel = above[min(col * size + j, right)]
            for i in range(size):
                diff |= block[i * size + j] ^ pixel
    if diff == 0:
        return 0
    diff = np.uint8(col == 0)
    if col:
        for i in range(size):
            pixel = plane[min(row * size + i, bottom), col * size - 1]
            for j in range(size):
                diff |= block[i * size + j] ^ pixel
    return 1 if diff == 0 else -1


@numba.njit(cache=True, nogil=True)
def _write_raw(out, state, raw):  # type: ignore[no-untyped-def]
    if state[_COUNT]:
        _u(out, state, 8 - state[_COUNT], 0)
    least = np.uint8(255)
    for k in range(RAW):
        least = min(least, raw[k])
    if least <= 3:  # never in limited range
        for k in range(RAW):
            _byte(out, state, np.int64(raw[k]))
        return
    at = state[_POS]
    for k in range(RAW):
        out[at + k] = raw[k]
    state[_POS] += RAW
    state[_ZEROS] = 0


@numba.njit(cache=True, nogil=True)
def _write_predicted(out, state, shift, luma, chroma, many):  # type: ignore[no-untyped-def]
    _ue(out, state, shift + 1 + luma)  # Intra16x16, no coefficients but the DC's, of which there are none:
    _ue(out, state, 2 - chroma)
    _ue(out, state, 0)  # QP as before
    if many:
        _u(out, state, 6, 3)  # ... said in the code for busy neighbours
    else:
        _u(out, state, 1, 1)


@numba.njit(cache=True, nogil=True)
def _chroma_mode(u, v, row, col, raw):  # type: ignore[no-untyped-def]
    mode = _predicted(u, row, col, 8, raw[256:320])
    other = _predicted(v, row, col, 8, raw[320:])
    return mode if mode == other else -1


@numba.njit(cache=True, nogil=True)
def _write_block(out, state, y, u, v, row, col, shift, pcm, raw):  # type: ignore[no-untyped-def]
    _load(y, row, col, 16, raw[:256])
    _load(u, row, col, 8, raw[256:320])
    _load(v, row, col, 8, raw[320:])
    luma = _predicted(y, row, col, 16, raw[:256])
    chroma = _chroma_mode(u, v, row, col, raw) if luma >= 0 else -1
    if chroma >= 0:
        many = (col > 0 and pcm[row, col - 1]) or (row > 0 and pcm[row - 1, col])
        _write_predicted(out, state, shift, luma, chroma, many)
    else:
        pcm[row, col] = True
        _ue(out, state, shift + 25)  # I_PCM
        _write_raw(out, state, raw)


@numba.njit(cache=True, nogil=True)
def _write_frame(y, u, v, y0, u0, v0, damage, key, header, bits, out):  # type: ignore[no-untyped-def]
    """One frame into ``out``; the bytes written."""
    state = np.zeros(4, np.int64)
    state[_POS] = 4
    _u(out, state, bits, header)
    pcm = np.zeros(damage.shape, np.bool_)
    raw = np.empty(RAW, np.uint8)
    skipped = 0
    for row in range(damage.shape[0]):
        for col in range(damage.shape[1]):
            same = not key and (
                not damage[row, col]
                or (_equal(y, y0, row, col, 16) and _equal(u, u0, row, col, 8) and _equal(v, v0, row, col, 8))
            )
            if same:
                skipped += 1
                continue
            if not key:
                _ue(out, state, skipped)
                skipped = 0
            _write_block(out, state, y, u, v, row, col, 0 if key else 5, pcm, raw)
    if skipped:
        _ue(out, state, skipped)
    _u(out, state, 1, 1)  # the stop bit
    if state[_COUNT]:
        _u(out, state, 8 - state[_COUNT], 0)
    size = state[_POS] - 4
    for k in range(4):
        out[k] = (size >> (24 - 8 * k)) & 255
    return state[_POS]
