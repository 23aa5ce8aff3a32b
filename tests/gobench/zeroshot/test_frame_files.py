"""Frames from files: what claims to be huge is refused before anything is decoded."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gobench.errors import DataError
from gobench.zeroshot import files
from gobench.zeroshot.files import read_frames


def png(height: int, width: int, value: int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (value, value, value)).save(out, "PNG")
    return out.getvalue()


def test_a_folder_of_frames_comes_in_order(tmp_path: Path) -> None:
    for k in (2, 0, 1):
        (tmp_path / f"{k}.png").write_bytes(png(5, 7, 10 * k))
    frames = read_frames(tmp_path)
    assert frames.shape == (3, 5, 7, 3) and frames[:, 0, 0, 0].tolist() == [0, 10, 20]


def test_a_folder_is_weighed_before_it_is_decoded(tmp_path: Path) -> None:
    large = png(4000, 4000)  # 48 MB decoded, a few kB here
    for k in range(40):
        (tmp_path / f"{k:03}.png").write_bytes(large)
    tracemalloc.start()
    with pytest.raises(DataError, match="40 frames of 4000x4000 are more than is read"):
        read_frames(tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 << 20


def test_frames_of_a_folder_are_alike_and_whole(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(png(5, 7))
    (tmp_path / "1.png").write_bytes(png(5, 8))
    with pytest.raises(DataError, match="differ in size"):
        read_frames(tmp_path)
    (tmp_path / "1.png").write_bytes(png(5, 7)[:20])
    with pytest.raises(DataError, match=r"1\.png: it is no readable PNG"):
        read_frames(tmp_path)


def test_a_picture_that_claims_another_size_later_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    whole = png(1, 1)
    liar = whole[:8] + chunk(b"IHDR", struct.pack(">2I5B", 7, 5, 8, 2, 0, 0, 0)) + whole[8:]
    for k in range(2):
        (tmp_path / f"{k}.png").write_bytes(liar)
    with pytest.raises(DataError, match=r"0\.png"):
        read_frames(tmp_path)


def test_no_memory_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*rest: object) -> np.ndarray:
        raise MemoryError

    monkeypatch.setitem(files.READERS, ".png", full)
    (tmp_path / "a.png").write_bytes(png(4, 4))
    for path in (tmp_path / "a.png", tmp_path):
        with pytest.raises(DataError, match="do not fit into memory"):
            read_frames(path)
