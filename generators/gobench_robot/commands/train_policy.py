"""``gobench train policy``: labelled episodes become a policy that `gobench evaluate` plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench_robot.commands.training import Bars, measure_lines, say_json, training_options


@click.command(
    "policy",
    short_help="A labelled policy for robots (behaviour cloning): a ceiling.",
    epilog=(
        "\b\nExamples:\n"
        "  gobench train policy --data runs/robot-core --out runs/policy.pt\n"
        "  gobench train policy --data runs/robot-core --labels 50 --steps 4000 --out runs/policy50.pt --json"
    ),
)
@training_options
def policy(out: Path, as_json: bool, **given: Any) -> None:
    """Train a policy on the labelled episodes of a dataset: the last two frames and the instruction give actions.

    It learns from the same labels as inverse dynamics does, without any video beside them. `gobench evaluate FILE` plays it
    in the suites of its scene, where it is a ceiling: it was told actions.
    """
    from gobench_robot.idm.cloning import clone
    from gobench_robot.idm.training import Options

    bars = Bars()
    try:
        found = clone(Options(**given), out, bars)
    finally:
        bars.close()
    if as_json:
        return say_json({"file": str(out), "measures": found})
    click.echo(f"wrote {out}; next: gobench evaluate {out} --suite robot-lite")
    for line in measure_lines(found):
        click.echo(line)
    return None
