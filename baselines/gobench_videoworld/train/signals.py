"""SIGTERM and SIGINT as a wish that the loop reads between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
ECHO = 2.0  # seconds in which the same wish may arrive again: the terminal tells a process, and torchrun tells it too


class Wish:
    """Whether, and by which signal, the training was asked to stop."""

    def __init__(self) -> None:
        self.signal = ""
        self.since = 0.0

    def __bool__(self) -> bool:
        return bool(self.signal)

    def hear(self, number: int, frame: FrameType | None) -> None:
        """A handler of signals: note the first; KeyboardInterrupt at a later one."""
        now = time.monotonic()
        if self and now - self.since > ECHO:
            raise KeyboardInterrupt
        if not self:
            self.signal, self.since = signal.Signals(number).name, now


@contextlib.contextmanager
def listening() -> Iterator[Wish]:
    """The first signal is a wish; one after more than ``ECHO`` seconds interrupts at once (KeyboardInterrupt).

    Outside the main thread signals go where they went before.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.signal(number, wish.hear) for number in SIGNALS}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
