"""One way to write plain data as bytes, so that equal data has equal hashes.

Sorted keys, no spaces, UTF-8 as it is, no NaN or infinity.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from gobench.errors import DataError
from gobench.types import Json

BLOCK = 1 << 20

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def dumps(value: Json) -> bytes:
    """Plain data -> canonical JSON without a newline. Raises ValueError for NaN, TypeError for objects."""
    # lone surrogates (undecodable names of files) become JSON's own \\udcXX escapes, which read back the same
    return _encode(value).encode("utf-8", "backslashreplace")


def pretty(value: Json) -> bytes:
    """The same data for people: indented, sorted, one newline at its end; as repeatable as ``dumps``."""
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def loads(data: bytes, where: str) -> Json:
    """JSON -> plain data; raises DataError that names ``where`` the bytes come from."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}.") from error


def read_json(path: Path) -> Json:
    """The plain data in a file; raises DataError if it is missing or not JSON."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    return loads(data, str(path))


def sha256(data: bytes) -> str:
    """sha256 in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """sha256 of a file in hex, in constant memory; raises DataError if it cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    return found.hexdigest()


EVERY = "*"
_WORDS = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}


def check(value: Json, shape: Json, where: str) -> None:
    """Compare plain data with a shape; raises DataError that names the place in ``where`` that does not fit.

    A shape is a type (str, int, bool, dict, list), ``[shape]`` for a list of such, ``{EVERY: shape}`` for a
    table of such, or ``{key: shape}`` for a table that has at least these keys.
    """
    kind = shape if isinstance(shape, type) else type(shape)
    if not _fits(value, kind):
        raise DataError(f"{where} is {_show(value)}, not {_WORDS[kind]}.")
    if isinstance(shape, list):
        for i, item in enumerate(value):
            check(item, shape[0], f"{where}[{i}]")
    elif isinstance(shape, dict):
        for key, inner in (dict.fromkeys(value, shape[EVERY]) if EVERY in shape else shape).items():
            if key not in value:
                raise DataError(f"{where} has no {key!r}.")
            check(value[key], inner, f"{where}: {key}")


def _fits(value: Json, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _show(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
