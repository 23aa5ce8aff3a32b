"""Checks of the rules by counting: ``gobench go perft`` and ``gobench go count-positions``."""

from __future__ import annotations

import json
from typing import Any

import click

SUICIDE = ("forbidden", "allowed")
KO_RULES = ("simple", "positional", "situational", "none")


@click.command()
@click.option(
    "--size", default="3x3", show_default=True, metavar="RxC", help="Rows and columns, up to 19x19."
)
@click.option("--depth", default=6, show_default=True, help="Plies to look ahead; not used with --complete.")
@click.option(
    "--ko", type=click.Choice(KO_RULES), default="positional", show_default=True, help="The ko rule."
)
@click.option(
    "--suicide",
    type=click.Choice(SUICIDE),
    default="forbidden",
    show_default=True,
    help="Multi-stone suicide.",
)
@click.option("--complete", is_flag=True, help="Count complete games (at most 3 points, with superko).")
@click.option("--long", is_flag=True, help="Allow --complete on 4 points: minutes on 1x4, hours on 2x2.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def perft(size: str, depth: int, ko: str, suicide: str, complete: bool, long: bool, as_json: bool) -> None:
    """Count the ways to play 1, 2, ... plies from the empty board.

    Passes count as plies and two in a row end a game. The numbers must agree with any other correct
    implementation of the same rules.

    \b
    Examples:
      gobench go perft --size 3x3 --depth 6
      gobench go perft --size 2x3 --depth 7 --suicide allowed
      gobench go perft --size 9x9 --depth 3 --ko simple --json
      gobench go perft --size 1x3 --complete
    """
    from gobench_go.game import coords
    from gobench_go.game.perft import complete_games, tree

    rows, cols = coords.size(size)
    kills_own = suicide == "allowed"
    question = {"size": f"{rows}x{cols}", "ko": ko, "suicide": suicide}
    if complete:
        games = complete_games(rows, cols, ko, kills_own, long)
        _print({**question, "complete_games": games}, [str(games)], as_json)
        return
    leaves, ended = tree(rows, cols, depth, ko, kills_own)
    by_depth = zip(range(1, depth + 1), leaves, ended, strict=True)
    lines = [f"{n:>5}  {count:>20}  {over:>20}" for n, count, over in by_depth]
    head = f"{'depth':>5}  {'leaves':>20}  {'of them ended':>20}"
    _print({**question, "leaves": leaves, "ended": ended}, [head, *lines], as_json)


@click.command("count-positions")
@click.argument("size", metavar="SIZE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def count_positions(size: str, as_json: bool) -> None:
    """Count the legal positions of a board: every chain has a liberty.

    The shorter side may be at most 9. 7x7 takes seconds, 9x9 minutes.

    \b
    Examples:
      gobench go count-positions 3x3
      gobench go count-positions 4x4 --json
    """
    from gobench_go.game import coords
    from gobench_go.game.census import legal_positions

    rows, cols = coords.size(size)
    count = legal_positions(rows, cols)
    _print({"size": f"{rows}x{cols}", "legal_positions": count}, [str(count)], as_json)


def _print(answer: dict[str, Any], lines: list[str], as_json: bool) -> None:
    click.echo(json.dumps(answer) if as_json else "\n".join(lines))
