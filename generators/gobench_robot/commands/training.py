"""What ``gobench train idm`` and ``gobench train policy`` share: options, bars, and how errors of actions are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from gobench.types import Record

Command = Callable[..., None]
PLACE = click.Path(path_type=Path)
LOGGED = 10.0  # seconds between the states of a bar where stderr is a file
SLOW = 0.1
OPTIONS = (
    click.option("--data", required=True, type=PLACE, metavar="DIR",
                 help="Folder of a finished dataset with labelled episodes."),
    click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="The file to write."),
    click.option("--size", default=128, show_default=True, metavar="N", help="Pixels of the pictures it looks at."),
    click.option("--steps", default=1500, show_default=True, metavar="N", help="Steps of training."),
    click.option("--minutes", default=0.0, metavar="M",
                 help="Minutes of training at most [default: no limit]. With a limit the same command may give another file."),
    click.option("--seed", default=0, show_default=True, metavar="N", help="Root of all randomness."),
    click.option("--labels", default=0, show_default=True, metavar="N",
                 help="Learn from N labelled episodes of the split train; 0: all of them."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text."),
)  # fmt: skip


def training_options(command: Command) -> Command:
    """Everything that both trainings may be asked for."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


class Bars:
    """A progress bar for each stage, on stderr."""

    def __init__(self) -> None:
        self.stage = ""
        self.bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self.stage:
            self.close()
            pause = SLOW if sys.stderr.isatty() else LOGGED
            self.stage, self.bar = stage, tqdm(total=total, desc=stage, file=sys.stderr, mininterval=pause)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        """End the bar that is shown."""
        if self.bar is not None:
            self.bar.close()
        self.stage, self.bar = "", None


def measure_lines(found: Record) -> Iterator[str]:
    """Errors of actions on held-out labelled episodes, as a table."""
    if not found["actions"]:
        yield "no labelled episode was held out"
        return
    yield f"on {found['episodes']} held-out labelled episodes, {found['actions']} actions:"
    yield f"{'action':<10}{'mean abs. error':>17}{'R2':>8}{'right sign':>12}"
    for row in found["each"]:
        yield f"{row['action']:<10}{row['mae']:>17.3f}{_cell(row, 'r2'):>8}{_cell(row, 'sign'):>12}"


def _cell(row: Record, key: str) -> str:
    return f"{row[key]:.3f}" if key in row else "-"


def say_json(table: Record) -> None:
    """Plain data on stdout, as one object."""
    click.echo(json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False))
