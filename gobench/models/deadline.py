"""Run calls in one daemon thread and give up on those that take too long.

One thread a model, not one a call: torch keeps a pool of workers for every thread that calls it.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from gobench.errors import UsageError

LONGEST = 604_800.0  # seconds: a week; clocks of threads overflow far beyond


def check_timeout(seconds: float) -> float:
    """The same number; raises UsageError for what is no time to wait."""
    if not 0 < seconds <= LONGEST:  # NaN is neither
        raise UsageError(
            f"a timeout of {seconds:g} s cannot be: give seconds above 0 and at most {LONGEST:,.0f} (a week)."
        )
    return seconds


class LateError(Exception):
    """The call did not come back in time."""


class LostError(Exception):
    """An earlier call never came back, so nothing can be called any more."""


class Caller:
    """Calls functions one after another in a thread of its own."""

    def __init__(self) -> None:
        self.lost = False  # a call never came back
        self._pid = 0
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[tuple[bool, Any]]]]

    def call(self, job: Callable[[], Any], seconds: float) -> Any:
        """The job's value, or its exception.

        Raises:
            LateError: it took longer than ``seconds``; the thread is left to itself.
            LostError: that has happened before.
        """
        if self.lost:
            raise LostError
        self._start()
        answer: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self._jobs.put((job, answer))
        try:
            well, value = answer.get(timeout=seconds)
        except queue.Empty:
            self.lost = True
            raise LateError from None
        if well:
            return value
        raise value

    def _start(self) -> None:
        if self._pid == os.getpid():  # a fork leaves threads behind
            return
        self._pid = os.getpid()
        self._jobs = queue.SimpleQueue()
        threading.Thread(target=_serve, args=(self._jobs,), name="gobench-model", daemon=True).start()


def _serve(jobs: queue.SimpleQueue[Any]) -> None:
    while True:
        job, answer = jobs.get()
        try:
            answer.put((True, job()))
        except BaseException as error:  # sys.exit() in a model must not end the thread in silence
            answer.put((False, error))
        del job, answer  # else the last frames stay in memory until the next call
