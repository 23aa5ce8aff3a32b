"""Playing matches: ``gobench go match``."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gobench_go.commands.players import conditions, player_options
from gobench_go.commands.workers import workers_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gobench_go.arena.matches import Match
    from gobench_go.arena.plan import Plan
    from gobench_go.arena.referee import Moment
    from gobench_go.arena.result import GameResult


LONGEST_PAUSE = 3600.0  # seconds


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  gobench go match mcts:50 mcts:200 --games 20 --out runs/match\n"
        "  gobench go match random mcts:50 gnugo:1 --games 10 --out runs/round-robin\n"
        "  gobench go match model.pt random mcts:50 --gauntlet --out runs/model\n"
        "  gobench go match mcts:200 'gtp:gnugo --mode gtp --level 5' --out runs/gtp --watch\n"
        "  gobench go match mcts:400 mcts:200 --games 1000 --sprt 0,100 --out runs/sprt"
    )
)
@click.argument("players", metavar="PLAYER PLAYER [PLAYER...]", nargs=-1, required=True)
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="The folder to play in; the same command goes on with it.")  # fmt: skip
@click.option("--games", type=int, default=20, show_default=True, metavar="N",
              help="Games of each pairing: an even number, each opening is played in both colours.")  # fmt: skip
@click.option("--gauntlet", is_flag=True, help="Only the first player against each other one.")
@click.option("--size", default="9x9", show_default=True, metavar="RxC", help="The board.")
@click.option(
    "--komi", type=float, metavar="K", help="What White gets [default: 7; on small boards what is fair]."
)
@click.option("--openings", default="auto", show_default=True, metavar="NAME|FILE|none",
              help="The shipped ones of the board, or your own: SGF, or text such as E5 C3, one a line.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Root of all randomness.")
@click.option("--max-plies", type=click.IntRange(0), default=0, metavar="N",
              help="Cut games there, by area [default: 3 times the points of the board].")  # fmt: skip
@click.option("--replays", type=click.IntRange(0), default=3, show_default=True, metavar="N",
              help="How often a game is played again that an engine's crash undid.")  # fmt: skip
@click.option("--sprt", metavar="ELO0,ELO1[,A,B]",
              help="Stop when one of two Elo differences of two players is accepted, with error rates A and B.")  # fmt: skip
@player_options
@workers_option("Games at a time, or auto for one a core. The result does not depend on it.")
@click.option("--watch", is_flag=True, help="Show each board as it is played, one game at a time.")
@click.option("--pause", type=float, default=0.0, metavar="S", help="Seconds between moves, with --watch.")
@click.option("--overwrite", is_flag=True, help="Remove the match in DIR first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def match(
    players: tuple[str, ...], out: Path, watch: bool, pause: float, as_json: bool, workers: int, overwrite: bool,
    **flags: Any,
) -> None:  # fmt: skip
    """Let players play each other: teachers, engines and models, each pairing from fair openings in both colours.

    A PLAYER is random, mcts:VISITS, an engine such as gnugo:10, "gtp:COMMAND", katago:MODEL or a video model;
    NAME=PLAYER gives it another name. DIR gets the games (games.jsonl, sgf/), tables (summary.json) and a page
    (index.html). Games that an engine's crash undid are played again; illegal moves and late answers lose.
    """
    from gobench.errors import StoppedError, UsageError
    from gobench_go.arena.matches import play_match

    if not 0 <= pause <= LONGEST_PAUSE:  # NaN is neither
        raise UsageError(f"--pause {pause:g}: give seconds from 0 to {LONGEST_PAUSE:g}.")
    began, plan = time.monotonic(), _plan(players, flags)
    bar = _Bar(plan, as_json or watch)
    screen = _Screen(pause, sys.stderr.isatty()) if watch else None
    try:
        played = play_match(
            plan, out, workers=1 if watch else workers, overwrite=overwrite,
            progress=screen.ended if screen else bar.show, watch=screen.show if screen else None,
        )  # fmt: skip
    except KeyboardInterrupt:
        raise StoppedError(f"stopped. Run the same command again to go on with {out}.") from None
    finally:
        bar.close()
    _say(played, time.monotonic() - began, as_json)


def _plan(players: tuple[str, ...], flags: dict[str, Any]) -> Plan:
    from gobench_go.arena.openings import find
    from gobench_go.arena.plan import Plan, enter
    from gobench_go.arena.referee import Limits
    from gobench_go.arena.sprt import Sprt
    from gobench_go.game import coords
    from gobench_go.game.rules import named

    rows, cols = coords.size(flags["size"])
    rules = named("benchmark", rows, cols, flags["komi"])
    asked = conditions(flags)
    return Plan(
        enter(players, asked),
        rules,
        find(flags["openings"], rules),
        flags["games"],
        flags["seed"],
        asked,
        Limits(flags["max_plies"], flags["replays"]),
        flags["gauntlet"],
        Sprt.of(flags["sprt"]) if flags["sprt"] else None,
    )


def _say(played: Match, seconds: float, as_json: bool) -> None:
    from gobench_go.arena import tables

    found = played.summary
    if as_json:
        facts = {"folder": str(played.folder), "seconds": round(seconds, 1), **found}
        click.echo(json.dumps(facts))
        return
    plies = found["plies"] / max(1, found["games"])
    lines = [
        *tables.text_table(found),
        *tables.legend(found),
        "",
        *tables.text_pairings(found),
        *([tables.sprt_words(found["sprt"])] if found["sprt"] else []),
        *tables.other_events(found),
        *tables.first_failures(played.games),
        f"{found['games']} games, {found['unique_games']} unique, {plies:.0f} plies in the mean; "
        f"{found['voided']} replayed after a crash; {_spent(played)} in {seconds:,.0f} s of wall time",
        f"{played.folder / 'index.html'}",
    ]
    click.echo("\n".join(lines))


def _spent(played: Match) -> str:
    wall = sum(line["wall"] for line in played.times)
    return f"{wall:,.0f} s of play"


class _Bar:
    """Games and the score so far, on stderr."""

    def __init__(self, plan: Plan, quiet: bool) -> None:
        self.quiet = quiet
        self.points = {entry.name: 0.0 for entry in plan.entries}
        self.games = Counter[str]()
        self.bar: Any = None

    def show(self, games: Sequence[GameResult], total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(
                desc="match",
                unit="game",
                total=total,
                initial=len(games),
                file=sys.stderr,
                disable=self.quiet,
            )
        for game in games[self.games.total() // 2 :]:
            for name in (game.black, game.white):
                self.points[name] += game.points(name)
                self.games[name] += 1
        self.bar.set_postfix_str(self._standing(), refresh=False)
        self.bar.update(len(games) - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()

    def _standing(self) -> str:
        """Points of two players, or of the three best of more, by their share."""
        if len(self.points) == 2:
            return " : ".join(f"{name} {points:g}" for name, points in self.points.items())
        shares = {name: points / max(1, self.games[name]) for name, points in self.points.items()}
        best = sorted(shares.items(), key=lambda each: -each[1])[:3]
        return ", ".join(f"{name} {share:.0%}" for name, share in best)


class _Screen:
    """Games on stderr: each board in place where that is a terminal, else only the last one of each game; and how it ended."""

    def __init__(self, pause: float, terminal: bool) -> None:
        self.pause, self.terminal = pause, terminal
        self.lines: list[str] = []
        self.told: int | None = None  # finished games, those that lay there included

    def show(self, moment: Moment) -> None:
        """A moment of a game."""
        from gobench_go.arena.screen import lines_of

        above = 0 if moment.reply is None else len(self.lines)
        self.lines = lines_of(moment)
        if self.terminal:
            if above:
                click.echo(f"\x1b[{above}A\x1b[J", err=True, nl=False)
            click.echo("\n".join(self.lines), err=True)
        time.sleep(self.pause)

    def ended(self, games: Sequence[GameResult], total: int) -> None:
        """Tell the games that have ended since the last call; those of the first one lay there."""
        from gobench_go.arena.screen import ending

        for game in games[len(games) if self.told is None else self.told :]:
            board = [] if self.terminal else self.lines[:-1]
            click.echo("\n".join([*board, ending(game), ""]), err=True)
        self.told = len(games)
