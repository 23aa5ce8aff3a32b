"""KataGo as a teacher, through its analysis engine: ``katago:MODEL[@CONFIG][?visits=64&...]`` (``engines.katago_spec``).

Its answers do not repeat themselves: the same position may get another judgement tomorrow. What is to last is written
down (judged sets, journals), with ``identity``. With a profile it plays and judges as the people of that profile do:
its policy and its choice are theirs; values and leads remain those of the search.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cached_property
from types import MappingProxyType
from weakref import WeakValueDictionary

import numpy as np

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench.types import Json, Record
from gobench_go.engines.faults import EngineError
from gobench_go.engines.katago import SECONDS, KataGo
from gobench_go.engines.katago_loop import Answers
from gobench_go.engines.katago_queries import query_of, rules_record
from gobench_go.engines.katago_replies import Analysis, Policy, analysis_of, check_legal
from gobench_go.engines.katago_spec import KataGoSpec, parse
from gobench_go.engines.nets import net_name
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers.base import GameRecord, Judgement, Opening, Temperature
from gobench_go.teachers.external import drawn, self_play

ORACLE = "KataGo"
A_VISIT = 0.05  # seconds that a question may take longer for each
_VERSIONED = re.compile(r"(.+) \(KataGo ([^()]+)\)")
PEOPLE: Mapping[str, Json] = MappingProxyType({"ignorePreRootHistory": False})
"""People look at the last moves."""
PLAYING: Mapping[str, Json] = MappingProxyType({"wideRootNoise": 0.0, "rootSymmetryPruning": False})
"""Search for the best move alone; as it comes, the analysis engine also looks around."""

_engines: WeakValueDictionary[tuple[int, tuple[str, ...]], KataGo] = WeakValueDictionary()
_opening = threading.Lock()


def engine_of(spec: KataGoSpec) -> KataGo:
    """The engine that runs a command, one for all who ask in this process. Raises UsageError without ``katago``."""
    key = os.getpid(), spec.command
    with _opening:
        if (engine := _engines.get(key)) is None:
            engine = _engines[key] = KataGo(spec.command, f"KataGo with {net_name(spec.model)}")
        return engine


class KataGoTeacher:
    """See the module; nothing is started before the first question. Threads may share it."""

    external = True

    def __init__(self, spec: KataGoSpec, said: str = "") -> None:
        self.spec = spec
        self.said = said  # the version that it was named with

    @classmethod
    def of(cls, text: str) -> KataGoTeacher:
        """``katago:MODEL…``, or the same with its version. Starts nothing.

        Raises UsageError for a name that cannot be and for files and programs that are not here.
        """
        found = _VERSIONED.fullmatch(text)
        teacher = cls(parse(found[1] if found else text), found[2] if found else "")
        assert teacher.engine  # there is a program
        return teacher

    @cached_property
    def engine(self) -> KataGo:
        """Shared by all teachers of one command."""
        return engine_of(self.spec)

    @property
    def name(self) -> str:
        """``katago:g170-b6c96?visits=64 (KataGo 1.17.2)``. Starts the engine, which alone knows its version.

        Raises UsageError when it was named with another version than is here, EngineError when it does not start.
        """
        now = self.engine.facts.version
        if self.said and self.said != now:
            raise UsageError(
                f"teacher {self.spec.name!r}: {ORACLE} {self.said} is wanted, and here is {now}. Write it without the "
                "version, or install that one."
            )
        return f"{self.spec.name} ({ORACLE} {now})"

    @cached_property
    def identity(self) -> Record:
        """Who answers, as plain data without paths: name, version, net, net_sha256, visits and what else decides.

        Starts the engine. Raises EngineError where it cannot be started.
        """
        facts = self.engine.facts
        nets = [model for model in facts.models if model.get("name") == self.spec.model.name] or facts.models
        net = str(nets[0].get("internalName", "")) if nets else ""
        return {
            "name": ORACLE, "version": facts.version, "net": net or net_name(self.spec.model), "visits": self.spec.visits,
            **self.spec.files,
        }  # fmt: skip

    def judge(self, position: Position, seed: int) -> Judgement:
        """The raw network's policy, and what the search found; values and leads are NaN where it has not looked.

        Raises:
            UsageError: the game is over, or a board or komi that KataGo cannot play.
            EngineError: it broke down, or takes another view of what is legal.
        """
        return judgement(self.analysis(position, self.ask(position)), position, bool(self.spec.profile))

    def ask(
        self,
        position: Position,
        visits: int | None = None,
        *,
        policy: bool = True,
        settings: Mapping[str, Json] | None = None,
        seconds: float | None = None,
        restarts: int | None = None,
    ) -> Future[Answers]:
        """Ask about a position without waiting; ``analysis`` reads the answer."""
        if position.over:
            raise UsageError("the game is over: there is nothing to judge after two passes.")
        self.begin(position.rules)
        people = {"humanSLProfile": self.spec.profile, **PEOPLE} if self.spec.profile else {}
        count = visits or self.spec.visits
        query = query_of(position, count, policy=policy, settings={**people, **(settings or {})})
        return self.engine.submit(query, seconds or SECONDS + A_VISIT * count, restarts)

    def analysis(self, position: Position, asked: Future[Answers]) -> Analysis:
        """The answer to ``ask``, checked against the rules. Raises EngineError."""
        found = analysis_of(asked.result()[0], position.rules, self.engine.name)
        if found.policy is not None:
            check_legal(found.policy, position, self.engine.name)
        return found

    def game(
        self, rules: Rules, opening: Opening, temperature: Temperature, max_plies: int, seed: int
    ) -> GameRecord:
        """Self-play, the first plies random in the middle; see ``Teacher.game``. Not the same game twice."""
        return self_play(self._look, rules, opening, temperature, max_plies, seed)

    def play(self, position: Position, seed: int, seconds: float | None = None) -> tuple[int, Judgement]:
        """The move to play, and why: the search's first choice; with a profile, drawn as people would."""
        asked = self.ask(position, settings=PLAYING, seconds=seconds, restarts=0 if seconds else None)
        found = judgement(self.analysis(position, asked), position, bool(self.spec.profile))
        move = drawn(as_people(found), 1.0, stream(seed, "people")) if self.spec.profile else found.best
        return move, found

    def begin(self, rules: Rules) -> None:
        """Start the engine where it does not run. Raises UsageError for a board or komi that KataGo cannot play."""
        rules_record(rules)
        self.engine.users.add(self)
        self.engine.check_perspective(rules)

    def close(self) -> None:
        """End the engine, unless another teacher uses it; the next question starts it again."""
        self.engine.leave(self)

    def _look(self, position: Position, seed: int) -> Judgement:
        found = judgement(
            self.analysis(position, self.ask(position, settings=PLAYING)), position, bool(self.spec.profile)
        )
        return as_people(found) if self.spec.profile else found


def as_people(found: Judgement) -> Judgement:
    """What moves of people are drawn from: their policy. The search decides when to pass, for records of people often
    leave passes out.
    """
    policy = found.policy.copy()
    policy[-1] = 0.0
    if found.best == policy.size - 1:
        policy = np.eye(1, policy.size, found.best, dtype=np.float32)[0]
    return found._replace(policy=policy, visits=np.zeros_like(found.visits))


def judgement(found: Analysis, position: Position, people: bool) -> Judgement:
    """An analysis as any teacher's judgement; ``people`` takes policy and choice of the network that imitates them."""
    size = position.rules.points + 1
    visits, values, leads = (
        np.zeros(size, np.int32),
        np.full(size, np.nan, np.float32),
        np.full(size, np.nan, np.float32),
    )
    for move, count, value, lead in found.searched:
        visits[move], values[move], leads[move] = count, value, lead
    policy = normal(policy_of(found, people))
    best = best_of(found, people)
    return Judgement(policy.astype(np.float32), values, visits, best, found.value, leads, found.lead)


def policy_of(found: Analysis, people: bool) -> Policy:
    """The network's policy, -1 where illegal. Raises EngineError where it was not answered."""
    own = found.people if people and found.people is not None else found.policy
    if own is None:
        raise EngineError("malformed", "KataGo answered without a policy, which it was asked for.")
    return own


def best_of(found: Analysis, people: bool) -> int:
    """The search's first choice; of people, what most of them would play where the search does not pass."""
    first = found.searched[0].move if found.searched else int(np.argmax(policy_of(found, False)))
    own = policy_of(found, people)
    passes = len(own) - 1
    if not people or first == passes or not (own[:passes] > 0).any():
        return first
    return int(np.argmax(own[:passes]))


def normal(policy: Policy) -> Policy:
    """Probabilities that sum to 1, 0 where illegal."""
    kept = np.maximum(policy, 0.0)
    if not kept.any():
        kept[-1] = 1.0
    shares: Policy = kept / kept.sum()
    return shares
