"""An analysis on disk: NAME.csv (rows), NAME.json (what they are of), NAME.png and NAME.svg; each file whole or absent."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gobench import __version__, atomic
from gobench.canonical import pretty
from gobench.types import Json

DIGITS = 6  # significant ones, of numbers in tables

Rows = Sequence[Mapping[str, Any]]


class Output:
    """The files of one analysis. Tables are written before pictures: a picture that fails loses no number."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.files: list[Path] = []
        self.replaced: list[Path] = []  # of these, what was there before with other content

    def table(self, rows: Rows, part: str = "") -> Path:
        """Rows as CSV, under the columns of all of them in the order in which they come; missing values are empty."""
        return self._kept(self._path(part, ".csv"), to_csv(rows))

    def facts(self, facts: Mapping[str, Json]) -> Path:
        """What the rows are of: settings, hashes of models and data, notes; plain data without places on this machine."""
        table = {"analysis": self.name, "gobench": __version__, **facts}
        return self._kept(self._path("", ".json"), pretty(clean(table)))

    def text(self, text: str, suffix: str) -> Path:
        """A table for people, such as Markdown."""
        return self._kept(self._path("", suffix), text.encode())

    def picture(self, figure: Any, part: str = "") -> list[Path]:
        """A figure of ``drawing`` as PNG and SVG; equal figures give equal bytes."""
        from gobench_videoworld.analysis.drawing import rendered

        return [self._kept(self._path(part, f".{form}"), rendered(figure, form)) for form in ("png", "svg")]

    def _path(self, part: str, suffix: str) -> Path:
        return self.folder / f"{self.name}{f'-{part}' if part else ''}{suffix}"

    def _kept(self, path: Path, data: bytes) -> Path:
        if path.is_file() and path.read_bytes() != data:
            self.replaced.append(path)
        atomic.write(path, data)
        self.files.append(path)
        return path


def to_csv(rows: Rows) -> bytes:
    """Rows as CSV with a header; floats with ``DIGITS`` digits, NaN and None as nothing."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode()


def to_markdown(rows: Rows, columns: Mapping[str, str]) -> str:
    """Rows as a Markdown table; ``columns`` are key -> heading."""
    lines = ["| " + " | ".join(columns.values()) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    for row in rows:
        cells = [str(_cell(row.get(key))).replace("|", "\\|") or "–" for key in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def clean(value: Any) -> Json:
    """Plain data for JSON: numpy numbers as Python's, what is not finite as null, floats with ``DIGITS`` digits."""
    if isinstance(value, Mapping):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def _cell(value: Any) -> Any:
    found = clean(value)
    return "" if found is None else f"{found:.{DIGITS}g}" if isinstance(found, float) else found
