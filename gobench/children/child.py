"""A child process behind pipes: exact reads and writes with a deadline, its last words, and a sure end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence

from gobench.children.watcher import dismiss, watch

CHUNK = 1 << 16
TAIL = 4096  # bytes of stderr that are kept
LINES = 12  # of them shown
GRACE = 2.0  # seconds to end after being asked to, and again after SIGTERM
LOOK = 0.2  # seconds between looks whether a silent child lives
PR_SET_PDEATHSIG = 1


class GoneError(Exception):
    """The child closed its side; the text says how it ended."""


class SilentError(Exception):
    """The deadline passed."""


class Child:
    """A program in a process group of its own, its stderr drained all the while."""

    def __init__(self, argv: Sequence[str]) -> None:
        """Start it. Raises OSError where the system cannot."""
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            start_new_session=True, preexec_fn=_die_with_parent(),
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._tail = bytearray()
        self._drain = threading.Thread(
            target=_drain,
            args=(self._process.stderr.fileno(), self._tail),
            name="gobench-stderr",
            daemon=True,
        )
        self._drain.start()
        self._watcher = watch(self._process.pid)
        self.stop = weakref.finalize(self, _stop, self._process, self._drain, self._watcher)

    @property
    def pid(self) -> int:
        """Its process id, also that of its group."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether ``end`` or ``kill`` was called."""
        return not self.stop.alive

    def write(self, data: memoryview | bytes, until: float) -> None:
        """Send all bytes.

        Raises:
            GoneError: it ended or closed its stdin.
            SilentError: it did not take them before ``until`` (time.monotonic()).
        """
        rest = memoryview(data).cast("B")
        while rest:
            self._wait(None, self._in, until)
            try:
                rest = rest[os.write(self._in, rest[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise GoneError(self._ending("closed its stdin")) from None

    def read(self, size: int, until: float) -> bytearray:
        """Exactly ``size`` bytes of its stdout; raises GoneError and SilentError as ``write`` does."""
        found = bytearray(size)
        view, done = memoryview(found), 0
        while done < size:
            self._wait(self._out, None, until)
            try:
                got = os.readv(self._out, [view[done : done + (1 << 20)]])
            except BlockingIOError:
                continue
            if not got:
                raise GoneError(self._ending("closed its stdout") + _middle(done, size))
            done += got
        return found

    def leftover(self) -> bytes:
        """What else lies in its stdout now, at most a chunk."""
        with contextlib.suppress(OSError):
            return os.read(self._out, CHUNK)
        return b""

    def end(self) -> None:
        """Close its stdin, give it time to end, and make sure that it has, with all of its group."""
        self.stop()

    def kill(self) -> None:
        """End it and its group at once."""
        _signal(self._process, signal.SIGKILL)
        self.stop()

    def last_words(self) -> str:
        """The end of what it wrote to stderr, as lines; empty if it wrote nothing."""
        self._drain.join(0.2 if self._process.poll() is not None else 0)
        lines = bytes(self._tail).decode("utf-8", "replace").split("\n")
        shown = [_printable(line)[:300] for line in lines if line.strip()][-LINES:]
        return "\n  ".join(shown)

    def _wait(self, read: int | None, write: int | None, until: float) -> None:
        """Until one of the two is ready, or the child is gone with nothing left to read."""
        watch = select.poll()  # not select(), which knows no descriptor above 1023
        if read is not None:
            watch.register(read, select.POLLIN)
        if write is not None:
            watch.register(write, select.POLLOUT)
        while True:
            if self.ended:
                raise GoneError("has been ended before")
            ended = self._process.poll() is not None  # before the look: what it wrote last is still read
            left = until - time.monotonic()
            if watch.poll(0 if ended else 1000 * max(0.0, min(LOOK, left))):
                return
            if ended:
                raise GoneError(self._ending(""))
            if left <= 0:
                raise SilentError

    def _ending(self, otherwise: str) -> str:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return otherwise
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"was ended by {name}" + (": perhaps it had no memory left" if name == "SIGKILL" else "")


def _middle(done: int, size: int) -> str:
    return f" in the middle of an answer ({done:,} of {size:,} bytes)" if done else ""


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line).rstrip()


def _drain(stderr: int, tail: bytearray) -> None:
    while True:
        try:
            data = os.read(stderr, CHUNK)
        except OSError:
            return
        if not data:
            return
        tail += data
        del tail[:-TAIL]


def _stop(
    process: subprocess.Popen[bytes], drain: threading.Thread, watcher: subprocess.Popen[bytes] | None
) -> None:
    """Ask, then SIGTERM, then SIGKILL; the process is reaped whatever it does, and its group goes with it."""
    assert process.stdin and process.stdout and process.stderr
    with contextlib.suppress(OSError):
        process.stdin.close()
    for number in (None, signal.SIGTERM):
        if number is not None:
            _signal(process, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            break
    with contextlib.suppress(OSError):  # what it has forked may live on
        os.killpg(process.pid, signal.SIGKILL)
    dismiss(watcher)
    process.wait()
    drain.join(GRACE)
    process.stdout.close()
    if not drain.is_alive():
        process.stderr.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number)


def _die_with_parent() -> Callable[[], None] | None:
    """What a child does before it becomes the program: ask Linux to be killed when its parent dies.

    To Linux the parent is the thread that started it: load a model in a thread that lives as long as the model.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before this
            os._exit(1)

    return ask
