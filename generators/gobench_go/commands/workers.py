"""The option ``--workers`` of the room's commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gobench.workers import worker_count

Command = TypeVar("Command", bound=Callable[..., Any])


def workers_option(words: str) -> Callable[[Command], Command]:
    """``--workers N|auto`` as a whole number."""
    return click.option(
        "--workers",
        default="auto",
        show_default=True,
        metavar="N",
        help=words,
        callback=lambda ctx, param, value: worker_count(value),
    )
