"""``gobench train idm``: labelled episodes become inverse dynamics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench_robot.commands.training import Bars, measure_lines, say_json, training_options


@click.command(
    "idm",
    short_help="Inverse dynamics of robots: frames -> actions.",
    epilog=(
        "\b\nExamples:\n"
        "  gobench train idm --data runs/robot-core --out runs/idm.safetensors\n"
        "  gobench train idm --data runs/robot-core --labels 20 --out runs/idm20.safetensors\n"
        "  gobench train idm --data runs/playtable --size 96 --steps 3000 --out runs/table.safetensors --json"
    ),
)
@training_options
def idm(out: Path, as_json: bool, **given: Any) -> None:
    """Train inverse dynamics on the labelled episodes of a dataset: frames in, the actions between them out.

    Frames are decoded as they are stored and disturbed, as imagined frames are. Labelled episodes of the splits validation and
    test are held out; the errors on them are printed and kept in the file. On one thread the same seed gives the same
    bytes.
    """
    from gobench_robot.idm.inverse import train
    from gobench_robot.idm.training import Options

    bars = Bars()
    try:
        made = train(Options(**given), out, bars)
    finally:
        bars.close()
    if as_json:
        return say_json({"file": str(out), "sha256": made.sha256, "measures": dict(made.measures)})
    click.echo(f"wrote {out}  sha256 {made.sha256}")
    for line in measure_lines(dict(made.measures)):
        click.echo(line)
    return None
