"""The suites of whole games, as a table, and how they are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gobench.errors import UsageError
from gobench.tasks import MOST_FRAMES, Suite, Task
from gobench.types import Record
from gobench_go.game.rules import Rules

RULES, PROTOCOL = "benchmark", "standard"


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A suite of whole games."""

    about: str
    side: int  # of the board
    tasks: tuple[str, ...]  # keys of ``tasks.rungs.LADDERS``


MATCHES: Mapping[str, MatchRow] = {
    "go9-match": MatchRow(
        "whole games on 9x9 against a ladder of opponents: Elo, from any legal stone to GNU Go and KataGo where they are",
        9,
        ("go9/match", "go9/match-gnugo", "go9/match-katago"),
    ),
    "go5-match": MatchRow("whole games on 5x5, for a quick look", 5, ("go5/match",)),
}


def open_matches(name: str, protocol: str, tries: int) -> Suite:
    """Open a suite of ``MATCHES``; ``tries`` are those of the protocol.

    Raises:
        UsageError: another protocol than the standard one.
        DataError: no ladder of this board, or one of other versions; says how to make it.
    """
    if protocol != PROTOCOL:
        raise UsageError(f"the suite {name} has no task under the protocol {protocol!r}: it has {PROTOCOL}.")
    row = MATCHES[name]
    tasks = tuple(_task(task, name, row.side, tries) for task in row.tasks)
    return Suite(name, row.about, tasks)


def _task(task: str, suite: str, side: int, tries: int) -> Task:
    from gobench_go.arena import ladder, openings
    from gobench_go.game.rules import named
    from gobench_go.tasks.match import Match
    from gobench_go.tasks.rungs import LADDERS, open_rung

    rules, own = named(RULES, side, side), LADDERS[task]
    rungs = ladder.read(side, side)
    if own.embedded:
        who = {rung.name: dict(open_rung(rung).identity) for rung in own.rungs}
        ratings = ladder.rated(rungs, who, f"{side}x{side}")
    else:
        who = {}
        ratings = {rung.name: rungs.ratings[rung.name] for rung in own.rungs if rung.name in rungs.ratings}
    lines = openings.find(f"{side}x{side}", rules)
    settings = {
        **_settings(rules, tries),
        "openings": lines.record,
        "opponents": [
            {
                "name": r.name,
                "player": r.player,
                "games": r.games,
                **({"identity": who[r.name]} if who else {}),
            }
            for r in own.rungs
        ],
    }
    return Match(task, rules, own, lines.lines, tries, settings, _public(rules, task, suite), ratings)


def _settings(rules: Rules, tries: int) -> Record:
    from gobench_go.arena.referee import Limits
    from gobench_go.tasks import match
    from gobench_go.tasks.asking import THEME
    from gobench_go.tasks.reading import READER
    from gobench_go.video.moves import SURE
    from gobench_go.video.themes import DRAWN

    return {
        "protocol": PROTOCOL,
        "rules": {key: getattr(rules, key) for key in ("rows", "cols", "ko", "suicide", "komi")},
        "theme": THEME,
        "drawn": DRAWN,
        "reader": READER,
        "sure": SURE,
        "most_frames": MOST_FRAMES,
        "tries": tries,
        "plies": Limits().plies(rules),
        "opponent_seed": match.SEED,
    }


def _public(rules: Rules, task: str, suite: str) -> Record:
    from gobench_go.tasks import asking

    return {**asking.public(rules, task), "suite": suite, "protocol": PROTOCOL}
