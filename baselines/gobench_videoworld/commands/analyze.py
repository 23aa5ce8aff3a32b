"""What the commands ``gobench analyze …`` share: options, bars on stderr, how their files and numbers are told."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from gobench_videoworld.analysis.output import Output

Command = Callable[..., None]
PLACE = click.Path(path_type=Path)
HOME = Path("runs") / "analysis"
LONGEST = 80  # letters of a folder that is named after several models

MODEL = click.argument("model", metavar="MODEL")
MODELS = click.argument("models", metavar="MODEL...", nargs=-1, required=True)
DATA = click.option("--data", required=True, type=PLACE, metavar="DIR", help="Folder of a finished dataset.")
DEVICE = click.option("--device", default="cpu", show_default=True, metavar="NAME",
                      help="Where the model runs: cpu, cuda, or auto: a GPU where there is one.")  # fmt: skip
SEED = click.option(
    "--seed", default=0, show_default=True, metavar="N", help="Root of everything that is drawn."
)
SUITE = (
    click.option("--suite", default="", metavar="NAME", help="What to ask [default: the first that shows its world]."),
    click.option("--task", default="", metavar="NAME", help="Its task [default: the first of single frames]."),
    click.option("--limit", default=500, show_default=True, type=click.IntRange(1), metavar="N",
                 help="Ask N samples, a fair part of the task."),
    click.option("--batch", default=32, show_default=True, type=click.IntRange(1), help="Samples asked at once."),
)  # fmt: skip
ENDS = (
    click.option("--out", type=PLACE, metavar="DIR",
                 help=f"Folder of tables and pictures [default: {HOME}/ and a name after what is looked at]."),
    click.option("--no-pictures", is_flag=True, help="Write the numbers alone; matplotlib is not needed then."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text."),
)  # fmt: skip


def options(*rows: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options at once, shown in this order."""

    def put(command: Command) -> Command:
        for row in reversed(rows):
            command = row(command)
        return command

    return put


def examples(*lines: str) -> str:
    """An epilog of examples."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class Bars:
    """Bars on stderr, one a stage: call with (stage, done, total). A bar ends with its stage, or with the block."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._stage = quiet, ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self._stage:
            self.close()
        if self._bar is None:
            if done >= total:
                return
            self._stage = stage
            self._bar = tqdm(total=total, desc=stage, file=sys.stderr, disable=self._quiet,
                             mininterval=0.2 if sys.stderr.isatty() else 10.0)  # fmt: skip
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def say(self, line: str) -> None:
        """A line on stderr, above the bar."""
        if not self._quiet:
            from tqdm import tqdm

            tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        """End the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def home(*places: object) -> Path:
    """Where an analysis of these models, results or datasets lies by default: a folder of their own.

    runs/go9-model/model.pt?temperature=0 gives runs/analysis/go9-model-temperature=0.
    """
    names = list(dict.fromkeys(_name(str(place)) for place in places))
    joined = "+".join(names)
    if len(joined) > LONGEST:
        joined = f"{names[0][:LONGEST]}+{len(names) - 1}-{hashlib.sha256(joined.encode()).hexdigest()[:8]}"
    return HOME / joined


def _name(place: str) -> str:
    """A file's place below ``runs`` as one word, without what every model and result is called."""
    path, _, settings = place.removeprefix("videoworld:").partition("?")
    whole = os.path.abspath(path)
    inside = os.path.relpath(whole)
    parts = Path(re.sub(r"\.(pt|json)$", "", whole if inside.startswith("..") else inside)).parts
    parts = parts[parts[:1] == ("runs",) :]
    parts = parts[:-1] if len(parts) > 1 and parts[-1] in ("model", "result") else parts
    return re.sub(r"[^\w.=+-]+", "-", "-".join([*parts, *filter(None, [settings])])).strip("-.") or "here"


def ready(no_pictures: bool) -> None:
    """UsageError at once where pictures are wanted and cannot be drawn."""
    if not no_pictures:
        from gobench_videoworld.analysis.drawing import check

        check()


def tell(output: Output, summary: Any, lines: Iterable[str], as_json: bool) -> None:
    """The numbers that matter, and where all of them lie."""
    if as_json:
        from gobench_videoworld.analysis.output import clean

        found = {
            "analysis": output.name,
            "files": [str(path) for path in output.files],
            "replaced": [str(path) for path in output.replaced],
            "summary": clean(summary),
        }
        click.echo(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)
    if output.replaced:
        click.echo("Replaced, with other content: " + ", ".join(path.name for path in output.replaced))
    click.echo(f"Written to {output.folder}: " + ", ".join(path.name for path in output.files))


def text(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> list[str]:
    """Rows as lines of aligned columns; ``columns`` are key -> heading, and those that no row has are left out."""
    shown = {key: head for key, head in columns.items() if any(row.get(key) is not None for row in rows)}
    cells = [list(shown.values())] + [[_cell(row.get(key)) for key in shown] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(shown))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return "-" if value is None else str(value)
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.4g}"


def between(row: Mapping[str, Any], low: str = "low", high: str = "high") -> str | None:
    """ "0.612 to 0.731", or None."""
    return None if row.get(low) is None else f"{row[low]:.3f} to {row[high]:.3f}"
