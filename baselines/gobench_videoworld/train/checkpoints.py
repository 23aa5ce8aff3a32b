"""A training's state as files that are whole or absent: ``checkpoints/STEP.safetensors``, the last few of them.

A file holds plain tensors by name ("model/NAME", "exp_avg/NAME", ...) and, in its header, plain data: the step, which is the
position in the data and in every stream of randomness, the plan, what is trained, and the versions it was trained with.
Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
from safetensors import SafetensorError
from torch import Tensor

from gobench import atomic
from gobench.canonical import dumps, loads
from gobench.errors import BuildError, DataError
from gobench.types import Json, Record
from gobench_videoworld.train.tensorfile import write_tensors

FORMAT = "gobench-training-1"
HEAD = "training"  # the key of the plain data in a file's header
ENDING = ".safetensors"
BROKEN = ".broken"
MODEL = "model/"
SHOWN = 3  # differences that an error names

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one file holds."""

    path: Path
    head: Record
    tensors: dict[str, Tensor]

    @property
    def step(self) -> int:
        """Updates that the weights have had."""
        return int(self.head["step"])

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors below a prefix, which is cut off."""
        return {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}

    def rest(self) -> dict[str, Tensor]:
        """The optimizer's tensors."""
        return {k: v for k, v in self.tensors.items() if not k.startswith(MODEL)}


class Checkpoints:
    """The checkpoints of one training in a folder."""

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def path(self, step: int) -> Path:
        """Where the checkpoint after ``step`` updates is."""
        return self.folder / f"{step:08d}{ENDING}"

    def paths(self) -> list[Path]:
        """All of them, newest first."""
        return sorted((p for p in self.folder.glob(f"*{ENDING}") if p.stem.isdigit()), reverse=True)

    def save(self, head: Mapping[str, Json], tensors: Mapping[str, Tensor]) -> Path:
        """Write one, then remove those that are too many. Raises BuildError where the disk refuses; nothing is lost then."""
        path = self.path(int(head["step"]))
        write(path, head, tensors)
        for old in self.paths()[self.keep :]:
            old.unlink(missing_ok=True)
        return path

    def kept(self) -> str:
        """A sentence on what there is."""
        found = self.paths()
        if not found:
            return f"There is no checkpoint in {self.folder} yet."
        return f"The checkpoint of step {int(found[0].stem)} is kept in {self.folder}."

    def latest(self, say: Say) -> Checkpoint | None:
        """The newest that can be read; broken ones are set aside, and ``say`` is told.

        Raises:
            DataError: there are some, and none can be read; or one is of another format.
        """
        atomic.remove_temporaries(self.folder)
        found = self.paths()
        for path in found:
            try:
                return read(path)
            except BrokenError as error:
                path.rename(path.with_name(path.name + BROKEN))
                say(f"{error} It is set aside as {path.name + BROKEN}; going on from the one before it.")
        if found:
            raise DataError(
                f"none of the {len(found)} checkpoints in {self.folder} can be read: they are set aside as *{BROKEN}. "
                "Restore one from a backup under its name without that ending, or run again to start from the beginning."
            )
        return None


class BrokenError(DataError):
    """A checkpoint that is cut short or garbled."""


def write(path: Path, head: Mapping[str, Json], tensors: Mapping[str, Tensor]) -> None:
    """One file, by atomic rename. Raises BuildError."""
    text = dumps({"format": FORMAT, **head}).decode()
    write_tensors(path, tensors, {HEAD: text})


def read(path: Path) -> Checkpoint:
    """Raises BrokenError for a file that is not whole, DataError for one of another format."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(HEAD)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise BrokenError(f"the checkpoint {path} cannot be read ({error}).") from error
    if text is None:
        raise DataError(
            f"{path} is no checkpoint of a training: it has no {HEAD!r} in its header. Move it elsewhere."
        )
    head = loads(text.encode(), f"the header of {path}")
    if head.get("format") != FORMAT:
        raise DataError(
            f"{path} is of format {head.get('format')!r}; this version reads {FORMAT!r}. Go on with the version that wrote "
            "it, or start anew in another folder."
        )
    return Checkpoint(path, head, tensors)


def check_same(found: Checkpoint, wanted: Record, shapes: Mapping[str, list[int]]) -> None:
    """Raises BuildError that names the keys in which a checkpoint is of another training than the ``wanted`` one.

    Args:
        wanted: key -> plain data that must be equal in the checkpoint's head.
        shapes: of the module's tensors.
    """
    own = {name: list(t.shape) for name, t in found.part(MODEL).items()}
    lines = [
        f"{key} is {_short(there)} there and {_short(here)} here"
        for key, there, here in differences({**{k: found.head.get(k) for k in wanted}, "tensors": own},
                                            {**wanted, "tensors": dict(shapes)})
    ]  # fmt: skip
    if lines:
        more = f", and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
        raise BuildError(
            f"{found.path} is of another training: {'; '.join(lines[:SHOWN])}{more}. Ask for the same again to go on, "
            "choose another folder, or start anew (resume never)."
        )


def differences(there: Json, here: Json, where: str = "") -> Iterator[tuple[str, Json, Json]]:
    """(dotted key, value there, value here) of each leaf that differs; "nothing" where a key is missing."""
    if not (isinstance(there, dict) and isinstance(here, dict)):
        if there != here:
            yield where, there, here
        return
    for key in sorted({*there, *here}):
        inner = f"{where}.{key}" if where else key
        yield from differences(there.get(key, _NOTHING), here.get(key, _NOTHING), inner)


_NOTHING = "nothing"


def tell_changes(found: Checkpoint, now: Mapping[str, Json], say: Say) -> None:
    """Say which circumstances differ: they change the rounding of what follows, so not bit for bit the same."""
    changed = list(differences(found.head.get("circumstances", {}), dict(now)))
    if changed:
        listed = "; ".join(f"{key} was {there}, is {here}" for key, there, here in changed)
        say(f"going on under other circumstances ({listed}): the same training, but not bit for bit.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
