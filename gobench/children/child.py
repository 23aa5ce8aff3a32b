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
from collections.abc import Callable, Mapping, Sequence

from gobench.children.watcher import dismiss, watch

CHUNK = 1 << 16
TAIL = 4096  # bytes of stderr that are kept
LINES = 12  # of them shown
GRACE = 2.0  # seconds to end after being asked to, and again after SIGTERM
LOOK = 0.2  # seconds between looks whether a silent child lives
LONGEST = 1 << 20  # bytes of a line
PR_SET_PDEATHSIG = 1
ENDED = "has been ended before"


class GoneError(Exception):
    """The child closed its side; the text says how it ended."""


class SilentError(Exception):
    """The deadline passed."""


class FloodError(Exception):
    """More came than was allowed."""


class Child:
    """A program in a process group of its own, its stderr drained all the while."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None, grace: float = GRACE
    ) -> None:
        """Start it; ``environment`` is added to this process's own.

        ``grace`` is how long it may take to end when it is asked to, and again after SIGTERM. Raises OSError where
        the system cannot start it.
        """
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            start_new_session=True, preexec_fn=_die_with_parent(), env={**os.environ, **(environment or {})},
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._held = bytearray()  # of its stdout, read and not yet asked for
        self._drain = Drain(self._process.stderr.fileno())
        self._drain.start()
        self._watcher = watch(self._process.pid)
        self.stop = weakref.finalize(self, _stop, self._process, self._drain, self._watcher, grace)

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
        view, done = memoryview(found), min(size, len(self._held))
        view[:done] = self._held[:done]
        del self._held[:done]
        while done < size:
            self._wait(self._out, None, until)
            try:
                got = os.readv(self._out, [view[done : done + (1 << 20)]])
            except BlockingIOError:
                continue
            except OSError:  # another thread has ended it
                raise GoneError(ENDED) from None
            if not got:
                raise GoneError(self._ending("closed its stdout") + _middle(done, size))
            done += got
        return found

    def line(self, until: float, limit: int = LONGEST) -> bytes:
        """The next line of its stdout, without the newline; raises GoneError and SilentError as ``write`` does, and
        FloodError for a line of more than ``limit`` bytes.
        """
        seen = 0
        while (end := self._held.find(b"\n", seen)) < 0:
            seen = len(self._held)
            if seen > limit:
                raise FloodError
            self._more(until)
        if end > limit:
            raise FloodError
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line

    def _more(self, until: float) -> None:
        """Hold another chunk of its stdout."""
        self._wait(self._out, None, until)
        if time.monotonic() > until:  # also for one that never stops writing
            raise SilentError
        try:
            got = os.read(self._out, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # another thread has ended it
            raise GoneError(ENDED) from None
        if not got:
            raise GoneError(
                self._ending("closed its stdout") + (" in the middle of a line" if self._held else "")
            )
        self._held += got

    def leftover(self) -> bytes:
        """What else lies in its stdout now, at most a chunk."""
        held, self._held = bytes(self._held[:CHUNK]), self._held[CHUNK:]
        with contextlib.suppress(OSError):
            return held or os.read(self._out, CHUNK)
        return held

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
        lines = bytes(self._drain.tail).decode("utf-8", "replace").split("\n")
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
                raise GoneError(ENDED)
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


class Drain(threading.Thread):
    """Reads a child's stderr to the end, or until told to stop: a process that left the group may hold it open."""

    def __init__(self, stderr: int) -> None:
        super().__init__(name="gobench-stderr", daemon=True)
        self.tail = bytearray()
        self.stopped = threading.Event()
        self._stderr = stderr

    def run(self) -> None:
        watch = select.poll()
        watch.register(self._stderr, select.POLLIN)
        while not self.stopped.is_set():
            if watch.poll(1000 * LOOK) and not self._read():
                return

    def _read(self) -> bool:
        try:
            data = os.read(self._stderr, CHUNK)
        except OSError:
            return False
        self.tail += data
        del self.tail[:-TAIL]
        return bool(data)


def _stop(
    process: subprocess.Popen[bytes], drain: Drain, watcher: subprocess.Popen[bytes] | None, grace: float
) -> None:
    """Ask, then SIGTERM, then SIGKILL; the process is reaped whatever it does, and its group goes with it."""
    assert process.stdin and process.stdout and process.stderr
    with contextlib.suppress(OSError):
        process.stdin.close()
    for number in (None, signal.SIGTERM):
        if number is not None:
            _signal(process, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
            break
    with contextlib.suppress(OSError):  # what it has forked may live on
        os.killpg(process.pid, signal.SIGKILL)
    dismiss(watcher)
    process.wait()
    drain.join(LOOK)  # what it wrote last
    drain.stopped.set()
    drain.join()
    process.stdout.close()
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
