"""Opens a browser at an address that nobody else may learn."""

from __future__ import annotations

import html
import os
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>To the board</title>
<p><a href="{url}">To the board</a></p>
"""


@contextmanager
def opened(url: str) -> Iterator[None]:
    """Lead a browser to ``url`` by a file that only its owner can read, and that is gone at the end: other users of
    the machine see what programs are called with."""
    with TemporaryDirectory(prefix="gobench-play-") as folder:
        page = Path(folder) / "board.html"
        with open(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(PAGE.format(url=html.escape(url)))
        webbrowser.open(page.as_uri())
        yield
