"""``gobench analyze codes`` and ``imagine``: what latent codes mean, and what a model imagines by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gobench_videoworld.commands.analyze import (
    DATA,
    DEVICE,
    ENDS,
    MODEL,
    SEED,
    Bars,
    between,
    examples,
    home,
    options,
    ready,
    tell,
    text,
)

PROJECTION = click.option("--projection", default="auto", show_default=True, metavar="NAME",
                          help="umap, pca, or auto: UMAP where it is installed (extra analysis).")  # fmt: skip


@click.command(
    "codes",
    short_help="Codes of training windows in the plane; how many are used, and for which moves.",
    epilog=examples(
        "gobench analyze codes runs/go9-tiny-model/model.pt --data runs/go9-tiny",
        "gobench analyze codes runs/go9-tiny-model/model.pt --data runs/go9-tiny --windows 5000 --projection umap",
    ),
)
@options(
    MODEL, DATA,
    click.option("--split", default="train", show_default=True, metavar="NAME", help="Of the dataset."),
    click.option("--windows", default=2000, show_default=True, type=click.IntRange(1), metavar="N", help="How many."),
    PROJECTION, SEED, DEVICE, *ENDS,
)  # fmt: skip
def codes(
    model: str, data: Path, split: str, windows: int, projection: str, seed: int, device: str, out: Path | None,
    no_pictures: bool, as_json: bool,
) -> None:  # fmt: skip
    """Draw what the latent model makes of the frames ahead, before it is quantized (UMAP or PCA).

    Points are coloured by step, by the region of the move, by what it touches and by the pattern around it. A table tells how
    many codes are used, and how surely a code stands for one move.
    """
    from gobench_videoworld.analysis import codes as analysis
    from gobench_videoworld.analysis import codes_plot
    from gobench_videoworld.analysis.output import Output
    from gobench_videoworld.analysis.projection import chosen

    sight, facts = _sight(model, data, split, windows, seed, device)
    ready(no_pictures)
    chosen(projection)
    with Bars(as_json) as bars:
        found = analysis.collected(_watched(sight, bars))
        bars.say("codes in the plane ...")
        rows, how = analysis.table(found, projection, seed)
    used = analysis.use(found, sight.model.config.latent.digits(sight.model.config.tokenizer.sites), seed)
    output = Output(out or home(model), "codes")
    output.table(rows)
    output.table(used, "use")
    output.facts({**facts, "windows": windows, "projection": how, "summary": used})
    if not no_pictures:
        output.picture(
            codes_plot.draw(rows, how, f"{facts['model']['name']} on {facts['data']['name']}/{sight.split}")
        )
    columns = {"step": "step", "windows": "windows", "codes_used": "codes used", "codes": "of", "perplexity": "perplexity",
               "purity": "purity code to move", "purity_held_out": "held out", "purity_by_chance": "by chance"}  # fmt: skip
    tell(output, used, text(used, columns), as_json)


@click.command(
    "imagine",
    short_help="Codes predicted for held-out prompts, decoded into imagined boards.",
    epilog=examples(
        "gobench analyze imagine runs/go9-tiny-model/model.pt --data runs/go9-tiny",
        "gobench analyze imagine 'runs/go9-tiny-model/model.pt?temperature=0.5' --data runs/go9-tiny --prompts 1000 --seed 1",
    ),
)
@options(
    MODEL, DATA,
    click.option("--split", default="held-out", show_default=True, metavar="NAME",
                 help="Of the dataset; held-out: validation, or test where there is none."),
    click.option("--prompts", default=400, show_default=True, type=click.IntRange(1), metavar="N", help="How many."),
    PROJECTION, SEED, DEVICE, *ENDS,
)  # fmt: skip
def imagine(
    model: str, data: Path, split: str, prompts: int, projection: str, seed: int, device: str, out: Path | None,
    no_pictures: bool, as_json: bool,
) -> None:  # fmt: skip
    """Draw what a model imagines: predicted codes, decoded by the latent model, beside the frame it generates and the truth.

    A map shows predicted codes coloured by the place of their move; a table tells how many imagined moves can be read, could be,
    and were played.
    """
    from gobench_videoworld.analysis import imagine as analysis
    from gobench_videoworld.analysis import imagine_plot
    from gobench_videoworld.analysis.output import Output
    from gobench_videoworld.analysis.projection import chosen

    sight, facts = _sight(model, data, split, prompts, seed, device)
    ready(no_pictures)
    chosen(projection)
    with Bars(as_json) as bars:
        found = analysis.collected(_watched(sight, bars))
        bars.say("codes in the plane ...")
        rows, how = analysis.table(found, projection, seed)
    measured = analysis.summary(found.rows)
    output = Output(out or home(model), "imagine")
    output.table(rows)
    output.table(measured, "measures")
    output.facts({**facts, "prompts": prompts, "projection": how, "summary": measured})
    if not no_pictures:
        title, board = (
            f"{facts['model']['name']} on {facts['data']['name']}/{sight.split}",
            sight.model.config.board,
        )
        output.picture(imagine_plot.sheet(found.pictures, board, title), "sheet")
        output.picture(imagine_plot.plane(rows, how, board, title), "map")
    told = [{**row, "interval": between(row)} for row in measured]
    columns = {"step": "step", "measure": "measure", "value": "share", "interval": "95% interval", "n": "prompts",
               "paper": "the paper's"}  # fmt: skip
    tell(output, measured, text(told, columns), as_json)


def _sight(
    model: str, data: Path, split: str, windows: int, seed: int, device: str
) -> tuple[Any, dict[str, Any]]:
    """What is looked at, and what is noted of it."""
    from gobench.dataset import open_dataset
    from gobench_videoworld.analysis.loading import data_facts, model_facts, same_world, with_codes
    from gobench_videoworld.analysis.windows import Sight, split_of

    made, opened = with_codes(model, device), open_dataset(data)
    same_world(made.config, opened)
    chosen = split_of(opened, split)
    facts = {"model": model_facts(made), "data": data_facts(opened), "split": chosen, "seed": seed}
    return Sight(made, opened, chosen, windows, seed), facts


def _watched(sight: Any, bars: Bars) -> Any:
    from dataclasses import replace

    return replace(sight, progress=bars)
