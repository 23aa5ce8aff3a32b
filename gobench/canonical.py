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
