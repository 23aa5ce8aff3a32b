"""One string -> a player.

===========================  ==================================================================================
``random``, ``mcts:200``     an embedded teacher
``mixed:25``, ``clumsy:25``  weak players between those and below: ``gobench_go.arena.mixed``
``gnugo:10``, ``pachi:5000`` an engine of the table of presets (``gobench_go.engines.presets``)
``gtp:COMMAND``              any program that speaks GTP: ``gtp:"gnugo --mode gtp --level 3"``
``katago:MODEL[@CONFIG]``    KataGo's analysis engine with a network
anything else                a video model, as ``gobench.models.load`` names them
===========================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from gobench.errors import UsageError
from gobench_go.arena.player import Player

SECONDS = 60.0  # that a player may think about one move
TRIES = 10  # how often a model is asked for a legal move, as in the protocol "standard"


@dataclass(frozen=True, slots=True)
class Conditions:
    """How players are asked: part of a match's plan."""

    seconds: float = SECONDS  # that an engine or a model may take for one move
    tries: int = TRIES  # of a model, until its first legal move
    device: str = "cpu"  # where torch models run
    dtype: str = "float32"


def open_player(text: str, conditions: Conditions | None = None) -> Player:
    """The player of a name; nothing is started before ``begin``.

    Raises:
        UsageError: a name that cannot be, or an engine or network that is not here; says how to get it.
    """
    given = conditions or Conditions()
    head = text.partition(":")[0].partition("@")[0]
    return KINDS.get(head, _preset_or_model)(text, given)


def _teacher(text: str, conditions: Conditions) -> Player:
    from gobench_go.arena.embedded import EmbeddedPlayer

    return EmbeddedPlayer.of(text)


def _mixed(text: str, conditions: Conditions) -> Player:
    from gobench_go.arena.mixed import MixedPlayer

    return MixedPlayer.of(text)


def _gtp(text: str, conditions: Conditions) -> Player:
    from gobench_go.arena.engine_player import GtpPlayer

    return GtpPlayer.of(text, conditions)


def _katago(text: str, conditions: Conditions) -> Player:
    from gobench_go.arena.katago_player import KataGoPlayer

    return KataGoPlayer.of(text, conditions)


def _preset_or_model(text: str, conditions: Conditions) -> Player:
    from gobench_go.engines.presets import PRESETS

    head, _, argument = text.partition(":")
    if head in PRESETS:
        return _gtp(text, conditions)
    from gobench import registry
    from gobench_go.arena.model_player import ModelPlayer

    models = registry.installed("models")
    if head not in models and not _place(text):
        _refuse_misspelt(head, argument, [*KINDS, *PRESETS, *models])
    return ModelPlayer.of(text, conditions)


def _refuse_misspelt(head: str, argument: str, known: Sequence[str]) -> None:
    """Raise UsageError for what is more likely a player's name than ``package.module:Class``."""
    near = get_close_matches(head, known, n=1)
    may_be_a_class = bool(argument) and not argument.isdigit()
    if may_be_a_class and (head == "cmd" or not near or _module(head)):
        return
    name = head.rstrip("0123456789")
    if (digits := head[len(name) :]) and name in known:
        raise UsageError(f"unknown player {head!r}. Did you mean '{name}:{digits}'? {_others(known)}")
    meant = f" Did you mean '{near[0]}{argument and f':{argument}'}'?" if near else ""
    raise UsageError(f"unknown player {head!r}.{meant} {_others(known)}")


def _others(known: Sequence[str]) -> str:
    return (
        f"Known: {', '.join(sorted(known))}. A model of your own is a file, package.module:Class, path/to/file.py:Class "
        "or cmd:PROGRAM."
    )


def _module(name: str) -> bool:
    """Whether there is a module of that name, installed or here."""
    here = Path(name).exists() or Path(f"{name}.py").exists()
    return here or (name.isidentifier() and find_spec(name) is not None)


def _place(text: str) -> bool:
    """Whether a text means a file."""
    return "/" in text or "." in text or Path(text).exists()


KINDS: Mapping[str, Callable[[str, Conditions], Player]] = {
    "random": _teacher,
    "mcts": _teacher,
    "mixed": _mixed,
    "clumsy": _mixed,
    "gtp": _gtp,
    "katago": _katago,
}
