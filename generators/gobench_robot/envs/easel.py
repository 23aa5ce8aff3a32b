"""One thread that draws for a whole process: a GL context is of use to one thread at a time, and models run in another."""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from gobench.errors import UsageError
from gobench.types import Array
from gobench_robot.envs.painter import Painter
from gobench_robot.envs.world import World

PATIENCE = 10.0  # seconds that the renderers get to close at the end of Python


class Easel:
    """A painter whose renderers live in a thread of their own; whoever asks waits for the picture."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        self._painter = Painter()
        self._process = os.getpid()
        self._closes = False  # at the end of Python
        threading.Thread(target=self._serve, name="gobench-painter", daemon=True).start()

    def paint(self, world: World, size: int, camera: str = "static") -> Array:
        """The world as it stands, uint8 [size, size, 3]. Raises UsageError where nothing can be drawn."""
        if os.getpid() != self._process:
            raise UsageError(
                "pictures of robots were drawn before this process was forked, and GL does not survive that: start "
                "processes afresh (multiprocessing context or DataLoader with 'spawn')."
            )
        done, found = self._ask(lambda: self._painter.paint(world, size, camera)).get()
        if (
            not self._closes
        ):  # only now: what is registered last goes first, and the GL library has just been opened
            atexit.register(self.close)
            self._closes = True
        if not done:
            raise found
        picture: Array = found
        return picture

    def close(self) -> None:
        """Let go of all renderers, before the GL library goes."""
        try:
            self._ask(self._painter.close).get(timeout=PATIENCE)
        except queue.Empty:
            return

    def _ask(self, job: Callable[[], Any]) -> queue.SimpleQueue[Any]:
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._jobs.put((job, answer))
        return answer

    def _serve(self) -> None:
        while True:
            job, answer = self._jobs.get()
            try:
                answer.put((True, job()))
            except BaseException as error:  # it belongs to whoever asked
                answer.put((False, error))
            del job, answer  # else the last world stays in memory until the next picture
