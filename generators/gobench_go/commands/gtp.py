"""A player as a Go engine for other programs: ``gobench go gtp``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from gobench_go.commands.players import conditions, player_options


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
@click.option("--on-failure", type=click.Choice(("resign", "pass", "error")), default="resign", show_default=True,
              help="What genmove answers when no try was legal.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Root of all randomness; set_random_seed gives another.")  # fmt: skip
@player_options
def gtp(model: str, **flags: Any) -> None:
    """Speak GTP for MODEL, so that Go programs can play against it.

    MODEL is a video model (see `gobench models`), a teacher such as mcts:200, or another engine. The rules are the
    benchmark's: an illegal move is refused, repetition included, and all stones count as alive. stdout holds the
    protocol and nothing else; what the model prints goes to stderr.
    """
    from gobench.aside import prints_aside
    from gobench_go.arena.gtp_server import Options, Session, serve
    from gobench_go.arena.names import open_player

    player = open_player(model, conditions(flags))
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
