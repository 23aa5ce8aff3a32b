"""Tokens of whole episodes on disk, in all symmetries: a few files for each shard of the dataset, memory-mapped.

    OUT/SPLIT/meta.json           whose tokens they are (``Meta``)
              frames.npy          int32 [E], frames of each episode of the split
              00000.first.npy     int32 [episodes], plies before each one's first frame
              00000.same.npy      bool [frames], whether the next frame of the episode has the same tokens
              00000.tokens.npy    [frames, variants, S]; written last, so its presence means that the shard is done
              00000.actions.npy   int16 [frames, variants, 2], only where ``labels.label`` was asked for
              left.txt              of an earlier training: the store is used again if it is the same one's, else replaced

A store may hold the first shards of a split only. Row t of the actions lies between frames t and t + 1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from gobench import atomic
from gobench.canonical import dumps, read_json
from gobench.errors import DataError, UsageError
from gobench.types import Record
from gobench_videoworld.data.order import Ints

META, FRAMES = "meta.json", "frames.npy"
LEFT = "left.txt"
FORMAT = 1
TOKENS, STATES = "tokens", "states"
NONE = "none"
WHOSE = {
    "content": "dataset",
    "codec": "codec",
    "split": "split",
    "kind": "kind",
    "maker": "tokenizer or reader",
    "symmetries": "set of symmetries",
    "grid": "grid",
    "size": "working size",
    "vocabulary": "vocabulary",
    "format": "format",
}
"""What must be equal for a store to be used again, and what it is called."""

Tokens = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Meta:
    """Whose tokens a store holds."""

    content: str  # hash of the dataset's content: games and frames as drawn
    codec: str  # through which the frames came
    split: str
    kind: str  # TOKENS or STATES
    maker: str  # hash of the tokenizer's weights, or the domain and its version
    symmetries: str  # a name in ``gobench.loader.view.SYMMETRIES``
    variants: int
    grid: tuple[int, int]  # rows and columns of tokens
    size: tuple[int, int]  # pixels at which frames were looked at
    vocabulary: int
    episodes: tuple[int, ...]  # of each shard of the split
    format: int = FORMAT

    @property
    def sites(self) -> int:
        """S."""
        return self.grid[0] * self.grid[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest that holds the vocabulary."""
        return np.min_scalar_type(self.vocabulary - 1)


class TokenStore:
    """An opened store. Frames are numbered through all its episodes, as are the episodes.

    Attributes:
        meta: whose tokens they are.
        frames, first: int64 [E] for each episode that is there: its frames, and plies before the first of them.
        starts: int64 [E + 1], number of each one's first frame.
    """

    def __init__(self, folder: Path, meta: Meta, frames: Ints) -> None:
        self.folder, self.meta = folder, meta
        self._shards = present(folder, meta)
        if not self._shards:
            raise DataError(
                f"{folder} holds no finished shard of tokens. Train again: missing ones are made."
            )
        ends = np.cumsum([0, *meta.episodes])[: self._shards + 1]
        self.frames = frames[: ends[-1]]
        self.starts = np.concatenate([[0], np.cumsum(self.frames)])
        self._ends = self.starts[ends]
        parts = [self._load(n, "first", np.dtype(np.int32), ()) for n in range(self._shards)]
        self.first = np.concatenate(parts).astype(np.int64)
        self._mapped: dict[tuple[int, str], npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def variants(self) -> int:
        """Symmetries in which each frame is there."""
        return self.meta.variants

    def rows(self) -> Iterator[tuple[int, range]]:
        """(shard, its episodes) of the shards that are there."""
        ends = np.cumsum([0, *self.meta.episodes]).tolist()
        for shard in range(self._shards):
            yield shard, range(ends[shard], ends[shard + 1])

    @property
    def labels(self) -> bool:
        """Whether actions are there for every shard."""
        return all(file(self.folder, n, "actions").is_file() for n in range(self._shards))

    def tokens(self, numbers: Ints, variants: Ints) -> Ints:
        """Tokens of frames in symmetries: ints [N] and [N] -> int64 [N, S]. Raises DataError for a broken file."""
        return self._gathered("tokens", numbers, variants, self.meta.sites)

    def actions(self, numbers: Ints, variants: Ints) -> Ints:
        """The actions after frames, int64 [N, 2]. Raises UsageError where no labels were read."""
        if not self.labels:
            raise UsageError(
                f"{self.folder} holds no labels: they are read only when asked for (labels.label)."
            )
        return self._gathered("actions", numbers, variants, 2)

    @cached_property
    def same(self) -> npt.NDArray[np.bool_]:
        """Bool [frames]: the next frame of the episode has the same tokens; False for an episode's last."""
        parts = [self._load(n, "same", np.dtype(np.bool_), ()) for n in range(self._shards)]
        return np.concatenate(parts)

    def _gathered(self, name: str, numbers: Ints, variants: Ints, width: int) -> Ints:
        out = np.empty((len(numbers), width), np.int64)
        shards = np.searchsorted(self._ends, numbers, side="right") - 1
        for shard in np.unique(shards).tolist():
            here = shards == shard
            part = self._part(shard, name, width)
            out[here] = part[numbers[here] - self._ends[shard], variants[here]]
        return out

    def _part(self, shard: int, name: str, width: int) -> npt.NDArray[Any]:
        if (shard, name) not in self._mapped:
            dtype = self.meta.dtype if name == "tokens" else np.dtype(np.int16)
            self._mapped[shard, name] = self._load(shard, name, dtype, (self.variants, width))
        return self._mapped[shard, name]

    def _load(self, shard: int, name: str, dtype: np.dtype[Any], tail: tuple[int, ...]) -> npt.NDArray[Any]:
        rows = self.meta.episodes[shard]
        if name != "first":
            rows = int(self._ends[shard + 1] - self._ends[shard])
        return mapped(file(self.folder, shard, name), dtype, (rows, *tail))


def open_store(out: Path | str, split: str) -> TokenStore:
    """Open what ``tokenise`` or ``read_states`` wrote into ``out`` for a split. Raises DataError if it is not there."""
    folder = Path(out) / split
    if not (folder / META).is_file():
        raise DataError(f"{folder} holds no tokens: it has no {META}. Training makes them.")
    meta = read_meta(folder)
    frames = mapped(folder / FRAMES, np.dtype(np.int32), (sum(meta.episodes),))
    return TokenStore(folder, meta, frames.astype(np.int64))


def file(folder: Path, shard: int, name: str) -> Path:
    """Where a part of a shard stands."""
    return folder / f"{shard:05d}.{name}.npy"


def present(folder: Path, meta: Meta) -> int:
    """How many shards from the first on are finished."""
    done = (file(folder, n, "tokens").is_file() for n in range(len(meta.episodes)))
    return next((n for n, there in enumerate(done) if not there), len(meta.episodes))


def read_meta(folder: Path) -> Meta:
    """Raises DataError where it is none."""
    table: Record = read_json(folder / META)
    try:
        whole: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        return Meta(**whole)
    except TypeError as error:
        raise DataError(
            f"{folder / META} does not tell whose tokens these are ({error}): delete {folder}."
        ) from error


def write_meta(folder: Path, meta: Meta, frames: Ints) -> None:
    """Begin a store, or check that the one there is the same one's; one that was left is replaced if it is not.

    Raises:
        DataError: it belongs to another dataset, tokenizer or form.
    """
    if (folder / LEFT).exists():
        _take_over(folder, meta)
    if (folder / META).is_file():
        return check_meta(folder, read_meta(folder), meta)
    save(folder / FRAMES, frames.astype(np.int32))
    atomic.write(folder / META, dumps(asdict(meta)))
    return None


def leave(folder: Path) -> None:
    """Let a store go: whoever begins one in its place uses it again if it is the same one's, and deletes it if not."""
    atomic.write(folder / LEFT, b"Left by an earlier training: used again if it is the same, else deleted.\n")


def _take_over(folder: Path, meta: Meta) -> None:
    """What is not the same one's is deleted, the table that says whose it is at last, so that no half of it is believed."""
    try:
        check_meta(folder, read_meta(folder), meta)
    except DataError:
        for path in folder.glob("*.npy"):
            path.unlink()
        (folder / META).unlink(missing_ok=True)
    (folder / LEFT).unlink()


def check_meta(folder: Path, found: Meta, meta: Meta) -> None:
    """DataError that names the first thing in which they differ."""
    for key, what in WHOSE.items():
        old, new = getattr(found, key), getattr(meta, key)
        if old != new:
            raise DataError(
                f"{folder} holds {found.kind} of another {what} ({_brief(old)}; now it is {_brief(new)}). Choose another "
                "folder, or delete this one: it can be made again."
            )


def check_turns(symmetries: str, size: tuple[int, int], grid: tuple[int, int] = (1, 1)) -> None:
    """UsageError where frames of a size in pixels, or their grid, cannot be turned by a quarter as asked for."""
    if symmetries == "dihedral" and (size[0] != size[1] or grid[0] != grid[1]):
        raise UsageError(
            f'symmetry "dihedral" turns frames, but these are {size[0]}x{size[1]} with a grid of {grid[0]}x{grid[1]}: '
            'use "flips" or "none".'
        )


def save(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as .npy, whole or not at all. Raises BuildError where the disk is full."""
    head = io.BytesIO()
    flat = np.ascontiguousarray(array)
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(flat))
    with atomic.AtomicFile(path) as out:
        out.write(head.getvalue())
        out.write(cast(bytes, flat.reshape(-1).view(np.uint8).data))


def mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """An array on disk, read where it is looked at. Raises DataError where it is another one, or cut short."""
    try:
        found: npt.NDArray[Any] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({error}): delete it and train again, it is made anew."
        ) from error
    if found.dtype != dtype or found.shape != shape:
        what = f"{found.dtype} {list(found.shape)} where {dtype} {list(shape)} belongs"
        raise DataError(f"{path} holds {what}: delete it and train again, it is made anew.")
    return found


def _brief(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
