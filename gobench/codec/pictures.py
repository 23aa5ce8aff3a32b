"""PNG for single pictures: a small, fast encoder for flat drawings, and Pillow for reading.

A drawing of at most 256 colours becomes a palette picture; anything else RGB with each row stored as its
difference from the row above. Equal pictures give equal bytes for one version of zlib.
"""

from __future__ import annotations

import io
import struct
import zlib

import numba
import numpy as np

from gobench.errors import DataError
from gobench.types import Array

_SLOTS = 1024  # of the hash table from colour to palette entry; at most 256 are used


def encode(picture: Array) -> bytes:
    """uint8 [H, W, 3] -> PNG file."""
    height, width, _ = picture.shape
    pixels = np.ascontiguousarray(picture)
    rows = np.zeros((height, 1 + width), np.uint8)  # each row behind its filter type, 0: as it is
    palette = np.zeros((256, 3), np.uint8)
    colours = _to_palette(pixels, rows, palette)
    if colours:
        return _file(height, width, 3, rows, _chunk(b"PLTE", palette[:colours].tobytes()))
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = 2  # filter type 2: up
    flat = pixels.reshape(height, 3 * width)
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    return _file(height, width, 2, rows, b"")


def decode(data: bytes) -> Array:
    """Any PNG -> uint8 [H, W, 3]; raises DataError for what is none, or claims hundreds of megapixels."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            return np.asarray(picture.convert("RGB"))
    except (
        OSError,
        SyntaxError,
        ValueError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise DataError(f"png: {len(data)} bytes are no readable picture ({error}).") from error


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def _file(height: int, width: int, colour_type: int, rows: Array, extra: bytes) -> bytes:
    header = struct.pack(">2I5B", width, height, 8, colour_type, 0, 0, 0)
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_DEFAULT_STRATEGY)
    data = packer.compress(rows.data) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    )


@numba.njit(cache=True, nogil=True)
def _to_palette(pixels, rows, palette):  # type: ignore[no-untyped-def]
    """Fill rows[:, 1:] with palette indices; the number of colours, or 0 when there are more than 256."""
    keys = np.full(_SLOTS, -1, np.int32)
    values = np.zeros(_SLOTS, np.uint8)
    count, last, index = 0, np.int32(-1), np.uint8(0)
    for i in range(pixels.shape[0]):
        for j in range(pixels.shape[1]):
            r, g, b = pixels[i, j, 0], pixels[i, j, 1], pixels[i, j, 2]
            colour = (np.int32(r) << 16) | (np.int32(g) << 8) | np.int32(b)
            if colour != last:
                slot = (colour * 40503 >> 9) & (_SLOTS - 1)
                while keys[slot] >= 0 and keys[slot] != colour:
                    slot = (slot + 1) & (_SLOTS - 1)
                if keys[slot] < 0:
                    if count == 256:
                        return 0
                    keys[slot], values[slot] = colour, count
                    palette[count, 0], palette[count, 1], palette[count, 2] = r, g, b
                    count += 1
                last, index = colour, values[slot]
            rows[i, 1 + j] = index
    return count
