"""``gobench export-prompts``: a suite's prompts for tools that know nothing of this project."""

from __future__ import annotations

from pathlib import Path

import click

from gobench.cli.options import Bars, as_json, emit

FORMATS = ("frames", "vbvr")
ANSWERS = ("true", "static", "random-legal")


@click.command(
    "export-prompts",
    epilog="\b\nExamples:\n"
    "  gobench export-prompts go9-lite --out prompts --format vbvr\n"
    "  gobench export-prompts go9-lite --out check --answers true\n"
    "  gobench evaluate predictions:check --suite go9-lite --protocol zero-shot",
)
@click.argument("suite")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder to write; an export goes on there."
)
@click.option(
    "--format",
    "form",
    default="frames",
    show_default=True,
    type=click.Choice(FORMATS),
    help="frames: PNG and MP4, loadable with the library datasets. vbvr: first_frame.png and prompt.txt by number.",
)
@click.option("--protocol", default="zero-shot", show_default=True, help="The protocol to answer under.")
@click.option(
    "--limit", type=int, metavar="N", help="Only N samples a task: those that `evaluate --limit N` asks."
)
@click.option("--size", default=512, show_default=True, metavar="PX", help="Pixels of a picture each way.")
@click.option(
    "--frames", default=1, show_default=True, metavar="T", help="Frames of a prompt at most, 1 to 8."
)
@click.option(
    "--answers",
    default="",
    type=click.Choice(["", *ANSWERS]),
    metavar="|".join(ANSWERS),
    help="Write reference answers with known scores instead of prompts, to check a set-up.",
)
@click.option("--wording", default="plain", show_default=True, help="The instruction: plain, rules or terse.")
@as_json
def export_prompts(
    suite: str,
    out: Path,
    form: str,
    protocol: str,
    limit: int | None,
    size: int,
    frames: int,
    answers: str,
    wording: str,
    as_json: bool,
) -> None:
    """Write the prompts of SUITE as pictures, videos and words, for any video tool.

    The folder's README.md says what to answer, where to put it and how to score it. The same command gives the same
    bytes, and goes on where it was stopped.
    """
    from gobench.zeroshot.export import Order, export

    bars = Bars(quiet=as_json)
    try:
        done = export(Order(suite, form, protocol, limit, size, frames, wording, answers), out, bars)
    finally:
        bars.close()
    if as_json:
        emit(done)
        return
    for task in done["left_out"]:
        click.echo(
            f"left out: {task} (its questions follow from the answers before, which files cannot give)"
        )
    what = f"reference answers ({answers})" if answers else "prompts"
    click.echo(f"{done['samples']} {what} in {out}; {out / 'README.md'} says what to do with them.")
