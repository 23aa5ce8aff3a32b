"""A bar on stderr where that is a terminal, and a line now and then where it is a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

EVERY = 15.0  # seconds between lines
UNITS = {"G": 1e9, "M": 1e6, "k": 1e3}


class Bar:
    """The progress of one stage; nothing is written if it is not ``shown``."""

    def __init__(self, name: str, step: int, steps: int, shown: bool) -> None:
        self.name = name
        self.first = self.step = step
        self.steps = steps
        self._since = time.monotonic()
        self._told = self._since
        self._shown = shown
        self._facts: dict[str, str] = {}
        self._bar: Any = None
        if shown and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                desc=name, total=steps, initial=step, unit="step", file=sys.stderr, dynamic_ncols=True
            )

    def facts(self, values: Mapping[str, float]) -> None:
        """The newest numbers: ``loss``, ``tokens_per_second``, ``mfu``."""
        self._facts = _facts(values)
        if self._bar is not None:
            self._bar.set_postfix(self._facts, refresh=False)

    def advance(self) -> None:
        """One more step is done."""
        self.step += 1
        if self._bar is not None:
            self._bar.update()
        elif self._shown and (time.monotonic() - self._told >= EVERY or self.step == self.steps):
            self._told = time.monotonic()
            self.say(self.line())

    def line(self) -> str:
        """ "tokenizer 120/600  loss 1.23  tokens/s 21.3k  MFU 43%  2:05 left"."""
        facts = "".join(f"  {key} {value}" for key, value in self._facts.items())
        done = max(1, self.step - self.first)
        left = (time.monotonic() - self._since) / done * (self.steps - self.step)
        return f"{self.name} {self.step}/{self.steps}{facts}  {_clock(left)} left"

    def say(self, line: str) -> None:
        """A line on stderr, above the bar."""
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()


def _facts(values: Mapping[str, float]) -> dict[str, str]:
    found = {"loss": f"{values['loss']:.4g}"} if "loss" in values else {}
    if "tokens_per_second" in values:
        found["tokens/s"] = _short(values["tokens_per_second"])
    if "mfu" in values:
        found["MFU"] = f"{values['mfu']:.0%}"
    return found


def _short(value: float) -> str:
    for unit, size in UNITS.items():
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
