"""``gobench doctor``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gobench.cli.options import as_json, emit


@click.command("doctor", epilog="\b\nExample:\n  gobench doctor --json")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("."),
    help="Whose disk to look at [default: here].",
)
@as_json
def doctor(folder: Path, as_json: bool) -> None:
    """Say what is installed, what works and how to mend the rest; exit code 1 if something needed is broken."""
    from gobench import doctor

    findings = doctor.examine(folder)
    if as_json:
        emit(doctor.to_json(findings))
    else:
        for line in doctor.lines(findings):
            click.echo(line)
    sys.exit(0 if doctor.healthy(findings) else 1)
