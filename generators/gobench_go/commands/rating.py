"""Ratings from games: ``gobench go elo``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gobench_go.arena.rating import Ladder


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  gobench go elo runs/ladder\n"
        "  gobench go elo runs/ladder runs/my-match --plot ladder.png\n"
        "  gobench go elo runs/eval/my-model-go9-match runs/ladder --no-colour\n"
        "  gobench go elo tournament.zip --anchor 'GNU Go=1800' --level 0.9 --json"
    )
)
@click.argument("games", metavar="GAMES...", nargs=-1, required=True)
@click.option("--anchor", "anchors", multiple=True, metavar="NAME=ELO",
              help="A player whose rating is given; may be repeated [default: for games of go9-match the "
                   "ratings of its ladder, else random=0 if it plays].")  # fmt: skip
@click.option("--no-colour", is_flag=True, help="Do not ask what Black is worth: 0.")
@click.option("--exclude-forfeits", is_flag=True, help="Leave out games lost by a forfeit or on time.")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, metavar="L",
              help="Coverage of the intervals.")  # fmt: skip
@click.option("--draws", type=click.IntRange(100, 100_000), default=2000, show_default=True, metavar="N",
              help="Bootstrap resamples of pairs of games.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of the resamples.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png|svg",
              help="Draw the ladder.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def elo(
    games: tuple[str, ...], anchors: tuple[str, ...], no_colour: bool, exclude_forfeits: bool, level: float,
    draws: int, seed: int, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Rate players by their games: Elo with intervals, anchored.

    GAMES are folders of `gobench go match` or of the suite go9-match, files of games (games.jsonl), and SGF files,
    folders, globs and archives of anybody's tournaments, in any number. Bradley-Terry with one virtual game
    of each player as prior, draws as half, and what Black is worth; intervals by a bootstrap of pairs of games with one
    opening. Where one side won every game there are bounds only.
    """
    from gobench_go.arena import ladder_plot, outcomes, rating, suites

    given = dict(map(rating.anchor, anchors)) or None
    found = outcomes.read(games)
    placed = None if given else suites.placed(found)
    ladder = rating.climb(
        found, given, placed=placed, colour=not no_colour, forfeits=not exclude_forfeits,
        level=level, draws=draws, seed=seed,
    )  # fmt: skip
    if plot is not None:
        ladder_plot.save(ladder, plot)
    if as_json:
        click.echo(json.dumps(ladder.record()))
        return
    click.echo("\n".join(_table(ladder)))
    for line in ladder.notes():
        click.echo(f"note: {line}", err=True)


def _table(ladder: Ladder) -> list[str]:
    """Rows of aligned columns, and the line about Black."""
    from gobench_go.arena.ladder_plot import words

    level = f"{ladder.ratings.level:.0%}"
    rows = [("#", "player", "Elo", f"{level} interval", "games", "W-D-L", "score", "unique", "opponents")]
    for rank, player in enumerate(ladder.ratings.players, 1):
        interval = words(player).partition(" ")[2].strip("()") if not player.bound else words(player)
        rows.append((
            str(rank), player.name, f"{round(player.elo)}", interval, str(player.games),
            f"{player.wins}-{player.draws}-{player.losses}", f"{player.points / player.games:.1%}",
            str(ladder.unique[player.name]), str(len(player.opponents)),
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_cell(n, text, widths[n]) for n, text in enumerate(row)).rstrip() for row in rows]
    return [*lines, *_black(ladder)]


def _cell(column: int, text: str, width: int) -> str:
    return text.ljust(width) if column in (1, 3) else text.rjust(width)


def _black(ladder: Ladder) -> list[str]:
    """What Black is worth; nothing where that was not asked or games do not tell."""
    ratings = ladder.ratings
    numbers = (ratings.advantage, ratings.advantage_low, ratings.advantage_high)
    if not all(map(math.isfinite, numbers)):
        return []
    value, low, high = (round(number) for number in numbers)
    return ["", f"Black is worth {value} points ({low} to {high})."] if low != high else []
