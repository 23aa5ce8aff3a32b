"""Which positions a training set holds, in a few bits each: a Bloom filter that never forgets and seldom errs.

    header as one line of canonical JSON, then the bits: uint64 [blocks, 8], little endian

Each 64-bit hash belongs to one block of 512 bits and sets up to 7 bits of it. What was added is always found; of
what was not, a share ``rate`` is found too (stated, computed from the bits themselves). So a position that is *not*
found was surely not trained on. Equal sets give equal bytes, in whatever order they were added.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

from gobench.canonical import check, dumps, loads, sha256
from gobench.errors import DataError
from gobench.types import Record

SKETCH = "sketch.bin"
FORMAT = "gobench-sketch-1"
BITS_AN_ITEM = 12
MOST_BYTES = 64 << 20
BLOCK = 512  # bits; one line of a processor's cache
WORDS = BLOCK // 64
MOST_HASHES = 7  # nine bits of one 64-bit word for each
LONGEST_HEADER = 4096
PIECE = 1 << 20
HEADER: Record = {"format": str, "bits": int, "hashes": int, "items": int, "content": str, "sha256": str}
REMEDY = "Remove it and run the same build again, which makes it anew."

Words = npt.NDArray[np.uint64]


@dataclass(eq=False)
class Sketch:
    """A set of uint64 hashes; made by :func:`sized` or :func:`read`.

    ``words`` is uint64 [blocks, 8], ``hashes`` how many bits an item sets (1 to 7), ``items`` how many were added,
    repeats counted.
    """

    words: Words
    hashes: int
    items: int = 0

    @property
    def bits(self) -> int:
        """The size, a power of two times 512."""
        return int(self.words.size) * 64

    @property
    def rate(self) -> float:
        """The chance that something never added is found, 0 to 1, rounded to 9 digits."""
        filled = np.bitwise_count(self.words).sum(axis=1, dtype=np.int64)
        counts = np.bincount(filled, minlength=BLOCK + 1).tolist()
        total: int = sum(n * ones**self.hashes for ones, n in enumerate(counts))  # whole numbers: exact
        every: int = len(self.words) * BLOCK**self.hashes
        return round(total / every, 9)

    def add(self, hashes: npt.ArrayLike) -> None:
        """Add uint64 [n]. Raises DataError for another type."""
        items = _checked(hashes)
        _kernels().add(self.words, items, self.hashes)
        self.items += len(items)

    def contains(self, hashes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each of uint64 [n] was added: False is certain, True errs at ``rate``. Raises DataError."""
        items = _checked(hashes)
        found = np.empty(len(items), np.bool_)
        _kernels().contains(self.words, items, self.hashes, found)
        return found

    def merge(self, other: Sketch) -> None:
        """Add all that another sketch of the same size holds. Raises DataError for another size."""
        if (self.bits, self.hashes) != (other.bits, other.hashes):
            mine, theirs = (f"{s.bits} bits and {s.hashes} hashes" for s in (self, other))
            raise DataError(f"sketches merge if they are of one size; these have {mine}, and {theirs}.")
        self.words |= other.words
        self.items += other.items

    def pieces(self, content: str = "") -> Iterator[bytes]:
        """The file, piece by piece; ``content`` names what it was made of (see :func:`facts`)."""
        data = self.words.astype("<u8", copy=False).tobytes()
        table: Record = {"format": FORMAT, "bits": self.bits, "hashes": self.hashes, "items": self.items}
        table |= {"rate": self.rate, "content": content, "sha256": hashlib.sha256(data).hexdigest()}
        yield dumps(table) + b"\n"
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]

    def to_bytes(self, content: str = "") -> bytes:
        """The file at once."""
        return b"".join(self.pieces(content))


def sized(items: int) -> Sketch:
    """An empty sketch for so many items: 12 to 24 bits each, which errs less than once in 100.

    At most 64 MiB (for 44 million items); beyond, ``rate`` grows.
    """
    blocks = 1 << max(math.ceil(items * BITS_AN_ITEM / BLOCK) - 1, 0).bit_length()
    blocks = min(blocks, MOST_BYTES * 8 // BLOCK)
    best = round(math.log(2) * blocks * BLOCK / max(items, 1))
    return Sketch(np.zeros((blocks, WORDS), np.uint64), min(max(best, 1), MOST_HASHES))


def facts(path: Path) -> Record:
    """The header of a sketch: bits, hashes, items, rate, content and the sha256 of the bits, which are not read.

    Raises DataError if it cannot be read or is none.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST_HEADER)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    try:
        table = loads(line, str(path))
        check(table, HEADER, str(path))
    except DataError as error:
        raise DataError(f"{path} is no sketch of positions: {error} {REMEDY}") from error
    blocks, rest = divmod(table["bits"], BLOCK)
    sound = not rest and blocks > 0 and not blocks & (blocks - 1) and table["bits"] <= 8 * MOST_BYTES
    rate = table.get("rate")
    rated = isinstance(rate, int | float) and 0 <= rate <= 1
    if table["format"] != FORMAT or not (sound and rated and 1 <= table["hashes"] <= MOST_HASHES):
        raise DataError(f"{path} is no sketch that this version reads ({FORMAT}). {REMEDY}")
    return dict(table)


def read(path: Path) -> Sketch:
    """A sketch from its file. Raises DataError if it is missing, cut short, changed or of another format."""
    table = facts(path)
    try:
        data = path.read_bytes().partition(b"\n")[2]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    if len(data) != table["bits"] // 8 or sha256(data) != table["sha256"]:
        raise DataError(f"{path} was changed or cut short: its bits do not have the stated sha256. {REMEDY}")
    words = np.frombuffer(data, "<u8").astype(np.uint64).reshape(-1, WORDS)
    return Sketch(words, table["hashes"], table["items"])


def novel(folder: Path | str, hashes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which positions are surely not in a dataset's training split.

    Args:
        folder: a finished dataset.
        hashes: uint64 [n], as its domain's ``position_hashes`` gives them.

    Returns:
        bool [n]; a False may be wrong at the rate in the manifest, a True never is.

    Raises:
        DataError: the folder has no sketch, or a broken one; says what to do.
    """
    path = Path(folder) / SKETCH
    if not path.is_file():
        raise DataError(
            f"{folder} has no {SKETCH}, so that nobody knows which positions it holds: it is no dataset, was built "
            "by an earlier version, or its domain knows no positions. Run the same `gobench build-dataset` again, "
            "which adds what is missing."
        )
    return ~read(path).contains(hashes)


def _kernels() -> ModuleType:
    from gobench.sketch import kernels  # numba, only when bits are touched

    return kernels


def _checked(hashes: npt.ArrayLike) -> Words:
    items = np.ascontiguousarray(hashes)
    if items.ndim != 1 or (items.dtype != np.uint64 and items.size):
        raise DataError(f"a sketch holds uint64 [n], not {items.dtype} {list(items.shape)}.")
    return items.astype(np.uint64, copy=False)
