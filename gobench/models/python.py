"""Models as classes: ``package.module:Class`` and ``path/to/file.py:Class``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from gobench.canonical import sha256_file
from gobench.errors import DataError, UsageError, unknown
from gobench.models.describe import ModelInfo, describe
from gobench.models.loaded import last_words
from gobench.models.making import make
from gobench.models.weights import of_module


def open_model(text: str, device: str, dtype: str) -> tuple[Any, ModelInfo]:
    """Import the module, the current directory included, and make the class without arguments.

    ``module:Class:ARGUMENT`` hands over one text. ``device`` and ``dtype`` are given where the class names them.

    Raises:
        UsageError: no such module or class, or it fails; says where.
    """
    place, _, rest = text.partition(":")
    name, colon, argument = rest.partition(":")
    module = _file(place, text) if place.endswith(".py") else _module(place, text)
    factory = _member(module, name, text)
    given = (argument,) if colon else ()
    model = make(factory, given, {"device": device, "dtype": dtype}, text) if callable(factory) else factory
    hashes = {"code_sha256": _code(module), **of_module(model)}
    return model, describe(model, rest, text, "python", **hashes)


def _module(name: str, text: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(
            f"model {text!r}: {name!r} is neither a file, nor an installed model, nor the name of a module. "
            "Write package.module:Class, or path/to/file.py:Class."
        )
    _see("")
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise UsageError(_absent(name, error.name, text)) from error
        raise UsageError(_import_failed(text, error)) from error
    except (Exception, SystemExit) as error:
        raise UsageError(_import_failed(text, error)) from error


def _file(place: str, text: str) -> ModuleType:
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"model {text!r}: there is no file {place}.")
    _see(str(path.resolve().parent))
    name = path.stem
    if (known := sys.modules.get(name)) is not None and _same(known, path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    if name not in sys.modules:  # classes of a module that is not listed cannot be pickled for workers
        sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        raise UsageError(_import_failed(text, error)) from error
    return module


def _same(module: ModuleType, path: Path) -> bool:
    own = getattr(module, "__file__", None)
    return bool(own) and Path(str(own)).resolve() == path.resolve()


def _see(folder: str) -> None:
    """Let imports look in a folder ("" is the current one) as `python file.py` would."""
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _member(module: ModuleType, name: str, text: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            models = [key for key, value in vars(module).items() if hasattr(value, "generate")]
            raise UsageError(f"model {text!r}: {unknown('class', name, models)}")
        found = getattr(found, part)
    return found


def _absent(name: str, missing: str, text: str) -> str:
    return (
        f"model {text!r}: there is no module {missing!r} in {Path.cwd()} or among the installed packages. "
        f"Run the command where {name.split('.')[0]}.py or its folder lies, or install the package."
    )


def _import_failed(text: str, error: BaseException) -> str:
    return f"model {text!r}: its module does not import: {last_words(error)}."


def _code(module: ModuleType) -> str | None:
    place = getattr(module, "__file__", None)
    try:
        return sha256_file(Path(place)) if place else None
    except DataError:
        return None
