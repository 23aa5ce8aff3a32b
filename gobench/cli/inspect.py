"""``gobench verify`` and ``gobench info``: is a dataset whole, and what does it, or a model, hold?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gobench.cli.options import Bars, as_json, dataset, dataset_or_model, emit, human, workers_option
from gobench.errors import UsageError
from gobench.types import Record

if TYPE_CHECKING:
    from gobench.verify import Verification


@click.command(
    "verify",
    epilog=(
        "\b\nExamples:\n  gobench verify runs/go9-tiny\n  gobench verify runs/go9-tiny --sample 200 --json"
    ),
)
@dataset
@click.option(
    "--sample", type=click.IntRange(0), metavar="N", help="Decode and draw again N samples instead of all."
)
@click.option(
    "--seed", default=0, show_default=True, metavar="N", help="Which samples: another seed, others."
)
@click.option("--no-decode", is_flag=True, help="Check hashes, counts and records only, not the pictures.")
@click.option("--repair", is_flag=True, help="Remove what is broken, so that the same build makes it anew.")
@workers_option
@as_json
def verify(
    directory: Path,
    sample: int | None,
    seed: int,
    no_decode: bool,
    repair: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Check a dataset: hashes, counts, pictures. Exit code 3 if anything is wrong.

    Every finding names the shard, the key and the frame.
    """
    from gobench.verify import verify as check

    bars = Bars(quiet=as_json)
    try:
        found = check(
            directory, sample=sample, decode=not no_decode, seed=seed, workers=workers, progress=bars
        )
    finally:
        bars.close()
    if as_json:
        emit(found.to_json())
    else:
        tell(directory, found)
    if repair and not found.ok:
        mend(directory, found)
    elif found.advice:
        click.echo(found.advice, err=True)
    sys.exit(0 if found.ok else 3)


def tell(directory: Path, found: Verification) -> None:
    """What was found, for a person."""
    for finding in found.findings:
        click.echo(str(finding))
    verdict = "all well" if found.ok else f"{len(found.findings)} findings"
    click.echo(
        f"{directory}: {found.files} files, {found.samples:,} samples, {found.drawn:,} drawn again: {verdict}."
    )


def mend(directory: Path, found: Verification) -> None:
    """Take away what is broken and say what to do next, on stderr."""
    from gobench.verify.repair import repair

    for name in repair(directory, found):
        click.echo(f"removed {name}", err=True)
    click.echo("Run the same `gobench build-dataset` again: it makes anew what was removed.", err=True)


@click.command(
    "info",
    epilog=(
        "\b\nExamples:\n"
        "  gobench info runs/go9-tiny\n"
        "  gobench info runs/go9-tiny --table | head\n"
        "  gobench info model.pt"
    ),
)
@dataset_or_model
@click.option("--table", is_flag=True, help="Print a dataset's index, one sample a line, tab-separated.")
@as_json
def info(place: Path, table: bool, as_json: bool) -> None:
    """Say what a dataset holds, or what a model tells of itself.

    PATH is a dataset's folder, or a model: model.pt, or a folder with config.json and model.safetensors. A model is not run:
    its parts, config and making are read from the file.
    """
    from gobench.models.contents import contents, holds_model

    if holds_model(place):
        if table:
            raise UsageError(f"{place} is a model; --table prints the index of a dataset.")
        found = contents(place)
        return emit(found) if as_json else describe_model(place, found)
    from gobench.dataset import open_dataset

    opened = open_dataset(place)
    if table:
        return opened.table().to_csv(sys.stdout, sep="\t", index=False)
    if as_json:
        return emit(opened.manifest)
    describe(place, opened.manifest)
    return None


def describe_model(path: Path, found: Record) -> None:
    """What ``gobench.models.contents`` found, for a person."""
    from gobench.models.contents import rows

    click.echo(f"{path}: a model of {found['model']}, format {found['format']}")
    numbers = f"{', '.join(found['dtypes'])}, {human(found['bytes'])}"
    click.echo(f"  weights     {found['weights_sha256']}  (sha256)")
    click.echo(f"  parameters  {found['parameters']:,}  ({numbers})")
    width = max(map(len, found["parts"]), default=0)
    for name, part in found["parts"].items():
        click.echo(f"    {name:<{width}}  {part['parameters']:>13,}  in {part['tensors']:,} tensors")
    for title in ("provenance", "config"):
        table = list(rows(found[title])) or [("(nothing)", "")]
        click.echo(title)
        width = max(len(key) for key, _ in table)
        for key, value in table:
            click.echo(f"  {key:<{width}}  {value}".rstrip())


def describe(directory: Path, manifest: Record) -> None:
    """A manifest for a person."""
    from gobench.build.recipes import SPLITS
    from gobench.card import settings

    config = manifest["config"]
    click.echo(
        f"{directory}: recipe {manifest['recipe']}, domain {manifest['domain']['name']}, codec {manifest['codec']}"
    )
    for split in [name for name in SPLITS if name in config["splits"]]:
        total = manifest["splits"].get(split, {"samples": 0, "frames": 0, "bytes": 0})
        click.echo(
            f"  {split:<12}{total['samples']:>9,} samples {total['frames']:>11,} frames  {human(total['bytes']):>10}"
        )
    if manifest["rejected"]:
        click.echo(
            "  not taken   "
            + ", ".join(f"{reason} {count:,}" for reason, count in manifest["rejected"].items())
        )
    rows = list(settings(config["options"]))
    width = max(len(key) for key, _ in rows)
    for key, value in rows:
        click.echo(f"  {key:<{width}}  {value}")
    click.echo(f"  seed        {config['seed']}")
    click.echo(
        "  made with   " + ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    )
    click.echo(f"  sums        {manifest['sums']}  (sha256 of SHA256SUMS)")
