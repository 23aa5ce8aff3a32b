"""``gobench smoke`` and ``gobench models``."""

from __future__ import annotations

import sys

import click

from gobench.aside import prints_aside
from gobench.cli.options import as_json, emit

EXIT_WRONG = 5
MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


@click.command(
    "smoke",
    epilog=(
        "\b\nExamples:\n"
        "  gobench smoke model.pt\n"
        "  gobench smoke my_model:MyModel --suite go9-lite\n"
        '  gobench smoke "cmd:python examples/cmd_model.py" --timeout 60 --json'
    ),
)
@click.argument("model")
@click.option("--suite", metavar="NAME", help="Whose questions to ask [default: the first of its domain].")
@click.option(
    "--protocol", default="standard", show_default=True, metavar="NAME", help="Under which conditions."
)
@click.option(
    "--samples", default=6, show_default=True, metavar="N", help="How many questions of each task, 2 or more."
)
@click.option("--device", default="cpu", show_default=True, help="Torch device, for models that take one.")
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    help="float32, bfloat16 or float16, for models that take one.",
)
@click.option(
    "--timeout",
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one answer may take, up to a week (604800).",
)
@as_json
def smoke(
    model: str,
    suite: str | None,
    protocol: str,
    samples: int,
    device: str,
    dtype: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Try MODEL in seconds and say what is wrong with it; exit code 5 if it breaks the contract.

    MODEL is a file, a class, an installed name, a program or a folder of predictions: see `gobench models`.
    """
    from gobench.smoke import Finding, smoke

    with prints_aside():
        report = smoke(
            model, suite, protocol, samples=samples, device=device, dtype=dtype, timeout=timeout,
            progress=_progress if sys.stderr.isatty() else None,
        )  # fmt: skip
    if as_json:
        emit(report.to_json())
        sys.exit(0 if report.well else EXIT_WRONG)
    info = report.info
    height, width = info.frame_size
    click.echo(
        f"{info.name}: {info.kind}, {height}x{width}, prompts of up to {info.max_frames}; asked: {report.suite}"
    )

    def line(finding: Finding) -> str:
        fix = f"\n{'':18}-> {finding.fix}" if finding.fix else ""
        return f"{MARKS[finding.level]} {finding.check:<11} {finding.text}{fix}"

    for finding in report.findings:
        click.echo(line(finding))
    click.echo(
        "This model keeps its contract." if report.well else "This model breaks its contract: see WRONG."
    )
    sys.exit(0 if report.well else EXIT_WRONG)


@click.command("models", epilog="\b\nExamples:\n  gobench models\n  gobench models --json")
@as_json
def models(as_json: bool) -> None:
    """List the models that are installed, and how to name others."""
    from gobench.models.installed import about
    from gobench.models.opening import FORMS
    from gobench.registry import installed

    rows = {name: about(name) for name in installed("models")}
    if as_json:
        return emit({"installed": rows, "forms": FORMS})
    click.echo("Installed:")
    for name, text in rows.items():
        click.echo(f"  {name:<14}{text}")
    click.echo("A model is one string:")
    for form, text in FORMS.items():
        click.echo(f"  {form:<14}{text}")
    return None


def _progress(check: str) -> None:
    click.echo(f"\r{check:<20}\r", err=True, nl=False)
