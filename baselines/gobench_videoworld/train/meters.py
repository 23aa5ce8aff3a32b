"""How fast a training goes: tokens a second, and MFU against a peak that is measured on this machine."""

from __future__ import annotations

import time


class Meter:
    """Seconds spent on updates, and rates since the last look."""

    def __init__(self, tokens: int, flops: float, peak: float, seconds: float = 0.0) -> None:
        """Tokens and FLOPs of a step, FLOP/s of all devices together (0: not known), seconds of earlier runs."""
        self.tokens = tokens
        self.flops = flops
        self.peak = peak
        self.seconds = seconds
        self._seen = (seconds, 0)  # at the last look: seconds, steps
        self._steps = 0
        self._since = 0.0

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._since
        self._steps += 1

    def rates(self) -> dict[str, float]:
        """Tokens a second and MFU over the steps since the last call, where they are known."""
        (seconds, steps), self._seen = self._seen, (self.seconds, self._steps)
        spent, done = self.seconds - seconds, self._steps - steps
        if not done or spent <= 0:
            return {}
        found = {}
        if self.tokens:
            found["tokens_per_second"] = self.tokens * done / spent
        if self.flops and self.peak:
            found["mfu"] = self.flops * done / spent / self.peak
        return found
