"""A client of KataGo's analysis engine: one process, any number of threads that ask, answers in any order.

    engine = KataGo(spec.command, "KataGo")
    found = engine.submit(query_of(position, 64)).result()

See ``katago_loop`` for what happens when the engine misbehaves.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from weakref import WeakSet

from gobench.types import Json
from gobench_go.engines.faults import EngineError
from gobench_go.engines.katago_loop import RESTARTS, Answers, Facts, Loop
from gobench_go.engines.katago_queries import Query, probe_of
from gobench_go.game.rules import Rules

START = 900.0  # seconds until the first answer: OpenCL tunes itself when it runs for the first time
SECONDS = 300.0  # without an answer to this or an earlier question


class KataGo:
    """The handle. Starts the process with the first question; ``close`` or forgetting it ends the process."""

    def __init__(
        self,
        command: Sequence[str],
        name: str = "KataGo",
        *,
        start: float = START,
        seconds: float = SECONDS,
        restarts: int = RESTARTS,
    ) -> None:
        self.name = name
        self.seconds, self.restarts = seconds, restarts
        self._loop = Loop(tuple(command), name, start)
        self._close = weakref.finalize(self, self._loop.close)
        self.users: WeakSet[object] = WeakSet()  # who would miss it
        self._probing = threading.Lock()
        self._probed: set[tuple[int, int]] = set()

    @property
    def facts(self) -> Facts:
        """Starts the engine where that has not been done. Raises EngineError where it cannot be."""
        return self._loop.facts_of_it()

    @property
    def notes(self) -> Counter[str]:
        """What it said beside answers, and how often: warnings, errors that name no question, lines that mean nothing."""
        return self._loop.notes.copy()

    @property
    def starts(self) -> int:
        """How many processes there have been."""
        return self._loop.process

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        child = self._loop.child
        return child.pid if child else None

    def submit(
        self, query: Query, seconds: float | None = None, restarts: int | None = None
    ) -> Future[Answers]:
        """Ask; the future gives one answer a turn in the order of ``query.turns``, or raises EngineError.

        Args:
            seconds: without an answer to this or an earlier question until it is late.
            restarts: how often it may be asked again of a new process.
        """
        patience = self.seconds if seconds is None else seconds
        again = self.restarts if restarts is None else restarts
        return self._loop.submit(query, patience, again)

    def check_perspective(self, rules: Rules) -> None:
        """Make sure that values speak for the side to move, once for each size of board.

        Raises EngineError ("malformed") where they do not.
        """
        with self._probing:
            if (size := (rules.rows, rules.cols)) in self._probed:
                return
            white, black = (
                found["rootInfo"].get("winrate") for found in self.submit(probe_of(rules)).result()
            )
            if not (_is_chance(white) and _is_chance(black) and white < 0.5 < black):
                raise EngineError(
                    "malformed",
                    f"{self.name} gives White to move a chance of {white} and Black to move of {black} on a board that is "
                    "all Black's: its values do not speak for the side to move. Is reportAnalysisWinratesAs taken from "
                    "-override-config? Use an unchanged KataGo.",
                )
            self._probed.add(size)

    def leave(self, user: object) -> None:
        """Close it unless somebody else uses it."""
        self.users.discard(user)
        if not self.users:
            self.close()

    def close(self) -> None:
        """End the process; what is open fails. It may be asked again, and then starts anew."""
        self._loop.close()


def _is_chance(value: Json) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1
