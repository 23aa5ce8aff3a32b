"""``gobench evaluate``, ``score``, ``suites`` and ``schema``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gobench.aside import prints_aside
from gobench.cli.options import LOGGED, as_json, emit
from gobench.errors import StoppedError
from gobench.workers import worker_count

if TYPE_CHECKING:
    from gobench.results import Result


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  gobench evaluate model.pt\n"
        "  gobench evaluate copy-frame --suite go9-lite --out runs/copy\n"
        "  gobench evaluate my_package.my_module:MyModel --device cuda --batch 64\n"
        "  gobench evaluate 'cmd:python my_model.py' --limit 100\n"
        "  gobench evaluate model.pt --trained-on runs/go9"
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("--suite", metavar="NAME", help="What to ask [default: the first suite of the model's domain].")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write [default: runs/eval/MODEL-SUITE, with --protocol and --limit where they are given].",
)
@click.option("--protocol", default="standard", show_default=True, metavar="NAME", help="How to ask.")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Run this task alone. May be repeated.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Ask N samples of each task, a fair part; "
              "N games of each in go9-match, which tell little of its Elo below 100.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Root of the model's randomness.")
@click.option("--batch", default=32, show_default=True, type=click.IntRange(1), help="Samples asked at once.")
@click.option(
    "--workers",
    default="1",
    show_default=True,
    metavar="N",
    callback=lambda ctx, param, value: worker_count(value),
    help="Processes, each with its own copy of the model, or auto. The result does not depend on it.",
)
@click.option("--device", default="cpu", show_default=True, help="Where torch models run: cpu, cuda, mps.")
@click.option("--dtype", default="float32", show_default=True, help="Of torch models' weights.")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds that one answer may take.")
@click.option(
    "--trained-on",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DATASET",
    help="A dataset that the model has seen: scores are also given for positions not in it. May be repeated.",
)
@click.option("--org", metavar="TEXT", help="Who made the model; stands in the result as declared.")
@click.option(
    "--attempts",
    type=click.IntRange(0),
    metavar="N",
    help="How many results of this model were looked at before; stands in the result as declared.",
)
@click.option("--overwrite", is_flag=True, help="Throw away what an earlier run left in the folder.")
@click.option("--no-report", is_flag=True, help="Do not draw report.html.")
@as_json
def evaluate(model: str, no_report: bool, as_json: bool, **flags: Any) -> None:
    """Score a video model on a suite of frozen tests.

    MODEL is a file or folder (model.pt), package.module:Class, an installed name (see `gobench models`),
    cmd:PROGRAM or predictions:DIR. Writes evidence, result.json and report.html. The same command again goes on
    after an interruption, and the result is the same to the byte.
    """
    from gobench.evaluate import evaluate as run
    from gobench.report import write
    from gobench.results import read_result

    bar = Bar(quiet=as_json)
    try:
        with prints_aside():
            folder = run(model, progress=bar, notice=bar.say, **flags)
    except KeyboardInterrupt:
        raise StoppedError("stopped. Run the same command again to go on.") from None
    finally:
        bar.close()
    result = read_result(folder)
    page = None if no_report else write(folder)
    if as_json:
        return emit(result.plain())
    say(result)
    click.echo(f"Result: {folder / 'result.json'}" + (f"    look at it: {page}" if page else ""))
    return None


@click.command(
    epilog=(
        "\b\nExamples:\n  gobench score runs/eval/copy-frame-go9-lite\n  gobench score runs/mine --reread"
    ),
)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--reread", is_flag=True, help="Read the kept frames again first; nothing is written unless all agree."
)
@click.option("--partial", is_flag=True, help="Score what is there where samples are missing.")
@as_json
def score(directory: Path, reread: bool, partial: bool, as_json: bool) -> None:
    """Derive result.json again from the evidence in DIR, without the model.

    The same evidence gives the same bytes. With --reread every frame that was to be kept must be there and read as the
    evidence says, or the command ends with an error and leaves result.json as it is.
    """
    from gobench.evaluate import score as derive

    result = derive(directory, reread, partial, lambda line: click.echo(line, err=True))
    return emit(result.plain()) if as_json else say(result)


@click.command(epilog="\b\nExamples:\n  gobench suites\n  gobench suites go9-lite --json")
@click.argument("name", metavar="[SUITE]", required=False)
@as_json
def suites(name: str | None, as_json: bool) -> None:
    """List what models can be asked: suites, their tasks, metrics and protocols."""
    from gobench import registry
    from gobench.evaluate.protocol import benchmark_of

    table, broken = registry.suites()
    for complaint in broken:
        click.echo(complaint, err=True)
    chosen = [name] if name else list(table)
    found = {suite: suite_facts(benchmark_of(suite), suite) for suite in chosen}
    if as_json:
        return emit(found)
    for suite, facts in found.items():
        say_suite(suite, facts)
    return None


@click.command(epilog="\b\nExamples:\n  gobench schema > result.schema.json")
def schema() -> None:
    """Print the JSON Schema of result.json."""
    from gobench.canonical import pretty
    from gobench.results import schema as table

    click.echo(pretty(table()), nl=False)


def suite_facts(domain: Any, name: str) -> dict[str, Any]:
    """A suite as plain data; a test set that is missing is told instead of its tasks."""
    from gobench.errors import GobenchError
    from gobench.evaluate.protocol import protocol_hash

    facts = {"about": domain.suites()[name], "domain": domain.name, "protocols": dict(domain.protocols())}
    try:
        tasks = domain.suite(name).tasks
        opened = _opened(domain, name, facts["protocols"])
    except GobenchError as error:
        return facts | {"tasks": {}, "samples": {}, "missing": str(error)}
    return facts | {
        "protocols": {protocol: facts["protocols"][protocol] for protocol in opened},
        "samples": {p: {task.name: len(task.ids) for task in suite.tasks} for p, suite in opened.items()},
        "tasks": {
            task.name: {
                "version": task.version,
                "samples": len(task.ids),
                "headline": task.headline,
                "protocol_hash": protocol_hash(task),
                "metrics": {key: metric.about for key, metric in task.metrics.items()},
                **({"opponents": dict(task.opponents)} if hasattr(task, "opponents") else {}),
                **_left_out(task),
            }
            for task in tasks
        },
    }


def _opened(domain: Any, name: str, protocols: Iterable[str]) -> dict[str, Any]:
    """The suite under each protocol that has tasks of it."""
    from gobench.errors import UsageError

    found = {}
    for protocol in protocols:
        with suppress(UsageError):
            found[protocol] = domain.suite(name, protocol)
    return found


def _left_out(task: Any) -> dict[str, str]:
    """Why a task cannot be run on this machine, where it says so."""
    unavailable = getattr(task, "unavailable", None)
    why = unavailable() if unavailable else ""
    return {"unavailable": why} if why else {}


def say_suite(name: str, facts: dict[str, Any]) -> None:
    """A suite for a person."""
    click.echo(f"{name}: {facts['about']}")
    if "missing" in facts:
        click.echo(f"  not installed: {facts['missing']}")
    told: list[dict[str, str]] = []
    for task, own in facts["tasks"].items():
        click.echo(f"  {task} {own['version']}: {own['samples']:,} samples, headline {own['headline']}")
        if "opponents" in own:
            click.echo(f"    against {', '.join(starmap(_opponent, own['opponents'].items()))}")
        if "unavailable" in own:
            click.echo(f"    not on this machine: {own['unavailable']}")
        for metric, about in own["metrics"].items() if own["metrics"] not in told else ():
            click.echo(f"    {metric:<20} {about}")
        told.append(own["metrics"])
    for protocol, about in facts["protocols"].items():
        sizes = [f"{task} {size:,}" for task, size in facts["samples"].get(protocol, {}).items()]
        click.echo(f"  --protocol {protocol}: {about}" + (f" ({', '.join(sizes)} samples)" if sizes else ""))


def _opponent(name: str, elo: float | None) -> str:
    return name if elo is None else f"{name} (Elo {elo:.0f})"


def say(result: Result) -> None:
    """A result for a person."""
    from gobench.cli.scores import lines

    for line in lines(result):
        click.echo(line)


class Bar:
    """A progress bar on stderr that counts only what is done now: call with (suite, done, total)."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(
                total=total,
                initial=done,
                desc=stage,
                unit="sample",
                file=sys.stderr,
                mininterval=0.5 if sys.stderr.isatty() else LOGGED,
                disable=self.quiet,
            )
        self.bar.update(done - self.bar.n)

    def say(self, line: str) -> None:
        """A line on stderr, above the bar."""
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.close()
