"""A player as a Go engine for other programs: ``gobench go gtp``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

DTYPES = ("float32", "bfloat16", "float16")


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  gobench go gtp model.pt\n"
        "  gobench go gtp random-legal --seed 7\n"
        '  gobench go gtp "cmd:python my_client.py" --tries 3 --on-failure pass\n'
        "  gobench go gtp mcts:1000 --rules chinese\n"
        '  gobench go match mcts:200 "gtp:gobench go gtp model.pt"'
    )
)
@click.argument("model")
@click.option("--rules", default="benchmark", show_default=True, metavar="NAME",
              help="benchmark, chinese, tromp-taylor, aga-like or japanese.")  # fmt: skip
@click.option("--tries", type=click.IntRange(1, 1000), default=10, show_default=True, metavar="N",
              help="How often a model is asked for a legal move.")  # fmt: skip
@click.option("--on-failure", type=click.Choice(("resign", "pass", "error")), default="resign", show_default=True,
              help="What genmove answers when no try was legal.")  # fmt: skip
@click.option("--seconds", type=float, default=60.0, show_default=True, metavar="S",
              help="How long the player may think about one move.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Root of all randomness; set_random_seed gives another.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="Torch device, for models that take one.")
@click.option("--dtype", type=click.Choice(DTYPES), default=DTYPES[0], show_default=True,
              help="Of torch models.")  # fmt: skip
def gtp(model: str, **flags: Any) -> None:
    """Speak GTP for MODEL, so that Go programs can play against it.

    MODEL is a video model (see `gobench models`), a teacher such as mcts:200, or another engine. The rules are the
    benchmark's: an illegal move is refused, repetition included, and all stones count as alive. stdout holds the
    protocol and nothing else; what the model prints goes to stderr.
    """
    from gobench.aside import prints_aside
    from gobench.models.deadline import check_timeout
    from gobench_go.arena.gtp_server import Options, Session, serve
    from gobench_go.arena.names import Conditions, open_player

    seconds = check_timeout(flags["seconds"])
    player = open_player(model, Conditions(seconds, flags["tries"], flags["device"], flags["dtype"]))
    options = Options(flags["rules"], flags["seed"], flags["on_failure"])
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    try:
        with prints_aside():
            session = Session(player, options, lambda text: click.echo(f"gobench: {text}", err=True))
            serve(session, sys.stdin.buffer, lambda data: _write(out.fileno(), data))
    finally:
        player.close()
        out.close()


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
