"""The option ``--workers`` of the room's commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def workers_option(words: str) -> Callable[[Command], Command]:
    """``--workers N|auto`` as a whole number."""
    return click.option(
        "--workers", default="auto", show_default=True, metavar="N", callback=count_workers, help=words
    )


def count_workers(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """``auto`` is one a core that this process may use."""
    if value == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is not a number of processes: give 1 or more, or auto.")
    return int(value)
