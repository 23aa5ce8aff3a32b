"""Run calls in one daemon thread and give up on those that take too long.

One thread a model, not one a call: torch keeps a pool of workers for every thread that calls it.

A thread must not be at work in C++ when Python ends: it would be killed there, and the process with it (SIGABRT). So a
call that is given up is stopped, which takes effect between two steps of Python, and whoever leaves waits a moment for
that; a step that still goes on then ends with the process, without Python's own farewell.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from gobench.errors import ChildError, StoppedError, UsageError

LONGEST = 604_800.0  # seconds: a week; clocks of threads overflow far beyond
GRACE = 3.0  # seconds that a call which is given up has to stop

_working: dict[threading.Thread, int] = {}  # threads at work -> exit code of a process that must leave them


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


class GivenUpError(BaseException):
    """Raised inside of a call that is given up."""


class Caller:
    """Calls functions one after another in a thread of its own."""

    def __init__(self) -> None:
        self.lost = False  # a call never came back
        self._pid = 0
        self._thread: threading.Thread
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[tuple[bool, Any]]] | None]

    def call(self, job: Callable[[], Any], seconds: float) -> Any:
        """The job's value, or its exception.

        Raises:
            LateError: it took longer than ``seconds``; the thread is left to itself.
            LostError: that has happened before.
            KeyboardInterrupt: Ctrl-C; the job is stopped, and what comes next is called in another thread.
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
            self._give_up(ChildError.exit_code)
            raise LateError from None
        except KeyboardInterrupt:
            self._interrupt()
            raise
        if well:
            return value
        raise value

    def _interrupt(self) -> None:
        self.lost = True  # a second Ctrl-C leaves it so
        self._pid = 0
        self._give_up(StoppedError.exit_code)
        self._thread.join(GRACE)
        self.lost = self._thread.is_alive()

    def _give_up(self, code: int) -> None:
        _stop(self._thread, code)
        self._jobs.put(None)  # where the job has just ended

    def _start(self) -> None:
        if self._pid == os.getpid():  # a fork leaves threads behind
            return
        atexit.unregister(_leave)
        atexit.register(_leave)
        self._pid = os.getpid()
        self._jobs = queue.SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._jobs,), name="gobench-model", daemon=True)
        self._thread.start()


def _serve(jobs: queue.SimpleQueue[Any]) -> None:
    this = threading.current_thread()
    with contextlib.suppress(GivenUpError):  # it may come when the job has just ended
        while True:
            if (task := jobs.get()) is None:
                break
            job, answer = task
            _working[this] = 1
            try:
                answer.put((True, job()))
            except GivenUpError:
                break
            except BaseException as error:  # sys.exit() in a model must not end the thread in silence
                answer.put((False, error))
            _working.pop(this, None)
            del task, job, answer  # else the last frames stay in memory until the next call
    _working.pop(this, None)


def _stop(thread: threading.Thread, code: int) -> None:
    """Raise GivenUpError in a thread before its next step of Python; ``code`` is for a process that cannot wait."""
    if thread in _working:
        _working[thread] = code
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(GivenUpError)
        )


def _leave() -> None:
    """At the end of Python: stop what is still called, and leave at once if that takes too long."""
    left = [thread for thread in list(_working) if thread.is_alive()]
    for thread in left:
        _stop(thread, _working.get(thread, 1))
    until = time.monotonic() + GRACE
    while (stuck := [thread for thread in left if thread in _working]) and time.monotonic() < until:
        time.sleep(0.01)
    if stuck:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(_code(_working.get(stuck[0], 1)))


def _code(otherwise: int) -> int:
    """The exit code of an error that Python has shown, else that of the reason to give up."""
    shown = getattr(sys, "last_value", None)
    if shown is None:
        return otherwise
    return StoppedError.exit_code if isinstance(shown, KeyboardInterrupt) else 1
