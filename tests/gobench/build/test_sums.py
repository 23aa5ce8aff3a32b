"""One strict reader of SHA256SUMS: what it gives, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from gobench.build.assemble import SUMS, read_sums
from gobench.errors import DataError

DIGEST = "0123456789abcdef" * 4


def test_sums_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / SUMS).write_text(f"{DIGEST}  data/b.tar\n{DIGEST[::-1]}  a ü.md\n")
    assert list(read_sums(tmp_path).items()) == [("data/b.tar", DIGEST), ("a ü.md", DIGEST[::-1])]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "README.md",
        f"{DIGEST} README.md",
        f"{DIGEST}  ",
        f"{DIGEST[1:]}  README.md",
        f"{DIGEST.upper()}  README.md",
        f"{DIGEST}  /etc/passwd",
        f"{DIGEST}  ../x",
        f"{DIGEST}  data/../../x",
        f"{DIGEST}  .",
        f"{DIGEST}  data//x",
        f"{DIGEST}  data\\x",
        f"{DIGEST}  a\r",
        f"{DIGEST}  good",
    ],
)
def test_odd_lines_are_refused_by_number(tmp_path: Path, line: str) -> None:
    (tmp_path / SUMS).write_bytes(f"{DIGEST}  good\n{line}\n".encode())
    with pytest.raises(DataError, match="SHA256SUMS, line 2"):
        read_sums(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"), [(b"\xff\xfe", "not UTF-8"), (b"", "line 1"), (None, "No such file")]
)
def test_what_is_no_list_is_refused(tmp_path: Path, data: bytes | None, message: str) -> None:
    if data is not None:
        (tmp_path / SUMS).write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_sums(tmp_path)
