"""What a training tells: one row a logged step in ``log.jsonl`` and ``log.csv``, pictures, TensorBoard if it is installed.

The rows of a step are written before its checkpoint; what was written after the checkpoint that a training goes on from
is removed, so that no step is told twice.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gobench import atomic, canonical
from gobench.errors import UsageError
from gobench.types import Record

LINES = "log.jsonl"
TABLE = "log.csv"
SAMPLES = "samples"
EVENTS = "tensorboard"
RUN = "wandb.json"  # project and id of the run at Weights & Biases
FIRST = ("step", "loss", "lr", "grad_norm", "tokens", "tokens_per_second", "seconds", "mfu")
"""Columns that come first; ``seconds`` are those spent on updates, over all runs of the training."""

Picture = npt.NDArray[Any]


class Sink(Protocol):
    """Somewhere else where rows and pictures go."""

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name."""
        ...

    def picture(self, step: int, image: Picture) -> None:
        """uint8 [H, W, 3]."""
        ...

    def close(self) -> None:
        """No more will come."""
        ...


class Logs:
    """The logs of a training in its folder, from ``step`` on."""

    def __init__(self, folder: Path, step: int, sinks: Iterable[Sink] = ()) -> None:
        self.folder = folder
        self.sinks = tuple(sinks)
        folder.mkdir(parents=True, exist_ok=True)
        kept = [row for row in read(folder) if row["step"] <= step]
        self._columns = _columns(kept)
        atomic.write(folder / LINES, b"".join(map(_line, kept)))
        self._write_table(kept)

    def row(self, step: int, values: Mapping[str, float | int]) -> None:
        """Numbers by name; those that are not finite are left out. Raises BuildError where the disk refuses."""
        row: Record = {"step": step, **{k: v for k, v in values.items() if math.isfinite(v)}}
        _append(self.folder / LINES, _line(row))
        if set(row) <= set(self._columns):
            _append(self.folder / TABLE, _csv([row], self._columns))
        else:
            kept = read(self.folder)
            self._columns = _columns(kept)
            self._write_table(kept)
        for sink in self.sinks:
            sink.row(step, {k: v for k, v in row.items() if k != "step"})

    def picture(self, step: int, image: Picture) -> Path:
        """Keep uint8 [H, W, 3] as ``samples/STEP.png``."""
        from PIL import Image

        data = io.BytesIO()
        Image.fromarray(np.asarray(image, np.uint8)).save(data, "PNG")
        path = self.folder / SAMPLES / f"{step:08d}.png"
        atomic.write(path, data.getvalue())
        for sink in self.sinks:
            sink.picture(step, image)
        return path

    def close(self) -> None:
        """End the sinks."""
        for sink in self.sinks:
            sink.close()

    def _write_table(self, rows: list[Record]) -> None:
        head = (",".join(self._columns) + "\n").encode()
        atomic.write(self.folder / TABLE, head + _csv(rows, self._columns))


def read(folder: Path) -> list[Record]:
    """The rows of a training, oldest first; a last line that was not finished is left out."""
    try:
        lines = (folder / LINES).read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break  # a power cut may leave garbage at the end
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("step"), int)]


def _line(row: Record) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _columns(rows: Iterable[Record]) -> tuple[str, ...]:
    found = dict.fromkeys(key for row in rows for key in row)
    return (*FIRST, *(key for key in found if key not in FIRST))


def _csv(rows: Iterable[Record], columns: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.DictWriter(text, columns, restval="", lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _append(path: Path, data: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(data)
    except OSError as error:
        raise atomic.explain(error, path) from error


class TensorBoard:
    """Event files in ``EVENTS``."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / EVENTS), purge_step=step + 1)

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """A scalar a name."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, image: Picture) -> None:
        """An image."""
        self._writer.add_image("sample", image, step, dataformats="HWC")

    def close(self) -> None:
        """Flush."""
        self._writer.close()


class WeightsAndBiases:
    """A run of a project at Weights & Biases, the same one when a training goes on: its id lies in the training's folder.

    Rows that were sent before and come again, after a kill, are left out there. Raises UsageError where wandb is not installed.
    """

    def __init__(self, project: str, name: str, config: Record, folder: Path) -> None:
        try:
            wandb: Any = importlib.import_module("wandb")
        except ImportError as error:
            raise UsageError(
                "wandb is not installed: python -m pip install wandb, or leave --wandb out."
            ) from error
        self._wandb = wandb
        known = _run_of(folder, project)
        self._run: Any = wandb.init(project=project, name=name, config=config, **known)
        told = {"project": project, "id": str(self._run.id)}
        atomic.write(folder / RUN, canonical.pretty(told))

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """A row of the run."""
        self._run.log(dict(values), step=step)

    def picture(self, step: int, image: Picture) -> None:
        """An image of the run."""
        self._run.log({"sample": self._wandb.Image(image)}, step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def _run_of(folder: Path, project: str) -> dict[str, str]:
    """What ``wandb.init`` needs to go on with the run of a folder; nothing where it has none in this project."""
    path = folder / RUN
    told: Record = canonical.read_json(path) if path.exists() else {}
    return {"id": told["id"], "resume": "allow"} if told.get("project") == project else {}


def tensorboard(folder: Path, step: int) -> list[Sink]:
    """TensorBoard where it is installed."""
    try:
        return [TensorBoard(folder, step)]
    except ImportError:
        return []
