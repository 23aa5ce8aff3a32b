"""Makers of archives for the tests of sources."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

SGF = "(;GM[1]SZ[9]KM[7];B[ee];W[cc];B[];W[])"


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


@pytest.fixture
def sgf_text_() -> str:
    """A tiny 9x9 game."""
    return SGF
