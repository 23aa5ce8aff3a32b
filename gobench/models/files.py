"""Self-describing models from disk: ``model.pt``, or a folder with config.json and model.safetensors.

Nothing in a file is ever run: tensors and plain data are read, and only an installed model is made from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from gobench import canonical, registry
from gobench.errors import DataError, GobenchError, UsageError, unknown
from gobench.models import provenance
from gobench.models.describe import ModelInfo, describe
from gobench.models.loaded import last_words
from gobench.models.provenance import BUFFERS
from gobench.models.saving import CONFIG, FILE, FORMAT, TENSORS
from gobench.models.signs import CURE, look
from gobench.models.weights import count, weights_hash
from gobench.types import Record

SHAPE = {"format": str, "model": str, "config": dict}
PLAIN_STEMS = {"model", "checkpoint", "last", "best", "final", "weights", "ema"}  # names that say nothing
DTYPES = ("float32", "bfloat16", "float16")


def open_model(path: Path, text: str, device: str, dtype: str) -> tuple[Any, ModelInfo]:
    """Read a file or folder and make the model it describes.

    Raises:
        DataError: it is missing, broken, foreign, or holds more than tensors and plain data.
        UsageError: its model is not installed, or an unknown dtype.
    """
    head, tensors = read(path)
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    factory = _factory(head["model"], path)
    try:
        model = factory(head["config"], tensors, device=device, dtype=dtype)
    except GobenchError:
        raise
    except (Exception, SystemExit) as error:
        raise DataError(
            f"{path}: the installed model {head['model']!r} cannot be made from it: {last_words(error)}."
        ) from error
    facts = {
        "weights_sha256": weights_hash({"model": head["model"], "config": head["config"]}, tensors),
        "provenance": head["provenance"],
    }
    if not isinstance(getattr(model, "parameters", None), int):
        facts["parameters"] = count(tensors, head["provenance"].get(BUFFERS, ()))
    name = str(head["provenance"].get("name") or _name(path, head["model"]))
    return model, describe(model, name, text, "file", **facts)


def read(path: Path) -> tuple[Record, dict[str, Any]]:
    """(format, model, config, provenance as plain data; name -> tensor on the CPU) of a file or folder.

    Raises:
        DataError: it is missing, broken, foreign, or holds more than tensors and plain data.
    """
    if not path.exists():
        raise DataError(f"there is no model {path}: give a file, or a folder with {CONFIG} and {TENSORS}.")
    if path.is_dir():
        head, tensors = _folder(path)
    else:
        head, tensors = _file(path)
    head = {"provenance": {}, **head}
    canonical.check(head, {**SHAPE, "provenance": dict}, str(path))
    if head["format"] != FORMAT:
        raise DataError(f"{path} has the format {head['format']!r}; this version reads {FORMAT!r}.")
    try:
        canonical.dumps(head)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: its config and provenance must be plain data: {error}.") from error
    provenance.check(head["provenance"], str(path))
    return head, _tensors(tensors, path)


def _folder(path: Path) -> tuple[Record, Any]:
    config, tensors = path / CONFIG, path / TENSORS
    if not config.exists() and (path / FILE).exists():
        return _file(path / FILE)
    if missing := [p.name for p in (config, tensors) if not p.exists()]:
        held = sorted(p.name for p in path.iterdir())
        raise DataError(
            f"{path} is no model: it has no {' and no '.join(missing)}. It holds "
            f"{', '.join(held[:8]) or 'nothing'}{' ...' if len(held) > 8 else ''}. What to do: {CURE}."
        )
    head = canonical.read_json(config)
    if not isinstance(head, dict) or "format" not in head:
        raise DataError(f"{config} does not begin with a format: it is another library's model. {_cure()}")
    return head, _safetensors(tensors)


def _safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is cut off or no safetensors file ({error}). Copy it again.") from error


def _file(path: Path) -> tuple[Record, Any]:
    look(path)
    found = _torch_load(path)
    if not isinstance(found, dict):
        raise DataError(f"{path} holds a {type(found).__name__}, not a model's description. {_cure()}")
    if "format" not in found or "tensors" not in found:
        keys = ", ".join(str(key) for key in list(found)[:6])
        raise DataError(
            f"{path} holds a dictionary ({keys}{', ...' if len(found) > 6 else ''}) without description, such as "
            f"a bare state_dict: nothing says which model it is for. {_cure()}"
        )
    return {key: value for key, value in found.items() if key != "tensors"}, found["tensors"]


def _torch_load(path: Path) -> Any:
    import pickle

    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        name = re.search(r"GLOBAL\s+(\S+)", str(error))
        what = f"it wants {name[1]!r}" if name else "it is more than tensors and plain data"
        raise DataError(
            f"{path} was refused and nothing in it was run: {what}. A model file holds tensors and plain data; a "
            f"pickle with objects can run any program. {_cure()}"
        ) from error
    except Exception as error:  # torch raises many kinds for damaged files
        raise DataError(f"{path} is damaged ({last_words(error)}). Copy or download it again.") from error


def _tensors(tensors: Any, path: Path) -> dict[str, Any]:
    import torch

    if not isinstance(tensors, Mapping):
        raise DataError(f"{path}: its tensors are a {type(tensors).__name__}, not a table name -> tensor.")
    for key, value in tensors.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor) or value.layout != torch.strided:
            raise DataError(f"{path}: tensors[{key!r}] is {type(value).__name__}, not a plain tensor.")
    return dict(tensors)


def _factory(name: str, path: Path) -> Any:
    known = registry.installed("models")
    if name not in known:
        raise UsageError(
            f"{path} is for a model that is not installed: {unknown('model', name, known)} A file names an "
            "installed model only, never code: install the package that offers it."
        )
    factory = getattr(registry.load("models", name), "from_checkpoint", None)
    if factory is None:
        raise UsageError(f"{path}: the installed model {name!r} has no from_checkpoint(): it takes no files.")
    return cast(Any, factory)


def _name(path: Path, model: str) -> str:
    place = path.resolve()
    if place.is_file() and place.stem in PLAIN_STEMS:
        place = place.parent
    return (place.stem if place.is_file() else place.name) or model


def _cure() -> str:
    return f"What to do: {CURE}."
