"""``gobench analyze curves``, ``scaling`` and ``seen``: what trainings cost and brought, and what they had seen."""

from __future__ import annotations

from pathlib import Path

import click

from gobench.errors import UsageError
from gobench_videoworld.commands.analyze import (
    DATA,
    ENDS,
    Bars,
    between,
    examples,
    home,
    options,
    ready,
    tell,
    text,
)

PLACES = click.argument(
    "places", metavar="MODEL|RESULT...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
MARKED = click.option("--result-metric", default="policy_ratio", show_default=True, metavar="NAME",
                      help="Metric of the results among them; policy_ratio is what the paper calls Action-Value.")  # fmt: skip


@click.command(
    "curves",
    short_help="How good models are against how much they were trained (Figure 2).",
    epilog=examples(
        "gobench analyze curves runs/go9-tiny-model/model.pt runs/video.pt runs/state.pt --metric legal",
        "gobench analyze curves runs/go9-tiny-compared/input/*/seed-*/model.pt --metric as_played --axis samples",
        "gobench analyze curves runs/*.pt runs/eval/*/result.json --axis flops --result-metric accuracy",
    ),
)
@options(
    PLACES,
    click.option("--metric", default="legal", show_default=True, metavar="NAME",
                 help="What was measured in training: legal, as_played, loss, code1, ..."),
    click.option("--axis", default="seconds", show_default=True, metavar="NAME",
                 help="Progress: seconds, steps, samples, tokens or flops."),
    click.option("--stage", default="transformer", show_default=True, metavar="NAME", help="Whose curve is drawn."),
    MARKED, *ENDS,
)  # fmt: skip
def curves(
    places: tuple[Path, ...], metric: str, axis: str, stage: str, result_metric: str, out: Path | None, no_pictures: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Draw training curves from what model files tell; several seeds of the same training become a mean with a band.

    Seconds, tokens and operations are of all stages. Results of `gobench evaluate` may be given, too: they are drawn where their
    model's training ended, with their intervals.
    """
    from gobench_videoworld.analysis import curves as analysis
    from gobench_videoworld.analysis import curves_plot
    from gobench_videoworld.analysis.loading import together, told
    from gobench_videoworld.analysis.output import Output

    models = together([told(place) for place in places])
    ready(no_pictures)
    found = analysis.curves(models, metric, axis, stage)
    marked = analysis.marks(models, result_metric, axis)
    rows = analysis.rows(found, marked, metric, result_metric, axis)
    ends = analysis.ends(found, metric, axis)
    output = Output(out or home(*places), "curves")
    output.table(rows)
    output.facts({"metric": metric, "result_metric": result_metric if marked else None, "axis": axis, "stage": stage,
                  "models": [{"name": m.name, "seed": m.seed, "weights_sha256": m.weights_sha256} for m in models],
                  "summary": ends})  # fmt: skip
    if not no_pictures:
        output.picture(curves_plot.draw(found, marked, metric, result_metric, axis))
    lines = [f"{label}: its seeds have no place on this axis in common, so there is no mean."
             for label, line in analysis.means(found).items() if not line]  # fmt: skip
    columns = {
        "label": "model",
        "seeds": "seeds",
        axis: axis,
        metric: metric,
        "least": "least",
        "greatest": "greatest",
    }
    tell(output, ends, [*text(ends, columns), *lines], as_json)


@click.command(
    "scaling",
    short_help="A table of what parameters, data and operations buy.",
    epilog=examples(
        "gobench analyze scaling runs/go9-tiny-model/model.pt runs/small.pt",
        "gobench analyze scaling runs/*.pt runs/eval/*/result.json --metric accuracy",
    ),
)
@options(
    PLACES,
    click.option("--metric", default="", metavar="NAME",
                 help="What is drawn [default: policy_ratio and accuracy of results, else what training measured]."),
    click.option("--task", default="", metavar="NAME", help="Of the results [default: all]."),
    *ENDS,
)  # fmt: skip
def scaling(
    places: tuple[Path, ...], metric: str, task: str, out: Path | None, no_pictures: bool, as_json: bool
) -> None:
    """Tell of each model its parameters, data, operations and how good it is, and draw one against the other."""
    from gobench_videoworld.analysis import scaling as analysis
    from gobench_videoworld.analysis import scaling_plot
    from gobench_videoworld.analysis.loading import together, told
    from gobench_videoworld.analysis.output import Output

    rows = analysis.rows(together([told(place) for place in places]), task)
    ready(no_pictures)
    measures, across = analysis.measures(rows, metric), analysis.axes(rows)
    if metric and not measures:
        known = sorted({key for row in rows for key, value in row.items() if isinstance(value, float)})
        raise UsageError(f"none of these models was measured by {metric!r}. There is: {', '.join(known)}.")
    output = Output(out or home(*places), "scaling")
    output.table(rows)
    output.facts({"models": len(rows), "differ_in": across, "measures": measures, "summary": rows})
    if not no_pictures and across and measures:
        output.picture(scaling_plot.draw(rows, across, measures))
    columns = {"label": "model", "seed": "seed", "parameters": "parameters", "episodes": "episodes", "frames": "frames watched",
               "seconds": "seconds", "flops": "operations", **{key: key for key in measures}}  # fmt: skip
    lines = text(rows, columns)
    if not across:
        lines.append("These models differ in nothing that can be drawn against: there is no picture.")
    tell(output, rows, lines, as_json)


@click.command(
    "seen",
    short_help="The share of test positions that a training set holds, by move number.",
    epilog=examples(
        "gobench analyze seen --data runs/go9-tiny --suite go9-lite",
        "gobench analyze seen --data runs/go9 --split validation --split test --out runs/seen",
    ),
)
@options(
    DATA,
    click.option("--suite", "suites", multiple=True, metavar="NAME", help="Look up its positions. May be repeated."),
    click.option("--split", "splits", multiple=True, metavar="NAME",
                 help="Look up the positions of this split of the dataset. May be repeated [default: all but train]."),
    *ENDS,
)  # fmt: skip
def seen(
    data: Path,
    suites: tuple[str, ...],
    splits: tuple[str, ...],
    out: Path | None,
    no_pictures: bool,
    as_json: bool,
) -> None:
    """Look up test positions in the dataset's sketch of its training split, which no video is needed for.

    Positions that are mirrored, or have the colours exchanged, count as the same. In the paper the share falls to 0 by move 30.
    """
    from gobench import registry, sketch
    from gobench.dataset import open_dataset
    from gobench.evaluate import open_suite
    from gobench_videoworld.analysis import seen as analysis
    from gobench_videoworld.analysis import seen_plot
    from gobench_videoworld.analysis.loading import data_facts
    from gobench_videoworld.analysis.output import Output

    opened = open_dataset(data)
    ready(no_pictures)
    world = registry.domain(opened.plan.config.domain)
    found = [positions for suite in suites for positions in analysis.of_suite(open_suite(suite))]
    chosen = splits or tuple(name for name in opened.splits if name != "train")
    with Bars(as_json) as bars:
        found += [analysis.of_split(opened, split, world, bars) for split in chosen]
    rows = analysis.rows(opened, found)
    rate = float(sketch.facts(data / sketch.SKETCH)["rate"])
    ends = [{**row, "interval": between(row), "last": analysis.last_seen(rows, row["source"])} for row in rows
            if row["ply"] == "all"]  # fmt: skip
    output = Output(out or home(data), "seen")
    output.table(rows)
    output.facts({"data": data_facts(opened), "found_by_chance": rate, "suites": list(suites), "splits": list(chosen),
                  "summary": ends})  # fmt: skip
    if not no_pictures:
        output.picture(seen_plot.draw(rows, opened.folder.resolve().name, rate))
    columns = {"source": "positions of", "positions": "positions", "games": "games", "seen": "share seen",
               "interval": "95% interval", "last": "last move with 5% seen"}  # fmt: skip
    tell(output, ends, text(ends, columns), as_json)
