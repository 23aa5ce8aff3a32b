"""The time that stages have taken, over all calls: what ``--minutes`` are counted against."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from gobench import atomic, canonical

ELAPSED = "elapsed.json"


class Clock:
    """Seconds of each stage, kept in a work folder.

    A call that is killed outright leaves no note; of a finished stage at least the seconds of its updates count then.
    """

    def __init__(self, work: Path, writes: bool) -> None:
        """``writes``: whether this process is the one that keeps notes."""
        self._path, self._writes = work / ELAPSED, writes
        self._running: tuple[str, float] | None = None

    @contextlib.contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """What is done meanwhile is the stage's, however it ends."""
        self._running = stage, time.monotonic()
        try:
            yield
        finally:
            if self._writes:
                own = self._own()
                atomic.write(self._path, canonical.pretty({**seconds(self._path.parent), stage: own}))
            self._running = None

    def spent(self, finished: Mapping[str, float]) -> float:
        """Seconds of all stages until now; ``finished``: of the updates of those that are done."""
        noted = seconds(self._path.parent)
        if self._running is not None:
            noted[self._running[0]] = self._own()
        return sum(max(noted.get(name, 0.0), finished.get(name, 0.0)) for name in {*noted, *finished})

    def _own(self) -> float:
        assert self._running is not None
        stage, since = self._running
        return seconds(self._path.parent).get(stage, 0.0) + time.monotonic() - since


def seconds(work: Path) -> dict[str, float]:
    """Stage -> seconds, as noted in a work folder."""
    path = work / ELAPSED
    return {name: float(value) for name, value in canonical.read_json(path).items()} if path.exists() else {}


def forget(work: Path, stages: tuple[str, ...]) -> None:
    """Begin to count the time of stages anew."""
    if noted := seconds(work):
        kept = {name: value for name, value in noted.items() if name not in stages}
        atomic.write(work / ELAPSED, canonical.pretty(kept))
