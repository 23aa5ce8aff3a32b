"""``gobench preview``, ``card`` and ``publish``: a built dataset, or a model, for the eyes of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench.cli.options import as_json, dataset, dataset_or_model, emit, human
from gobench.errors import UsageError


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


@click.command(
    "card",
    epilog=(
        "\b\nExamples:\n"
        "  gobench card runs/go9-tiny > README.md\n"
        "  gobench card model.pt --result runs/eval/mine --write"
    ),
)
@dataset_or_model
@click.option(
    "--write", is_flag=True, help="Write it: README.md in a folder, NAME.md beside a model's file NAME.pt."
)
@click.option("--result", "results", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="A result of this model, whose numbers its card shows. May be repeated.")  # fmt: skip
def card(place: Path, write: bool, results: tuple[Path, ...]) -> None:
    """Print or write the card of a dataset or a model.

    PATH is a dataset's folder, or a model: model.pt, or a folder with config.json and model.safetensors. A dataset's card
    is rewritten with its sum.
    """
    from gobench.models.contents import holds_model

    if holds_model(place):
        from gobench.models.card import model_card, write_model_card

        click.echo(str(write_model_card(place, results)) if write else model_card(place, results), nl=write)
        return
    if results:
        raise UsageError(f"--result goes with a model, and {place} is none.")
    from gobench.card import card_text, write_card

    click.echo(str(write_card(place)) if write else card_text(place), nl=write)


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
