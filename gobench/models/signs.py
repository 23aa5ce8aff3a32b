"""What a file is, by its first bytes: a look before anything is loaded from it."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from gobench.errors import DataError

HEAD = 512
DAMAGE = (
    zipfile.BadZipFile,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    struct.error,
)
CURE = "write models with gobench.models.save(), or wrap your own class and name it as package.module:Class"

SIGNS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the model itself", "run `git lfs pull` where it lies"),
    (b"\x89HDF", "an HDF5 file", CURE),
    (b"\x93NUMPY", "a numpy array", CURE),
    (b"GGUF", "a GGUF file", CURE),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstandard", "unpack it first"),
    (b"BZh", "compressed with bzip2", "unpack it first"),
    (b"{", "JSON text", "a folder with config.json and model.safetensors is given as the folder"),
    (b"\x80", "an old pickle, which can run any program when it is loaded; it was not loaded",
     f"load it yourself if you trust it, then {CURE}"),
)  # fmt: skip


def look(path: Path) -> None:
    """Refuse what is no zip file of torch, without loading it.

    Raises:
        DataError: says what the file is instead, and what to do.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(f"cannot read the model {path}: {error.strerror or error}.") from error
    if head.startswith(b"PK"):
        return _look_inside(path)
    what, cure = recognize(head, size)
    raise DataError(f"{path} is no model file: it is {what}. What to do: {cure}.")


def recognize(head: bytes, size: int) -> tuple[str, str]:
    """(what it is, what to do) for the first bytes of a file of ``size`` bytes that is no zip."""
    if not size:
        return "empty (0 bytes)", "copy or download it again"
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml")) or b"<html" in text:
        return (
            "a web page, saved under this name",
            "download the file itself: the address of the raw file, not of the page about it",
        )
    if len(head) >= 9 and head[8:9] == b"{" and 0 < struct.unpack("<Q", head[:8])[0] <= size:
        return (
            "tensors alone (safetensors), which do not say what model they are for",
            "put it as model.safetensors beside a config.json (see gobench.models.save) and give the folder",
        )
    for sign, what, cure in SIGNS:
        if head.startswith(sign):
            return what, cure
    return f"{size} bytes that begin with {head[:12]!r}", CURE


def _look_inside(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGE as error:
        raise DataError(
            f"{path} is cut off or damaged ({error}): {path.stat().st_size} bytes. Copy or download it again."
        ) from error
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        raise DataError(
            f"{path} is a TorchScript program, not weights: wrap it in a class of your own and name it as "
            "package.module:Class."
        )
    if not any(name.endswith("/data.pkl") for name in names):
        raise DataError(f"{path} is a zip file, but torch.save() did not write it: {CURE}.")
