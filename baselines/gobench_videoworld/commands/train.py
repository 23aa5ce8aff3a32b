"""``gobench train videoworld``: a dataset becomes a ``model.pt``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gobench.types import Record
from gobench_videoworld.config import ENCODERS, INPUTS, LATENTS, SIZES, TARGETS
from gobench_videoworld.options import (
    ALL,
    PRECISIONS,
    RESUMES,
    STAGES,
    SYMMETRIES,
    TURNS,
    UNCHANGED,
    TrainOptions,
    horizon_of,
    work_of,
)

Command = Callable[..., None]
PLACE = click.Path(path_type=Path)
EPILOG = (
    "\b\nExamples:\n"
    "  gobench train videoworld --data runs/go9-tiny --out runs/model.pt --minutes 10\n"
    "  gobench train videoworld --data runs/go9-tiny --input state --out runs/state.pt --minutes 10\n"
    "  gobench train videoworld --data runs/go9 --size small --out runs/small.pt --steps 20000 --compile\n"
    "  gobench train videoworld --data runs/go9 --size 300m --out runs/300m.pt --dry-run\n"
    "  torchrun --nproc-per-node 8 -m gobench train videoworld --data runs/go9 --size 300m --out runs/300m.pt --fsdp\n"
    "\nThe same command again goes on where it was stopped, bit for bit."
)


def _words(values: Any) -> str:
    return "|".join(values)


def _horizon(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    return horizon_of(value)


WHAT = (
    click.option("--data", required=True, type=PLACE, metavar="DIR", help="Folder of a finished dataset."),
    click.option("--out", required=True, type=PLACE, metavar="FILE", help="model.pt, or a folder to write."),
    click.option("--work", type=PLACE, metavar="DIR",
                 help="Folder of checkpoints, token shards and logs [default: FILE without its ending, and -train]."),
    click.option("--size", default="tiny", show_default=True, metavar="NAME", help=f"{_words(SIZES)}."),
    click.option("--input", default="video+ldm", show_default=True, metavar="NAME",
                 help=f"What the model sees: {_words(INPUTS)}."),
    click.option("--stage", default=ALL, show_default=True, metavar="NAME",
                 help=f"What to train: {_words((ALL, *STAGES))}. Single stages build on those in --work."),
)  # fmt: skip
FORM = (
    click.option("--paper-faithful", is_flag=True,
                 help="The paper's transformer: generic codes as tokens, an ordinary softmax, causal throughout."),
    click.option("--target", default="codes+video", show_default=True, metavar="NAME",
                 help=f"What is predicted: {_words(TARGETS)}."),
    click.option("--horizon", default="1,3,5", show_default=True, metavar="N,N", callback=_horizon,
                 help="Frames ahead that have a code each. In Go 1,3,5 are own moves, 1,2,3 every ply."),
    click.option("--encoder", default="", metavar="NAME",
                 help=f"Frame tokenizer: {_words(ENCODERS)} [default: local for boards]."),
    click.option("--latent", default="", metavar="NAME",
                 help=f"Latent dynamics: {_words(LATENTS)} [default: located for boards]."),
    click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                 help="Any key of the model's tables, such as transformer.history=1. May be repeated."),
)  # fmt: skip
LESSONS = (
    click.option("--turns", default=ALL, show_default=True, metavar="NAME",
                 help=f"Whose turns are learnt: {_words(TURNS)}, as in the paper, which learns Black's alone."),
    click.option("--symmetry", default="auto", show_default=True, metavar="NAME",
                 help=f"Turned and mirrored episodes: {_words(SYMMETRIES)}; auto where the domain has them."),
    click.option("--unchanged", default="keep", show_default=True, metavar="NAME",
                 help=f"Frames like the one before (passes): {_words(UNCHANGED)}; who never saw one does not pass."),
    click.option("--episodes", default=0, show_default=True, metavar="N", help="Watch N episodes at most; 0: all."),
    click.option("--steps", type=int, metavar="N",
                 help="Steps of the transformer [default: by size]; the stages before it take their own, but no more."),
    click.option("--minutes", type=float, metavar="M",
                 help="Minutes of training, of all stages together. The first of both limits ends it."),
    click.option("--batch", type=int, metavar="N", help="Windows of a step, over all processes [default: by size]."),
    click.option("--accumulate", default=1, show_default=True, metavar="N", help="Compute a step in N parts: less memory."),
    click.option("--lr", type=float, metavar="X", help="Highest learning rate of the transformer [default: by size]."),
    click.option("--seed", default=0, show_default=True, metavar="N", help="Root of all randomness."),
)  # fmt: skip
MACHINE = (
    click.option("--device", default="auto", show_default=True, metavar="NAME",
                 help="cpu, cuda, or auto: a GPU where there is one."),
    click.option("--precision", default="auto", show_default=True, metavar="NAME",
                 help=f"{_words(PRECISIONS)}; auto: bf16 where the machine computes it faster."),
    click.option("--compile", is_flag=True, help="Compile the transformer: a minute at first, then faster."),
    click.option("--fsdp", is_flag=True, help="Share weights and optimizer among the processes of torchrun (FSDP2)."),
    click.option("--threads", default=0, show_default=True, metavar="N", help="Of torch on a CPU; 0: one a core."),
    click.option("--resume", default="auto", show_default=True, metavar="NAME",
                 help=f"{_words(RESUMES)}: go on from the last checkpoint in --work, start anew, or fail without one."),
    click.option("--evaluate-every", type=int, metavar="N",
                 help="Steps between looks at the validation split [default: by length]."),
    click.option("--wandb", default="", metavar="PROJECT",
                 help="Send logs to this project of Weights & Biases; else nothing is sent."),
    click.option("--dry-run", is_flag=True, help="Say what would be trained, and about what time, memory and disk it takes."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text."),
)  # fmt: skip


def _options(command: Command) -> Command:
    for option in reversed((*WHAT, *FORM, *LESSONS, *MACHINE)):
        command = option(command)
    return command


@click.command("videoworld", epilog=EPILOG, short_help="The baseline: sees video alone, or states.")
@_options
def videoworld(dry_run: bool, as_json: bool, work: Path | None, **given: Any) -> None:
    """Train the baseline: a frame tokenizer, a latent dynamics model and a transformer, by watching alone.

    Writes a self-describing model.pt that `gobench evaluate` scores. With --input video there are no latent codes; with
    --input state positions and labelled actions are learnt instead of frames: the paper's three systems.
    """
    asked = TrainOptions(work=work or work_of(given["out"]), **given)
    if dry_run:
        return _say_forecast(asked, as_json)
    from gobench_videoworld.train.run import train

    trained = train(asked, lambda line: click.echo(line, err=True))
    if os.environ.get("RANK", "0") == "0":
        from gobench_videoworld.commands.train_text import verdict_lines

        if as_json:
            return say_json(trained.to_json())
        for line in verdict_lines(asked, trained):
            click.echo(line)
    return None


def say_json(table: Record) -> None:
    """Plain data on stdout, as one object."""
    click.echo(json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False))


def _say_forecast(asked: TrainOptions, as_json: bool) -> None:
    from gobench_videoworld.commands.train_text import forecast_lines
    from gobench_videoworld.forecast import forecast

    found = forecast(asked)
    if as_json:
        return say_json(found)
    for line in forecast_lines(found):
        click.echo(line)
    return None
