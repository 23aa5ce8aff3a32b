"""Judging games: what a judge thinks of every legal move of a position, as a record of a file.

``Judge`` is an embedded teacher (``katago_judge`` is KataGo). The search of the position gives visits, values and leads;
a legal move that it looked at too seldom gets a search of its own, of the position after it. A judgement is a pure
function of (judge, position with its history): it does not depend on the game, the ply or on who else is judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from gobench.errors import UsageError
from gobench.seeds import seed64
from gobench.types import Json, Record
from gobench_go.game.position import BLACK, Position
from gobench_go.game.rules import Rules
from gobench_go.judged.cache import Cache, cache_key, position_key
from gobench_go.judged.checks import POLICY_SCALE
from gobench_go.judged.sets import sure_visits

if TYPE_CHECKING:
    from gobench_go.teachers import Judgement

REMEMBERED = 8  # positions of so many plies at most are likely to come again in other games
MOST_REMEMBERED = 2000  # positions, some 30 kB each


@dataclass(frozen=True)
class Game:
    """A game to be judged. ``setup`` is empty or R*C characters of ``.XO``; ``opening`` plies were drawn."""

    moves: tuple[int, ...]
    colors: tuple[int, ...]
    setup: str = ""
    opening: int = 0
    origin: str = ""


class AnyJudge(Protocol):
    """Who judges. Judging a position twice gives the same, or what is as good."""

    @property
    def external(self) -> bool:
        """Whether a program of others judges: one for all threads of this process, instead of one for each process."""
        ...

    @property
    def plan(self) -> Record:
        """All that decides its judgements; an interrupted run goes on only with the same."""
        ...

    @property
    def oracle(self) -> Record:
        """As it stands in the header of a file, beside the rules."""
        ...

    def position(self, position: Position) -> Record:
        """One position of a file, which is not over."""
        ...

    def fresh(self) -> AnyJudge:
        """The same without what it remembers, to be sent to other processes."""
        ...

    def close(self) -> None:
        """End what it has started."""
        ...


@dataclass(frozen=True)
class Cached:
    """A judge whose judgements are kept on disk, and asked for once."""

    judge: AnyJudge
    cache: Cache

    @classmethod
    def of(cls, judge: AnyJudge) -> Cached:
        """With the cache of this user."""
        return cls(judge, Cache.of(judge.plan))

    @property
    def external(self) -> bool:
        return self.judge.external

    @property
    def plan(self) -> Record:
        return self.judge.plan

    @property
    def oracle(self) -> Record:
        return self.judge.oracle

    def position(self, position: Position) -> Record:
        """From the cache, or made now and kept."""
        if (known := self.cache.get(position)) is not None:
            return known
        record = self.judge.position(position)
        self.cache.put(position, record)
        return record

    def fresh(self) -> Cached:
        return replace(self, judge=self.judge.fresh())

    def close(self) -> None:
        self.judge.close()


@dataclass(frozen=True)
class Judge:
    """A teacher ``mcts:VISITS`` and how it looks at what it would not search: ``child_visits`` a move."""

    teacher: str
    child_visits: int
    seed: int
    _seen: dict[str, Record] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, teacher: str, child_visits: int, seed: int) -> Judge:
        """Checked and with the teacher's full name. Raises UsageError for one that gives no values."""
        from gobench_go.teachers import teacher as named

        if ":" not in (name := named(teacher).name):
            raise UsageError(
                f"teacher {teacher!r} says nothing about values: judge with mcts:VISITS, or with katago:MODEL."
            )
        named(_with_visits(name, child_visits))
        return cls(name, child_visits, seed)

    external = False

    @property
    def plan(self) -> Record:
        """The arguments of ``of``."""
        return {"teacher": self.teacher, "child_visits": self.child_visits, "seed": self.seed}

    def fresh(self) -> Judge:
        """Without its memory."""
        return replace(self, _seen={})

    def close(self) -> None:
        """It has started nothing."""

    @property
    def oracle(self) -> Record:
        """As it stands in the header of a file."""
        kind, visits = self.teacher.split(":")
        name, version = kind.split("@")
        return {
            "name": name,
            "version": version,
            "visits": int(visits),
            "child_visits": self.child_visits,
            "seed": self.seed,
        }

    def position(self, position: Position) -> Record:
        """One position of a file."""
        key = cache_key(position)
        if (known := self._seen.get(key)) is not None:
            return known
        record = self._judged(position, seed64(self.seed, "judge", position_key(position)))
        if position.plies <= REMEMBERED and len(self._seen) < MOST_REMEMBERED:
            self._seen[key] = record
        return record

    def _judged(self, position: Position, seed: int) -> Record:
        from gobench_go.teachers import shared

        found = shared(self.teacher).judge(position, seed)
        legal = position.legal_moves()
        looks = {move: self._look(position, move, found, seed) for move in legal}
        every = range(position.rules.points + 1)
        policy = [round(float(found.policy[move]) * POLICY_SCALE) if move in looks else -1 for move in every]
        return {
            "policy": policy,
            "winrate": round(found.value, 4),
            "lead": round(found.lead, 2) + 0.0,
            "search": {str(move): _searched(found, move) for move in legal if found.visits[move] > 0},
            "best": found.best,
            "child_value": [looks[move][0] if move in looks else None for move in every],
            "child_lead": [looks[move][1] if move in looks else None for move in every],
        }

    def _look(self, position: Position, move: int, found: Judgement, seed: int) -> list[Json]:
        """Value and lead for the mover after ``move``, of a search of its own where the large one had too little."""
        from gobench_go.teachers import shared

        if found.visits[move] >= sure_visits(self.oracle):
            return _searched(found, move)[1:]
        after = position.play(move)
        if after.over:
            return ended(after, position.to_move)
        teacher = shared(_with_visits(self.teacher, self.child_visits))
        child = teacher.judge(after, seed64(seed, move))
        return [round(1.0 - child.value, 4) + 0.0, round(-child.lead, 2) + 0.0]


def judged_game(game: Game, rules: Rules, judge: AnyJudge, number: int) -> Record:
    """Judge the position before every move of a game; the record of a file."""
    position, positions = _start(game, rules), list[Record]()
    for move, color in zip(game.moves, game.colors, strict=True):
        position = position if position.to_move == color else position.turned(color)
        positions.append(judge.position(position))
        position = position.play(move, color)
    return {
        "id": f"g{number:03d}",
        "setup": game.setup,
        "opening": min(game.opening, len(game.moves)),
        "moves": list(game.moves),
        "colors": list(game.colors),
        "lead": _last_lead(position, judge),
        "origin": game.origin,
        "positions": positions,
    }


def _start(game: Game, rules: Rules) -> Position:
    first = game.colors[0] if game.colors else BLACK
    return Position.of_text(rules, game.setup or "." * rules.points, first)


def _last_lead(position: Position, judge: AnyJudge) -> float:
    """Black's lead at the end: the score of a finished game, else what the judge thinks."""
    if position.over:
        return position.score()
    lead: float = judge.position(position)["lead"]
    return lead if position.to_move == BLACK else -lead + 0.0


def _searched(found: Judgement, move: int) -> list[Json]:
    value, lead = float(found.values[move]), float(found.leads[move])
    assert math.isfinite(value) and math.isfinite(lead)
    return [int(found.visits[move]), round(value, 4), round(lead, 2) + 0.0]


def ended(after: Position, mover: int) -> list[Json]:
    """Value and lead for ``mover`` of a pass that has ended the game."""
    lead = after.score() if mover == BLACK else -after.score()
    return [0.5 if lead == 0 else float(lead > 0), lead + 0.0]


def _with_visits(teacher: str, visits: int) -> str:
    return f"{teacher.split(':')[0]}:{visits}"
