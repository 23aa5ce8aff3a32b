"""``gobench preview``, ``card`` and ``publish``: a built dataset for the eyes of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench.cli.options import as_json, dataset, emit, human


@click.command("preview", epilog="\b\nExample:\n  gobench preview runs/go9-tiny --episodes 24 --out preview")
@dataset
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the pictures and the page [default: DIR-preview].",
)
@click.option("--episodes", default=24, show_default=True, metavar="N", help="How many episodes to show.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Which ones: another seed, others.")
@click.option("--split", metavar="NAME", help="Only from this split: train, validation or test.")
@as_json
def preview(
    directory: Path, out: Path | None, episodes: int, seed: int, split: str | None, as_json: bool
) -> None:
    """Draw a contact sheet, a GIF and a page with playable episodes."""
    from gobench.preview import write_preview

    files = write_preview(
        directory,
        out or directory.with_name(directory.name + "-preview"),
        episodes=episodes,
        seed=seed,
        split=split,
    )
    if as_json:
        return emit({name: str(path) for name, path in files.items()})
    for name, path in files.items():
        click.echo(f"{name:<10}{path}")
    return None


@click.command("card", epilog="\b\nExample:\n  gobench card runs/go9-tiny > README.md")
@dataset
@click.option("--write", is_flag=True, help="Rewrite README.md in the dataset, and its sum.")
def card(directory: Path, write: bool) -> None:
    """Print or rewrite a dataset's card."""
    from gobench.card import card_text, write_card

    click.echo(str(write_card(directory)) if write else card_text(directory), nl=write)


@click.command(
    "publish",
    epilog=(
        "\b\nExamples:\n"
        "  gobench publish runs/go9-tiny ORG/NAME              says what would be sent\n"
        "  gobench publish runs/go9-tiny ORG/NAME --yes        sends it"
    ),
)
@dataset
@click.argument("repo", metavar="ORG/NAME")
@click.option("--yes", is_flag=True, help="Really upload; without it nothing is sent.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option(
    "--revision", default="main", show_default=True, metavar="BRANCH", help="The branch to upload to."
)
@as_json
def publish(directory: Path, repo: str, yes: bool, private: bool, revision: str, as_json: bool) -> None:
    """Upload a dataset to the Hugging Face Hub; a dry run unless --yes is given."""
    from gobench import hub

    upload = hub.prepare(directory, repo, revision=revision, private=private)
    sent: Any = hub.publish(upload) if yes else None
    if as_json:
        return emit({"upload": upload.to_json(), "sent": sent and sent.to_json()})
    click.echo(f"{len(upload.files)} files, {human(upload.bytes)}  ->  {upload.url}")
    for name in upload.left_out:
        click.echo(f"  stays here: {name} (not in {hub.SUMS})")
    click.echo(f"Uploaded: {sent.commit}" if sent else f"Nothing was sent. To upload:\n  {upload.command}")
    return None
