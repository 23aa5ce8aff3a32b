"""Write a self-describing model: one file, or a folder with config.json and model.safetensors."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gobench import atomic
from gobench.canonical import dumps, pretty
from gobench.errors import DataError, UsageError
from gobench.models.provenance import check
from gobench.models.weights import weights_hash
from gobench.types import Json, Record

if TYPE_CHECKING:
    import torch

FORMAT = "gobench-model-1"
CONFIG = "config.json"
TENSORS = "model.safetensors"
FILE = "model.pt"


def save(
    path: Path | str,
    name: str,
    config: Mapping[str, Json],
    tensors: Mapping[str, torch.Tensor],
    provenance: Mapping[str, Json] | None = None,
) -> str:
    """Write a model that says what it is.

    Args:
        path: ``.../model.pt`` for one file; any other name is a folder.
        name: the installed model that reads it: its class has ``from_checkpoint(config, tensors, device, dtype)``.
        config: plain data that the class needs beside the weights.
        tensors: name -> tensor, such as a ``state_dict()``.
        provenance: plain data about its making: "name" for tables, "trained_on", "frames_watched", ...

    Returns:
        The weights' sha256: equal for both forms.

    Raises:
        UsageError: config or provenance is not plain data, a known key of the provenance holds something else than it means
            (``gobench.models.provenance``), or a tensor is none.
        BuildError: the disk refuses.
    """
    head: Record = {
        "format": FORMAT, "model": name, "config": dict(config), "provenance": dict(provenance or {}),
    }  # fmt: skip
    own = _whole(tensors)
    try:
        dumps(head)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"config and provenance of a model are plain data (texts, numbers, lists, tables): {error}."
        ) from error
    try:
        check(head["provenance"], f"{path} cannot be written")
    except DataError as error:
        raise UsageError(str(error)) from error
    target = Path(path)
    if target.suffix in (".pt", ".pth", ".ckpt"):
        _write_file(target, head, own)
    else:
        _write_folder(target, head, own)
    return weights_hash({"model": name, "config": head["config"]}, own)


def _whole(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    import torch

    for key, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise UsageError(f"tensors[{key!r}] is {type(value).__name__}, not a torch tensor.")
    # a clone each: safetensors refuses tensors that share memory, and torch would save all of a view's storage
    return {key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}


def _write_file(path: Path, head: Record, tensors: Mapping[str, torch.Tensor]) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save({**head, "tensors": dict(tensors)}, buffer)
    atomic.write(path, buffer.getvalue())


def _write_folder(folder: Path, head: Record, tensors: Mapping[str, torch.Tensor]) -> None:
    from safetensors.torch import save as serialize

    atomic.write(folder / TENSORS, serialize(dict(tensors)))
    atomic.write(folder / CONFIG, pretty(head))
