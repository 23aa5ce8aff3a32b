"""What a training clip looks like (``View``) and in which order clips come and to whom (``Order``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from gobench.errors import UsageError, unknown
from gobench.types import Record

Form = Literal["rgb", "yuv"]
FORMS = ("rgb", "yuv")
RESIZES = ("area", "nearest")
SYMMETRIES = {"none": 1, "flips": 4, "dihedral": 8}  # name -> how many; the first n of ``augment.TABLE``
SHORTS = ("skip", "pad")
REMAINDERS = ("keep", "drop", "pad")


@dataclass(frozen=True, slots=True)
class View:
    """What one clip holds. Frames of an episode: ``start + stride * (0 .. length - 1)``.

    Attributes:
        length: frames in a clip, >= 1.
        stride: frames of the episode from one frame of the clip to the next, >= 1.
        hop: frames of the episode from the start of one clip to the start of the next, >= 1. None: clips do
            not overlap. Frames behind the last whole clip of an episode are not seen.
        short: an episode with too few frames for a clip is left out ("skip", counted) or gives one clip that
            repeats its last frame ("pad"; items then have ``mask``, bool [length], False on repeated frames).
        form: "rgb" gives ``frames`` uint8 [T, H, W, 3]; "yuv" gives ``y`` uint8 [T, H, W], ``u`` and ``v``
            uint8 [T, H/2, W/2] (BT.601, limited range), straight from the decoder.
        size: height and width of the frames in pixels (one number: square), None: as stored.
        resize: "area" (exact mean of the covered area) or "nearest".
        symmetry: "none", "flips" (4) or "dihedral" (8, square frames): one drawn for each clip and epoch.
        seed: of the drawn symmetries.
        record: items also have ``record``, the episode's JSON.

    Raises:
        UsageError: a value out of range, when made.
    """

    length: int = 16
    stride: int = 1
    hop: int | None = None
    short: str = "skip"
    form: Form = "rgb"
    size: int | tuple[int, int] | None = None
    resize: str = "area"
    symmetry: str = "none"
    seed: int = 0
    record: bool = False

    def __post_init__(self) -> None:
        for name in ("length", "stride"):
            _at_least(name, getattr(self, name), 1)
        if self.hop is not None:
            _at_least("hop", self.hop, 1)
        _one_of("short", self.short, SHORTS)
        _one_of("form", self.form, FORMS)
        _one_of("resize", self.resize, RESIZES)
        _one_of("symmetry", self.symmetry, SYMMETRIES)
        self._check_size()

    def _check_size(self) -> None:
        for side in self.target or ():
            _at_least("size", side, 1)
            if self.form == "yuv" and side % 2:
                raise UsageError(f"size {self.size} is odd, and yuv planes need an even one: try {side + 1}.")
        height, width = self.target or (1, 1)
        if self.symmetry == "dihedral" and height != width:
            raise UsageError(
                f"symmetry 'dihedral' turns frames, and {height}x{width} is not square: use 'flips'."
            )

    @property
    def span(self) -> int:
        """Frames of the episode from the first to the last frame of a clip, both counted."""
        return (self.length - 1) * self.stride + 1

    @property
    def step(self) -> int:
        """``hop``, or what it means when None: the smallest hop at which clips share no frame."""
        return self.hop or self.span

    @property
    def target(self) -> tuple[int, int] | None:
        """(height, width) asked for, or None."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


@dataclass(frozen=True, slots=True)
class Order:
    """In which order clips come, and which of them are this process's.

    Attributes:
        shuffle: a new order each epoch, a pure function of (seed, epoch); otherwise the order on disk.
        seed: of the shuffling.
        rank, world: this process and how many share the epoch. None: asked of ``torch.distributed`` when it
            is initialised, else 0 of 1.
        remainder: what happens when ``world`` does not divide the number of clips. "keep": every clip
            exactly once, ranks differ by at most one clip; "drop": all ranks equal, the last
            ``clips % world`` of the epoch are left out; "pad": all ranks equal, the epoch's first come again.

    Raises:
        UsageError: a value out of range, when made.
    """

    shuffle: bool = True
    seed: int = 0
    rank: int | None = None
    world: int | None = None
    remainder: str = "keep"

    def __post_init__(self) -> None:
        _one_of("remainder", self.remainder, REMAINDERS)
        if (self.rank is None) != (self.world is None):
            raise UsageError(f"rank {self.rank} and world {self.world}: give both or neither.")
        if self.rank is not None and self.world is not None:
            _at_least("world", self.world, 1)
            if not 0 <= self.rank < self.world:
                raise UsageError(f"rank {self.rank} is not among 0..{self.world - 1} (world {self.world}).")

    def place(self) -> tuple[int, int]:
        """(rank, world) with None resolved."""
        if self.rank is not None and self.world is not None:
            return self.rank, self.world
        from torch import distributed

        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return 0, 1

    def signature(self) -> Record:
        """What must be equal for a saved position to mean the same clips."""
        return {"shuffle": self.shuffle, "seed": self.seed, "remainder": self.remainder}


def view_signature(view: View) -> Record:
    """The view as plain JSON, for comparing states."""
    table = asdict(view)
    table["size"] = list(view.size) if isinstance(view.size, tuple) else view.size
    return table


def _at_least(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} must be a whole number >= {least}, not {value!r}.")


def _one_of(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise unknown(name, str(value), known)
