"""Options and habits that commands share: the dataset folder, --json, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gobench.workers import worker_count

F = TypeVar("F", bound=Callable[..., Any])

dataset = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
dataset_or_model = click.argument("place", metavar="PATH", type=click.Path(path_type=Path))
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text."
)


def workers_option(command: F) -> F:
    """--workers N or auto; what is made does not depend on it."""
    return click.option(
        "--workers",
        default="auto",
        show_default=True,
        metavar="N",
        callback=lambda ctx, param, value: worker_count(value),
        help="Processes to work with, or auto for one a core. The result does not depend on it.",
    )(command)


def emit(value: Any) -> None:
    """One JSON object on stdout."""
    click.echo(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str))


def human(size: float) -> str:
    """Bytes for people: 1536 -> "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


LOGGED = 10.0  # seconds between the states of a bar where stderr is a file
UNITS = {"journal": "answer", "games": "part", "pictures": "shard", "files": "file", "shards": "shard"}
"""Stage -> what it is counted in."""


class Bars:
    """Progress bars on stderr, one a stage: call with (stage, done, total)."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.stage = ""
        self.bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self.stage:
            self.close()
            self.stage = stage
            self.bar = tqdm(
                total=total,
                desc=stage,
                unit=UNITS.get(stage, ""),
                file=sys.stderr,
                disable=self.quiet,
                leave=True,
                mininterval=0.1 if sys.stderr.isatty() else LOGGED,
            )
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        """End the bar that is shown."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
