"""How many processes to work with."""

from __future__ import annotations

import os

from gobench.errors import UsageError

AUTO = "auto"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(text: str) -> int:
    """A number of workers as people write it, ``auto`` is one a core. Raises UsageError for what is none."""
    if text == AUTO:
        return cores()
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise UsageError(f"--workers {text}: it is a number of processes, 1 or more, or {AUTO}.")
    return int(text)
