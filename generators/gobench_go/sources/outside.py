"""Teachers that are programs of others: how a source asks them, and under what name they stand in what is stored.

What breaks down is started again and asked again; what cannot be answered costs the game, which is rejected, counted
and listed; what goes on breaking down ends the build, which keeps the answers that it has.
"""

from __future__ import annotations

import math
import re
import shlex
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from gobench.errors import DataError, StoppedError
from gobench.types import Json, Record, Rejection
from gobench_go.engines.commands import bare, public_line
from gobench_go.engines.faults import FAULTS, EngineError, Fault
from gobench_go.game.sgf_text import clean
from gobench_go.sources.record import rounded
from gobench_go.teachers import Teacher, teacher

TRIES = 3
REJECTED: tuple[Fault, ...] = ("malformed", "refused")
"""Faults that speak of a game rather than of the engine's health: after so many tries the game goes."""
REASONS: Mapping[str, str] = {f"teacher-{fault}": f"of the teacher: {FAULTS[fault]}" for fault in REJECTED}
"""Why a game is rejected for what its teacher did."""
MOST_DETAIL = 200
_FOLDERS = re.compile(r"[^\s=@:?&,'\"(]*/(?!/)")
_NO_ANSWER = re.compile(r"(?<=[?&])threads=[^&]*&?")


def public(text: str) -> str:
    """A teacher's name as it is stored: without folders of this machine, and without what changes no answer.

    ``gtp:'/home/me/my engine' --config /etc/x.cfg`` is ``gtp:'my engine' --config x.cfg``.
    """
    kind, colon, rest = text.partition(":")
    if kind == "gtp":
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        return kind + colon + public_line(words)
    return _NO_ANSWER.sub("", bare(text)).rstrip("?&")


def label(player: Teacher) -> str:
    """Who answers, as it stands in records; starts an external program, which says who it is.

    ``gnugo:10 (GNU Go 3.8)``, ``katago:g170-b6c96?visits=64 (KataGo 1.16.0, net 1a2b3c4d5e6f)``.
    """
    net = getattr(player, "identity", {}).get("net_sha256", "")[:12]
    if not net:
        return player.name
    return (
        f"{player.name.removesuffix(')')}, net {net})"
        if player.name.endswith(")")
        else f"{player.name} (net {net})"
    )


class Crew:
    """The players of one name in this process, one for each thread; those of a KataGo share its program."""

    def __init__(self, text: str) -> None:
        self.text, self.closed = text, False
        self._own, self._all = threading.local(), list[Teacher]()

    def player(self) -> Teacher:
        """That of this thread. Raises UsageError where there is no such teacher, StoppedError after ``close``."""
        if self.closed:
            raise StoppedError("stopped: nobody is asked any more.")
        if not hasattr(self._own, "player"):
            self._own.player = teacher(self.text)
            self._all.append(self._own.player)
        return cast(Teacher, self._own.player)

    def close(self) -> None:
        """End their programs, also while they are asked; may be called again."""
        self.closed = True
        for player in list(self._all):
            getattr(player, "close", lambda: None)()


_crews: dict[str, Crew] = {}
_hiring = threading.Lock()


def crew(text: str) -> Crew:
    """The players of a name; new ones after they were dismissed."""
    with _hiring:
        found = _crews.get(text)
        if found is None or found.closed:
            found = _crews[text] = Crew(text)
        return found


def dismiss(text: str) -> None:
    """End what the players of a name have started in this process."""
    if text in _crews:
        _crews[text].close()


def answered(text: str, ask: Callable[[Teacher], Record]) -> Record:
    """What a teacher says, as plain data: ``by`` and what ``ask`` finds, or ``by``, ``fault`` and ``detail``.

    Raises:
        UsageError: there is no such teacher here.
        EngineError: it crashed or was late, ``TRIES`` times.
    """
    players, by = crew(text), ""
    for left in reversed(range(TRIES)):
        try:
            player = players.player()
            by = by or label(player)
            return {"by": by, **ask(player)}
        except EngineError as error:
            if by and error.fault in REJECTED and (error.fault == "refused" or not left):
                return {"by": by, "fault": error.fault, "detail": shown(str(error))}
            if not left:
                raise
    raise AssertionError("every try returns or raises")


def shown(message: str) -> str:
    """The first line of an error, without folders of this machine."""
    return clean(_FOLDERS.sub("", message.partition("\n")[0]), MOST_DETAIL)


def rejection(origin: str, answer: Mapping[str, Json]) -> Rejection:
    """The rejection of a game for an answer with a ``fault``."""
    return Rejection(origin, f"teacher-{answer['fault']}", answer["detail"])


def known(values: Iterable[float]) -> list[float]:
    """Values as they are stored, or none where the teacher does not know all of them."""
    every = [float(value) for value in values]
    return rounded(every) if all(map(math.isfinite, every)) else []


def checked(answer: Json, origin: str, keys: tuple[str, ...]) -> Record:
    """An answer that has a fault, or these keys. Raises DataError."""
    if isinstance(answer, dict) and "by" in answer:
        if {"fault", "detail"} <= answer.keys() and f"teacher-{answer['fault']}" in REASONS:
            return answer
        if all(isinstance(answer.get(key), list) for key in keys):
            return answer
    raise DataError(f"{origin}: the journal holds no answer of a teacher for it. Was it edited?")
