"""``gobench report``: a result as one page."""

from __future__ import annotations

from pathlib import Path

import click

from gobench.cli.options import as_json, emit

EPILOG = """\b
Examples:
  gobench report runs/copy-frame-go9-lite
  gobench report runs/my-model-go9-lite --out my-model.html --most 60
  gobench report --benchmark-card > cards/benchmark.md
"""


@click.command("report", epilog=EPILOG)
@click.argument("result", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write [default: report.html in it].",
)
@click.option(
    "--most",
    default=24,
    show_default=True,
    metavar="N",
    type=click.IntRange(0),
    help="How many samples to draw at most: best, worst and strangest in equal parts.",
)
@click.option(
    "--benchmark-card", is_flag=True, help="Print the card of the benchmark as the code has it, and stop."
)
@as_json
def report(result: Path | None, out: Path | None, most: int, benchmark_card: bool, as_json: bool) -> None:
    """Draw a result as one page to look at.

    RESULT is the folder that `gobench evaluate` wrote, or its result.json. The page needs no network and no script.
    """
    if benchmark_card:
        from gobench.report.benchmark_card import benchmark_card as card_text

        click.echo(card_text(), nl=False)
        return
    if result is None:
        raise click.UsageError("Missing argument 'RESULT': the folder that `gobench evaluate` wrote.")
    from gobench.report import write

    path = write(result, out, most)
    if as_json:
        emit({"report": str(path), "bytes": path.stat().st_size})
    else:
        click.echo(path)
