"""``gobench build-dataset`` and ``gobench recipes``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gobench.cli.options import Bars, as_json, emit, human, workers_option
from gobench.errors import BuildError, StoppedError, UsageError
from gobench.types import Domain

NOT_READY = 75
"""Exit code of a task of an array job whose fellows are not through (EX_TEMPFAIL): run it again."""


@click.command(
    "build-dataset",
    epilog=(
        "\b\nExamples:\n"
        "  gobench build-dataset go9-tiny --out runs/go9-tiny\n"
        "  gobench build-dataset go9-sgf --sgf games.zip --out runs/mine\n"
        "  gobench build-dataset go9-tiny --teacher gnugo:10 --out runs/gnugo\n"
        "  gobench build-dataset robot-tiny --out runs/robot-tiny\n"
        "  gobench build-dataset robot-lerobot --data DIR --out runs/mine\n"
        "  gobench build-dataset go9 --out runs/go9 --dry-run\n"
        "  gobench build-dataset go9 --out runs/go9 --task-index 3 --task-count 64"
    ),
)
@click.argument("recipe", metavar="RECIPE")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to build in [default: runs/RECIPE].")
@click.option(
    "--games",
    "--episodes",
    "games",
    type=click.IntRange(0),
    metavar="N",
    help="Self-play or experts make N episodes; of archives alone, keep at most N (0: all).",
)
@click.option(
    "--sgf",
    multiple=True,
    metavar="PATH",
    help="Add games: a file, folder, glob, .zip or .tgz of SGF. May be repeated.",
)
@click.option(
    "--videoworld-tars",
    multiple=True,
    metavar="PATH",
    help="Add the released set's tars: a file, folder or glob.",
)
@click.option(
    "--teacher",
    metavar="NAME",
    help="Who plays the self-play: random, mcts:N, gnugo:N, gtp:COMMAND, katago:NET.",
)
@click.option(
    "--reannotate",
    metavar="NAME",
    help="Keep each game's states, let this teacher say the best move at each.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="What an external teacher answered in another build (its journal.jsonl): asks nobody again.",
)
@click.option("--theme", metavar="NAME", help="The look: videoworld, wood, paper, dark, contrast.")
@click.option(
    "--size", type=int, metavar="PX", help="Height and width of a frame (Go: 36 to 1024; robots: 32 to 512)."
)
@click.option(
    "--randomise",
    is_flag=True,
    default=None,
    help="Vary colours, light, geometry and noise from game to game.",
)
@click.option("--camera", metavar="NAME", help="Robots: static, gripper or both.")
@click.option(
    "--label-fraction",
    type=click.FloatRange(0, 1),
    metavar="F",
    help="Robots: the share of episodes that carry actions; the others are video alone.",
)
@click.option(
    "--keep-failures", is_flag=True, default=None, help="Robots: keep failed episodes, labelled so."
)
@click.option("--data", type=click.Path(), metavar="PATH", help="Robots: the folder of real data to read.")
@click.option(
    "--codec", metavar="NAME", help="How frames are stored: h264, h264-direct, lossless, png, moves."
)
@click.option("--seed", type=int, metavar="N", help="Root of all randomness.")
@click.option("--shards", type=int, metavar="N", help="How many shards in all, at least one a split.")
@click.option("--shard-size", type=int, metavar="N", help="Games a shard, if --shards is not given.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other option of the recipe, as in --set clip.fps=8 --set rules=chinese. May be repeated.",
)
@workers_option
@click.option("--overwrite", is_flag=True, help="Throw away what an earlier build left in the folder.")
@click.option("--dry-run", is_flag=True, help="Say shards, clips, bytes and time; write nothing.")
@click.option("--task-index", type=int, metavar="I", help="Make the share of task I of an array job.")
@click.option("--task-count", type=int, metavar="N", help="How many tasks the array job has.")
@as_json
def build_dataset(recipe: str, out: Path | None, **flags: Any) -> None:
    """Make a sharded video dataset from a recipe.

    The same command again goes on after an interruption; the result is the same to the byte. `gobench recipes`
    lists the recipes.
    """
    from gobench.cli.recipe import chosen

    world, config = chosen(recipe, flags)
    if flags["dry_run"]:
        return show_estimate(world, config, flags)
    return run(world, config, out or Path("runs") / Path(recipe).stem, flags)


def run(world: Domain, config: Any, out: Path, flags: dict[str, Any]) -> None:
    """Build, with bars on stderr, and say what was made and what was not taken."""
    from gobench.build.run import build
    from gobench.card import extra as card
    from gobench.croissant import extra as croissant

    if (flags["task_index"] is None) != (flags["task_count"] is None):
        raise UsageError("--task-index and --task-count belong together: give both or neither.")
    bars = Bars(quiet=flags["as_json"])
    try:
        report = build(
            world,
            config,
            out,
            workers=flags["workers"],
            overwrite=flags["overwrite"],
            task_index=flags["task_index"],
            task_count=flags["task_count"],
            journal=flags["journal"],
            progress=bars,
            extras=(card, croissant),
        )
    except KeyboardInterrupt:
        raise StoppedError(f"stopped. Run the same command again to go on in {out}.") from None
    finally:
        bars.close()
    if flags["as_json"]:
        emit(report.to_json())
    else:
        click.echo(f"{out}: {report.message}")
        if report.done:
            say(report, out, [split for split, part in config.splits.items() if part])
    if not report.done:
        sys.exit(NOT_READY)


def say(report: Any, out: Path, wanted: Sequence[str]) -> None:
    """The finished build for a person."""
    for split in wanted:
        total = report.splits.get(split)
        if not total:
            click.echo(f"  {split:<12} nothing: too few for its share, which goes by each episode's hash")
            continue
        click.echo(
            f"  {split:<12}{total['samples']:>9,} clips {total['frames']:>11,} frames  {human(total['bytes']):>10}"
        )
    if report.rejected:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.rejected.items())
        click.echo(f"  not taken:  {reasons}  (each is listed in {out / 'rejected.jsonl'})")
    click.echo(f"Look at it: gobench preview {out}    check it: gobench verify {out}")


def show_estimate(world: Domain, config: Any, flags: dict[str, Any]) -> None:
    """What a build would make and take, from a small sample made now."""
    from gobench.build.estimate import estimate

    found = estimate(world, config, workers=flags["workers"], journal=flags["journal"])
    if not found.clips:
        raise BuildError(
            f"nothing would be kept. Of the first units: {refusals(world, config) or 'no game'}."
        )
    if flags["as_json"]:
        return emit(found.to_json())
    click.echo(
        f"{found.clips:,} clips, {found.frames:,} frames, {found.shards:,} shards, {human(found.bytes)}; "
        f"about {duration(found.seconds)} with {flags['workers']} workers on this machine.\n"
        f"Measured on {found.sampled} samples; nothing was written."
    )
    if found.asked:
        click.echo(
            f"First an external teacher is asked about {found.asked:,} units of the source (games or files), as it was "
            "about the first one now; its answers go into journal.jsonl, from which all else is made."
        )
    return None


def refusals(world: Domain, config: Any, most: int = 64) -> str:
    """Why the first units of a source give nothing: "filter-result 60, unreadable 4"."""
    from collections import Counter

    from gobench.build.journal import asking, let_go
    from gobench.build.stages import open_source
    from gobench.build.trial import TRIAL_UNITS
    from gobench.types import Rejection

    source = open_source(world, config)
    most = min(most, TRIAL_UNITS) if asking(source) else most
    items = (item for unit in range(min(most, source.units)) for item in source.unit(unit))
    counts = Counter(item.reason for item in items if isinstance(item, Rejection))
    let_go(source)
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())


def duration(seconds: float) -> str:
    """Seconds for people: 5400 -> "1.5 hours"."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


@click.command("recipes", epilog="\b\nExample:\n  gobench recipes --json")
@as_json
def recipes(as_json: bool) -> None:
    """List the recipes that are installed."""
    from gobench.registry import domain
    from gobench.registry import recipes as installed

    rooms, broken = installed()
    for problem in broken:
        click.echo(f"gobench: {problem}", err=True)
    table = {name: {"domain": room, **domain(room).recipes()[name]} for name, room in rooms.items()}
    if as_json:
        return emit(table)
    width = max(map(len, table))
    for name, recipe in table.items():
        click.echo(f"{name:<{width}}  {recipe.get('about', '')}")
    return None
