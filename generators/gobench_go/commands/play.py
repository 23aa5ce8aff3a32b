"""A game against a player on a local web page: ``gobench go play``."""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext
from typing import Any

import click

from gobench_go.commands.players import conditions, player_options

SEATS = {"black": ("you", "model"), "white": ("model", "you"), "watch": ("model", "opponent")}


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  gobench go play model.pt\n"
        "  gobench go play model.pt --color white --oracle mcts:2000\n"
        "  gobench go play teacher:mcts:50 --size 5x5\n"
        "  gobench go play model.pt --color watch --opponent mcts:200"
    )
)
@click.argument("model")
@click.option("--color", type=click.Choice(tuple(SEATS)), default="black", show_default=True,
              help="What you play, or watch the model against --opponent.")  # fmt: skip
@click.option("--size", "--board", "size", default="9x9", show_default=True, metavar="RxC",
              help="The board of the first game.")  # fmt: skip
@click.option(
    "--komi", type=float, metavar="K", help="What White gets [default: what is usual on the board]."
)
@click.option("--rules", default="benchmark", show_default=True, metavar="NAME",
              help="benchmark, chinese, tromp-taylor, aga-like or japanese.")  # fmt: skip
@click.option("--oracle", default="", metavar="TEACHER",
              help="Who shows what it thinks of each move, such as mcts:2000.")  # fmt: skip
@click.option("--opponent", default="", metavar="PLAYER",
              help="Who plays against the model when you look on, such as mcts:200.")  # fmt: skip
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Root of all randomness.",
)
@player_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Where to listen [default: a free one].",
)
@click.option("--open/--no-open", "opens", default=True, help="Open a browser, or only print the address.")
def play(model: str, **flags: Any) -> None:
    """Play Go against MODEL in the browser, and see the frames that it generates.

    MODEL is a video model (see `gobench models`), a teacher such as mcts:50, or another engine. Only video models have
    frames to show: teacher:mcts:50 is one that draws the moves of mcts:50, which by itself plays without frames. The
    page is served to this machine alone, at an address that nobody can guess; Ctrl-C ends it.
    """
    from gobench.aside import prints_aside
    from gobench_go.arena.play.game import Setup
    from gobench_go.arena.play.opening import opened
    from gobench_go.arena.play.server import PlayServer
    from gobench_go.arena.play.table import Seats, Table
    from gobench_go.game import coords

    rows, cols = coords.size(flags["size"])
    setup = Setup.of(SEATS[flags["color"]], flags["rules"], rows, cols, flags["komi"])
    table = Table(Seats(model, flags["opponent"], flags["oracle"]), setup, conditions(flags), flags["seed"])
    out = os.fdopen(os.dup(1), "w")
    with out, prints_aside():
        try:
            click.echo(f"Loading {model} …", err=True)
            table.open()
            with PlayServer(table, flags["port"]) as server:
                click.echo(f"Playing at {server.url}  (Ctrl-C ends it)", file=out)
                out.flush()
                with opened(server.url) if flags["opens"] else nullcontext():
                    _serve(server)
        except KeyboardInterrupt:
            click.echo("The game has ended.", err=True)
        finally:
            table.close()


def _serve(server: Any) -> None:
    """Until Ctrl-C."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
    thread.start()
    try:
        threading.Event().wait()
    finally:
        server.shutdown()
