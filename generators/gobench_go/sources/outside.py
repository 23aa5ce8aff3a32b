"""Teachers that are programs of others: how a source asks them, and under what name they stand in what is stored.

What breaks down is started again and asked again; what cannot be answered costs the game, which is rejected, counted
and listed; what goes on breaking down ends the build, which keeps the answers that it has.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from gobench.errors import DataError
from gobench.types import Json, Record, Rejection
from gobench_go.engines.faults import FAULTS, EngineError, Fault
from gobench_go.game.sgf_text import clean
from gobench_go.sources.record import rounded
from gobench_go.teachers import Teacher, shared

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

    ``gtp:'/home/me/my engine' --config /etc/x.cfg`` is ``gtp:my engine --config x.cfg``.
    """
    kind, colon, rest = text.partition(":")
    if kind == "gtp":
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        return kind + colon + " ".join(_bare(word) for word in words)
    return _NO_ANSWER.sub("", _bare(text)).rstrip("?&")


def _bare(word: str) -> str:
    """A word without folders, also behind ``=`` and ``@``."""
    return "".join(part.rpartition("/")[2] for part in re.split(r"([=@:?&])", word))


def label(player: Teacher) -> str:
    """Who answers, as it stands in records; starts an external program, which says who it is.

    ``gnugo:10 (GNU Go 3.8)``, ``katago:g170-b6c96?visits=64 (KataGo 1.16.0, net 1a2b3c4d5e6f)``.
    """
    name = player.name
    identity = getattr(player, "identity", {})
    if "net_sha256" not in identity:
        return name
    return f"{name} ({identity['name']} {identity['version']}, net {identity['net_sha256'][:12]})"


def answered(text: str, ask: Callable[[Teacher], Record]) -> Record:
    """What a teacher says, as plain data: ``by`` and what ``ask`` finds, or ``by``, ``fault`` and ``detail``.

    Raises:
        UsageError: there is no such teacher here.
        EngineError: it crashed or was late, ``TRIES`` times.
    """
    player, by = shared(text), ""
    for left in reversed(range(TRIES)):
        try:
            by = by or label(player)
            return {"by": by, **ask(player)}
        except EngineError as error:
            if by and error.fault in REJECTED and (error.fault == "refused" or not left):
                return {"by": by, "fault": error.fault, "detail": shown(str(error))}
            if not left:
                raise
            getattr(player, "close", lambda: None)()
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
