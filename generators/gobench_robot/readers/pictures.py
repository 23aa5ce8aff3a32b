"""Pictures in files: their sizes by their headers, their pixels when asked for."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np

from gobench.types import Array
from gobench_robot.readers.arrays import BREAKS, MOST_SIDE
from gobench_robot.readers.contract import BrokenError, Size
from gobench_robot.readers.folder import why

PNG = b"\x89PNG\r\n\x1a\n"
_IEND = b"\0\0\0\0IEND\xaeB`\x82"
_FORMATS = ("PNG", "JPEG")
MOST_BYTES = 64 << 20


def png_size(data: bytes, what: str) -> Size:
    """Height and width of a PNG that is there to its end; its pixels are not decoded. Raises BrokenError."""
    if data[:8] != PNG or data[12:16] != b"IHDR":
        raise BrokenError("unreadable", f"{what} is no PNG file.")
    if not data.rstrip(b"\0").endswith(_IEND):
        raise BrokenError("unreadable", f"{what} ends too early.")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    return _bounded((height, width), what)


def picture_size(data: bytes, what: str) -> Size:
    """Height and width of a PNG or JPEG by its header. Raises BrokenError."""
    if data[:8] == PNG:
        return png_size(data, what)
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            return _bounded((picture.height, picture.width), what)
    except (*BREAKS, Image.DecompressionBombError) as error:
        raise BrokenError("unreadable", f"{what} is no PNG or JPEG: {why(error)}") from None


def decoded(data: bytes, what: str) -> Array:
    """A PNG or JPEG as uint8 [h, w, 3]. Raises BrokenError."""
    from PIL import Image

    picture_size(data, what)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            return np.asarray(picture.convert("RGB"), np.uint8)
    except (*BREAKS, Image.DecompressionBombError) as error:
        raise BrokenError("unreadable", f"{what} does not decode: {why(error)}") from None


def stacked(pictures: Iterable[Array], what: str) -> Array:
    """Pictures of one size as uint8 [T, h, w, 3]. Raises BrokenError."""
    found = list(pictures)
    sizes = sorted({picture.shape for picture in found})
    if len(sizes) != 1:
        raise BrokenError("shape", f"{what}: frames of different sizes, {sizes}.")
    return np.stack(found)


def one_size(sizes: Iterable[Size], what: str) -> Size:
    """The size that all frames have. Raises BrokenError."""
    found = sorted(set(sizes))
    if len(found) != 1:
        raise BrokenError("shape", f"{what}: frames of different sizes, {found}.")
    return found[0]


def _bounded(size: Size, what: str) -> Size:
    if not all(0 < n <= MOST_SIDE for n in size):
        raise BrokenError(
            "shape", f"{what} is {size[0]} × {size[1]} pixels; at most {MOST_SIDE} a side are read."
        )
    return size
