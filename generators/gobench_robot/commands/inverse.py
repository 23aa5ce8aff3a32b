"""``gobench robot idm``: what an inverse dynamics says of itself."""

from __future__ import annotations

import click

from gobench.types import Record
from gobench_robot.commands.training import measure_lines, say_json


@click.command(
    "idm",
    epilog=("\b\nExamples:\n  gobench robot idm core\n  gobench robot idm runs/idm.safetensors --json"),
)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def inverse(name: str, as_json: bool) -> None:
    """Show an inverse dynamics: a shipped one by its name (core, playtable), or a file.

    Tells what it was trained on and how far its actions are off on held-out labelled episodes.
    """
    from gobench_robot.idm.artifact import find

    found = find(name)
    config = found.config
    facts: Record = {
        "name": found.name, "sha256": found.sha256, "scene": config.scene, "camera": config.camera, "size": config.size,
        "actions": list(config.action_names), "window": list(config.window),
    }  # fmt: skip
    if as_json:
        return say_json({**facts, "provenance": dict(found.provenance), "measures": dict(found.measures)})
    for key, value in facts.items():
        click.echo(f"{key:<8}  {' '.join(map(str, value)) if isinstance(value, list) else value}")
    for origin in found.provenance.get("trained_on", []):
        click.echo(f"{'data':<8}  {origin['episodes']} labelled episodes of {origin['recipe']}")
    for line in measure_lines(dict(found.measures)):
        click.echo(line)
    return None
