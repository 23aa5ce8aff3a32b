"""``gobench analyze ablate``: the paper's ablations at any size, trained, evaluated and put into one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench.errors import UsageError
from gobench_videoworld.commands.analyze import ENDS, HOME, PLACE, Bars, examples, options, ready, tell, text

MINUTES = 5.0  # of training a row, where neither minutes nor steps are given
METRICS = ("legal_first_try", "accuracy", "policy_ratio")
WORDS = "horizon|codebook|target|data|input|form"


@click.command(
    "ablate",
    short_help="Train and evaluate the rows of an ablation (tables 4 and 5) at any size.",
    epilog=examples(
        "gobench analyze ablate --axis target --data runs/go9-tiny --minutes 5 --seeds 3 --out runs/target",
        "gobench analyze ablate --axis input --data runs/go9-tiny --minutes 10 --seeds 3 --out runs/inputs",
        "gobench analyze ablate --axis horizon --row 1 --row 5 --data runs/go9 --size small --steps 20000 --out runs/h",
        "gobench analyze ablate --axis data --data runs/go9-tiny --data runs/go9-strong --out runs/data",
    ),
)
@options(
    click.option("--axis", required=True, metavar="NAME", help=f"What is varied: {WORDS}."),
    click.option("--data", required=True, multiple=True, type=PLACE, metavar="DIR",
                 help="Folder of a finished dataset. Repeated, the rows of --axis data; else those are amounts of it."),
    click.option("--row", "only", multiple=True, metavar="NAME", help="Only this row of the axis. May be repeated."),
    click.option("--size", default="tiny", show_default=True, metavar="NAME", help="Of the transformer."),
    click.option("--minutes", type=float, metavar="M", help=f"Of training, each row and seed [default: {MINUTES:g}]."),
    click.option("--steps", type=int, metavar="N", help="Of training, each row and seed."),
    click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), metavar="N", help="Trainings of each row."),
    click.option("--batch", type=int, metavar="N", help="Windows of a step [default: by size]."),
    click.option("--episodes", default=0, show_default=True, metavar="N", help="Watch N episodes at most; 0: all."),
    click.option("--turns", default="all", show_default=True, metavar="NAME", help="Whose turns are learnt: all|first."),
    click.option("--unchanged", default="keep", show_default=True, metavar="NAME",
                 help="Frames like the one before (passes): keep|drop."),
    click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="As of `gobench train videoworld`."),
    click.option("--threads", default=0, show_default=True, metavar="N", help="Of torch on a CPU; 0: one a core."),
    click.option("--device", default="auto", show_default=True, metavar="NAME", help="Where models are trained and asked."),
    click.option("--suite", default="", metavar="NAME", help="What to ask [default: the first that shows the data's world]."),
    click.option("--task", default="", metavar="NAME", help="Its task [default: the first of single frames]."),
    click.option("--limit", type=click.IntRange(1), metavar="N", help="Ask N samples, a fair part [default: all]."),
    *ENDS,
)  # fmt: skip
def ablate(axis: str, data: tuple[Path, ...], only: tuple[str, ...], suite: str, task: str, limit: int | None, seeds: int,
           out: Path | None, no_pictures: bool, as_json: bool, **training: Any) -> None:  # fmt: skip
    """Train every row of an axis, evaluate each on the same samples, and put them into one table beside the paper's.

    Rows of a seed share their frame tokenizer, so that they differ in what is varied alone. Finished rows are kept: the same
    command goes on after an interruption, and with more --seeds or --row it adds to what is there. Everything lies in --out.
    """
    out = out or HOME / "ablation"
    plan = _plan(axis, data, only, suite, task, limit, seeds, out, training)
    ready(no_pictures)
    from gobench_videoworld.analysis import ablate as analysis
    from gobench_videoworld.analysis import ablate_plot, paper
    from gobench_videoworld.analysis.output import Output, to_markdown

    with Bars(as_json) as bars:
        rows = analysis.run(plan, None if as_json else bars, bars.say)
    table = analysis.summary(plan, rows, [name for name in METRICS if any(name in row for row in rows)])
    people = analysis.people(plan, table)
    output = Output(out, f"ablate-{axis}")
    output.table(rows)
    output.table(table, "summary")
    theirs = paper.NOTES.get(axis, "")
    output.text(
        to_markdown(people, analysis.HEADINGS) + (f"\nThe paper's: {theirs}.\n" if theirs else ""), ".md"
    )
    output.facts({"axis": axis, "rows": {v.name: v.about for v in plan.rows}, "paper": paper.SOURCE, **plan.decisive(),
                  "data": list(plan.facts), "summary": table})  # fmt: skip
    if not no_pictures:
        title = f"{axis}: {training['size']}, {plan.task}, {seeds} seed{'s' * (seeds > 1)}"
        output.picture(ablate_plot.draw(rows, table, title))
    tell(output, table, text(people, analysis.HEADINGS), as_json)


def _plan(axis: str, data: tuple[Path, ...], only: tuple[str, ...], suite: str, task: str, limit: int | None, seeds: int,
          out: Path, training: dict[str, Any]) -> Any:  # fmt: skip
    """What is to be trained and asked; everything that can be refused is refused now."""
    from gobench.dataset import open_dataset
    from gobench_videoworld.analysis.ablations import Plan, variants
    from gobench_videoworld.analysis.asking import fitting_data
    from gobench_videoworld.analysis.loading import data_facts
    from gobench_videoworld.configure import configured, scene
    from gobench_videoworld.options import TrainOptions
    from gobench_videoworld.train.parallel import choose_device

    if training["minutes"] is None and training["steps"] is None:
        training["minutes"] = MINUTES
    opened = [open_dataset(place) for place in data]
    rows = variants(axis, data, opened[0].manifest["splits"].get("train", {}).get("samples", 0), only)
    if not rows:
        raise UsageError(f"the axis {axis} has no rows.")
    base = TrainOptions(data=data[0], out=out / "model.pt", work=out / "train", **training)
    choose_device(base.device)
    fits = [fitting_data(base, one, suite, task) for one in opened]
    facts = [data_facts(one) for one in opened]
    plan = Plan(axis, rows, data, facts, base, out, seeds, fits[0][0], fits[0][1].name, limit)
    for variant in rows:
        configured(plan.options(variant, 0), scene(opened[variant.data]))
    return plan
