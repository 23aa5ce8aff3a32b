"""What a model on disk tells of itself, without making it: its tensors are counted, and no code of its room is imported.

A training writes what it likes into ``provenance``; cards and ``gobench info`` know the keys of ``PROVENANCE`` by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gobench.build.assemble import MANIFEST
from gobench.build.plan import PLAN
from gobench.models.files import read
from gobench.models.provenance import BUFFERS
from gobench.models.provenance import PROVENANCE as PROVENANCE
from gobench.models.saving import CONFIG, FILE, TENSORS
from gobench.models.weights import counted, weights_hash
from gobench.types import Json, Record

if TYPE_CHECKING:
    import torch

CURVE, OPTIONS = "curve", "options"


class Part(NamedTuple):
    """The tensors below one name."""

    tensors: int
    parameters: int  # numbers of floating point; see ``weights.counted``
    bytes: int


def holds_model(path: Path) -> bool:
    """Whether a path is to be read as a model: a file, or a folder that holds one and no dataset."""
    if not path.is_dir():
        return path.is_file() or path.suffix == Path(FILE).suffix
    held = any((path / name).exists() for name in (CONFIG, TENSORS, FILE))
    return held and not any((path / name).exists() for name in (MANIFEST, PLAN))


def contents(path: Path) -> Record:
    """Everything that a file or folder tells, as plain data.

    Returns:
        format, model, config, provenance; weights_sha256; parameters; parts (name -> tensors, parameters, bytes),
        dtypes, bytes (of the tensors).

    Raises:
        DataError: it is no model, or not a whole one.
    """
    head, tensors = read(path)
    found = parts(tensors, head["provenance"].get(BUFFERS, ()))
    return {
        **head,
        "weights_sha256": weights_hash({"model": head["model"], "config": head["config"]}, tensors),
        "parameters": sum(part.parameters for part in found.values()),
        "parts": {name: part._asdict() for name, part in found.items()},
        "dtypes": sorted({str(t.dtype).removeprefix("torch.") for t in tensors.values()}),
        "bytes": sum(part.bytes for part in found.values()),
    }


def parts(tensors: Mapping[str, torch.Tensor], buffers: Iterable[str] = ()) -> dict[str, Part]:
    """Tensors grouped by the first part of their dotted names, in the order in which they come; ``buffers`` are no parameters."""
    found: dict[str, Part] = {}
    numbers = counted(tensors, buffers)
    for name, tensor in tensors.items():
        head = name.partition(".")[0]
        old = found.get(head, Part(0, 0, 0))
        size = tensor.numel() * tensor.element_size()
        found[head] = Part(old.tensors + 1, old.parameters + numbers[name], old.bytes + size)
    return found


def rows(table: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Plain data as (dotted key, text) for people; of a curve its last row, and of options those that were given."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if prefix == f"{OPTIONS}." and value in (None, "", []):
            continue
        if key == CURVE and not prefix:
            yield from rows({f"{CURVE}, last row": last_rows(value)})
        elif isinstance(value, Mapping):
            yield from rows(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for i, item in enumerate(value):
                yield from rows(item, f"{name}[{i}].")
        else:
            yield name, shown(value)


def last_rows(curve: Json) -> Record:
    """Stage -> the last row of its curve, or the last row alone of a curve without stages."""
    if isinstance(curve, list):
        return dict(curve[-1]) if curve and isinstance(curve[-1], Mapping) else {}
    stages = curve.items() if isinstance(curve, Mapping) else ()
    return {stage: last_rows(value) for stage, value in stages if isinstance(value, list) and value}


def shown(value: Json) -> str:
    """A value for people: numbers with commas, texts as they are, lists with commas between."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(f"[{shown(v)}]" if isinstance(v, list) else shown(v) for v in value) or "none"
    return re.sub(r"\s+", " ", str(value)) or "-"
