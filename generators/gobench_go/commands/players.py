"""The options that say how players are asked, for every command that has players."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gobench_go.arena.names import Conditions

Command = TypeVar("Command", bound=Callable[..., Any])
DTYPES = ("float32", "bfloat16", "float16")

OPTIONS = (
    click.option("--tries", type=click.IntRange(1, 1000), default=10, show_default=True, metavar="N",
                 help="Answers of a model until its first legal move."),
    click.option("--seconds", type=float, default=60.0, show_default=True, metavar="S",
                 help="That an engine or a model may take for a move."),
    click.option("--device", default="cpu", show_default=True, metavar="NAME", help="Where torch models run."),
    click.option("--dtype", type=click.Choice(DTYPES), default=DTYPES[0], show_default=True,
                 help="Of torch models' numbers."),
)  # fmt: skip


def player_options(command: Command) -> Command:
    """``--tries``, ``--seconds``, ``--device`` and ``--dtype``; ``conditions`` takes them."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def conditions(flags: Mapping[str, Any]) -> Conditions:
    """How players are asked. Raises UsageError for seconds that cannot be."""
    from gobench.models.deadline import check_timeout
    from gobench_go.arena.names import Conditions

    return Conditions(check_timeout(flags["seconds"]), flags["tries"], flags["device"], flags["dtype"])
