"""KataGo as the judge of games: what it thinks of every legal move, as a record of a file.

A search of ``visits`` of the position, and for every legal move a look of ``child_visits`` at the position after it (a
pass that ends the game is worth its score): all asked at once, answered in any order. With a profile the policy and the
best move are those of people, the values the search's. Judging again gives other numbers: a set is made once.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

from gobench.types import Json, Record
from gobench_go.engines.katago_loop import Answers
from gobench_go.engines.katago_replies import Analysis
from gobench_go.game.position import Position
from gobench_go.judged.checks import POLICY_SCALE
from gobench_go.judged.judging import ended
from gobench_go.teachers.katago import KataGoTeacher, best_of, policy_of


@dataclass(frozen=True)
class KataGoJudge:
    """A teacher ``katago:MODEL…`` and how often it looks at the position after each move."""

    teacher: KataGoTeacher
    child_visits: int
    external = True

    @cached_property
    def plan(self) -> Record:
        """Who judges, without paths. Starts the engine, which alone knows its version."""
        return {**self.teacher.identity, "child_visits": self.child_visits}

    @property
    def oracle(self) -> Record:
        """As it stands in the header of a file: name, version, net, net_sha256, visits, child_visits, profile."""
        return self.plan

    @property
    def notes(self) -> list[str]:
        """What the engine said beside its answers, for people."""
        name = self.teacher.engine.name
        return [f"{name}: {text} ({count} times)" for text, count in self.teacher.engine.notes.items()]

    def fresh(self) -> KataGoJudge:
        """Itself: it remembers nothing."""
        return self

    def close(self) -> None:
        """End the engine."""
        self.teacher.close()

    def position(self, position: Position) -> Record:
        """Ask for all, then wait for all. Raises UsageError and EngineError as ``KataGoTeacher.ask`` does."""
        root = self.teacher.ask(position)
        asked = {move: self._ask(position, position.play(move)) for move in position.legal_moves()}
        found = self.teacher.analysis(position, root)
        looks = {move: self._look(position, move, look) for move, look in asked.items()}
        return _record(found, looks, position.rules.points + 1, bool(self.teacher.spec.profile))

    def _ask(self, position: Position, after: Position) -> Future[Answers] | list[Json]:
        if after.over:
            return ended(after, position.to_move)
        return self.teacher.ask(after, self.child_visits, policy=False)

    def _look(self, position: Position, move: int, asked: Future[Answers] | list[Json]) -> list[Json]:
        """Value and lead for the mover."""
        if isinstance(asked, list):
            return asked
        child = self.teacher.analysis(position.play(move), asked)
        return [round(1.0 - child.value, 4) + 0.0, round(-child.lead, 2) + 0.0]


def _record(found: Analysis, looks: dict[int, list[Json]], size: int, people: bool) -> Record:
    policy = [round(p * POLICY_SCALE) if p >= 0 else -1 for p in policy_of(found, people).tolist()]
    search = {
        str(s.move): [s.visits, round(s.value, 4), round(s.lead, 2) + 0.0] for s in found.searched if s.visits
    }
    return {
        "policy": policy,
        "winrate": round(found.value, 4),
        "lead": round(found.lead, 2) + 0.0,
        "search": search,
        "best": best_of(found, people),
        "child_value": [looks[move][0] if move in looks else None for move in range(size)],
        "child_lead": [looks[move][1] if move in looks else None for move in range(size)],
    }
