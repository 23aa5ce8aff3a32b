"""Makers of archives for the tests of sources."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


@pytest.fixture
def make_zip() -> Callable[[Path, Mapping[str, bytes | str]], Path]:
    """Write a zip of name -> content."""

    def make(path: Path, files: Mapping[str, bytes | str]) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path

    return make


@pytest.fixture
def make_tar() -> Callable[..., Path]:
    """Write a tar of name -> content (bytes, or a TarInfo for links and devices); ``mode`` as in tarfile."""

    def make(path: Path, files: Mapping[str, bytes | tarfile.TarInfo], mode: str = "w:gz") -> Path:
        path.write_bytes(tar_bytes(files, mode))
        return path

    return make


def tar_bytes(files: Mapping[str, bytes | tarfile.TarInfo], mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            entry = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = b"" if isinstance(content, tarfile.TarInfo) else content
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def tar_of() -> Callable[..., bytes]:
    """The bytes of a tar."""
    return lambda files, mode="w": tar_bytes(files, mode)


def _sized(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def _sparse(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name}
    entry.pax_headers["GNU.sparse.realsize"] = str(size)
    entry.size = 512
    return entry.tobuf(tarfile.PAX_FORMAT) + b"1\n0\n4\n".ljust(512, b"\0")


def _paxed(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.pax_headers = {"size": str(size)}
    return entry.tobuf(tarfile.PAX_FORMAT)


@pytest.fixture
def hostile() -> Mapping[str, Callable[[str], bytes]]:
    """What a name's tar header says that no honest one does, by a word for it; no end mark follows."""
    return {
        "back": lambda name: _sized(name, -1024),
        "one-back": lambda name: _sized(name, -1),
        "pax-back": lambda name: _paxed(name, -2048),
        "sparse": lambda name: _sparse(name, 700 << 20),
        "giant-sparse": lambda name: _sparse(name, 1 << 70),
        "many-headers": lambda name: b"".join(_paxed(name, 0)[:1024] for _ in range(5000)),
        "cut-sparse": lambda name: _old_sparse(name),
    }


def _old_sparse(name: str) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.GNUTYPE_SPARSE
    raw = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    raw[482] = 1  # more of the map follows, but the file ends
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    return bytes(raw[:512])
