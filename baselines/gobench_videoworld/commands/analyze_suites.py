"""``gobench analyze intervene`` and ``failures``: a model, changed or taken apart, on a suite's own tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench_videoworld.commands.analyze import (
    DEVICE,
    ENDS,
    MODEL,
    MODELS,
    SEED,
    SUITE,
    Bars,
    between,
    examples,
    home,
    options,
    ready,
    tell,
    text,
)


@click.command(
    "intervene",
    short_help="Codes replaced by random ones: what each is worth.",
    epilog=examples(
        "gobench analyze intervene runs/go9-tiny-model/model.pt --suite go9-lite",
        "gobench analyze intervene runs/go9-tiny-model/model.pt --limit 2000 --out runs/intervene",
    ),
)
@options(MODEL, *SUITE, SEED, DEVICE, *ENDS)
def intervene(
    model: str, suite: str, task: str, limit: int, batch: int, seed: int, device: str, out: Path | None, no_pictures: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Replace code 1, 2, ... or all by random ones, ask the same samples again, and tell the differences.

    Intervals are over games; differences are paired, sample by sample. The paper's numbers stand beside.
    """
    from gobench_videoworld.analysis import asking, intervene_plot
    from gobench_videoworld.analysis import intervene as analysis
    from gobench_videoworld.analysis.loading import model_facts, with_codes
    from gobench_videoworld.analysis.output import Output

    made = with_codes(model, device)
    ready(no_pictures)
    name, chosen = asking.fitting(made, suite, task)
    what = asking.asked(name, chosen, limit, seed, batch)
    with Bars(as_json) as bars:
        found = analysis.tables(made, what, bars)
    rows = analysis.rows(what, found)
    verdicts = [analysis.verdict(what, found, metric) for metric in intervene_plot.shown(rows)]
    output = Output(out or home(model), "intervene")
    output.table(rows)
    output.facts({"model": model_facts(made), **_asked(what), "summary": verdicts})
    if not no_pictures:
        title = f"{model_facts(made)['name']} on {chosen.name}, {len(what.samples):,} samples"
        output.picture(intervene_plot.draw(rows, title))
    told = [{**row, "interval": between(row), "changes": between(row, "change_low", "change_high")} for row in rows
            if row["metric"] in intervene_plot.shown(rows)]  # fmt: skip
    columns = {"replaced": "replaced", "metric": "metric", "value": "value", "interval": "95% interval", "change": "change",
               "changes": "95% interval", "paper": "the paper's", "paper_change": "its change"}  # fmt: skip
    lines = [*text(told, columns), *map(_verdict, verdicts)]
    tell(output, {"rows": rows, "verdicts": verdicts}, lines, as_json)


def _verdict(found: dict[str, Any]) -> str:
    if not found["hurts"]:
        return f"{found['metric']}: no single code is seen to hurt."
    sure = (
        "told apart from each other code"
        if found["told_apart"] and found["against"]
        else "not told apart from all others"
    )
    return f"{found['metric']}: {found['most']} hurts most ({sure})."


@click.command(
    "failures",
    short_help="Why first answers fail: the code, its decoding, or the frame.",
    epilog=examples(
        "gobench analyze failures runs/go9-tiny-model/model.pt --suite go9-lite",
        "gobench analyze failures runs/go9-tiny-model/model.pt runs/generic.pt --suite go9-lite --limit 1000",
    ),
)
@options(MODELS, *SUITE, SEED, DEVICE, *ENDS)
def failures(
    models: tuple[str, ...], suite: str, task: str, limit: int, batch: int, seed: int, device: str, out: Path,
    no_pictures: bool, as_json: bool,
) -> None:  # fmt: skip
    """Split illegal first answers: the code names no legal move, it cannot be decoded, or the frame does not follow it.

    The code's own picture, as the latent model's decoder draws it, is judged by the suite like an answer.
    """
    from gobench_videoworld.analysis import asking, failures_plot
    from gobench_videoworld.analysis import failures as analysis
    from gobench_videoworld.analysis.loading import model_facts, with_codes
    from gobench_videoworld.analysis.output import Output

    made = {place: with_codes(place, device) for place in models}
    ready(no_pictures)
    name, chosen = asking.fitting(next(iter(made.values())), suite, task)
    what = asking.asked(name, chosen, limit, seed, batch)
    names = dict(zip(made, _names(models), strict=False))
    lines, parts = [], {}
    with Bars(as_json) as bars:
        for place, one in made.items():
            one.begin(chosen.public)
            rows = analysis.split(one, what, _named(names[place], bars))
            lines += [{"model": names[place], **row} for row in rows]
            parts[f"{names[place]} ({one.config.latent.form} codes)"] = analysis.shares(rows)
    shares = [{"model": label, **row} for label, table in parts.items() for row in table]
    output = Output(out or home(*models), "failures")
    output.table(shares)
    output.table(lines, "samples")
    output.facts({"models": [model_facts(one) for one in made.values()], **_asked(what), "summary": shares})
    if not no_pictures:
        output.picture(
            failures_plot.draw(parts, f"first answers on {chosen.name}, {len(what.samples):,} samples")
        )
    columns = {"model": "model", "class": "first answer", "samples": "samples", "share": "share", "interval": "95% interval",
               "of_failures": "of failures"}  # fmt: skip
    tell(output, shares, text([{**row, "interval": between(row)} for row in shares], columns), as_json)


def _names(places: tuple[str, ...]) -> list[str]:
    """Names of files where these tell models apart, else how they were given."""
    places = tuple(dict.fromkeys(places))
    short = [Path(place).name for place in places]
    return short if len(set(short)) == len(short) else list(places)


def _named(model: str, bars: Bars) -> Any:
    """Bars that say whose they are."""
    return lambda stage, done, total: bars(f"{model}: {stage}", done, total)


def _asked(what: Any) -> dict[str, Any]:
    from gobench.evaluate.protocol import protocol_hash

    return {"suite": what.suite, "task": what.task.name, "task_version": what.task.version,
            "protocol_hash": protocol_hash(what.task), "samples": len(what.samples), "of": len(what.task.ids), "seed": what.seed,
            "batch": what.batch}  # fmt: skip
