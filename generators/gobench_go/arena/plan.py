"""What a match is: who plays whom, by which rules, from which openings, with which seeds; all games listed before any."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gobench.errors import UsageError
from gobench.seeds import seed64, stream
from gobench.types import Record
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.openings import Openings
from gobench_go.arena.referee import Fixture, Limits
from gobench_go.arena.sprt import Sprt
from gobench_go.game.rules import Rules

MATCH_FORMAT = 1
LABEL = re.compile(r"(\w[\w .+#-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A player of a match."""

    name: str  # its own in the match
    text: str  # what ``open_player`` takes
    identity: Record


@dataclass(frozen=True)
class Plan:
    """A match. Everything but the texts of the players stands in ``plan.json``."""

    entries: tuple[Entry, ...]
    rules: Rules
    openings: Openings
    games: int = 20  # of each pairing; even, for each opening is played in both colours
    seed: int = 0
    conditions: Conditions = field(default_factory=Conditions)
    limits: Limits = field(default_factory=Limits)
    gauntlet: bool = False  # only the first player against each other one
    sprt: Sprt | None = None

    def __post_init__(self) -> None:
        if len(self.entries) < 2:
            raise UsageError(f"a match has two players or more, not {len(self.entries)}.")
        if self.games < 2 or self.games % 2:
            raise UsageError(
                f"{self.games} games a pairing: give an even number of at least 2, each opening is played in both colours."
            )
        if self.sprt is not None and len(self.entries) != 2:
            raise UsageError(f"--sprt compares two players, not {len(self.entries)}.")

    @property
    def pairings(self) -> list[tuple[str, str]]:
        """Who plays whom, the first named in the order given."""
        names = [entry.name for entry in self.entries]
        if self.gauntlet:
            return [(names[0], name) for name in names[1:]]
        return list(itertools.combinations(names, 2))

    @property
    def fixtures(self) -> list[Fixture]:
        """All games. Two in a row are a pair; each round has a pair of every pairing, so that an unfinished match is
        balanced. What a pair is does not depend on who else plays.
        """
        order = stream(self.seed, "openings").permutation(len(self.openings.lines)).tolist()
        found: list[Fixture] = []
        for number in range(self.games // 2):
            turn, place = divmod(number, len(order))
            for first, second in self.pairings:
                pair = f"{first}/{second}/o{order[place]:03d}" + (f"#{turn + 1}" if turn else "")
                line = self.openings.lines[order[place]]
                for black, white in ((first, second), (second, first)):
                    found.append(self._fixture(len(found), pair, black, white, line))
        return found

    def _fixture(self, number: int, pair: str, black: str, white: str, line: tuple[int, ...]) -> Fixture:
        root = seed64(self.seed, "game", pair, black)
        return Fixture(
            f"g{number:05d}", pair, black, white, line, (seed64(root, "black"), seed64(root, "white"))
        )

    @property
    def record(self) -> Record:
        """As in ``plan.json``: equal for equal matches, whatever the players are called on this machine."""
        rules = self.rules
        return {
            "format": MATCH_FORMAT,
            "players": [{"as": entry.name, **entry.identity} for entry in self.entries],
            "rules": {key: getattr(rules, key) for key in ("name", "rows", "cols", "ko", "suicide", "komi")},
            "openings": self.openings.record,
            "games": self.games,
            "seed": self.seed,
            "conditions": asdict(self.conditions),
            "max_plies": self.limits.plies(rules),
            "replays": self.limits.replays,
            "gauntlet": self.gauntlet,
            "sprt": asdict(self.sprt) if self.sprt else {},
        }


def enter(texts: Sequence[str], conditions: Conditions) -> tuple[Entry, ...]:
    """The players of a match, each with a name of its own: ``mcts:50`` and ``mcts:50#2``, or one that is given before
    ``=``: ``old=runs/model.pt``.

    Raises UsageError as ``open_player`` does.
    """
    found = list[Entry]()
    for given in texts:
        label, text = _labelled(given)
        player = open_player(text, conditions)
        try:
            name, identity = label or player.name, player.identity
        finally:
            player.close()
        found.append(Entry(_free(name, [entry.name for entry in found]), text, identity))
    return tuple(found)


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, with the first number behind it that is not taken where it is itself."""
    every = itertools.chain([name], (f"{name}#{number}" for number in itertools.count(2)))
    return next(each for each in every if each not in taken)


def _labelled(given: str) -> tuple[str, str]:
    """``NAME=PLAYER`` in its two parts; the first is empty without one, also where a file is called so."""
    parts = LABEL.fullmatch(given)
    return (parts[1], parts[2]) if parts and not Path(given).exists() else ("", given)
