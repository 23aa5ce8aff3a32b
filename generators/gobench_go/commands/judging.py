"""Judging games with mcts or KataGo: ``gobench go judge``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gobench_go.commands.workers import workers_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gobench.types import Rejection
    from gobench_go.judged import JudgedSet
    from gobench_go.judged.judging import AnyJudge

SUFFIX = ".jsonl.gz"
SPLITS = ("train", "validation", "test", "all")
SHOWN = 5  # games that were not taken and are named


@click.command(
    epilog=(
        "\b\nExamples:\n"
        "  gobench go judge runs/go9-tiny --teacher mcts:2000 --out judged.jsonl.gz --games 50\n"
        "  gobench go judge runs/go9-small --split test --teacher mcts:20000 --out held-out.jsonl.gz\n"
        "  gobench go judge games.zip --size 7x7 --komi 9 --opening 4 --out go7-mine.jsonl.gz\n"
        "  gobench go judge games/*.sgf --teacher mcts:20000 --name go9 --out go9.jsonl.gz\n"
        "  gobench go judge games/*.sgf --teacher 'katago:g170-b6c96?visits=200&threads=16' --out go9.jsonl.gz"
    )
)
@click.argument("sources", metavar="DATASET|SGF...", nargs=-1, required=True)
@click.option("--out", required=True, metavar=f"FILE{SUFFIX}", type=click.Path(path_type=Path, dir_okay=False),
              help="The file to write.")  # fmt: skip
@click.option("--teacher", default="mcts:2000", show_default=True, metavar="NAME",
              help="Who judges: mcts:VISITS, or katago:MODEL[@CONFIG][?visits=N&threads=N&profile=rank_9d].")  # fmt: skip
@click.option("--child-visits", type=click.IntRange(1), metavar="N",
              help="Visits of the short look at the position after a move: with mcts where the search looked too "
                   "seldom, with KataGo for every move [default: 64 with mcts, 1 with KataGo].")  # fmt: skip
@click.option(
    "--games", type=click.IntRange(0), default=0, metavar="N", help="Take the first N games [default: all]."
)
@click.option(
    "--size", default="", metavar="RxC", help="The board of the SGF games that are wanted [default: 9x9]."
)
@click.option(
    "--komi", type=float, metavar="K", help="Judge all games by this komi [default: the games' own]."
)
@click.option("--opening", type=click.IntRange(0), metavar="N",
              help="How many first plies of each game a benchmark does not ask about [default: those that the "
                   "dataset's own self-play drew at random; 0 of SGF].")  # fmt: skip
@click.option("--split", type=click.Choice(SPLITS), default=SPLITS[-1], show_default=True,
              help="Which games of a dataset.")  # fmt: skip
@click.option("--name", metavar="NAME", help="What the set is called [default: the name of the file].")
@click.option(
    "--licence", default="CC0-1.0", show_default=True, metavar="ID", help="Licence of games and judgements."
)
@click.option("--note", default="", metavar="TEXT", help="A line about where the games come from.")
@click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="Root of all randomness of mcts."
)
@workers_option("Processes, or auto for one a core; with KataGo games that are asked about at once.")
@click.option(
    "--no-cache", is_flag=True, help="Judge anew what this judge has judged before, and keep nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def judge(sources: tuple[str, ...], out: Path, as_json: bool, **flags: Any) -> None:
    """Judge every position of games: policy, chance of winning and score lead of each legal move.

    The games come from built datasets or from SGF files, folders, globs and archives, all of one board and one set of
    rules. The same command again goes on after an interruption. `gobench_go.judged.read` reads the file; a file in the
    folder named by GOBENCH_JUDGED is also found by its name.
    """
    from gobench.errors import BuildError, UsageError
    from gobench_go.judged.inputs import find_games
    from gobench_go.judged.judges import open_judge
    from gobench_go.judged.judging import Cached
    from gobench_go.judged.pieces import Text, judge_games

    if not out.name.endswith(SUFFIX) or out.name == SUFFIX:
        raise UsageError(f"--out is {out}: sets of judged games are called NAME{SUFFIX}.")
    judges = open_judge(flags["teacher"], flags["child_visits"], flags["seed"])
    found = find_games(
        sources, flags["games"], flags["size"], flags["komi"], flags["opening"], flags["split"]
    )
    _say_rejected(found.rejected)
    player = judges if flags["no_cache"] else Cached.of(judges)
    text = Text(flags["name"] or out.name.removesuffix(SUFFIX), licence=flags["licence"], note=flags["note"])
    bar = _Bar(as_json)
    try:
        made = judge_games(
            found.games, found.rules, player, out, text, workers=flags["workers"], progress=bar.show
        )
    except KeyboardInterrupt:
        raise BuildError(f"stopped. Run the same command again to go on with {out}.") from None
    finally:
        bar.close()
    _say(made, out, as_json, _known(player))
    _say_notes(judges)


def _known(judge: AnyJudge) -> int:
    """How many judgements were not asked for, as far as this process knows."""
    from gobench_go.judged.judging import Cached

    return judge.cache.hits if isinstance(judge, Cached) and judge.external else 0


def _say_notes(judge: AnyJudge) -> None:
    """What an engine said beside its answers."""
    notes: Sequence[str] = getattr(judge, "notes", ())
    for line in notes:
        click.echo(line, err=True)


def _say(made: JudgedSet, out: Path, as_json: bool, known: int) -> None:
    facts = {
        "file": str(out),
        "name": made.name,
        "games": len(made.games),
        "positions": made.positions,
        "oracle": made.oracle,
        "digest": made.digest,
        "known": known,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    judge = f"{made.oracle['name']} with {made.oracle['visits']} visits"
    before = f" {known} judgements were known from before." if known else ""
    click.echo(f"{out}: {facts['games']} games, {facts['positions']} positions judged by {judge}.{before}")


def _say_rejected(rejected: list[Rejection]) -> None:
    for item in rejected[:SHOWN]:
        click.echo(f"not taken: {item.origin}: {item.reason} ({item.detail})", err=True)
    if len(rejected) > SHOWN:
        click.echo(f"not taken: {len(rejected) - SHOWN} more games", err=True)


class _Bar:
    """Games judged, on stderr."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.bar: Any = None

    def show(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(desc=stage, unit="game", total=total, file=sys.stderr, disable=self.quiet)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
