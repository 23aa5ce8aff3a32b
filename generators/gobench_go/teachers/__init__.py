"""Players that judge positions and make games.

=============================  ============================================================================="""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from gobench.errors import UsageError, unknown
from gobench_go.engines.presets import PRESETS
from gobench_go.teachers import mcts, random_teacher
from gobench_go.teachers.base import GameRecord, Judgement, Teacher

__all__ = ["GameRecord", "Judgement", "Teacher", "is_external", "shared", "teacher", "warm"]


def _random(text: str, argument: str) -> Teacher:
    if argument:
        raise UsageError(f"teacher {text!r}: random takes no number; write 'random'.")
    return random_teacher.RandomTeacher()


def _mcts(text: str, argument: str) -> Teacher:
    if not (argument.isascii() and argument.isdigit() and 1 <= int(argument[:9]) <= mcts.MOST_VISITS):
        most = mcts.MOST_VISITS
        raise UsageError(f"teacher {text!r}: write mcts:VISITS with 1 to {most} visits, such as 'mcts:50'.")
    return mcts.MctsTeacher(int(argument))


_TEACHERS: Mapping[str, tuple[int, Callable[[str, str], Teacher]]] = {
    "random": (random_teacher.VERSION, _random),
    "mcts": (mcts.VERSION, _mcts),
}


def _gtp(text: str) -> Teacher:
    from gobench_go.teachers.gtp import GtpTeacher

    return GtpTeacher.of(text)


def _katago(text: str) -> Teacher:
    from gobench_go.teachers.katago import KataGoTeacher

    return KataGoTeacher.of(text)


_EXTERNAL: Mapping[str, Callable[[str], Teacher]] = {
    "katago": _katago,
    "gtp": _gtp,
    **dict.fromkeys(PRESETS, _gtp),
}
_WRITTEN = ("random", "mcts:VISITS", "katago:MODEL", "gtp:COMMAND", *(f"{name}:…" for name in PRESETS))


def teacher(text: str) -> Teacher:
    """The teacher of a name.

    Raises UsageError for an unknown one, a bad number, another version, or an engine or network that is not here. An
    external teacher starts its program when it is first asked for its name or an answer.
    """
    head, _, argument = text.partition(":")
    if head in _EXTERNAL:
        return _EXTERNAL[head](text)
    kind, at, version = head.partition("@")
    if kind not in _TEACHERS:
        raise unknown("teacher", text, _WRITTEN)
    current, make = _TEACHERS[kind]
    if at and version != str(current):
        raise UsageError(f"teacher {text!r}: this is version {current} of {kind}; write {kind}@{current}.")
    return make(text, argument)


def is_external(text: str) -> bool:
    """Whether a name means a program of others, by how it is written: nothing has to be here."""
    return text.partition(":")[0] in _EXTERNAL


@lru_cache(maxsize=16)
def shared(text: str) -> Teacher:
    """The same, but one for each name in a process: a search keeps its memory between games."""
    return teacher(text)


def warm() -> None:
    """Compile (or load from numba's cache) all that teachers use; call once before workers start."""
    from gobench_go.game import kernels
    from gobench_go.game.position import Position
    from gobench_go.game.rules import Rules

    rules, searcher = Rules(3, 3), teacher("mcts:2")
    kernels.warm()
    searcher.game(rules, 1, [(8, 1.0)], 4, 1)
    searcher.judge(Position.start(rules), 1)
