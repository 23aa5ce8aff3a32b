"""Opponents of the match tasks as tables: who plays, how often, and where they are to be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gobench.errors import GobenchError
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.player import Player
from gobench_go.engines.nets import HUMAN


@dataclass(frozen=True, slots=True)
class Rung:
    """An opponent, and how many games it plays: an even number, each opening in both colours."""

    slug: str  # in the samples' names
    player: str  # as ``open_player`` takes it
    games: int = 20
    shown: str = ""  # in tables, where that is not ``player``

    @property
    def name(self) -> str:
        """As it stands in results."""
        return self.shown or self.player


@dataclass(frozen=True, slots=True)
class Ladder:
    """The opponents of one task."""

    about: str
    rungs: tuple[Rung, ...]
    embedded: bool = True  # they play the same moves for the same seeds everywhere, and are always here


def _embedded(*players: str, games: int = 20) -> tuple[Rung, ...]:
    return tuple(Rung(player.replace(":", "-"), player, games) for player in players)


def _people(*ranks: str) -> tuple[Rung, ...]:
    text = "katago:{}?visits=1&profile=rank_{}"
    return tuple(Rung(f"katago-{rank}", text.format(HUMAN, rank), shown=f"katago:{rank}") for rank in ranks)


LADDERS: Mapping[str, Ladder] = {
    "go9/match": Ladder(
        "from any legal stone to a search of 5,000 simulations, in steps of 200 to 500 Elo",
        _embedded(
            *("clumsy:0", "clumsy:30", "random", "mixed:35", "mixed:70"),
            *("mcts:1", "mcts:50", "mcts:200", "mcts:1000", "mcts:5000"),
        ),
    ),
    "go9/match-gnugo": Ladder(
        "GNU Go, the fastest and the strongest level", _embedded("gnugo:1", "gnugo:10"), embedded=False
    ),
    "go9/match-katago": Ladder(
        "KataGo imitating people of a rank, one look a move",
        _people("15k", "5k", "1k", "3d", "9d"),
        embedded=False,
    ),
    "go5/match": Ladder(
        "a quick look on 5x5", _embedded("clumsy:0", "random", "mixed:50", "mcts:1", "mcts:20", "mcts:200")
    ),
}
"""Task -> its opponents, the weakest first."""


def open_rung(rung: Rung) -> Player:
    """The opponent; nothing is started. Raises UsageError if it is not to be had here."""
    return open_player(rung.player, Conditions())


def missing(ladder: Ladder) -> str:
    """Why an opponent is not here, in a line; "" if all are."""
    for rung in ladder.rungs if not ladder.embedded else ():
        try:
            open_rung(rung).close()
        except GobenchError as error:
            return f"its opponent {rung.name} is not here: {error}"
    return ""
